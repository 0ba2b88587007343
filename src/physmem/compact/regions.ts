/**
 * Regions of an order inside 4 MiB blocks, for choosers: which one can be emptied, and at what cost. Blocks with pins or
 * other fixed memory are passed over as a whole when a whole block is wanted; for smaller orders the parts of a block are
 * looked at one by one, in no more than `BLOCKS_LOOKED_INTO` blocks for a choice.
 */
import type { Goal, PolicyView, Proposal } from './policy.ts';

export const BLOCKS_LOOKED_INTO = 8;

/** First and last block that lie in a zone, whole or in part. */
export function blockRange(view: PolicyView, zone: number): readonly [number, number] {
  const { first, end } = view.zones[zone]!;
  return [Math.floor(first / view.blockFrames), Math.ceil(end / view.blockFrames) - 1];
}

/** Whether the block could be emptied in whole and there is something to move. */
export const isWhole = (view: PolicyView, block: number): boolean =>
  view.movable(block) > 0 && view.pinned(block) === 0 && view.fixed(block) === 0;

/** The cheapest region of the goal's order in a block, and the frames to move; null when none can be emptied. */
export function regionIn(
  view: PolicyView,
  goal: Goal,
  block: number,
): { readonly frame: number; readonly moves: number } | null {
  const size = 2 ** goal.order;
  const { first, end } = view.zones[goal.zone]!;
  let best: { frame: number; moves: number } | null = null;
  const start = block * view.blockFrames;
  for (let frame = start; frame < start + view.blockFrames; frame += size) {
    if (frame < first || frame + size > end) continue;
    const { movable, pinned, fixed } = view.region(frame, goal.order);
    if (movable === 0 || pinned + fixed > 0) continue;
    if (best === null || movable < best.moves) best = { frame, moves: movable };
  }
  return best;
}

/** Blocks of a zone that have free frames, from the top, without the one that is emptied, until there is room. */
export function roomFromTop(view: PolicyView, zone: number, emptied: number, frames: number): number[] {
  const [low, high] = blockRange(view, zone);
  const into: number[] = [];
  let room = 0;
  for (let block = high; block >= low && room < frames; block -= 1) {
    // A block that is free as a whole is what others want.
    if (block === emptied || view.free(block) === 0 || view.free(block) === view.blockFrames) continue;
    into.push(block);
    room += view.free(block);
  }
  return into;
}

export const proposal = (goal: Goal, frame: number, into: readonly number[]): Proposal => ({
  frame,
  order: goal.order,
  into,
});
