/**
 * TLB shootdown (physmem.md §6). The order is law: the table was changed by the caller; here every TLB that may
 * hold the translation is invalidated; only after the last acknowledgement does the operation go on.
 *
 * A core may hold translations of the one space whose directory it has loaded. If it runs a thread of it, it gets
 * a request in its mailbox and an IPI; its handler invalidates and answers with the generation of the request, so
 * that late, repeated and unasked answers count for nothing. If it is idle with that directory loaded (lazy), it
 * is only marked: it flushes before it runs user code of that space (scheduler.ts, enterSpace), which is why it
 * counts as answered. Nobody spins: the operation is parked, so cores that shoot at each other both answer.
 */
import { KernelEv } from '../abi/events.ts';
import { Fault } from '../abi/fault-switches.ts';
import { type Batch, pagesOf } from './batch.ts';
import { charge, coreOf, emit, type KernelContext, Stage, type Transaction, timeOf } from './context.ts';
import { addDeadline, removeDeadline } from './deadlines.ts';
import { isStalled, sendShootdownIpi, traceFault } from './fault-injection.ts';
import { type Core, DeadlineKind } from './state.ts';
import { resume } from './work.ts';

/** A core that has not answered after so many bounds is declared dead. */
const DEAD_AFTER_BOUNDS = 4;

/** Whether a core other than the present one runs user code of a space of the batch. */
export function needsRemote(k: KernelContext, batch: Batch): boolean {
  return k.config.faults.skipShootdown === 'off' && remoteMask(k, batch) !== 0;
}

/** How many other cores run user code of a space of the batch. */
export const remoteCores = (k: KernelContext, batch: Batch): number => countBits(remoteMask(k, batch));

/** Completes a batch that no other core must answer: invalidates here, marks lazy cores. */
export function flushLocal(k: KernelContext, batch: Batch): void {
  if (batch.pageCount === 0) return;
  k.state.counters.shootdowns++;
  k.state.counters.shootdownsLocal++;
  const id = k.state.nextTransaction++;
  emit(k, KernelEv.ShootdownStart, id, batch.spaces[0]!, 0, batch.pageCount);
  flushHere(k, id, batch);
  emit(k, KernelEv.ShootdownDone, id, 0, 0, 0);
}

/**
 * Invalidates on the present core and marks idle ones; returns how many cores run user code of a space of the batch and
 * keep what they hold.
 */
export function flushOwn(k: KernelContext, batch: Batch): number {
  flushHere(k, 0, batch);
  return remoteCores(k, batch);
}

/**
 * Starts a shootdown for an operation of the present core.
 * @returns 'done' when nobody has to answer, 'wait' when the operation will be resumed, 'limbo' when only cores that are
 * dead have to: the operation shall not wait as long again for each of its slices.
 */
export function startShootdown(k: KernelContext, batch: Batch, operation: number): 'done' | 'wait' | 'limbo' {
  if (!needsRemote(k, batch)) {
    flushLocal(k, batch);
    return 'done';
  }
  const mask = remoteMask(k, batch);
  const transaction = newTransaction(k, batch, operation, mask);
  k.transactions.set(transaction.id, transaction);
  k.state.counters.shootdowns++;
  emit(k, KernelEv.ShootdownStart, transaction.id, batch.spaces[0]!, mask, batch.pageCount);
  for (const core of k.state.cores) {
    if ((mask & (1 << core.number)) !== 0) post(k, transaction, core);
  }
  flushHere(k, transaction.id, batch);
  if (k.config.faults.dontWaitForAcks === 'on') {
    traceFault(k, Fault.DONT_WAIT_FOR_ACKS, transaction.id, mask, 0);
    return 'done';
  }
  if (missingCores(k, transaction).every((core) => core.dead !== 0)) {
    giveUp(k, transaction);
    return 'limbo';
  }
  addDeadline(coreOf(k, k.core), transaction.deadline, DeadlineKind.SHOOTDOWN, transaction.id);
  return 'wait';
}

/** The interrupt handler of a target: invalidates what each request in the mailbox lists, and answers it. */
export function serveMailbox(k: KernelContext, core: Core): void {
  if (isStalled(k, core)) return;
  if (core.mailbox.length === 0) k.state.counters.spuriousInterrupts++;
  answerMail(k, core);
}

function answerMail(k: KernelContext, core: Core): void {
  for (const { transaction: id, generation } of core.mailbox.splice(0)) {
    const transaction = k.transactions.get(id);
    const pages = transaction === undefined ? 0 : invalidate(k, core, transaction.batch);
    acknowledge(k, core.number, id, generation, pages);
  }
}

