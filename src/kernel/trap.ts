/**
 * Entry to and exit from the kernel: what a trap or an interrupt means, and what is done before user code runs
 * again: chores, operations that can go on, time-outs, the choice of the next thread, the timer. One entry is one
 * indivisible step of the machine; what takes long is cut into slices by its operation.
 */
import { R } from '../../emu/arch/core-layout.ts';
import { VEC_PF } from '../../emu/arch/vectors.ts';
import { Errno } from '../abi/errno.ts';
import { Fault } from '../abi/fault-switches.ts';
import { SYSCALL_VECTOR } from '../abi/message.ts';
import { charge, coreOf, type KernelContext, OperationWait, serverOf, threadOf, timeOf } from './context.ts';
import { takeExpired } from './deadlines.ts';
import { buryDoomed, killTask, killThread, STATUS_UNSPONSORED, tellServer } from './death.ts';
import { exception, pageFault } from './fault.ts';
import { traceFault } from './fault-injection.ts';
import { lineInterrupt, quietLine } from './interrupt-lines.ts';
import { leaveIpc, receiveAny, wakeWith } from './ipc.ts';
import { VEC_DEVICE_QUIET, VEC_LINE, VEC_RESCHEDULE, VEC_SHOOTDOWN, VEC_TIMER } from './layout.ts';
import { drive, startOperation } from './operation.ts';
import { armTimer, halt, isDonated, mayStay, putBack, runNext } from './scheduler.ts';
import { alarmRings, tickServer } from './server-tick.ts';
import { readmit, serveAtEntry, serveMailbox, shootdownTimedOut } from './shootdown.ts';
import { type Core, DeadlineKind, Reschedule, TaskState, type Thread, ThreadState } from './state.ts';
import { dispatchSyscall } from './syscall.ts';
import { cancel, resume } from './work.ts';

/** Label of late shootdown answers in the trace of operations. */
export const LATE_LABEL = -4;

/** A trap of ring-3 code on `core`: system call, exception or page fault. */
export function trap(k: KernelContext, coreNumber: number, vector: number, errorCode: number): void {
  const core = enter(k, coreNumber);
  k.state.counters.traps++;
  killAtStep(k);
  const thread = k.state.exitStatus < 0 ? k.state.threads.get(core.current) : undefined;
  if (thread !== undefined && thread.state === ThreadState.RUNNING) {
    if (vector === SYSCALL_VECTOR) dispatchSyscall(k, thread);
    else if (vector === VEC_PF && k.registers[coreNumber]![R.EXIT_SOFT] !== 1)
      pageFault(k, thread, errorCode);
    else exception(k, thread, vector, errorCode);
  } else if (thread !== undefined) {
    buryDoomed(k, thread);
  }
  leave(k, core);
}

/** An external interrupt that `core` has acknowledged. */
export function interrupt(k: KernelContext, coreNumber: number, vector: number): void {
  const core = enter(k, coreNumber);
  k.state.counters.interrupts++;
  const line = vector - VEC_LINE;
  const isLine = line >= 0 && line < k.state.lines.length;
  if (isLine) quietLine(k, line);
  k.machine.endOfInterrupt(coreNumber);
  killAtStep(k);
  const thread = k.state.threads.get(core.current);
  if (thread !== undefined && thread.state === ThreadState.DOOMED) buryDoomed(k, thread);
  if (vector === VEC_SHOOTDOWN) serveMailbox(k, core);
  else if (vector === VEC_TIMER) timer(k, core);
  else if (isLine) lineInterrupt(k, line);
  else if (vector === VEC_DEVICE_QUIET) tickServer(k);
  else if (vector !== VEC_RESCHEDULE) k.state.counters.spuriousInterrupts++;
  leave(k, core);
}

/** Fault switch killTaskAt: every entry but the hand-over is a step, before anything else is done in it. */
function killAtStep(k: KernelContext): void {
  const { killTaskAt } = k.config.faults;
  const { traps, interrupts } = k.state.counters;
  if (killTaskAt === null || killTaskAt.step !== traps + interrupts || k.state.exitStatus >= 0) return;
  const task = k.state.tasks.get(killTaskAt.task);
  if (task?.state !== TaskState.ALIVE) return;
  traceFault(k, Fault.KILL_TASK_AT, killTaskAt.step, task.number, 0);
  killTask(k, task, STATUS_UNSPONSORED);
}

