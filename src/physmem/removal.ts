/**
 * A removal collects what an operation takes away: translations (a shootdown batch), blocks, page tables, credit.
 * `settle` is the law of physmem.md §6.1: page tables are changed already; invalidate every TLB, wait for the
 * acknowledgements, and only then free, and give the credit back.
 */
import { PhysmemEv } from '../abi/events.ts';
import { Fault } from '../abi/fault-switches.ts';
import type { Operation, ShootdownBatch, WaitResult } from '../abi/server.ts';
import { FrameState } from './base-frames.ts';
import { arrange, type Later } from './defer.ts';
import { tellFault } from './faults.ts';
import { FrameFlag } from './frame.ts';
import { NEVER, PROGRESS_KEY, spaceKey } from './guard.ts';
import { controlOf, holdNothing } from './hold.ts';
import type { Held } from './inflight.ts';
import type { Demoted } from './keep-mapped.ts';
import { detach, pagesOf, removeName } from './names.ts';
import type { Store } from './store.ts';

/** `limbo`: a core is silent; what was removed may still be in its TLB (silent-core.ts). */
export type Settled = 'done' | 'limbo';

export class Removal implements Held {
  batch: ShootdownBatch | null = null;
  readonly blocks: number[] = [];
  readonly charges: number[] = [];
  /** Frames whose translations are on their way out before they may be used again. */
  readonly moving: number[] = [];
  /** Entries that become soft references as soon as no TLB shows their memory. */
  readonly softs: number[] = [];
  /** Tasks with translations in the batch. */
  readonly spaces: number[] = [];
  /** Blocks that stay in use by others and that the translations in the batch show: not to be written before they are gone. */
  readonly shown: number[] = [];
  /**
   * What must be out of every TLB when it is settled: what it removed itself, or also what others removed before it, on
   * which a revocation relies (their shootdowns may be open still).
   */
  readonly promise: 'own' | 'all';
  /** Whether it also flushes the list of deferred unmaps (defer.ts): when it must, or in any case. */
  flush: 'needed' | 'all';
  /** What may be left in the TLBs of other cores, if it is deferred. */
  leaves: 'nothing' | 'read-only' = 'nothing';
  later: Later | null = null;
  /** Large pages that went for the sake of a part of them; kept until the rest is mapped again (keep-mapped.ts). */
  readonly demoted: Demoted[] = [];

  constructor(promise: 'own' | 'all' = 'own', flush: 'needed' | 'all' = 'needed') {
    this.promise = promise;
    this.flush = flush;
  }

  /** Whether page tables that become empty go too. */
  emptyTables: 'remove' | 'keep' = 'remove';
  unmappedPages = 0;

  /** The batch to record removed translations of a space in. */
  batchFor(store: Store, space: number): ShootdownBatch {
    if (!this.spaces.includes(space)) this.spaces.push(space);
    return (this.batch ??= store.port.newBatch());
  }

  /** Where translations are noted that may be left behind. */
  laterFor(store: Store): Later {
    return (this.later ??= { batch: store.port.newBatch(), runs: [], blocks: [] });
  }

  /** Takes a block from its owner: it is in limbo until the removal is settled. */
  takeBlock(store: Store, head: number): void {
    store.base.set(head, FrameState.LIMBO, 0);
    this.blocks.push(head);
  }

  /** Credit to give back to a control when the memory is free. */
  addCharge(control: number, frames: number): void {
    const { charges } = this;
    for (let i = 0; i < charges.length; i += 2) {
      if (charges[i] === control) {
        charges[i + 1] = charges[i + 1]! + frames;
        return;
      }
    }
    charges.push(control, frames);
  }

  /** Forgets everything, so that the object serves the next slice. */
  reset(): void {
    this.batch = null;
    this.later = null;
    clear(this.blocks);
    clear(this.charges);
    clear(this.softs);
    clear(this.moving);
    clear(this.spaces);
    clear(this.shown);
  }

