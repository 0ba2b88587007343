/**
 * Where free memory comes from: the zones, and when they run out, memory that was given back softly, the oldest first
 * (physmem.md §8). Soft memory has no translations and nobody pays for it, so it is free in one step. Extra memory, which
 * somebody still uses, is taken in reclaim.ts.
 */
import { PhysmemEv } from '../abi/events.ts';
import { FrameFlag } from './frame.ts';
import { controlOf, holdNothing } from './hold.ts';
import { detach, pagesOf, removeName } from './names.ts';
import { freeBlock, Removal } from './removal.ts';
import { splitFrame } from './split.ts';
import type { Store } from './store.ts';
import { ZoneId } from './zone.ts';

/**
 * Any zone; any zone, for what can never move; any zone, for somebody without a guarantee; the DMA zone within what was promised there; the DMA zone
 * beyond that.
 */
export type Where = 'any' | 'server' | 'spare' | 'promised' | 'low';

/** Base frames that a guaranteed request of any zone finds: free ones, and soft ones. */
export const roomForAll = (store: Store): number => store.zones.room + store.loans.softPages;

/** Whether somebody who found no `need` base frames lacks them because extra memory holds them. */
export const canClaim = (store: Store, need: number): boolean =>
  store.loans.boundPages > 0 && roomForAll(store) < need;

/** Takes a block of 2^order base frames out of its zone; returns its head or -1. The caller sets its state at once. */
export function takeFree(store: Store, order: number, where: Where): number {
  const head = takeFromZones(store, order, where);
  if (head >= 0 || store.loans.softPages === 0) return head;
  const { zones, loans } = store;
  // Soft memory is for when memory runs out: a block that is missing because memory is in pieces is not made from it.
  const missing = (1 << order) - (where === 'low' ? zones.dmaRoom : zones.room);
  if (missing <= 0 || where === 'promised' || (where === 'spare' && loans.claims > 0)) return -1;
  reuseSoft(store, missing, where === 'low' ? 'low' : 'any');
  return takeFromZones(store, order, where);
}

function takeFromZones({ zones, loans }: Store, order: number, where: Where): number {
  if (where === 'any') return zones.take(order);
  if (where === 'server') return zones.take(order, 'unmovable');
  if (where === 'promised') return zones.takeDma(order);
  if (where === 'low') return zones.takeLow(order);
  return loans.claims > 0 ? -1 : zones.takeSpare(order);
}

/** Frees at least `missing` base frames of soft memory, or all there is. */
function reuseSoft(store: Store, missing: number, where: 'any' | 'low'): void {
  const { loans, zones, entries, frames } = store;
  let left = missing;
  for (let loan = loans.next[loans.softList]!; left > 0 && loan !== loans.softList; ) {
    const entry = loans.entry[loan]!;
    const block = frames.block[entries.frame[entry]!]!;
    const isMoving = frames.has(entries.frame[entry]!, FrameFlag.MOVING);
    if (isMoving || (where === 'low' && zones.zoneOf(block) !== ZoneId.DMA)) {
      loan = loans.next[loan]!;
      continue;
    }
    if (pagesOf(store, entry) > left) {
      // The lower half counts as the older one.
      splitFrame(store, entries.frame[entry]!, new Removal());
      continue;
    }
    const after = loans.next[loan]!;
    left -= pagesOf(store, entry);
    loseSoft(store, entry);
    loan = after;
  }
}

/** A soft reference is lost: its name goes, and its block is free. */
function loseSoft(store: Store, entry: number): void {
  const { index, lost } = controlOf(store, entry);
  const container = store.entries.container[entry]!;
  const pages = pagesOf(store, entry);
  store.port.emit(PhysmemEv.SoftReuse, index, container, store.entries.start[entry]! * 4096, pages);
  store.port.charge(1);
  store.controls.at(index).lost = lost + pages;
  store.counters.lostSoftFrames += pages;
  holdNothing(store, entry);
  removeName(store, entry);
  freeBlock(store, detach(store, entry));
  store.entries.free(entry);
}
