/**
 * Binding frames to physical memory and breaking copy-on-write. Both are promised (physmem.md §3.5): credit was
 * charged when the name was made, so only contiguity may be missing, and then the frame is split to smaller ones,
 * down to single base frames.
 */
import { PhysmemEv } from '../abi/events.ts';
import { Fault } from '../abi/fault-switches.ts';
import { FrameState } from './base-frames.ts';
import { isWorthWaiting } from './compact/direct.ts';
import { failsNow, tellFault } from './faults.ts';
import { FrameFlag, UNBOUND } from './frame.ts';
import { frameBound, isGuaranteed } from './hold.ts';
import type { Removal } from './removal.ts';
import { splitFrame } from './split.ts';
import type { Store } from './store.ts';
import { canClaim, takeFree, type Where } from './supply.ts';
import { unmapFrame } from './translation.ts';

export enum BindResult {
  DONE = 0,
  /** The frame was split; the caller looks its entry up again. */
  SPLIT = 1,
  /** Not one base frame is free now. */
  NO_MEMORY = 2,
  /** No block is free, and the policy would make one; nothing was done. */
  SHORT = 3,
}

/** What to do when there is no block of a frame's order: use smaller ones, or ask the policy first. */
export type WhenShort = 'split' | 'ask';

/** Takes a free block, in the state BOUND. Returns its head or -1. */
export function takeBlock(store: Store, order: number, owner: number, where: Where): number {
  const { zones, base, port } = store;
  if (failsNow(store)) return -1;
  const head = takeFree(store, order, where);
  if (head < 0) return -1;
  if (store.tuning.poison === 'on' && !port.isPoisoned(head, 1 << order)) store.counters.poisonFaults += 1;
  base.set(head, FrameState.BOUND, owner);
  port.emit(PhysmemEv.FrameAlloc, head, order, zones.zoneOf(head), FrameState.BOUND);
  return head;
}

/** Takes one base frame for the server's or kernel's use, e.g. a page table; returns it or -1. */
export function takeServerFrame(store: Store, state: FrameState, task: number): number {
  if (failsNow(store)) return -1;
  const head = takeFree(store, 0, 'server');
  if (head < 0) return -1;
  store.base.set(head, state, task);
  store.port.emit(PhysmemEv.FrameAlloc, head, 0, store.zones.zoneOf(head), state);
  return head;
}

/** Number of entries on a frame. */
function entryCount(store: Store, frame: number): number {
  let count = 0;
  for (let entry = store.frames.entries[frame]!; entry !== 0; entry = store.entries.next[entry]!) count += 1;
  return count;
}

/** Backs an unbound frame with zeroed memory. */
export function bindFrame(
  store: Store,
  frame: number,
  removal: Removal,
  whenShort: WhenShort = 'split',
): BindResult {
  const { frames } = store;
  const order = frames.order(frame);
  const free = isGuaranteed(store, frame) ? 'any' : 'spare';
  const head = takeBlock(store, order, frame, frames.has(frame, FrameFlag.DMA) ? 'promised' : free);
  if (head < 0) return fallBack(store, frame, removal, whenShort);
  backFrame(store, frame, head);
  return BindResult.DONE;
}

/** Backs an unbound frame with a block that was taken for it, zeroed. */
export function backFrame(store: Store, frame: number, head: number): void {
  const { frames, base, counters } = store;
  const order = frames.order(frame);
  if (store.tuning.faults.skipZeroing === 'off') store.port.zeroFrames(head, 1 << order);
  else tellFault(store, Fault.SKIP_ZEROING, head);
  frames.block[frame] = head;
  base.refs[head] = entryCount(store, frame);
  frameBound(store, frame);
  counters.binds += 1;
  counters.boundFrames += 1 << order;
  counters.zeroedFrames += 1 << order;
  const entry = frames.entries[frame]!;
  store.port.emit(
    PhysmemEv.Bind,
    store.entries.container[entry]!,
    store.entries.start[entry]! * 4096,
    head,
    order,
  );
}

/** There is no block for a frame; the DMA zone is cleared by who needs it (clear.ts), not by a policy. */
function fallBack(store: Store, frame: number, removal: Removal, whenShort: WhenShort): BindResult {
  const isOrdinary = !store.frames.has(frame, FrameFlag.DMA) && isGuaranteed(store, frame);
  const asks = whenShort === 'ask' && isOrdinary && isWorthWaiting(store, store.frames.order(frame));
  return asks ? BindResult.SHORT : splitForMemory(store, frame, removal);
}

/** In pieces a frame may find room, unless extra memory must make room first (reclaim.ts). */
export function splitForMemory(store: Store, frame: number, removal: Removal): BindResult {
  const mustClaim = canClaim(store, 1 << store.frames.order(frame)) && isGuaranteed(store, frame);
  return mustClaim ? BindResult.NO_MEMORY : cutForMemory(store, frame, removal);
}

/** The same for memory in a special place, which nobody is asked to give back. */
export function cutForMemory(store: Store, frame: number, removal: Removal): BindResult {
  if (store.frames.order(frame) === 0) return BindResult.NO_MEMORY;
  splitFrame(store, frame, removal);
  return BindResult.SPLIT;
}

/**
 * Ends copy-on-write for a frame that is to be written: one side gets a block of its own with the same bytes. Mostly
 * that is the writer; a frame that must stay where it is (DMA) keeps the block, and the other logical copies leave
 * together. The translations of who leaves go into the removal; until that is settled those frames count as moving,
 * because other cores may still read the old block through them. Nobody can write it meanwhile: it is copy-on-write.
 */
export function breakCow(
  store: Store,
  frame: number,
  removal: Removal,
  whenShort: WhenShort = 'split',
): BindResult {
  const { frames, base, port } = store;
  const order = frames.order(frame);
  const old = frames.block[frame]!;
  const stays = frames.has(frame, FrameFlag.DMA);
  const leaver = stays ? frames.ringNext[frame]! : frame;
  const free = isGuaranteed(store, leaver) ? 'any' : 'spare';
  const head = takeBlock(store, order, leaver, stays && leaver === frame ? 'low' : free);
  if (head < 0) return fallBack(store, frame, removal, whenShort);
  if (stays) base.owner[old] = frame;
  else base.owner[old] = frames.ringNext[frame]!;
  frames.leaveRing(frame);
  let moved = leaver;
  do {
    unmapFrame(store, moved, removal);
    frames.block[moved] = head;
    const count = entryCount(store, moved);
    base.refs[old] = base.refs[old]! - count;
    base.refs[head] = base.refs[head]! + count;
    removal.moving.push(moved);
    moved = frames.ringNext[moved]!;
  } while (moved !== leaver);
  if (base.refs[old] === 0) removal.takeBlock(store, old);
  else removal.shown.push(old);
  port.copyFrames(old, head, 1 << order);
  store.counters.cowBreaks += 1;
  store.counters.copiedFrames += 1 << order;
  port.emit(PhysmemEv.CowBreak, store.entries.container[frames.entries[frame]!]!, old, head, order);
  return BindResult.DONE;
}

/**
 * Whether a frame must not be written where it is: other logical copies share its block, or a silent core may still read
 * it through a translation of somebody who left.
 */
export const needsBreak = (store: Store, frame: number): boolean =>
  store.frames.isCow(frame) || store.inflight.shows(store.frames.block[frame]!);

/** Whether a frame is backed. */
export const isBound = (store: Store, frame: number): boolean => store.frames.block[frame] !== UNBOUND;
