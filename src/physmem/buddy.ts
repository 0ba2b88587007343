/**
 * Buddy allocator of one zone (physmem.md §5.2): blocks of 2^k base frames, naturally aligned, coalesced as far
 * as possible, chosen by lowest order that suffices and then lowest address. One bitmap per order holds the free
 * blocks; all operations are O(orders + log32 frames).
 */
import { type BaseFrames, FrameState, TAIL } from './base-frames.ts';
import { Bitmap } from './bitmap.ts';
import { assert } from './plain-data.ts';

export class Buddy {
  readonly base: number;
  readonly end: number;
  readonly maxOrder: number;
  /** Free blocks per order; bit = (head - alignedBase) >> order. */
  readonly free: readonly Bitmap[];
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
    this.free = Array.from(
      { length: maxOrder + 1 },
      (_, order) => new Bitmap(Math.ceil((end - this.#origin) / (1 << order))),
    );
  }

  /** Whether a block of this order, or a larger one, is free. */
  has(order: number): boolean {
    for (let k = order; k <= this.maxOrder; k += 1) if (this.free[k]!.count > 0) return true;
    return false;
  }

  /** Takes the best free block of the order; returns its head, or -1. The caller sets its state. */
  take(order: number): number {
    for (let k = order; k <= this.maxOrder; k += 1) {
      const index = this.free[k]!.first();
      if (index < 0) continue;
      const head = this.#origin + (index << k);
      this.free[k]!.remove(index);
      this.#cut(head, k, order);
      this.#table.takeFree(head, order);
      this.freeFrames -= 1 << order;
      return head;
    }
    return -1;
  }

  /** Takes a block of the order out of base frames [first, end), the lowest of the smallest that suffice; or -1. */
  takeWithin(order: number, first: number, end: number): number {
    for (let k = order; k <= this.maxOrder; k += 1) {
      const map = this.free[k]!;
      if (map.count === 0) continue;
      const index = map.next((Math.max(first, this.#origin) - this.#origin + (1 << k) - 1) >>> k);
      const head = this.#origin + (index << k);
      if (index < 0 || head + (1 << order) > end) continue;
      map.remove(index);
      this.#cut(head, k, order);
      this.#table.takeFree(head, order);
      this.freeFrames -= 1 << order;
      return head;
    }
    return -1;
  }

  /** Takes the free block that begins at `head` as it is. */
  takeAt(head: number): number {
    const order = this.#table.order[head]!;
    this.free[order]!.remove((head - this.#origin) >>> order);
    this.#table.takeFree(head, order);
    this.freeFrames -= 1 << order;
    return head;
  }

  /** Puts the upper halves of a block of order `from` back until its head has order `to`. */
  #cut(head: number, from: number, to: number): void {
    for (let k = from - 1; k >= to; k -= 1) {
      const upper = head + (1 << k);
      this.#table.markFree(upper, k);
      this.free[k]!.add((upper - this.#origin) >>> k);
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
    let block = head;
    while (order < this.maxOrder) {
      const buddy = block ^ (1 << order);
      if (buddy < this.base || buddy + (1 << order) > this.end) break;
      const index = (buddy - this.#origin) >>> order;
      if (!this.free[order]!.has(index)) break;
      this.free[order]!.remove(index);
      table.order[Math.max(block, buddy)] = TAIL;
      block = Math.min(block, buddy);
      order += 1;
    }
    table.markFree(block, order);
    this.free[order]!.add((block - this.#origin) >>> order);
  }

  /** Free blocks of exactly this order. */
  blockCount(order: number): number {
    return this.free[order]?.count ?? 0;
  }

  /** Heads of the free blocks of an order, ascending. */
  blocks(order: number): number[] {
    const heads: number[] = [];
    const map = this.free[order]!;
    for (let index = map.next(0); index >= 0; index = map.next(index + 1)) {
      heads.push(this.#origin + (index << order));
    }
    return heads;
  }

  /** Bytes of the bitmaps. */
  get bytes(): number {
    return this.free.reduce((sum, map) => sum + map.words.byteLength, 0);
  }
}
