/**
 * Names: entries in and out of containers, and on and off frames. Everything here keeps look-up (I13), disjointness
 * (I12) and reference counts (I14) exact; it knows nothing of credit and page tables.
 */
import { FrameFlag, UNBOUND } from './frame.ts';
import type { Store } from './store.ts';

/** Pages of an entry. */
export const pagesOf = (store: Store, entry: number): number =>
  1 << store.frames.order(store.entries.frame[entry]!);

/** The entry that names a page of a container, or 0. */
export function entryAt(store: Store, container: number, page: number): number {
  return store.trees.find(store.containers.at(container).tree, page);
}

/** The entry that names `page`, or else the first one above it, or 0. Steps with `nextEntry`. */
export function entryFrom(store: Store, container: number, page: number): number {
  const { tree } = store.containers.at(container);
  const entry = store.trees.find(tree, page);
  return entry !== 0 ? entry : store.trees.ceiling(tree, page);
}

/** The entry after the one found last. No name may have changed since. */
export const nextEntry = (store: Store): number => store.trees.step();

/**
 * The same as `entryAt`; quick when the last look-up found the entry before. What the cursor meets by accident, after other
 * look-ups or changes, is taken only if it is the entry that begins at the page.
 */
export function entryAfter(store: Store, container: number, page: number): number {
  const { start, container: owner } = store.entries;
  const entry = store.trees.step();
  if (entry !== 0 && start[entry] === page && owner[entry] === container) return entry;
  return entryAt(store, container, page);
}

/** Makes an entry for a frame at an empty place. */
export function addEntry(store: Store, container: number, start: number, frame: number): number {
  const entry = store.entries.alloc(start, container);
  attach(store, entry, frame);
  insertName(store, container, start, entry);
  return entry;
}

/** Puts an entry that exists into a container's tree. */
export function insertName(store: Store, container: number, start: number, entry: number): void {
  const target = store.containers.at(container);
  const order = store.frames.order(store.entries.frame[entry]!);
  target.tree = store.trees.insert(target.tree, start, order, entry);
  target.entries += 1;
  target.pages += 1 << order;
}

/** Takes an entry out of its container's tree; it keeps its frame. */
export function removeName(store: Store, entry: number): void {
  const from = store.containers.at(store.entries.container[entry]!);
  from.tree = store.trees.remove(from.tree, store.entries.start[entry]!);
  from.entries -= 1;
  from.pages -= pagesOf(store, entry);
}

/** Puts an entry on a frame's list. */
export function attach(store: Store, entry: number, frame: number): void {
  const { entries, frames } = store;
  const first = frames.entries[frame]!;
  entries.frame[entry] = frame;
  entries.next[entry] = first;
  entries.prev[entry] = 0;
  if (first !== 0) entries.prev[first] = entry;
  frames.entries[frame] = entry;
  const block = frames.block[frame]!;
  if (block !== UNBOUND) store.base.refs[block] = store.base.refs[block]! + 1;
}

/**
 * Takes an entry off its frame's list. When it was the frame's last one the frame is gone; when that was the ring's
 * last frame, nobody refers to the block any more: returns its head, and the caller frees it. Otherwise -1.
 */
export function detach(store: Store, entry: number): number {
  const { entries, frames, base } = store;
  const frame = entries.frame[entry]!;
  const next = entries.next[entry]!;
  const prev = entries.prev[entry]!;
  if (prev !== 0) entries.next[prev] = next;
  else frames.entries[frame] = next;
  if (next !== 0) entries.prev[next] = prev;
  const block = frames.block[frame]!;
  if (block !== UNBOUND) base.refs[block] = base.refs[block]! - 1;
  if (frames.entries[frame] !== 0) return -1;
  const other = frames.ringNext[frame]!;
  frames.leaveRing(frame);
  if (block === UNBOUND && frames.has(frame, FrameFlag.DMA))
    store.zones.promiseDma(-(1 << frames.order(frame)));
  frames.free(frame);
  if (block === UNBOUND) return -1;
  if (other === frame) return block;
  base.owner[block] = other;
  return -1;
}

/** Whether an entry's memory has other users: entries on the same frame, or other logical copies. */
export function isShared(store: Store, entry: number): boolean {
  const frame = store.entries.frame[entry]!;
  return store.entries.next[store.frames.entries[frame]!] !== 0 || store.frames.isCow(frame);
}
