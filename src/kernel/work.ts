/**
 * Waking of operations: they go on as kernel work of their home core, before any thread of it. The driver is in
 * operation.ts; this file only moves them between the places where they wait.
 */
import type { WaitResult } from '../abi/server.ts';
import { coreOf, type KernelContext, type OperationRecord, OperationWait } from './context.ts';
import { removeDeadline } from './deadlines.ts';
import { kick } from './scheduler.ts';
import { DeadlineKind } from './state.ts';

/** Lets an operation that waits for something go on with `result`. */
export function resume(k: KernelContext, operation: OperationRecord, result: WaitResult): void {
  const home = coreOf(k, operation.home);
  if (operation.wait === OperationWait.EVENT) leaveEvent(k, operation);
  if (operation.deadline >= 0) {
    removeDeadline(home, operation.deadline, DeadlineKind.OPERATION, operation.id);
    operation.deadline = -1;
  }
  operation.wait = OperationWait.READY;
  operation.result = result;
  home.work.push(operation.id);
  kick(k, home);
}

/** Wakes every operation that waits for an event, in the order in which they came. */
export function wake(k: KernelContext, key: number): void {
  const waiting = k.events.get(key);
  if (waiting === undefined) return;
  for (const id of [...waiting]) resume(k, k.operations.get(id)!, 'done');
}

/** The caller will not wait any longer: waits for events end now, other waits run their course. */
export function cancel(k: KernelContext, operation: OperationRecord): void {
  operation.cancelled = true;
  if (operation.wait === OperationWait.EVENT) resume(k, operation, 'timeout');
}

function leaveEvent(k: KernelContext, operation: OperationRecord): void {
  const waiting = k.events.get(operation.eventKey)!;
  waiting.splice(waiting.indexOf(operation.id), 1);
  if (waiting.length === 0) k.events.delete(operation.eventKey);
}
