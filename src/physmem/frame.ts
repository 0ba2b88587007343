/**
 * Frames: per-frame state (seed: "a frame entry is per-mapping state and a frame is per-frame state"). A frame is
 * one logical piece of memory of 2^order pages: all entries on its list see the same bytes. A bound frame is backed
 * by a block of the same order. Frames that are copy-on-write copies of each other form a ring around one
 * block, so "logical copies" and "names" never mix, and a block's reference count is exact by construction:
 * the number of entries on all frames of its ring (I14).
 */
import { grow8, grow32, nextCapacity, RecordNumbers } from './columns.ts';
import type { PlainData } from './plain-data.ts';

/** `block` of a frame that is not bound. */
export const UNBOUND = -1;

/** Layout of `meta`: bits 0..4 order, bit 5 moving, bit 6 DMA. */
const ORDER_MASK = 0x1f;
export enum FrameFlag {
  /** Its translations are being shot down before its block changes hands: others wait. */
  MOVING = 1 << 5,
  /** May be bound in the DMA zone only. */
  DMA = 1 << 6,
}

export class Frames {
  readonly numbers = new RecordNumbers();
  #capacity = 256;
  /** Head of the backing block, or UNBOUND. */
  block: Int32Array = new Int32Array(this.#capacity);
  /** First entry that names this frame. */
  entries: Int32Array = new Int32Array(this.#capacity);
  /** Neighbours in the copy-on-write ring; alone: itself. `ringNext` also links free records. */
  ringNext: Int32Array = new Int32Array(this.#capacity);
  ringPrev: Int32Array = new Int32Array(this.#capacity);
  meta: Uint8Array = new Uint8Array(this.#capacity);

  /** A frame without entries, unbound, alone in its ring. */
  alloc(order: number): number {
    let id = this.numbers.take(this.ringNext, this.#capacity);
    if (id === 0) {
      this.#resize(nextCapacity(this.#capacity));
      id = this.numbers.take(this.ringNext, this.#capacity);
    }
    this.block[id] = UNBOUND;
    this.entries[id] = 0;
    this.ringNext[id] = id;
    this.ringPrev[id] = id;
    this.meta[id] = order;
    return id;
  }

  free(id: number): void {
    this.numbers.give(this.ringNext, id);
  }

  order(id: number): number {
    return this.meta[id]! & ORDER_MASK;
  }

  setOrder(id: number, order: number): void {
    this.meta[id] = (this.meta[id]! & ~ORDER_MASK) | order;
  }

  has(id: number, flag: FrameFlag): boolean {
    return (this.meta[id]! & flag) !== 0;
  }

  raise(id: number, flag: FrameFlag): void {
    this.meta[id] = this.meta[id]! | flag;
  }

  lower(id: number, flag: FrameFlag): void {
    this.meta[id] = this.meta[id]! & ~flag;
  }

  /** Whether the block behind it also backs other logical copies. */
  isCow(id: number): boolean {
    return this.ringNext[id] !== id;
  }

  /** Puts a lone frame into the ring of another, behind it. */
  joinRing(id: number, of: number): void {
    const after = this.ringNext[of]!;
    this.ringNext[of] = id;
    this.ringPrev[id] = of;
    this.ringNext[id] = after;
    this.ringPrev[after] = id;
  }

  leaveRing(id: number): void {
    const next = this.ringNext[id]!;
    const prev = this.ringPrev[id]!;
    this.ringNext[prev] = next;
    this.ringPrev[next] = prev;
    this.ringNext[id] = id;
    this.ringPrev[id] = id;
  }

  #resize(capacity: number): void {
    this.#capacity = capacity;
    this.block = grow32(this.block, capacity);
    this.entries = grow32(this.entries, capacity);
    this.ringNext = grow32(this.ringNext, capacity);
    this.ringPrev = grow32(this.ringPrev, capacity);
    this.meta = grow8(this.meta, capacity);
  }

  get bytes(): number {
    return this.#capacity * 17;
  }

  save(): PlainData {
    const end = this.numbers.end;
    return {
      numbers: this.numbers.save(),
      block: this.block.slice(0, end),
      entries: this.entries.slice(0, end),
      ringNext: this.ringNext.slice(0, end),
      ringPrev: this.ringPrev.slice(0, end),
      meta: this.meta.slice(0, end),
    };
  }

  load(saved: PlainData): void {
    const from = saved as { numbers: number[]; meta: Uint8Array } & Record<
      'block' | 'entries' | 'ringNext' | 'ringPrev',
      Int32Array
    >;
    this.numbers.load(from.numbers);
    this.block = from.block;
    this.entries = from.entries;
    this.ringNext = from.ringNext;
    this.ringPrev = from.ringPrev;
    this.meta = from.meta;
    this.#resize(Math.max(256, nextCapacity(this.numbers.end)));
  }
}