  /** Makes it as new, for another operation; it has been settled. */
  rewind(): this {
    this.flush = 'needed';
    this.leaves = 'nothing';
    this.emptyTables = 'remove';
    this.unmappedPages = 0;
    if (this.demoted.length > 0) this.demoted.length = 0;
    return this;
  }
}

const SHORT = 8;

/**
 * Setting the length drops the elements' memory, also of an empty list; short lists are popped empty and keep it. With
 * removals that are used again (operation.ts): 2.2 to 2.8 M allocate + deallocate per second, npm run bench physmem.
 */
function clear(list: number[]): void {
  if (list.length > SHORT) list.length = 0;
  while (list.length > 0) list.pop();
}

/** Settles without waiting, if no other core and no older removal is in the way; returns whether it did. */
export function settleNow(store: Store, removal: Removal): boolean {
  if (removal.later !== null || !store.deferred.isEmpty) arrange(store, removal);
  const { batch } = removal;
  if (batch !== null) {
    if (store.port.needsRemote(batch)) return false;
    store.port.flushLocal(batch);
    removal.batch = null;
    store.counters.localShootdowns += 1;
  }
  const needs = removal.blocks.length > 0 || removal.softs.length > 0 || removal.promise === 'all';
  if (needs && (store.inflight.open.length > 0 || store.inflight.parked.length > 0)) return false;
  giveBack(store, removal);
  softenAll(store, removal);
  removal.reset();
  return true;
}

/** Settles a removal. On return its memory is free, or in limbo because a core is silent. */
export function* settle(store: Store, removal: Removal): Operation<Settled> {
  if (settleNow(store, removal)) return 'done';
  const { inflight } = store;
  if (store.tuning.faults.freeBeforeFlush === 'on') freeTooEarly(store, removal);
  const number = inflight.begin();
  const { batch } = removal;
  if (removal.shown.length > 0) inflight.showing.push(removal.shown);
  const raised = raiseRings(store, removal.moving);
  for (const entry of removal.softs) raiseMoving(store, store.entries.frame[entry]!);
  let result: WaitResult = 'done';
  if (batch !== null) {
    for (const task of removal.spaces) changePending(store, task, 1);
    store.counters.remoteShootdowns += 1;
    result = yield { kind: 'shootdown', batch };
    for (const task of removal.spaces) changePending(store, task, -1);
  }
  // Parked before anything else can run: younger removals must not free what this batch is about.
  if (result === 'limbo') parkBatch(store, removal);
  inflight.end(number);
  for (const frame of raised) lowerMoving(store, frame);
  store.progress();
  while (inflight.hasOlder(number)) yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
  if (removal.shown.length > 0) inflight.showing.splice(inflight.showing.indexOf(removal.shown), 1);
  for (const entry of removal.softs) lowerMoving(store, store.entries.frame[entry]!);
  if (inflight.parked.length > 0) loseAll(store, removal);
  if (inflight.parked.length > 0 && removal.blocks.length > 0) park(store, removal);
  else giveBack(store, removal);
  softenAll(store, removal);
  removal.reset();
  store.progress();
  return result === 'limbo' ? 'limbo' : 'done';
}

/** Flushes the list of deferred unmaps, because its time is over or because its memory is wanted. */
export function* flushDeferred(store: Store): Operation<void> {
  yield* settle(store, new Removal('own', 'all'));
}

/** The fault switch: what is to be freed is free before the shootdown has begun. */
function freeTooEarly(store: Store, removal: Removal): void {
  for (const head of removal.blocks) tellFault(store, Fault.FREE_BEFORE_FLUSH, head);
  giveBack(store, removal);
  clear(removal.blocks);
  clear(removal.charges);
}

function parkBatch(store: Store, { batch, spaces, shown }: Removal): void {
  store.counters.limboBatches += 1;
  store.inflight.parked.push({ batch, blocks: [], charges: [], spaces: [...spaces], shown: [...shown] });
}

