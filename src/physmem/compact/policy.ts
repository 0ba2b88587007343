/**
 * What a defragmentation policy is (physmem.md §7.3). It looks at counters and says what should be emptied; it moves nothing
 * and changes nothing. physmem checks every proposal (judge.ts) and does the work (evacuate.ts). A policy that throws, lies or
 * never ends is stopped by name, and the system goes on without it.
 *
 * A block is `blockFrames` naturally aligned base frames (4 MiB), numbered from 0 by address. What a policy must remember
 * belongs in `view.memory`, which is part of snapshots; the same view must always give the same answer, or runs do not repeat.
 */

export interface PolicyZone {
  readonly name: string;
  /** Base frames [first, end). */
  readonly first: number;
  readonly end: number;
  readonly freeFrames: number;
}

/** Base frames of an aligned region, by what can be done with them. */
export interface RegionCount {
  readonly free: number;
  /** In use by containers; can be moved. */
  readonly movable: number;
  /** Pinned, or in quarantine after a pin. */
  readonly pinned: number;
  /** Page tables, the kernel's, firmware, holes, memory that some TLB may still hold. */
  readonly fixed: number;
}

/** Read only; the numbers are those of the moment of the call. */
export interface PolicyView {
  readonly maxOrder: number;
  readonly blockFrames: number;
  /** Blocks up to the top of RAM. */
  readonly blocks: number;
  readonly zones: readonly PolicyZone[];
  /** Time in cycles. */
  readonly now: number;
  /** Sixteen words of the policy's own, zero at first. */
  readonly memory: Int32Array;
  /** Counts of one block, kept up to date: O(1). */
  free(block: number): number;
  movable(block: number): number;
  pinned(block: number): number;
  fixed(block: number): number;
  /** Counts of a part of a block, [frame, frame + 2^order): looks at no more than that part. */
  region(frame: number, order: number): RegionCount;
  /** Free blocks of exactly this order in a zone. */
  freeBlocks(zone: number, order: number): number;
  /** physmem.md §7.5: share of a zone's free memory that is in blocks smaller than this order, 0..1. */
  unusableIndex(zone: number, order: number): number;
  /** 0..1: towards 0 a block is missing for want of memory, towards 1 for fragmentation; -1 when there is one. */
  fragmentationIndex(zone: number, order: number): number;
}

/** What is wanted: a free block of 2^order base frames in a zone. */
export interface Goal {
  readonly zone: number;
  readonly order: number;
}

/** "Empty [frame, frame + 2^order)"; what is there goes into the blocks of `into`, in this order, then anywhere else. */
export interface Proposal {
  readonly frame: number;
  readonly order: number;
  readonly into?: readonly number[];
}

export interface Policy {
  readonly name: string;
  /** Pinned and soon pinned memory, and page tables, get blocks of their own. Default off. */
  readonly grouping?: 'on' | 'off';
  /** Frames whose translations go in one shootdown. Default 64. */
  readonly batch?: number;
  /** A bind finds no free block: make one (the guest waits), or fail at once, so that smaller frames are used. */
  onShortage(view: PolicyView, goal: Goal): 'compact' | 'fail';
  /** Asked now and then, and after each evacuation in the background: what to work for, or null to rest. */
  background(view: PolicyView, state: 'resting' | 'working'): Goal | null;
  /** The next region to empty for this goal; null when nothing is worth it. */
  choose(view: PolicyView, goal: Goal): Proposal | null;
}

/** Thrown by who calls a policy of somebody's with a bound, when one call does not come to an end. */
export class PolicyEndlessError extends Error {}