/**
 * Takes an acknowledgement. It counts once, for the transaction and the generation that the core was asked with;
 * every other one is ignored.
 */
export function acknowledge(
  k: KernelContext,
  core: number,
  id: number,
  generation: number,
  pages: number,
): void {
  const transaction = k.transactions.get(id);
  const bit = 1 << core;
  if (
    transaction === undefined ||
    (transaction.pendingMask & bit) === 0 ||
    transaction.generations[core] !== generation
  ) {
    k.state.counters.acksIgnored++;
    return;
  }
  transaction.pendingMask &= ~bit;
  k.state.counters.acks++;
  emit(k, KernelEv.ShootdownAck, id, generation, pages, 0);
  if (transaction.pendingMask === 0) complete(k, transaction);
}

/**
 * A stage of a shootdown is over (docs/adr/0012). The operation goes on waiting while the missing cores are reported,
 * interrupted once more, and declared dead; it is told 'limbo' only when that was in vain.
 */
export function shootdownTimedOut(k: KernelContext, id: number): void {
  const transaction = k.transactions.get(id);
  if (transaction === undefined) return;
  transaction.stage += 1;
  const missing = missingCores(k, transaction);
  if (transaction.stage === Stage.GIVEN_UP) {
    giveUp(k, transaction);
    resume(k, k.operations.get(transaction.operation)!, 'limbo');
    return;
  }
  const bounds = transaction.stage === Stage.REPORTED ? DEAD_AFTER_BOUNDS : DEAD_AFTER_BOUNDS + 1;
  transaction.deadline = transaction.startedAt + bounds * k.config.shootdownTimeoutCycles;
  addDeadline(coreOf(k, transaction.home), transaction.deadline, DeadlineKind.SHOOTDOWN, id);
  if (transaction.stage === Stage.REPORTED) {
    k.state.counters.shootdownTimeouts++;
    emit(k, KernelEv.ShootdownTimeout, id, transaction.pendingMask, 0, 0);
    for (const core of missing) if (!answerForHalted(k, core)) interruptFor(k, transaction, core);
  } else {
    for (const core of missing) if (!answerForHalted(k, core)) declareDead(k, transaction, core);
  }
}

function giveUp(k: KernelContext, transaction: Transaction): void {
  transaction.stage = Stage.GIVEN_UP;
  emit(k, KernelEv.ShootdownGivenUp, transaction.id, transaction.pendingMask, 0, 0);
}

const missingCores = (k: KernelContext, { pendingMask }: Transaction): Core[] =>
  k.state.cores.filter((core) => (pendingMask & (1 << core.number)) !== 0);

/**
 * A core that was asked and has gone idle since runs no user code: it counts as answered because it will flush before it
 * does (as a lazy core). Returns false for a core that is not idle.
 */
function answerForHalted(k: KernelContext, core: Core): boolean {
  if (core.current !== 0) return false;
  core.flushPending = 1;
  for (const { transaction, generation } of core.mailbox.splice(0)) {
    acknowledge(k, core.number, transaction, generation, 0);
  }
  return true;
}

/** From now on the core answers as soon as it enters the kernel for any reason (trap.ts, enter). */
function declareDead(k: KernelContext, transaction: Transaction, core: Core): void {
  emit(k, KernelEv.CoreDead, transaction.id, core.number, 0, 0);
  if (core.dead === 0) k.state.counters.coresDead++;
  core.dead = 1;
  interruptFor(k, transaction, core);
}

/** A dead core has entered the kernel: it answers everything first, and lives again. */
export function readmit(k: KernelContext, core: Core): void {
  core.dead = 0;
  k.state.counters.coresReadmitted++;
  emit(k, KernelEv.CoreReadmitted, core.mailbox.length, 0, 0, 0);
  answerMail(k, core);
}

function complete(k: KernelContext, transaction: Transaction): void {
  const { id, home, stage } = transaction;
  k.transactions.delete(id);
  const cycles = Math.max(0, timeOf(k, k.core) - transaction.startedAt);
  emit(k, KernelEv.ShootdownDone, id, cycles, transaction.ipis, 0);
  if (stage !== Stage.ASKED) k.state.counters.lateAnswers++;
  if (stage === Stage.GIVEN_UP) {
    k.lateBatches.push(transaction.batch);
    k.chores = true;
    return;
  }
  if (k.config.faults.dontWaitForAcks === 'on') return;
  removeDeadline(coreOf(k, home), transaction.deadline, DeadlineKind.SHOOTDOWN, id);
  resume(k, k.operations.get(transaction.operation)!, 'done');
}

