/**
 * Emptying slots with the notice to the memory server that follows: when a right on a server's object is in no
 * slot of the task any more, `capDropped` tells the server which rights went, each right once.
 */
import { KernelEv } from '../abi/events.ts';
import { slotWord } from '../abi/message.ts';
import { isServerType } from '../abi/rights.ts';
import type { CapRef } from '../abi/server.ts';
import { lostRights, remove, removeObject } from './capability.ts';
import { emit, type KernelContext, type OperationRecord, serverOf } from './context.ts';
import { startOperation } from './operation.ts';
import { type Task, TaskState } from './state.ts';

/** Label of capDropped operations in the trace. */
export const DROP_LABEL = -1;

/**
 * Empties a slot of a live task. The server's notice runs as an operation on behalf of `thread` (0 = of nobody).
 * @returns the operation, or null when there is nothing to wait for.
 */
export function dropSlot(
  k: KernelContext,
  task: Task,
  index: number,
  thread = 0,
  finish: OperationRecord['finish'] = ignore,
): OperationRecord | null {
  const word = slotWord(index, task.caps.generations[index]!);
  const slot = remove(task.caps, index);
  emit(k, KernelEv.CapDelete, task.number, word, slot.type, slot.object);
  if (!isServerType(slot.type)) return null;
  const rights = lostRights(task.caps, slot);
  if (rights < 0) return null;
  return notifyDropped(k, task, { type: slot.type, object: slot.object, rights }, thread, finish);
}

/** Tells the server that the task lost a capability that it had, or would have got. */
export function notifyDropped(
  k: KernelContext,
  task: Task,
  cap: CapRef,
  thread = 0,
  finish: OperationRecord['finish'] = ignore,
): OperationRecord | null {
  const generator = serverOf(k).capDropped(task.number, cap);
  if (generator === null) return null;
  return startOperation(k, {
    task: task.number,
    thread,
    label: DROP_LABEL,
    object: cap.object,
    generator,
    finish,
  });
}

/** The server takes an object away: every slot of every task that names it is emptied, without notice. */
export function revokeObject(k: KernelContext, type: number, object: number): void {
  for (const task of k.state.tasks.values()) {
    if (task.state !== TaskState.ALIVE) continue;
    if (removeObject(task.caps, type, object) > 0) emit(k, KernelEv.CapDelete, task.number, 0, type, object);
  }
}

function ignore(): void {}