/** Keeps memory in limbo, and charged, until every parked batch has been answered. */
function park(store: Store, removal: Removal): void {
  const { blocks, charges } = removal;
  store.inflight.parked.push({
    batch: null,
    blocks: [...blocks],
    charges: [...charges],
    spaces: [],
    shown: [],
  });
}

/**
 * The cores that a parked batch still waited for have answered. Parked memory is freed when that holds for every
 * parked batch, all or none: a block without a batch of its own may have translations in anyone's.
 */
export function answerLate(store: Store, batch: ShootdownBatch): void {
  const { parked } = store.inflight;
  for (const held of parked) if (held.batch === batch) held.batch = null;
  if (parked.some((held) => held.batch !== null)) return;
  store.inflight.parked = [];
  for (const held of parked) giveBack(store, held);
  store.progress();
}

function giveBack(store: Store, held: Held): void {
  for (const head of held.blocks) freeBlock(store, head);
  for (let i = 0; i < held.charges.length; i += 2) {
    store.controls.credit(held.charges[i]!, held.charges[i + 1]!);
  }
  if (store.loans.claims > 0) store.progress();
}

/** What was released softly can be reused from now on. */
function softenAll(store: Store, { softs }: Removal): void {
  const { loans, entries, frames, base } = store;
  for (const entry of softs) {
    base.changeState(frames.block[entries.frame[entry]!]!, FrameState.SOFT);
    loans.append(loans.softList, entries.loan[entry]!);
  }
  if (softs.length > 0 && loans.claims > 0) store.progress();
}

/** A core may still show what was to become soft: nobody can say when it may be reused, so it is not kept. */
function loseAll(store: Store, removal: Removal): void {
  const { softs } = removal;
  for (const entry of softs) {
    controlOf(store, entry).lost += pagesOf(store, entry);
    holdNothing(store, entry);
    removeName(store, entry);
    removal.takeBlock(store, detach(store, entry));
    store.entries.free(entry);
  }
  clear(softs);
}

/** Gives a block that nothing refers to back to its zone. */
export function freeBlock(store: Store, head: number): void {
  const order = store.base.order[head]!;
  if (store.tuning.poison === 'on') store.port.poisonFrames(head, 1 << order);
  store.port.emit(PhysmemEv.FrameFree, head, order, store.zones.zoneOf(head), 0);
  store.zones.give(head);
}

/**
 * An entry leaves its copy-on-write ring. Until its translations are gone, and those that others take away just now, the
 * block is not written in place by who stays: the last one that stays would not be copy-on-write any more.
 */
export function noteShown(store: Store, entry: number, removal: Removal): void {
  const { entries, frames, inflight } = store;
  const frame = entries.frame[entry]!;
  if (!frames.isCow(frame) || (entries.maps[entry] === 0 && inflight.open.length === 0)) return;
  removal.shown.push(frames.block[frame]!);
}

/** Frames of one ring stand still together: what is done to one of them may split or copy the others. */
function raiseRings(store: Store, moving: readonly number[]): number[] {
  const raised: number[] = [];
  for (const frame of moving) {
    let member = frame;
    do {
      if (!store.frames.has(member, FrameFlag.MOVING)) {
        raiseMoving(store, member);
        raised.push(member);
      }
      member = store.frames.ringNext[member]!;
    } while (member !== frame);
  }
  return raised;
}

export function raiseMoving(store: Store, frame: number): void {
  store.frames.raise(frame, FrameFlag.MOVING);
  store.moving += 1;
}

export function lowerMoving(store: Store, frame: number): void {
  store.frames.lower(frame, FrameFlag.MOVING);
  store.moving -= 1;
}

function changePending(store: Store, task: number, by: 1 | -1): void {
  const space = store.spaces.get(task);
  if (space === undefined) return;
  space.pending += by;
  if (space.pending === 0) store.port.wake(spaceKey(task));
}
