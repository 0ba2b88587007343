/**
 * Cheapest block: the block with the fewest movable frames is emptied into the fullest ones; blocks with pins or other fixed
 * memory are passed over (Illuminator). It reads one row of counters per block, never the frames (npm run bench moving).
 */
import type { Goal, PolicyView, Proposal } from './policy.ts';
import { BLOCKS_LOOKED_INTO, blockRange, isWhole, proposal, regionIn } from './regions.ts';

/** Blocks that are offered as targets, the fullest first. */
const TARGETS = 16;

export function cheapestBlock(view: PolicyView, goal: Goal): Proposal | null {
  const [low, high] = blockRange(view, goal.zone);
  const all = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const { freeFrames } = view.zones[goal.zone]!;
  if (2 ** goal.order === view.blockFrames) {
    let best = -1;
    for (const block of all) {
      if (!isWhole(view, block)) continue;
      if (best < 0 || view.movable(block) < view.movable(best)) best = block;
    }
    // Room in blocks that are free as a whole is none: filling one to empty another could go on for ever.
    if (best < 0 || view.movable(best) > roomInPartlyFree(view, all, best)) return null;
    return proposal(goal, best * view.blockFrames, fullest(view, all, best));
  }
  const candidates = all.filter((block) => view.movable(block) > 0 && view.free(block) > 0);
  candidates.sort((a, b) => view.free(b) - view.free(a) || a - b);
  let found: { frame: number; moves: number } | null = null;
  for (const block of candidates.slice(0, BLOCKS_LOOKED_INTO)) {
    const region = regionIn(view, goal, block);
    if (region !== null && (found === null || region.moves < found.moves)) found = region;
  }
  if (found === null || found.moves > freeFrames) return null;
  return proposal(goal, found.frame, fullest(view, all, Math.floor(found.frame / view.blockFrames)));
}

/** Free frames of the blocks that are free in part, without the one that is emptied. */
function roomInPartlyFree(view: PolicyView, blocks: readonly number[], emptied: number): number {
  let room = 0;
  for (const block of blocks) {
    if (block !== emptied && view.free(block) < view.blockFrames) room += view.free(block);
  }
  return room;
}

/** Blocks with little free memory take what is moved, so that those with much stay good candidates. */
function fullest(view: PolicyView, blocks: readonly number[], emptied: number): number[] {
  const found = blocks.filter(
    (block) => block !== emptied && view.free(block) > 0 && view.free(block) < view.blockFrames,
  );
  found.sort((a, b) => view.free(a) - view.free(b) || a - b);
  return found.slice(0, TARGETS);
}
