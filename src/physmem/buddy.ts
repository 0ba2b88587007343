/**
 * Buddy allocator of one zone (physmem.md §5.2): blocks of 2^k base frames, naturally aligned, coalesced as far
 * as possible, chosen by lowest order that suffices and then lowest address. One bitmap per order holds the free
 * blocks; all operations are O(orders + log32 frames).
 */
import { type BaseFrames, FrameState, TAIL } from './base-frames.ts';
import { Bitmap } from './bitmap.ts';
import { assert } from './plain-data.ts';

/** Memory that can be moved, or that stays where it is (physmem.md §7.3, grouping by mobility). */
export type BlockUse = 'movable' | 'unmovable';

export class Buddy {
  readonly base: number;
  readonly end: number;
  readonly maxOrder: number;
  /** Free blocks per order; bit = (head - alignedBase) >> order. */
  readonly free: readonly Bitmap[];
  /** The same for free blocks inside the 4 MiB blocks of unmovable memory; empty without grouping by mobility. */
  readonly apart: readonly Bitmap[];
  freeFrames = 0;
  readonly #table: BaseFrames;
  /** `base` rounded down to the largest block, so that buddies are found by exclusive or. */
  readonly #origin: number;

  /** Manages base frames base .. end-1, of which none is free at first. */
  constructor(table: BaseFrames, base: number, end: number, maxOrder: number) {
    this.#table = table;
    this.base = base;
    this.end = end;
    this.maxOrder = maxOrder;
    this.#origin = (base >>> maxOrder) << maxOrder;
    const lists = (): Bitmap[] =>
      Array.from(
        { length: maxOrder + 1 },
        (_, order) => new Bitmap(Math.ceil((end - this.#origin) / (1 << order))),
      );
    this.free = lists();
    this.apart = lists();
  }

  /** Whether a block of this order, or a larger one, is free. */
  has(order: number): boolean {
    for (let k = order; k <= this.maxOrder; k += 1) if (this.blockCount(k) > 0) return true;
    return false;
  }

  /**
   * Takes the best free block of the order; returns its head, or -1. The caller sets its state. Memory for each use comes
   * from 4 MiB blocks of that use as long as there is some; then an unmovable request makes a block its own.
   */
  take(order: number, use: BlockUse = 'movable'): number {
    if (use === 'movable') {
      const head = this.#takeFrom(this.free, order);
      return head >= 0 ? head : this.#takeFrom(this.apart, order);
    }
    const own = this.#takeFrom(this.apart, order);
    if (own >= 0) return own;
    const most = this.#largest(order);
    if (most < 0) return -1;
    this.#setApart(most);
    return this.#takeFrom(this.apart, order);
  }

  #takeFrom(lists: readonly Bitmap[], order: number): number {
    for (let k = order; k <= this.maxOrder; k += 1) {
      const index = lists[k]!.first();
      if (index >= 0) return this.#takePart(lists, k, index, order);
    }
    return -1;
  }

  /** Takes the lower part of a free block of order `from`. */
  #takePart(lists: readonly Bitmap[], from: number, index: number, order: number): number {
    const head = this.#origin + (index << from);
    lists[from]!.remove(index);
    this.#cut(lists, head, from, order);
    this.#table.takeFree(head, order);
    this.freeFrames -= 1 << order;
    return head;
  }

  /** Head of a free block as large as there is, at least of the order, in a block for movable memory; or -1. */
  #largest(order: number): number {
    for (let k = this.maxOrder; k >= order; k -= 1) {
      const index = this.free[k]!.first();
      if (index >= 0) return this.#origin + (index << k);
    }
    return -1;
  }

