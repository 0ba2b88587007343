/**
 * The base-frame table: one row per 4 KiB of physical address space up to the top of RAM (physmem.md §10, I6).
 *
 * Memory is cut into *blocks* of 2^k naturally aligned base frames. The row of a block's first base frame, its
 * head, speaks for the whole block; the other rows of the block have order TAIL and nothing else that counts. So
 * allocating or freeing 4 MiB touches one row, and splitting or merging touches two.
 */
import { BlockCounts } from './block-counts.ts';
import type { PlainData } from './plain-data.ts';

export enum FrameState {
  FREE = 0,
  /** Given back softly: keeps its contents until it is reused. */
  SOFT = 1,
  /** Backs a frame of some container. */
  BOUND = 2,
  /** Belongs to the kernel's or server's own use (message frames). */
  SERVER = 3,
  PAGE_TABLE = 4,
  /** Taken from its owner while a device may still write to it. */
  QUARANTINE = 5,
  /** Out of use, but some TLB may still hold a translation to it. */
  LIMBO = 6,
  RESERVED = 7,
  HOLE = 8,
}

export const FRAME_STATE_NAMES: readonly string[] = [
  'free',
  'soft',
  'bound',
  'server',
  'page table',
  'quarantine',
  'limbo',
  'reserved',
  'hole',
];

/** Order of a base frame inside a block, not at its head. */
export const TAIL = 0xff;
/** Bytes per base frame of this table; with the bitmaps of the buddy allocator the server stays below 64. */
export const BASE_FRAME_BYTES = 1 + 1 + 4 + 4 + 4;

export class BaseFrames {
  readonly count: number;
  state: Uint8Array;
  order: Uint8Array;
  /** Bound: a frame whose block this is. Page table or server: the task. Otherwise 0. */
  owner: Int32Array;
  /** Number of entries that name this block (I14); for a block that is not bound 0. */
  refs: Int32Array;
  /** Pins that hold this block in place. */
  pins: Int32Array;

  /** What each 4 MiB block holds; follows every change of state and pins. */
  readonly counts: BlockCounts;

  constructor(count: number, blockOrder = 10) {
    this.count = count;
    this.counts = new BlockCounts(count, blockOrder);
    this.state = new Uint8Array(count).fill(FrameState.HOLE);
    this.order = new Uint8Array(count);
    this.owner = new Int32Array(count);
    this.refs = new Int32Array(count);
    this.pins = new Int32Array(count);
  }

  /** First base frame of the block in which a base frame lies. */
  headOf(frame: number): number {
    let head = frame;
    for (let order = 0; this.order[head] === TAIL; order += 1) head &= ~(1 << order);
    return head;
  }

  /** Cuts a block in two halves with the same state, references and pins; returns the head of the upper half. */
  splitBlock(head: number): number {
    const order = this.order[head]! - 1;
    const upper = head + (1 << order);
    this.order[head] = order;
    this.order[upper] = order;
    this.state[upper] = this.state[head]!;
    this.owner[upper] = this.owner[head]!;
    this.refs[upper] = this.refs[head]!;
    this.pins[upper] = this.pins[head]!;
    return upper;
  }

  /** Makes one block of base frames that were single ones, or a tiling of blocks, in one state until now. */
  makeBlock(head: number, order: number, state: FrameState): void {
    this.#count(head, -(1 << this.order[head]!));
    this.order[head] = order;
    this.order.fill(TAIL, head + 1, head + (1 << order));
    this.state[head] = state;
    this.#count(head, 1 << order);
  }

  /** Puts a block that is not free in a state, with an owner and no references. */
  set(head: number, state: FrameState, owner: number): void {
    const size = 1 << this.order[head]!;
    this.#count(head, -size);
    this.state[head] = state;
    this.owner[head] = owner;
    this.refs[head] = 0;
    this.#count(head, size);
  }

  /** Puts a block in another state; owner and references stay. */
  changeState(head: number, state: FrameState): void {
    const size = 1 << this.order[head]!;
    this.#count(head, -size);
    this.state[head] = state;
    this.#count(head, size);
  }

  /** For the buddy allocator: the block leaves its use, and `markFree` follows for what it becomes part of. */
  retire(head: number): void {
    const size = 1 << this.order[head]!;
    this.#count(head, -size);
    this.counts.free[head >>> this.counts.shift]! += size;
  }

  /** For the buddy allocator: the row of a free block. The count of free frames is not touched. */
  markFree(head: number, order: number): void {
    this.order[head] = order;
    this.state[head] = FrameState.FREE;
    this.owner[head] = 0;
    this.refs[head] = 0;
  }

  /** For the buddy allocator: a free block is taken; the caller sets its state at once. */
  takeFree(head: number, order: number): void {
    this.order[head] = order;
    this.counts.free[head >>> this.counts.shift]! -= 1 << order;
  }

  /** Counts one pin more, or one less, on a block. */
  changePins(head: number, by: 1 | -1): void {
    const size = 1 << this.order[head]!;
    this.#count(head, -size);
    this.pins[head] = this.pins[head]! + by;
    this.#count(head, size);
  }

  /** Adds base frames to the count of what the block at `head` is in use for. */
  #count(head: number, frames: number): void {
    const { counts } = this;
    const state = this.state[head]!;
    if (state === FrameState.BOUND || state === FrameState.SOFT) {
      const kind = this.pins[head] === 0 ? counts.movable : counts.pinned;
      kind[head >>> counts.shift]! += frames;
    } else if (state === FrameState.QUARANTINE) counts.pinned[head >>> counts.shift]! += frames;
  }

  /** Counts everything anew. */
  recount(): void {
    const { counts } = this;
    for (const column of [counts.free, counts.movable, counts.pinned]) column.fill(0);
    for (let head = 0; head < this.count; head += 1 << this.order[head]!) {
      const size = 1 << this.order[head]!;
      if (this.state[head] === FrameState.FREE) counts.free[head >>> counts.shift]! += size;
      else this.#count(head, size);
    }
  }

  save(): PlainData {
    return {
      state: this.state.slice(),
      order: this.order.slice(),
      owner: this.owner.slice(),
      refs: this.refs.slice(),
      pins: this.pins.slice(),
      apart: this.counts.apart.slice(),
    };
  }

  load(saved: PlainData): void {
    const from = saved as { state: Uint8Array; order: Uint8Array; apart: Uint8Array } & Record<
      'owner' | 'refs' | 'pins',
      Int32Array
    >;
    this.state.set(from.state);
    this.order.set(from.order);
    this.owner.set(from.owner);
    this.refs.set(from.refs);
    this.pins.set(from.pins);
    this.counts.apart.set(from.apart);
    this.recount();
  }
}
