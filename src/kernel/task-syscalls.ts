/** System calls on tasks and threads: creation, ends, pager. */
import { R } from '../../emu/arch/core-layout.ts';
import { Errno } from '../abi/errno.ts';
import { USER_TOP } from '../abi/message.ts';
import { CapType, TaskRight, ThreadRight } from '../abi/rights.ts';
import { hasRoom, lookUp, makeSlot, type Slot } from './capability.ts';
import { fill } from './capability-syscalls.ts';
import { type KernelContext, taskOf } from './context.ts';
import { killTask, killThread } from './death.ts';
import { PRIORITIES, type Task, TaskState, type Thread } from './state.ts';
import { ALL_TASK_RIGHTS, createTask, createThread, leastLoadedCore } from './task.ts';

const ANY_CORE = 0xffffffff;
const ALL_THREAD_RIGHTS = ThreadRight.SEND | ThreadRight.CONTROL;
/** Exit status of a task that another one destroyed. */
export const STATUS_DESTROYED = 137;

export function taskExit(k: KernelContext, thread: Thread, r: Int32Array): null {
  killTask(k, taskOf(k, thread.task), r[R.EBX]!);
  return null;
}

/** EAGAIN: as many tasks as the configuration allows are alive. */
export function taskCreate(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const parent = taskOf(k, thread.task);
  if (!hasRoom(parent.caps, 1)) return Errno.ENOSPC;
  if (k.state.tasks.size >= k.config.maxTasks) return Errno.EAGAIN;
  const task = createTask(k, parent.number);
  r[R.EBX] = fill(k, parent, makeSlot(CapType.TASK, task.number, ALL_TASK_RIGHTS, 0));
  return Errno.OK;
}

/** Destroying a task that is dead already is done at once. */
export function taskDestroy(k: KernelContext, thread: Thread, r: Int32Array): Errno | null {
  const own = taskOf(k, thread.task);
  const slot = lookUp(own.caps, r[R.EBX]! >>> 0);
  if (slot === null || slot.type !== CapType.TASK) return Errno.EBADF;
  if ((slot.rights & TaskRight.DESTROY) === 0) return Errno.EPERM;
  const task = k.state.tasks.get(slot.object);
  if (task !== undefined) killTask(k, task, STATUS_DESTROYED);
  return task === own ? null : Errno.OK;
}

/** ENOMEM: the task is not sponsored, or has all its message areas in use. */
export function threadCreate(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const own = taskOf(k, thread.task);
  const slot = lookUp(own.caps, r[R.EBX]! >>> 0);
  if (slot === null || slot.type !== CapType.TASK) return Errno.EBADF;
  const pager = pagerSlot(own, r[R.ESI]! >>> 0);
  if (typeof pager === 'number') return pager;
  if ((slot.rights & TaskRight.MANAGE) === 0) return Errno.EPERM;
  const wanted = r[R.EDI]! >>> 0;
  const priority = r[R.EBP]! >>> 0;
  const eip = r[R.ECX]! >>> 0;
  const cores = k.state.cores.length;
  if (eip >= USER_TOP || priority >= PRIORITIES || (wanted >= cores && wanted !== ANY_CORE)) {
    return Errno.EINVAL;
  }
  const task = k.state.tasks.get(slot.object);
  if (task?.state !== TaskState.ALIVE) return Errno.ESRCH;
  if (task.directory === 0 || task.threadCount >= task.threads.length) return Errno.ENOMEM;
  if (!hasRoom(own.caps, 1)) return Errno.ENOSPC;
  const created = createThread(k, task, {
    eip,
    esp: r[R.EDX]!,
    pager: pager?.object ?? 0,
    pagerBadge: pager?.badge ?? 0,
    core: wanted === ANY_CORE ? leastLoadedCore(k) : wanted,
    priority,
  });
  r[R.EBX] = fill(k, own, makeSlot(CapType.THREAD, created.number, ALL_THREAD_RIGHTS, 0));
  return Errno.OK;
}

export function threadExit(k: KernelContext, thread: Thread): null {
  killThread(k, thread, 0);
  return null;
}

export function threadSetPager(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const own = taskOf(k, thread.task);
  const slot = lookUp(own.caps, r[R.EBX]! >>> 0);
  if (slot === null || slot.type !== CapType.THREAD) return Errno.EBADF;
  if ((slot.rights & ThreadRight.CONTROL) === 0) return Errno.EPERM;
  const pager = pagerSlot(own, r[R.ECX]! >>> 0);
  if (typeof pager === 'number') return pager;
  const target = k.state.threads.get(slot.object);
  if (target === undefined) return Errno.EBADF;
  target.pager = pager?.object ?? 0;
  target.pagerBadge = pager?.badge ?? 0;
  return Errno.OK;
}

/** The pager that a slot word names: null for word 0; EBADF, or EPERM when messages may not be sent to it. */
function pagerSlot(task: Task, word: number): Slot | null | Errno {
  if (word === 0) return null;
  const slot = lookUp(task.caps, word);
  if (slot === null || slot.type !== CapType.THREAD) return Errno.EBADF;
  return (slot.rights & ThreadRight.SEND) !== 0 ? slot : Errno.EPERM;
}
