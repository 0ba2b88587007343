/**
 * Requests to the memory server: a call on a capability of a server type. Everything is decoded before the server
 * sees it: words as sent, capabilities resolved, room in the caller's table for what the operation returns. The
 * time-out of the call ends waits for events inside the operation (locks); it never tears a half-done operation.
 */
import { R } from '../../emu/arch/core-layout.ts';
import { Errno } from '../abi/errno.ts';
import { KernelEv } from '../abi/events.ts';
import { AREA_WORDS, makeTag, TIMEOUT_NEVER, tagCaps, tagLabel, tagWords } from '../abi/message.ts';
import { RPCS } from '../abi/rpcs.ts';
import type { CapRef, Operation, RpcReply } from '../abi/server.ts';
import { assert } from './bug.ts';
import { hasRoom, insert, type Slot, slotFromRef } from './capability.ts';
import {
  charge,
  emit,
  type KernelContext,
  type OperationRecord,
  registersOf,
  serverOf,
  taskOf,
  timeOf,
} from './context.ts';
import { notifyDropped } from './drop.ts';
import { finishReceive, hideCaps, type Item, resolveItems, showCaps } from './message.ts';
import { startOperation } from './operation.ts';
import { block, makeReady, setDeadline } from './scheduler.ts';
import { TaskState, type Thread, ThreadState } from './state.ts';

/** Capabilities that each operation returns, by label; operations that do not exist return none. */
const RETURNED_CAPS = new Map(RPCS.map((rpc) => [rpc.op, rpc.returnCaps.length]));

const NO_CAPS: readonly CapRef[] = [];

/**
 * Hands the message of the running thread to the server.
 * @returns OK when the thread has its reply or waits for it; EBADF (item not valid), EINVAL (an item is to be
 * moved: a server takes nothing away), ENOSPC (no room for the capabilities that the operation returns).
 */
export function callServer(
  k: KernelContext,
  thread: Thread,
  target: Slot,
  tag: number,
  r: Int32Array,
): Errno {
  const task = taskOf(k, thread.task);
  const items = resolveItems(k, thread, task.caps, tagCaps(tag));
  if (items === null) return Errno.EBADF;
  for (const item of items) if (item.move) return Errno.EINVAL;
  const label = tagLabel(tag);
  const returned = RETURNED_CAPS.get(label) ?? 0;
  if (!hasRoom(task.caps, returned)) return Errno.ENOSPC;
  const words = readWords(k, thread, tag, r);
  const wordCount = words.length;
  task.counters.rpcs++;
  k.state.counters.rpcs++;
  charge(k, k.costs.serverRequest + wordCount * k.costs.ipcWord);
  const answer = serverOf(k).request({
    op: label,
    task: task.number,
    thread: thread.number,
    target,
    words,
    wordCount,
    caps: items.length === 0 ? NO_CAPS : items.map(refOf),
    driver: task.driver !== 0,
  });
  if (!isOperation(answer)) {
    traceImmediate(k, thread, label, target.object, answer);
    deliver(k, thread, answer);
    return Errno.OK;
  }
  startRpc(k, thread, label, target.object, returned, answer);
  return Errno.OK;
}

export const isOperation = (answer: RpcReply | Operation): answer is Operation =>
  (answer as RpcReply).errno === undefined;

/** Drives an operation for the running thread, which waits when the operation does. */
function startRpc(
  k: KernelContext,
  thread: Thread,
  label: number,
  object: number,
  returned: number,
  generator: Operation,
): void {
  const { caps } = taskOf(k, thread.task);
  caps.reserved += returned;
  const operation = startOperation(k, {
    task: thread.task,
    thread: thread.number,
    label,
    object,
    generator,
    finish: (kernel, done, reply) => {
      caps.reserved -= returned;
      assert(reply !== null, 'an operation ended without a reply');
      finishRpc(kernel, done, reply);
    },
  });
  if (k.operations.has(operation.id)) waitForServer(k, thread, operation, 'time-out');
}

/** Blocks the running thread until its operation ends. */
export function waitForServer(
  k: KernelContext,
  thread: Thread,
  operation: OperationRecord,
  bound: 'time-out' | 'none',
): void {
  const timeout = bound === 'none' ? TIMEOUT_NEVER : registersOf(k, thread)[R.EBP]! >>> 0;
  block(k, thread, ThreadState.SERVER);
  thread.operation = operation.id;
  if (timeout !== TIMEOUT_NEVER) setDeadline(k, thread, timeOf(k, thread.core) + timeout);
}

function finishRpc(k: KernelContext, operation: OperationRecord, reply: RpcReply): void {
  const thread = k.state.threads.get(operation.thread);
  if (thread !== undefined && isWaitingFor(thread, operation)) {
    deliver(k, thread, reply);
    if (thread.state === ThreadState.SERVER) {
      thread.operation = 0;
      makeReady(k, thread, 'back');
    }
    return;
  }
  const task = k.state.tasks.get(operation.task);
  if (task !== undefined) for (const cap of reply.caps) notifyDropped(k, task, cap);
}

/** The caller is in the first, synchronous part of its call, or blocked for this operation. */
const isWaitingFor = (thread: Thread, operation: OperationRecord): boolean =>
  thread.state === ThreadState.RUNNING ||
  (thread.state === ThreadState.SERVER && thread.operation === operation.id);

/** Gives a reply to the caller: label = errno, words, capabilities in fresh slots. */
function deliver(k: KernelContext, thread: Thread, reply: RpcReply): void {
  const { words, caps } = reply;
  if (caps.length > 0) placeCaps(k, thread, caps);
  else hideCaps(k, thread);
  for (let i = 2; i < words.length; i++) {
    k.machine.write32(thread.areaPa + (AREA_WORDS + i) * 4, words[i]! >>> 0);
  }
  const tag = makeTag(reply.errno, words.length, caps.length);
  finishReceive(k, thread, 0, tag, words.length > 0 ? words[0]! : 0, words.length > 1 ? words[1]! : 0);
}

function placeCaps(k: KernelContext, thread: Thread, caps: readonly CapRef[]): void {
  const task = taskOf(k, thread.task);
  assert(task.state === TaskState.ALIVE, 'reply for a dying task');
  const slots: number[] = [];
  for (const cap of caps) {
    const word = insert(task.caps, slotFromRef(cap));
    slots.push(word);
    emit(k, KernelEv.CapCreate, task.number, word, cap.type, cap.object);
  }
  showCaps(k, thread, slots);
}

function readWords(k: KernelContext, thread: Thread, tag: number, r: Int32Array): Uint32Array {
  const count = tagWords(tag);
  const words = k.requestWords[count]!;
  if (count > 0) words[0] = r[R.ESI]!;
  if (count > 1) words[1] = r[R.EDI]!;
  for (let i = 2; i < count; i++) {
    words[i] = k.machine.read32(thread.areaPa + (AREA_WORDS + i) * 4);
  }
  return words;
}

function traceImmediate(
  k: KernelContext,
  thread: Thread,
  label: number,
  object: number,
  reply: RpcReply,
): void {
  const id = k.state.nextOperation++;
  emit(k, KernelEv.OpStart, id, thread.task, label, object);
  emit(k, KernelEv.OpDone, id, label, reply.errno, reply.words[0] ?? 0);
}

const refOf = (item: Item): CapRef => item.slot;
