/**
 * Which thread a core runs: per-core queues by priority, round robin with a quantum inside a priority, preemption
 * by a more urgent thread, donation of the rest of the quantum along IPC on one core. An idle core is halted with
 * its page directory still loaded (it is lazy, see shootdown.ts) and is woken by an IPI. Threads stay on their core
 * until thread_control moves them.
 */
import { R, RunState } from '../../emu/arch/core-layout.ts';
import { KernelEv } from '../abi/events.ts';
import { AREA_CORE } from '../abi/message.ts';
import { charge, coreOf, emit, type KernelContext, taskOf, threadOf, timeOf } from './context.ts';
import { addDeadline, removeDeadline } from './deadlines.ts';
import { loadIoMap } from './io-ports.ts';
import { VEC_RESCHEDULE, VEC_TIMER } from './layout.ts';
import { loadSegments, saveSelectors } from './segments.ts';
import { type Core, DeadlineKind, Reschedule, type Thread, ThreadState } from './state.ts';

/** Has a core look at its queues soon. Nothing to do for the core that is in the kernel now. */
export function kick(k: KernelContext, core: Core): void {
  if (core.number === k.core || core.kicked !== 0) return;
  core.kicked = 1;
  k.state.counters.reschedules++;
  k.machine.sendIpi(k.core, core.number, VEC_RESCHEDULE);
}

/**
 * Puts a thread that can run into its queue, unless it is suspended; `front` gives it the rest of the running
 * thread's quantum.
 */
export function makeReady(k: KernelContext, thread: Thread, place: 'back' | 'front'): void {
  clearDeadline(k, thread);
  if (thread.moveTo >= 0) rehome(k, thread);
  if (thread.suspended !== 0) {
    thread.state = ThreadState.SUSPENDED;
    return;
  }
  thread.state = ThreadState.READY;
  const core = coreOf(k, thread.core);
  enqueue(k, core, thread, place);
  if (place === 'front' && core.number === k.core) core.donated = thread.number;
  if (core.current === 0) {
    kick(k, core);
    return;
  }
  if (core.reschedule === Reschedule.NO && threadOf(k, core.current).priority < thread.priority) {
    core.reschedule = Reschedule.PREEMPT;
    kick(k, core);
  }
}

/** Takes the running thread off its core; the caller has put it, or will put it, where it waits. */
export function block(k: KernelContext, thread: Thread, state: ThreadState): void {
  saveContext(k, thread);
  thread.state = state;
  coreOf(k, thread.core).current = 0;
}

/** Starts the time-out of a wait; `cycles` from now on the clock of the thread's core. */
export function setDeadline(k: KernelContext, thread: Thread, at: number): void {
  thread.deadline = at;
  addDeadline(coreOf(k, thread.core), at, DeadlineKind.THREAD, thread.number);
}

export function clearDeadline(k: KernelContext, thread: Thread): void {
  if (thread.deadline < 0) return;
  removeDeadline(coreOf(k, thread.core), thread.deadline, DeadlineKind.THREAD, thread.number);
  thread.deadline = -1;
}

/** Takes a ready thread out of its queue. */
export function unready(k: KernelContext, thread: Thread): void {
  const core = coreOf(k, thread.core);
  const { priority, next, previous } = thread;
  if (previous === 0) core.firstReady[priority] = next;
  else threadOf(k, previous).next = next;
  if (next === 0) core.lastReady[priority] = previous;
  else threadOf(k, next).previous = previous;
  if (core.firstReady[priority] === 0) core.readyMask &= ~(1 << priority);
  thread.next = 0;
  thread.previous = 0;
  if (core.donated === thread.number) core.donated = 0;
}

/**
 * Whether the running thread may go on although a reschedule was asked for: nobody else of enough priority is
 * ready. A rotation then begins a new quantum.
 */
export function mayStay(k: KernelContext, core: Core, thread: Thread): boolean {
  if (thread.suspended !== 0 || thread.moveTo >= 0) return false;
  const top = 31 - Math.clz32(core.readyMask);
  const stays = core.reschedule === Reschedule.ROTATE ? top < thread.priority : top <= thread.priority;
  if (stays && core.reschedule === Reschedule.ROTATE) {
    core.quantumEnd = timeOf(k, core.number) + k.config.quantumCycles;
  }
  return stays;
}

/** Takes the running thread off: back into its queue as the reschedule wants it, to another core, or out of all. */
export function putBack(k: KernelContext, core: Core, thread: Thread): void {
  if (thread.suspended !== 0 || thread.moveTo >= 0) {
    block(k, thread, ThreadState.SUSPENDED);
    makeReady(k, thread, 'back');
    return;
  }
  const place = core.reschedule === Reschedule.ROTATE ? 'back' : 'front';
  block(k, thread, ThreadState.READY);
  enqueue(k, core, thread, place);
}

/** Whether the next thread goes on with a donated quantum (then no other work takes a turn before it). */
export function isDonated(k: KernelContext, core: Core): boolean {
  if (core.donated === 0 || core.readyMask === 0) return false;
  const top = 31 - Math.clz32(core.readyMask);
  return core.firstReady[top] === core.donated && timeOf(k, core.number) < core.quantumEnd;
}

