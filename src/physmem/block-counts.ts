/**
 * Counts per 4 MiB block, kept up to date with every change of the base-frame table: free, movable and pinned base frames,
 * so that finding a block to empty, and what it costs, never looks at all frames (npm run bench moving). What is none of
 * the three (page tables, reserved, limbo …) is fixed. 13 bytes for 1024 base frames.
 */
export class BlockCounts {
  /** base frame >> shift = block. */
  readonly shift: number;
  /** Base frames up to the top of RAM. */
  readonly frames: number;
  readonly free: Int32Array;
  readonly movable: Int32Array;
  readonly pinned: Int32Array;
  /** 1: the block is for memory that cannot move (grouping by mobility). */
  readonly apart: Uint8Array;

  constructor(frames: number, shift: number) {
    const blocks = Math.ceil(frames / (1 << shift));
    this.frames = frames;
    this.shift = shift;
    this.free = new Int32Array(blocks);
    this.movable = new Int32Array(blocks);
    this.pinned = new Int32Array(blocks);
    this.apart = new Uint8Array(blocks);
  }

  get blocks(): number {
    return this.free.length;
  }

  /** Base frames of a block; the last one may be cut off by the top of RAM. */
  size(block: number): number {
    return Math.min(1 << this.shift, this.frames - (block << this.shift));
  }

  fixed(block: number): number {
    return this.size(block) - this.free[block]! - this.movable[block]! - this.pinned[block]!;
  }
}
