/**
 * Contiguous blocks of any length (flag CONTIGUOUS, physmem.md §4): the smallest block that is large enough is taken and
 * cut, and the rest goes back. What stays are blocks of falling size, one after another.
 */
import { PhysmemEv } from '../abi/events.ts';
import { FrameState } from './base-frames.ts';
import { failsNow } from './faults.ts';
import type { Store } from './store.ts';
import { takeFree } from './supply.ts';

/** Order of the smallest block that holds so many pages. */
export const contiguousOrder = (pages: number): number => (pages <= 1 ? 0 : 32 - Math.clz32(pages - 1));

/** Takes `pages` consecutive base frames; returns the first, or -1. They are in state SERVER until they are named. */
export function takeContiguous(store: Store, pages: number, where: 'dma' | 'any' | 'spare'): number {
  const { zones, base, port } = store;
  const order = contiguousOrder(pages);
  if (failsNow(store)) return -1;
  const head = takeFree(store, order, where === 'dma' ? 'low' : where);
  if (head < 0) return -1;
  base.set(head, FrameState.SERVER, 0);
  if (store.tuning.poison === 'on' && !port.isPoisoned(head, 1 << order)) store.counters.poisonFaults += 1;
  port.emit(PhysmemEv.FrameAlloc, head, order, zones.zoneOf(head), FrameState.BOUND);
  giveTail(store, head, pages);
  return head;
}

/** Cuts a block until its first `pages` base frames stand alone, and frees the rest. */
function giveTail(store: Store, head: number, pages: number): void {
  let at = head;
  let left = pages;
  while (left < 1 << store.base.order[at]!) {
    const upper = store.base.splitBlock(at);
    const half = upper - at;
    if (left <= half) store.zones.give(upper);
    else {
      at = upper;
      left -= half;
    }
  }
}