/** Loads the first thread of the highest priority, or halts the core. */
export function runNext(k: KernelContext, core: Core): void {
  core.reschedule = Reschedule.NO;
  if (core.readyMask === 0) {
    core.donated = 0;
    if (core.previous !== 0) traceSwitch(k, core, 0, 0);
    halt(k, core);
    return;
  }
  const keepQuantum = isDonated(k, core);
  if (!keepQuantum && core.donated !== 0) endDonation(k, core);
  const thread = threadOf(k, core.firstReady[31 - Math.clz32(core.readyMask)]!);
  unready(k, thread);
  core.donated = 0;
  if (!keepQuantum) core.quantumEnd = timeOf(k, core.number) + k.config.quantumCycles;
  load(k, core, thread);
}

/** The quantum is over: its heir stands at the front only by the donation and goes to the back. */
function endDonation(k: KernelContext, core: Core): void {
  const heir = threadOf(k, core.donated);
  if (core.firstReady[heir.priority] !== heir.number) return;
  unready(k, heir);
  enqueue(k, core, heir, 'back');
}

/** Arms the local timer for what comes first: the end of the quantum, a deadline, or paused work of an idle core. */
export function armTimer(k: KernelContext, core: Core): void {
  let at = core.current === 0 ? -1 : core.quantumEnd;
  if (core.current === 0 && core.paused.length > 0) at = timeOf(k, core.number);
  const first = core.deadlines.length > 0 ? core.deadlines[0]!.at : -1;
  if (first >= 0 && (at < 0 || first < at)) at = first;
  if (at === core.timerAt) return;
  core.timerAt = at;
  if (at < 0) k.machine.disarmTimer(core.number);
  else k.machine.armTimer(core.number, at, VEC_TIMER);
}

/** Halts a core: it keeps CPL 3 and IF, so that the machine hands its next interrupt to the kernel. */
export function halt(k: KernelContext, core: Core): void {
  k.registers[core.number]![R.RUN_STATE] = RunState.Halted;
  k.machine.registersChanged(core.number);
}

function enqueue(k: KernelContext, core: Core, thread: Thread, place: 'back' | 'front'): void {
  const { priority, number } = thread;
  const first = core.firstReady[priority]!;
  if (first === 0) {
    core.firstReady[priority] = number;
    core.lastReady[priority] = number;
    core.readyMask |= 1 << priority;
    thread.next = 0;
    thread.previous = 0;
  } else if (place === 'front') {
    thread.next = first;
    thread.previous = 0;
    threadOf(k, first).previous = number;
    core.firstReady[priority] = number;
  } else {
    const last = core.lastReady[priority]!;
    thread.next = 0;
    thread.previous = last;
    threadOf(k, last).next = number;
    core.lastReady[priority] = number;
  }
}

/** Makes a thread the running one: address space first, then registers. */
function load(k: KernelContext, core: Core, thread: Thread): void {
  const r = k.registers[core.number]!;
  enterSpace(k, core, thread.task);
  loadIoMap(k, core, taskOf(k, thread.task));
  const { context } = thread;
  for (let i = 0; i <= R.EFLAGS; i++) r[i] = context[i]!;
  loadSegments(k, core.number, thread);
  r[R.RUN_STATE] = RunState.Running;
  k.machine.registersChanged(core.number);
  core.current = thread.number;
  thread.state = ThreadState.RUNNING;
  charge(k, k.costs.contextSwitch);
  k.state.counters.contextSwitches++;
  taskOf(k, thread.task).counters.contextSwitches++;
  traceSwitch(k, core, thread.number, thread.task);
}

/** A switch to thread 0 of task 0 is the beginning of idleness. */
function traceSwitch(k: KernelContext, core: Core, thread: number, task: number): void {
  emit(k, KernelEv.ContextSwitch, core.previous, thread, task, 0);
  core.previous = thread;
}

/**
 * Loads the page directory of a task, which flushes; or, when the core was lazy in this very space and was
 * promised to flush (shootdown.ts), flushes now. After this the core's TLB holds nothing that was shot down.
 */
function enterSpace(k: KernelContext, core: Core, task: number): void {
  if (core.space !== task) {
    k.machine.loadCr3(core.number, (taskOf(k, task).directory << 12) >>> 0);
    core.space = task;
  } else if (core.flushPending !== 0) {
    k.machine.flushTlb(core.number, 'keep');
    k.state.counters.fullFlushes++;
  } else {
    return;
  }
  charge(k, k.costs.tlbFlush);
  core.flushPending = 0;
}

/** Gives a thread that stands in no list of its core to another core. */
function rehome(k: KernelContext, thread: Thread): void {
  coreOf(k, thread.core).threadCount--;
  thread.core = thread.moveTo;
  thread.moveTo = -1;
  coreOf(k, thread.core).threadCount++;
  k.machine.write32(thread.areaPa + AREA_CORE * 4, thread.core);
}

function saveContext(k: KernelContext, thread: Thread): void {
  const r = k.registers[thread.core]!;
  const { context } = thread;
  for (let i = 0; i <= R.EFLAGS; i++) context[i] = r[i]!;
  saveSelectors(r, context);
}