  /** The 4 MiB block around `frame` is for unmovable memory from now on, until it is free as a whole. */
  #setApart(frame: number): void {
    const { counts, state, order } = this.#table;
    const block = frame >>> counts.shift;
    counts.apart[block] = 1;
    const end = Math.min(this.end, (block + 1) << counts.shift);
    for (let head = Math.max(this.base, block << counts.shift); head < end; head += 1 << order[head]!) {
      if (state[head] !== FrameState.FREE) continue;
      const index = (head - this.#origin) >>> order[head]!;
      this.free[order[head]!]!.remove(index);
      this.apart[order[head]!]!.add(index);
    }
  }

  /** The lists in which free blocks of the 4 MiB around `frame` stand. */
  #listsOf(frame: number): readonly Bitmap[] {
    const { counts } = this.#table;
    return counts.apart[frame >>> counts.shift] === 0 ? this.free : this.apart;
  }

  /** Takes a block of the order out of [first, end), base frames of one 4 MiB block: the lowest of the smallest; or -1. */
  takeWithin(order: number, first: number, end: number): number {
    const lists = this.#listsOf(first);
    for (let k = order; k <= this.maxOrder; k += 1) {
      const map = lists[k]!;
      if (map.count === 0) continue;
      const index = map.next((Math.max(first, this.#origin) - this.#origin + (1 << k) - 1) >>> k);
      if (index < 0 || this.#origin + (index << k) + (1 << order) > end) continue;
      return this.#takePart(lists, k, index, order);
    }
    return -1;
  }

  /** Takes the free block that begins at `head` as it is. */
  takeAt(head: number): number {
    const order = this.#table.order[head]!;
    this.#listsOf(head)[order]!.remove((head - this.#origin) >>> order);
    this.#table.takeFree(head, order);
    this.freeFrames -= 1 << order;
    return head;
  }

  /** Puts the upper halves of a block of order `from` back until its head has order `to`. */
  #cut(lists: readonly Bitmap[], head: number, from: number, to: number): void {
    for (let k = from - 1; k >= to; k -= 1) {
      const upper = head + (1 << k);
      this.#table.markFree(upper, k);
      lists[k]!.add((upper - this.#origin) >>> k);
    }
  }

  /** Gives a block back and merges it with its free buddies. */
  give(head: number): void {
    const table = this.#table;
    let order = table.order[head]!;
    assert(table.state[head] !== FrameState.FREE && order !== TAIL, 'double free');
    assert((head & ((1 << order) - 1)) === 0, 'misaligned free');
    this.freeFrames += 1 << order;
    table.retire(head);
    const lists = this.#listsOf(head);
    let block = head;
    while (order < this.maxOrder) {
      const buddy = block ^ (1 << order);
      if (buddy < this.base || buddy + (1 << order) > this.end) break;
      const index = (buddy - this.#origin) >>> order;
      if (!lists[order]!.has(index)) break;
      lists[order]!.remove(index);
      table.order[Math.max(block, buddy)] = TAIL;
      block = Math.min(block, buddy);
      order += 1;
    }
    table.markFree(block, order);
    // What is free as a whole is for any use again.
    const isWhole = order === this.maxOrder;
    if (isWhole && lists === this.apart) table.counts.apart[block >>> table.counts.shift] = 0;
    (isWhole ? this.free : lists)[order]!.add((block - this.#origin) >>> order);
  }

  /** Free blocks of exactly this order. */
  blockCount(order: number): number {
    return (this.free[order]?.count ?? 0) + (this.apart[order]?.count ?? 0);
  }

  /** Heads of the free blocks of an order, ascending. */
  blocks(order: number): number[] {
    const heads: number[] = [];
    for (const map of [this.free[order]!, this.apart[order]!]) {
      for (let index = map.next(0); index >= 0; index = map.next(index + 1)) {
        heads.push(this.#origin + (index << order));
      }
    }
    if (this.apart[order]!.count > 0) heads.sort((a, b) => a - b);
    return heads;
  }

  /** Bytes of the bitmaps. */
  get bytes(): number {
    return [...this.free, ...this.apart].reduce((sum, map) => sum + map.words.byteLength, 0);
  }
}
