/**
 * Claimed memory: blocks that are out of the free lists because memory is being moved, as targets or to keep an emptied
 * region together, and back no frame yet. They are in state SERVER. Whoever finds no memory while some is claimed waits:
 * it comes back in bounded time (`claimed` says how much is out, `hurry` asks for it).
 */
import { PhysmemEv } from '../abi/events.ts';
import { FrameState } from './base-frames.ts';
import type { Buddy } from './buddy.ts';
import { freeBlock } from './removal.ts';
import type { Store } from './store.ts';
import { ZoneId } from './zone.ts';

/** Notes a block that was just taken from a buddy allocator as claimed; returns its head, or -1 for none. */
function claim(store: Store, head: number): number {
  if (head < 0) return -1;
  const { base, port, zones } = store;
  const order = base.order[head]!;
  if (store.tuning.poison === 'on' && !port.isPoisoned(head, 1 << order)) store.counters.poisonFaults += 1;
  base.set(head, FrameState.SERVER, 0);
  store.claimed += 1 << order;
  port.emit(PhysmemEv.FrameAlloc, head, order, zones.zoneOf(head), FrameState.SERVER);
  return head;
}

/** Claims a block of the order, the lowest of a zone; -1 when there is none. */
export const claimBlock = (store: Store, buddy: Buddy, order: number): number =>
  claim(store, buddy.take(order));

/** The same from the 4 MiB blocks of unmovable memory, without what is promised there; -1 as well without grouping. */
export function claimApart(store: Store, zone: ZoneId, order: number): number {
  const { zones } = store;
  if (zones.grouping === 'off' || (zone === ZoneId.DMA && zones.dmaRoom < 1 << order)) return -1;
  return claim(store, zones.zones[zone]!.buddy.take(order, 'unmovable'));
}

/** The same below the DMA limit, as far as the zone has promised its room to nobody. */
export const claimLow = (store: Store, order: number): number => claim(store, store.zones.takeLow(order));

/** The same, from base frames [first, end) only. */
export const claimWithin = (store: Store, buddy: Buddy, order: number, first: number, end: number): number =>
  claim(store, buddy.takeWithin(order, first, end));

/** Claims one free block as it is. */
export const claimFree = (store: Store, buddy: Buddy, head: number): number =>
  claim(store, buddy.takeAt(head));

/** A claimed block is to back a frame. */
export function takeFrame(store: Store, head: number, owner: number): void {
  store.claimed -= 1 << store.base.order[head]!;
  store.base.set(head, FrameState.BOUND, owner);
}

/** A claimed block goes back to the free lists. */
export function freeFrame(store: Store, head: number): void {
  store.claimed -= 1 << store.base.order[head]!;
  freeBlock(store, head);
}

/** Whether memory is on its way back, so that a bind that finds none may wait; it is asked for. */
export function awaitsMemory(store: Store): boolean {
  if (store.claimed > 0) store.hurry = true;
  return store.claimed > 0 || store.inflight.open.length > 0;
}
