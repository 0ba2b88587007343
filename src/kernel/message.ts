/**
 * Messages in the threads' message areas (layout in src/abi/message.ts), read and written by physical address.
 * Words 0 and 1 travel in registers and are also stored in the receiver's area, so that a receiver may read all
 * words in one place. Capability items are resolved completely before anything is moved.
 */
import { R } from '../../emu/arch/core-layout.ts';
import { Errno } from '../abi/errno.ts';
import { KernelEv } from '../abi/events.ts';
import {
  AREA_RECEIVED_CAPS,
  AREA_SEND_CAPS,
  AREA_WORDS,
  CAP_MOVE,
  EXCEPTION_WORDS,
  LABEL_PAGE_FAULT,
  MESSAGE_CAPS_MAX,
  makeTag,
  PAGE_FAULT_WORDS,
  slotIndex,
  tagCaps,
  tagWords,
} from '../abi/message.ts';
import { type CapTable, hasRoom, insert, lookUp, type Slot, weaken } from './capability.ts';
import { charge, emit, type KernelContext, registersOf, taskOf } from './context.ts';
import { dropSlot } from './drop.ts';
import type { Task, Thread } from './state.ts';

/** One resolved capability item. */
export interface Item {
  readonly slot: Slot;
  readonly index: number;
  readonly move: boolean;
}

const NO_ITEMS: readonly Item[] = [];

/** Resolves the items that a thread wants to send, or null when a slot word is not valid. */
export function resolveItems(
  k: KernelContext,
  thread: Thread,
  table: CapTable,
  count: number,
): readonly Item[] | null {
  if (count === 0) return NO_ITEMS;
  const items: Item[] = [];
  for (let i = 0; i < count; i++) {
    const at = thread.areaPa + (AREA_SEND_CAPS + 2 * i) * 4;
    const word = k.machine.read32(at);
    const rights = k.machine.read32(at + 4);
    const slot = lookUp(table, word);
    if (slot === null) return null;
    items.push({
      slot: weaken(slot, rights & ~CAP_MOVE),
      index: slotIndex(word),
      move: (rights & CAP_MOVE) !== 0,
    });
  }
  return items;
}

/**
 * Moves the message on which `from` waits to `to`: words, capabilities, badge, tag, results of its system call.
 * Neither thread's state is changed.
 * @returns OK, or for the sender: EBADF (an item is not valid any more), ENOSPC (no room in the receiver's table).
 */
export function transfer(k: KernelContext, from: Thread, to: Thread): Errno {
  if (from.faultLabel !== 0) return transferFault(k, from, to);
  const r = registersOf(k, from);
  const tag = r[R.EDX]! >>> 0;
  const receiver = taskOf(k, to.task);
  const caps = tagCaps(tag);
  if (caps !== 0) {
    const sender = taskOf(k, from.task);
    const items = resolveItems(k, from, sender.caps, caps);
    if (items === null) return Errno.EBADF;
    if (!hasRoom(receiver.caps, items.length)) return Errno.ENOSPC;
    moveItems(k, sender, items, receiver, to);
  } else {
    hideCaps(k, to);
  }
  const words = tagWords(tag);
  for (let i = 2; i < words; i++) {
    const offset = (AREA_WORDS + i) * 4;
    k.machine.write32(to.areaPa + offset, k.machine.read32(from.areaPa + offset));
  }
  finishReceive(k, to, from.badge, tag, r[R.ESI]!, r[R.EDI]!);
  k.state.counters.ipcs++;
  receiver.counters.ipcs++;
  emit(k, KernelEv.IpcSend, from.task, from.number, to.number, tag);
  return Errno.OK;
}

/** Sets the results of a receive: registers, and words 0 and 1 in the area. */
export function finishReceive(
  k: KernelContext,
  to: Thread,
  badge: number,
  tag: number,
  word0: number,
  word1: number,
): void {
  const r = registersOf(k, to);
  const words = tagWords(tag);
  r[R.EAX] = Errno.OK;
  r[R.EBX] = badge;
  r[R.EDX] = tag;
  r[R.ESI] = word0;
  r[R.EDI] = word1;
  if (words > 0) k.machine.write32(to.areaPa + AREA_WORDS * 4, word0 >>> 0);
  if (words > 1) k.machine.write32(to.areaPa + (AREA_WORDS + 1) * 4, word1 >>> 0);
  charge(k, words * k.costs.ipcWord);
  emit(k, KernelEv.IpcReceive, to.task, to.number, badge, tag);
}

/** Shows slot words in the received-caps words of an area; unused ones are zero. */
export function showCaps(k: KernelContext, thread: Thread, words: readonly number[]): void {
  for (let i = 0; i < MESSAGE_CAPS_MAX; i++) {
    k.machine.write32(thread.areaPa + (AREA_RECEIVED_CAPS + i) * 4, words[i] ?? 0);
  }
  thread.capsShown = words.length > 0 ? 1 : 0;
}

/** Clears what an earlier message left in the received-caps words. */
export function hideCaps(k: KernelContext, thread: Thread): void {
  if (thread.capsShown !== 0) showCaps(k, thread, []);
}

function moveItems(k: KernelContext, sender: Task, items: readonly Item[], receiver: Task, to: Thread): void {
  const words: number[] = [];
  for (const { slot } of items) {
    const word = insert(receiver.caps, slot);
    words.push(word);
    emit(k, KernelEv.CapCreate, receiver.number, word, slot.type, slot.object);
  }
  for (const { index, move } of items) {
    if (move && (sender.caps.slots[index] ?? null) !== null) dropSlot(k, sender, index);
  }
  showCaps(k, to, words);
}

/** Words of a fault message: address or vector, EIP, error code, thread, task. */
function transferFault(k: KernelContext, from: Thread, to: Thread): Errno {
  const words = from.faultLabel === LABEL_PAGE_FAULT ? PAGE_FAULT_WORDS : EXCEPTION_WORDS;
  const tag = makeTag(from.faultLabel, words, 0);
  const at = to.areaPa + (AREA_WORDS + 2) * 4;
  k.machine.write32(at, from.faultError >>> 0);
  k.machine.write32(at + 4, from.number);
  k.machine.write32(at + 8, from.task);
  hideCaps(k, to);
  finishReceive(k, to, from.badge, tag, from.faultWord, registersOf(k, from)[R.EIP]!);
  k.state.counters.ipcs++;
  emit(k, KernelEv.IpcSend, from.task, from.number, to.number, tag);
  return Errno.OK;
}
