/**
 * Ends of threads and tasks (physmem.md §9). A thread leaves whatever it waits in and its partners are told
 * (ECANCELED; a thread whose fault it was to serve dies too). One that runs on another core is DOOMED: an IPI
 * takes it off. A task is dead when none of its threads is left; the memory server is told when no operation for
 * it is in flight any more, so the server never sees a request and the death of the same task at once.
 */

import { Errno } from '../abi/errno.ts';
import { KernelEv } from '../abi/events.ts';
import { newCapTable } from './capability.ts';
import { condemn, coreOf, emit, type KernelContext, serverOf, taskOf, threadOf } from './context.ts';
import { freeLinesOf } from './interrupt-lines.ts';
import { closeAllPorts, takeBitmapBack } from './io-ports.ts';
import { leaveIpc, STATUS_PAGER_KILLED, wakeWith } from './ipc.ts';
import { startOperation } from './operation.ts';
import { block, kick, unready } from './scheduler.ts';
import { Reschedule, type Task, TaskState, type Thread, ThreadState } from './state.ts';
import { cancel, wake } from './work.ts';

/** Label of taskDied operations in the trace. */
export const DEATH_LABEL = -3;

/** Ends a thread; the last one ends its task with `status`. */
export function killThread(k: KernelContext, thread: Thread, status: number): void {
  switch (thread.state) {
    case ThreadState.DOOMED:
      return;
    case ThreadState.READY:
      unready(k, thread);
      break;
    case ThreadState.RUNNING:
      if (thread.core !== k.core) {
        doom(k, thread);
        return;
      }
      block(k, thread, ThreadState.CONDEMNED);
      break;
    case ThreadState.SERVER:
      leaveServer(k, thread);
      break;
    default:
      break;
  }
  leaveIpc(k, thread);
  releasePartners(k, thread);
  bury(k, thread, status);
}

/** The core on which a doomed thread was loaded has entered the kernel. */
export function buryDoomed(k: KernelContext, thread: Thread): void {
  coreOf(k, thread.core).current = 0;
  bury(k, thread, taskOf(k, thread.task).status);
}

/**
 * Ends a task and all its threads. The death of the root task ends the run; nothing of it is taken down, so that
 * the end can be inspected.
 */
export function killTask(k: KernelContext, task: Task, status: number): void {
  if (task.state !== TaskState.ALIVE) return;
  task.state = TaskState.DYING;
  task.status = status;
  emit(k, KernelEv.TaskExit, task.number, status, 0, 0);
  if (task.number === k.state.rootTask) {
    k.state.exitStatus = status & 0xff;
    k.machine.exit(k.state.exitStatus);
    return;
  }
  task.caps = newCapTable();
  closeAllPorts(k, task);
  for (const number of [...task.threads]) {
    const thread = k.state.threads.get(number);
    if (thread !== undefined) killThread(k, thread, status);
  }
  tellServer(k, task);
}

/** Exit status of a task whose sponsor control was destroyed: killed, as by task_destroy. */
export const STATUS_UNSPONSORED = 137;

/**
 * The memory server takes the task's address space away: the task ends. Wakes `key` when it runs nowhere any more.
 * @returns whether it runs nowhere already.
 */
export function stopTask(k: KernelContext, number: number, key: number): boolean {
  const task = k.state.tasks.get(number);
  if (task === undefined) return true;
  killTask(k, task, STATUS_UNSPONSORED);
  if (task.threadCount === 0) return true;
  k.stops.set(number, key);
  return false;
}

function tellStopped(k: KernelContext, task: Task): void {
  const key = k.stops.get(task.number);
  if (key === undefined) return;
  k.stops.delete(task.number);
  wake(k, key);
}

/** Tells the server of a death when the task runs nowhere and nothing is in flight for it. */
export function tellServer(k: KernelContext, task: Task): void {
  if (task.deathTold !== 0 || task.threadCount > 0 || task.operations > 0) return;
  task.deathTold = 1;
  const generator = serverOf(k).taskDied(task.number);
  if (generator === null) {
    forgetTask(k, task);
    return;
  }
  startOperation(k, {
    task: task.number,
    thread: 0,
    label: DEATH_LABEL,
    object: task.number,
    generator,
    finish: (kernel) => forgetTask(kernel, task),
  });
}

function forgetTask(k: KernelContext, task: Task): void {
  takeBitmapBack(k, task);
  k.state.tasks.delete(task.number);
}

function doom(k: KernelContext, thread: Thread): void {
  const core = coreOf(k, thread.core);
  thread.state = ThreadState.DOOMED;
  core.reschedule = Reschedule.PREEMPT;
  releasePartners(k, thread);
  kick(k, core);
}

function leaveServer(k: KernelContext, thread: Thread): void {
  const operation = k.operations.get(thread.operation);
  thread.operation = 0;
  if (operation !== undefined) cancel(k, operation);
}

/** Threads that wait for this one stop waiting. */
function releasePartners(k: KernelContext, thread: Thread): void {
  while (thread.firstSender !== 0) release(k, threadOf(k, thread.firstSender));
  if (thread.replyTo !== 0) release(k, threadOf(k, thread.replyTo));
}

function release(k: KernelContext, partner: Thread): void {
  leaveIpc(k, partner);
  if (partner.faultLabel === 0) {
    wakeWith(k, partner, Errno.ECANCELED);
    return;
  }
  partner.faultLabel = 0;
  k.state.counters.faultKills++;
  condemn(k, partner, STATUS_PAGER_KILLED);
}

function bury(k: KernelContext, thread: Thread, status: number): void {
  const task = taskOf(k, thread.task);
  if (task.driver !== 0) freeLinesOf(k, thread);
  k.state.threads.delete(thread.number);
  coreOf(k, thread.core).threadCount--;
  task.threads[thread.index] = 0;
  task.threadCount--;
  emit(k, KernelEv.ThreadExit, thread.task, thread.number, 0, 0);
  if (task.threadCount > 0) return;
  tellStopped(k, task);
  if (task.state === TaskState.ALIVE) killTask(k, task, status);
  else tellServer(k, task);
}
