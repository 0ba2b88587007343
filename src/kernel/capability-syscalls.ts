/** System calls on the caller's capability table: cap_copy, cap_delete, cap_info, cap_grant, thread_mint. */
import { R } from '../../emu/arch/core-layout.ts';
import { Errno } from '../abi/errno.ts';
import { KernelEv } from '../abi/events.ts';
import { slotIndex } from '../abi/message.ts';
import { CapType, TaskRight, ThreadRight } from '../abi/rights.ts';
import { hasRoom, insert, lookUp, makeSlot, type Slot, weaken } from './capability.ts';
import { emit, type KernelContext, type OperationRecord, registersOf, taskOf } from './context.ts';
import { dropSlot } from './drop.ts';
import { waitForServer } from './rpc.ts';
import { makeReady } from './scheduler.ts';
import { type Task, TaskState, type Thread, ThreadState } from './state.ts';

export function capCopy(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const task = taskOf(k, thread.task);
  const slot = lookUp(task.caps, r[R.EBX]! >>> 0);
  if (slot === null) return Errno.EBADF;
  if (!hasRoom(task.caps, 1)) return Errno.ENOSPC;
  r[R.EBX] = fill(k, task, weaken(slot, r[R.ECX]!));
  return Errno.OK;
}

/** Waits until the server has removed the maps that only this slot allowed. */
export function capDelete(k: KernelContext, thread: Thread, r: Int32Array): Errno | null {
  const task = taskOf(k, thread.task);
  const word = r[R.EBX]! >>> 0;
  if (lookUp(task.caps, word) === null) return Errno.EBADF;
  const operation = dropSlot(k, task, slotIndex(word), thread.number, endDelete);
  if (operation === null || !k.operations.has(operation.id)) return Errno.OK;
  waitForServer(k, thread, operation, 'none');
  return null;
}

function endDelete(k: KernelContext, operation: OperationRecord): void {
  const thread = k.state.threads.get(operation.thread);
  if (thread?.state !== ThreadState.SERVER || thread.operation !== operation.id) return;
  thread.operation = 0;
  registersOf(k, thread)[R.EAX] = Errno.OK;
  makeReady(k, thread, 'back');
}

export function capInfo(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const slot = lookUp(taskOf(k, thread.task).caps, r[R.EBX]! >>> 0);
  if (slot === null) return Errno.EBADF;
  r[R.EBX] = slot.type;
  r[R.EDX] = slot.rights;
  return Errno.OK;
}

export function capGrant(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const { caps } = taskOf(k, thread.task);
  const target = lookUp(caps, r[R.EBX]! >>> 0);
  const slot = lookUp(caps, r[R.ECX]! >>> 0);
  if (target === null || slot === null || target.type !== CapType.TASK) return Errno.EBADF;
  if ((target.rights & TaskRight.MANAGE) === 0) return Errno.EPERM;
  const receiver = k.state.tasks.get(target.object);
  if (receiver?.state !== TaskState.ALIVE) return Errno.ESRCH;
  if (!hasRoom(receiver.caps, 1)) return Errno.ENOSPC;
  r[R.EBX] = fill(k, receiver, weaken(slot, r[R.EDX]!));
  return Errno.OK;
}

export function threadMint(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const task = taskOf(k, thread.task);
  const slot = lookUp(task.caps, r[R.EBX]! >>> 0);
  if (slot === null || slot.type !== CapType.THREAD) return Errno.EBADF;
  if ((slot.rights & ThreadRight.CONTROL) === 0) return Errno.EPERM;
  const minted = k.state.threads.get(slot.object);
  if (minted === undefined) return Errno.EBADF;
  if (minted.task !== task.number) return Errno.EPERM;
  if (!hasRoom(task.caps, 1)) return Errno.ENOSPC;
  r[R.EBX] = fill(k, task, makeSlot(CapType.THREAD, slot.object, ThreadRight.SEND, r[R.ECX]!));
  return Errno.OK;
}

/** Fills the lowest free slot of a task and says so in the trace. */
export function fill(k: KernelContext, task: Task, slot: Slot): number {
  const word = insert(task.caps, slot);
  emit(k, KernelEv.CapCreate, task.number, word, slot.type, slot.object);
  return word;
}