function newTransaction(k: KernelContext, batch: Batch, operation: number, mask: number): Transaction {
  const startedAt = timeOf(k, k.core);
  return {
    id: k.state.nextTransaction++,
    operation,
    home: k.core,
    batch,
    startedAt,
    pendingMask: mask,
    generations: new Array<number>(k.state.cores.length).fill(0),
    ipis: k.config.shootdownBy === 'interrupt' ? countBits(mask) : 0,
    deadline: startedAt + k.config.shootdownTimeoutCycles,
    stage: Stage.ASKED,
    isDenied: false,
  };
}

function countBits(mask: number): number {
  let bits = 0;
  for (let left = mask; left !== 0; left &= left - 1) bits++;
  return bits;
}

function post(k: KernelContext, transaction: Transaction, core: Core): void {
  const generation = ++core.mailGeneration;
  transaction.generations[core.number] = generation;
  core.mailbox.push({ transaction: transaction.id, generation });
  if (k.config.shootdownBy === 'interrupt') interruptFor(k, transaction, core);
}

/** At each entry of the kernel, when cores are not interrupted for shootdowns: requests that have come meanwhile. */
export function serveAtEntry(k: KernelContext, core: Core): void {
  if (k.config.shootdownBy === 'tick' && core.mailbox.length > 0) serveMailbox(k, core);
}

function interruptFor(k: KernelContext, transaction: Transaction, core: Core): void {
  k.state.counters.shootdownIpis++;
  emit(k, KernelEv.ShootdownIpi, transaction.id, core.number, 0, 0);
  sendShootdownIpi(k, transaction.id, core.number);
}

/** Cores other than the present one that run user code of a space of the batch, one bit each. */
function remoteMask(k: KernelContext, batch: Batch): number {
  let mask = 0;
  for (const core of k.state.cores) {
    if (core.number === k.core || core.current === 0) continue;
    if (batch.spaces.includes(core.space)) mask |= 1 << core.number;
  }
  return mask;
}

/** Cores other than the present one that have a space of the batch loaded, running or lazy, one bit each. */
function holdersMask(k: KernelContext, batch: Batch): number {
  let mask = 0;
  for (const core of k.state.cores) {
    if (core.number !== k.core && batch.spaces.includes(core.space)) mask |= 1 << core.number;
  }
  return mask;
}

/** Invalidates on the present core and marks the lazy ones. */
function flushHere(k: KernelContext, id: number, batch: Batch): void {
  invalidate(k, coreOf(k, k.core), batch);
  if (k.config.faults.skipShootdown === 'on') {
    const skipped = holdersMask(k, batch);
    if (skipped !== 0) traceFault(k, Fault.SKIP_SHOOTDOWN, id, skipped, 0);
    return;
  }
  for (const core of k.state.cores) {
    if (core.number === k.core || core.current !== 0 || !batch.spaces.includes(core.space)) continue;
    core.flushPending = 1;
    k.state.counters.ipisAvoided++;
    emit(k, KernelEv.ShootdownLazy, id, core.number, 0, 0);
  }
}

/** Removes the translations of a batch from one core's own TLB; returns the number of pages, 0 for a flush. */
function invalidate(k: KernelContext, core: Core, batch: Batch): number {
  const { space, number } = core;
  if (space === 0 || !batch.spaces.includes(space)) return 0;
  if (batch.whole.includes(space)) {
    k.machine.loadCr3(number, (k.state.idleDirectory << 12) >>> 0);
    core.space = 0;
    core.flushPending = 0;
    return countFlush(k);
  }
  const pages = pagesOf(batch, space);
  if (pages > k.config.singlePageCeiling) {
    k.machine.flushTlb(number, 'keep');
    core.flushPending = 0;
    return countFlush(k);
  }
  for (let i = 0; i < batch.runs.length; i += 3) {
    if (batch.runs[i] !== space) continue;
    const first = batch.runs[i + 1]!;
    for (let page = first; page < first + batch.runs[i + 2]!; page++) {
      k.machine.invalidatePage(number, (page << 12) >>> 0);
    }
  }
  charge(k, pages * k.costs.invlpg);
  k.state.counters.pagesInvalidated += pages;
  return pages;
}

function countFlush(k: KernelContext): number {
  charge(k, k.costs.tlbFlush);
  k.state.counters.fullFlushes++;
  return 0;
}
