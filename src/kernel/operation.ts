/**
 * The driver of the memory server's operations (generators, src/abi/server.ts). An operation is started on the
 * core that asked for it and all its steps run there. While it waits, its caller is blocked and the core does
 * other things; each slice that ends with `pause` lets a thread run in between (trap.ts).
 */
import { Errno } from '../abi/errno.ts';
import { KernelEv } from '../abi/events.ts';
import type { Operation, RpcReply, Wait } from '../abi/server.ts';
import type { Batch } from './batch.ts';
import {
  coreOf,
  emit,
  type KernelContext,
  type OperationRecord,
  OperationWait,
  Stage,
  timeOf,
} from './context.ts';
import { addDeadline } from './deadlines.ts';
import { kick } from './scheduler.ts';
import { startShootdown } from './shootdown.ts';
import { type Core, DeadlineKind, TaskState } from './state.ts';

export interface OperationSpec {
  readonly task: number;
  readonly thread: number;
  readonly label: number;
  readonly object: number;
  // biome-ignore lint/suspicious/noConfusingVoidType: operations of the kernel itself have no result
  readonly generator: Operation<RpcReply | void>;
  readonly finish: OperationRecord['finish'];
}

/** Reason of a wait in the trace. */
enum WaitReason {
  SHOOTDOWN = 1,
  PAUSE = 2,
  EVENT = 3,
}

/** Label of the server's own work in the trace. */
export const BACKGROUND_LABEL = -6;

/** Starts an operation on the present core and runs it to its first wait, or to its end. */
export function startOperation(k: KernelContext, spec: OperationSpec): OperationRecord {
  const operation = addOperation(k, spec, 'call', k.core);
  drive(k, operation);
  return operation;
}

/**
 * Begins work of the server's own, which nobody waits for. Its slices run on an idle core if there is one, else they take
 * turns with the threads of the present core; where they run is decided anew at each pause.
 */
export function spawnOperation(k: KernelContext, generator: Operation<void>): void {
  const spec = { task: 0, thread: 0, label: BACKGROUND_LABEL, object: 0, generator, finish: () => {} };
  pause(k, addOperation(k, spec, 'background', k.core));
}

function addOperation(
  k: KernelContext,
  spec: OperationSpec,
  kind: OperationRecord['kind'],
  home: number,
): OperationRecord {
  const operation: OperationRecord = {
    id: k.state.nextOperation++,
    home,
    kind,
    task: spec.task,
    thread: spec.thread,
    label: spec.label,
    generator: spec.generator,
    finish: spec.finish,
    wait: OperationWait.READY,
    result: 'done',
    eventKey: 0,
    deadline: -1,
    cancelled: false,
  };
  k.operations.set(operation.id, operation);
  k.state.counters.operations++;
  const task = k.state.tasks.get(spec.task);
  if (task !== undefined) task.operations++;
  emit(k, KernelEv.OpStart, operation.id, spec.task, spec.label, spec.object);
  return operation;
}

/** Ends a slice: the next one comes after other work of the core. */
function pause(k: KernelContext, operation: OperationRecord): void {
  operation.wait = OperationWait.PAUSE;
  if (operation.kind === 'background') operation.home = quietCore(k, operation.home);
  const home = coreOf(k, operation.home);
  home.paused.push(operation.id);
  kick(k, home);
}

/** The core itself when it has nothing else to do, else the first idle one, else the core itself. */
function quietCore(k: KernelContext, home: number): number {
  const isIdle = ({ current, readyMask, work, paused }: Core): boolean =>
    current === 0 && readyMask === 0 && work.length === 0 && paused.length === 0;
  if (isIdle(coreOf(k, home))) return home;
  return k.state.cores.find((core) => core.number !== k.core && isIdle(core))?.number ?? home;
}

/** Runs an operation that was waiting until it waits again or ends. */
export function drive(k: KernelContext, operation: OperationRecord): void {
  k.state.counters.operationSteps++;
  for (;;) {
    const step = operation.generator.next(operation.result);
    if (step.done === true) {
      end(k, operation, step.value ?? null);
      return;
    }
    if (park(k, operation, step.value) === 'parked') return;
  }
}

/** Whether nothing is in flight that a snapshot could not contain. */
export const isAtRest = (k: KernelContext): boolean => k.operations.size === 0 && k.transactions.size === 0;

function park(k: KernelContext, operation: OperationRecord, wait: Wait): 'parked' | 'go-on' {
  operation.result = 'done';
  switch (wait.kind) {
    case 'shootdown': {
      const started = startShootdown(k, wait.batch as Batch, operation.id);
      if (started !== 'wait') {
        operation.result = started;
        return 'go-on';
      }
      operation.wait = OperationWait.SHOOTDOWN;
      emit(k, KernelEv.OpWait, operation.id, WaitReason.SHOOTDOWN, 0, 0);
      return 'parked';
    }
    case 'pause':
      pause(k, operation);
      emit(k, KernelEv.OpWait, operation.id, WaitReason.PAUSE, 0, 0);
      return 'parked';
    case 'event':
      emit(k, KernelEv.OpWait, operation.id, WaitReason.EVENT, 0, 0);
      parkForEvent(k, operation, wait.key, wait.deadlineCycles);
      return 'parked';
  }
}

/** A wait that is over already, or whose caller is gone, ends after the other work of the core. */
function parkForEvent(k: KernelContext, operation: OperationRecord, key: number, at: number): void {
  const home = coreOf(k, operation.home);
  if (operation.cancelled || at <= timeOf(k, operation.home)) {
    operation.wait = OperationWait.PAUSE;
    operation.result = 'timeout';
    home.paused.push(operation.id);
    return;
  }
  operation.wait = OperationWait.EVENT;
  operation.eventKey = key;
  const waiting = k.events.get(key);
  if (waiting === undefined) k.events.set(key, [operation.id]);
  else waiting.push(operation.id);
  if (Number.isFinite(at)) {
    operation.deadline = at;
    addDeadline(home, at, DeadlineKind.OPERATION, operation.id);
  }
}

function end(k: KernelContext, operation: OperationRecord, reply: RpcReply | null): void {
  k.operations.delete(operation.id);
  emit(
    k,
    KernelEv.OpDone,
    operation.id,
    operation.label,
    reply === null ? 0 : reply.errno,
    reply?.words[0] ?? 0,
  );
  if (reply?.errno === Errno.OK) noteDenial(k, operation);
  operation.finish(k, operation, reply);
  const task = k.state.tasks.get(operation.task);
  if (task === undefined) return;
  task.operations--;
  if (task.state === TaskState.DYING) {
    k.deaths.push(task.number);
    k.chores = true;
  }
}

/** An operation that reports success must not leave a shootdown behind that it has given up (K11). */
function noteDenial(k: KernelContext, operation: OperationRecord): void {
  for (const transaction of k.transactions.values()) {
    if (transaction.operation === operation.id && transaction.stage === Stage.GIVEN_UP)
      transaction.isDenied = true;
  }
}
