/**
 * The fragmentation metrics of physmem.md §7.5 (those of Linux's mm/vmstat.c and of the literature, as fractions). Both take
 * the free blocks of one zone per order and cost O(orders).
 */

/** Free base frames F. */
const framesIn = (free: readonly number[]): number =>
  free.reduce((sum, blocks, order) => sum + blocks * 2 ** order, 0);

/** Unusable-free-space index, 0..1: (F − Σ_{i≥j} k_i·2^i) / F. 0 when nothing is free: nothing is unusable. */
export function unusableIndex(free: readonly number[], order: number): number {
  const all = framesIn(free);
  if (all === 0) return 0;
  let usable = 0;
  for (let i = order; i < free.length; i += 1) usable += free[i]! * 2 ** i;
  return (all - usable) / all;
}

/** Fragmentation index: 1 − (1 + F/2^j) / B with B free blocks in all; −1 when a block is there, 0 when nothing is free. */
export function fragmentationIndex(free: readonly number[], order: number): number {
  let blocks = 0;
  for (let i = 0; i < free.length; i += 1) {
    if (i >= order && free[i]! > 0) return -1;
    blocks += free[i]!;
  }
  return blocks === 0 ? 0 : 1 - (1 + framesIn(free) / 2 ** order) / blocks;
}
