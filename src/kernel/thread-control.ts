/**
 * System call thread_control: suspend, resume, move to another core, change priority. A thread that waits goes on
 * waiting: suspension and move take effect when it could run again. A thread that runs on another core is preempted by
 * an interrupt and treated when that core puts it back (scheduler.ts).
 */
import { R } from '../../emu/arch/core-layout.ts';
import { Errno } from '../abi/errno.ts';
import { KernelEv } from '../abi/events.ts';
import { CapType, ThreadRight } from '../abi/rights.ts';
import { ThreadControl } from '../abi/syscalls.ts';
import { lookUp } from './capability.ts';
import { coreOf, emit, type KernelContext, taskOf } from './context.ts';
import { kick, makeReady, unready } from './scheduler.ts';
import { PRIORITIES, Reschedule, type Thread, ThreadState } from './state.ts';

/** The caller may treat itself; it then goes on, or stops, when the kernel is left. */
export function threadControl(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const slot = lookUp(taskOf(k, thread.task).caps, r[R.EBX]! >>> 0);
  if (slot === null || slot.type !== CapType.THREAD) return Errno.EBADF;
  if ((slot.rights & ThreadRight.CONTROL) === 0) return Errno.EPERM;
  const what = r[R.ECX]! >>> 0;
  const value = r[R.EDX]! >>> 0;
  if (what > ThreadControl.PRIORITY || value >= valueEnd(k, what)) return Errno.EINVAL;
  const target = k.state.threads.get(slot.object);
  if (target === undefined || target.state === ThreadState.DOOMED) return Errno.ESRCH;
  emit(k, KernelEv.ThreadControl, target.task, target.number, what, value);
  if (what === ThreadControl.SUSPEND) suspend(k, target);
  else if (what === ThreadControl.RESUME) resumeThread(k, target);
  else if (what === ThreadControl.MOVE) move(k, target, value);
  else setPriority(k, target, value);
  return Errno.OK;
}

function valueEnd(k: KernelContext, what: ThreadControl): number {
  if (what === ThreadControl.MOVE) return k.state.cores.length;
  return what === ThreadControl.PRIORITY ? PRIORITIES : 1;
}

function suspend(k: KernelContext, target: Thread): void {
  target.suspended = 1;
  requeue(k, target);
}

function resumeThread(k: KernelContext, target: Thread): void {
  target.suspended = 0;
  if (target.state === ThreadState.SUSPENDED) makeReady(k, target, 'back');
}

function move(k: KernelContext, target: Thread, core: number): void {
  target.moveTo = core === target.core ? -1 : core;
  requeue(k, target);
}

function setPriority(k: KernelContext, target: Thread, priority: number): void {
  if (target.state === ThreadState.READY) unready(k, target);
  target.priority = priority;
  if (target.state === ThreadState.READY) makeReady(k, target, 'back');
  else if (target.state === ThreadState.RUNNING) preempt(k, target);
}

/** Has a ready or running thread stand where it belongs now; what waits is treated when it wakes. */
function requeue(k: KernelContext, target: Thread): void {
  if (target.state === ThreadState.READY) {
    unready(k, target);
    makeReady(k, target, 'back');
  } else if (target.state === ThreadState.RUNNING) {
    preempt(k, target);
  }
}

function preempt(k: KernelContext, target: Thread): void {
  const core = coreOf(k, target.core);
  if (core.reschedule === Reschedule.NO) core.reschedule = Reschedule.PREEMPT;
  kick(k, core);
}
