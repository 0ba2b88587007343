/**
 * Halving frames. When part of a frame is treated differently from the rest (partial deallocate, copy, release …)
 * the frame is split in place: its block, all frames of its copy-on-write ring, all entries that name them, and
 * the records of all their maps. Contents, names, places and translations stay; O(order) pieces per boundary.
 * Since the whole ring is split alike, a frame and its block always have the same order, and the original's
 * covering-entry and false-sharing defects (B4, B5, B8, B9) can not be expressed.
 */
import { PhysmemEv } from '../abi/events.ts';
import { UNBOUND } from './frame.ts';
import { splitHold } from './hold.ts';
import { attach, entryAt, pagesOf } from './names.ts';
import { assert } from './plain-data.ts';
import type { Removal } from './removal.ts';
import type { Store } from './store.ts';
import { divideRecords } from './translation.ts';

/** Halves a frame (of order ≥ 1) with its whole ring. */
export function splitFrame(store: Store, frame: number, removal: Removal): void {
  const { frames, base } = store;
  const order = frames.order(frame) - 1;
  const block = frames.block[frame]!;
  let upperBlock = UNBOUND;
  if (block !== UNBOUND) {
    upperBlock = base.splitBlock(block);
    base.refs[upperBlock] = 0;
    store.deferred.divide(block, upperBlock);
    store.inflight.divide(block, upperBlock);
  }
  let lastUpper = 0;
  let member = frame;
  do {
    const upper = frames.alloc(order);
    frames.meta[upper] = frames.meta[member]!;
    frames.setOrder(member, order);
    frames.setOrder(upper, order);
    frames.block[upper] = upperBlock;
    if (lastUpper !== 0) frames.joinRing(upper, lastUpper);
    lastUpper = upper;
    if (removal.moving.length > 0 && removal.moving.includes(member)) removal.moving.push(upper);
    splitEntries(store, member, upper, order, removal);
    member = frames.ringNext[member]!;
  } while (member !== frame);
  if (upperBlock !== UNBOUND) base.owner[upperBlock] = lastUpper;
}

/** Gives every entry of `frame`, whose order is lowered already, a sibling on `upper`. */
function splitEntries(store: Store, frame: number, upper: number, order: number, removal: Removal): void {
  const { entries, frames, trees } = store;
  const half = 1 << order;
  for (let entry = frames.entries[frame]!; entry !== 0; entry = entries.next[entry]!) {
    const start = entries.start[entry]! + half;
    const container = entries.container[entry]!;
    const sibling = entries.alloc(start, container);
    attach(store, sibling, upper);
    splitHold(store, entry, sibling);
    const via = entries.via.size === 0 ? undefined : entries.via.get(entry);
    if (via !== undefined) entries.via.set(sibling, via);
    const owner = store.containers.at(container);
    trees.resize(owner.tree, start - half, order);
    owner.tree = trees.insert(owner.tree, start, order, sibling);
    owner.entries += 1;
    store.counters.entrySplits += 1;
    store.port.emit(PhysmemEv.EntrySplit, container, (start - half) * 4096, order, 0);
    divideRecords(store, entry, sibling, half, removal);
  }
  store.port.charge(1);
}

/** Splits frames until no entry of the container crosses the boundary before `page`. */
export function splitAt(store: Store, container: number, page: number, removal: Removal): void {
  for (;;) {
    const entry = entryAt(store, container, page);
    if (entry === 0 || store.entries.start[entry] === page) return;
    splitFrame(store, store.entries.frame[entry]!, removal);
  }
}

/** Splits frames until the entry at `page` starts there and has at most `pages` pages; returns it. */
export function splitTo(
  store: Store,
  container: number,
  page: number,
  pages: number,
  removal: Removal,
): number {
  splitAt(store, container, page, removal);
  for (;;) {
    const entry = entryAt(store, container, page);
    assert(entry !== 0, 'no entry to split');
    if (pagesOf(store, entry) <= pages) return entry;
    splitFrame(store, store.entries.frame[entry]!, removal);
  }
}