/** Begins kernel work on a core. */
export function enter(k: KernelContext, coreNumber: number): Core {
  k.core = coreNumber;
  const core = coreOf(k, coreNumber);
  core.kicked = 0;
  k.slices = core.paused.length > 0 ? 1 : 0;
  charge(k, k.costs.trapEntry);
  if (core.dead !== 0) readmit(k, core);
  serveAtEntry(k, core);
  return core;
}

/** Ends kernel work on a core: a thread runs on it, or it is idle. After the end of the run nothing runs. */
export function leave(k: KernelContext, core: Core): void {
  settle(k, core);
  if (k.state.exitStatus >= 0) halt(k, core);
  else if (core.current === 0 || core.reschedule !== Reschedule.NO) choose(k, core);
  armTimer(k, core);
  charge(k, k.costs.trapReturn);
}

/**
 * Picks what the core does next. An operation that ended a slice in an earlier entry takes its turn before a
 * thread that begins a new quantum: one slice, so that guests run between slices.
 */
function choose(k: KernelContext, core: Core): void {
  if (core.current !== 0) {
    const thread = threadOf(k, core.current);
    if (k.slices === 0 && mayStay(k, core, thread)) {
      core.reschedule = Reschedule.NO;
      return;
    }
    putBack(k, core, thread);
  }
  if (k.slices > 0 && core.paused.length > 0 && !isDonated(k, core)) {
    k.slices = 0;
    drive(k, k.operations.get(core.paused.shift()!)!);
    settle(k, core);
  }
  runNext(k, core);
}

/** Does chores and continues operations until nothing of either is left. */
function settle(k: KernelContext, core: Core): void {
  while (k.chores || core.work.length > 0) {
    if (k.chores) doChores(k);
    else drive(k, k.operations.get(core.work.shift()!)!);
  }
}

function doChores(k: KernelContext): void {
  k.chores = false;
  for (const number of k.turns.splice(0)) {
    const thread = k.state.threads.get(number);
    if (thread?.state === ThreadState.TURN) receiveAny(k, thread);
  }
  for (const { thread: number, status } of k.condemned.splice(0)) {
    const thread = k.state.threads.get(number);
    if (thread?.state === ThreadState.CONDEMNED) killThread(k, thread, status);
  }
  for (const number of k.deaths.splice(0)) {
    const task = k.state.tasks.get(number);
    if (task?.state === TaskState.DYING) tellServer(k, task);
  }
  for (const batch of k.lateBatches.splice(0)) {
    const generator = serverOf(k).lateAnswer?.(batch) ?? null;
    if (generator === null) continue;
    startOperation(k, { task: 0, thread: 0, label: LATE_LABEL, object: 0, generator, finish: () => {} });
  }
}

/** The local timer: deadlines that are over, then the end of the quantum. */
function timer(k: KernelContext, core: Core): void {
  core.timerAt = -1;
  const now = timeOf(k, core.number);
  for (let due = takeExpired(core, now); due !== undefined; due = takeExpired(core, now)) {
    if (due.kind === DeadlineKind.THREAD) threadTimedOut(k, threadOf(k, due.id));
    else if (due.kind === DeadlineKind.SHOOTDOWN) shootdownTimedOut(k, due.id);
    else if (due.kind === DeadlineKind.OPERATION) eventTimedOut(k, due.id);
    else if (due.kind === DeadlineKind.ALARM) alarmRings(k);
    else if (due.kind === DeadlineKind.DELAYED_IPI) k.machine.sendIpi(core.number, due.id, VEC_SHOOTDOWN);
    else serveMailbox(k, core);
  }
  if (core.current !== 0 && now >= core.quantumEnd) core.reschedule = Reschedule.ROTATE;
}

function threadTimedOut(k: KernelContext, thread: Thread): void {
  thread.deadline = -1;
  if (thread.state === ThreadState.SERVER) {
    const operation = k.operations.get(thread.operation);
    if (operation !== undefined) cancel(k, operation);
    return;
  }
  const errno = thread.state === ThreadState.SLEEP ? Errno.OK : Errno.ETIMEDOUT;
  leaveIpc(k, thread);
  wakeWith(k, thread, errno);
}

function eventTimedOut(k: KernelContext, id: number): void {
  const operation = k.operations.get(id);
  if (operation === undefined || operation.wait !== OperationWait.EVENT) return;
  operation.deadline = -1;
  resume(k, operation, 'timeout');
}
