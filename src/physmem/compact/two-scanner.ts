/**
 * Two scanners, as in Linux (mm/compaction.c): movable memory is taken from the bottom of the zone and goes to free frames
 * at the top. The scanners begin anew for each region; a block whose movable frames would not fit above it ends the search,
 * as when the scanners meet.
 */
import type { Goal, PolicyView, Proposal } from './policy.ts';
import { BLOCKS_LOOKED_INTO, blockRange, isWhole, proposal, regionIn, roomFromTop } from './regions.ts';

export function twoScanner(view: PolicyView, goal: Goal): Proposal | null {
  const [low, high] = blockRange(view, goal.zone);
  const whole = 2 ** goal.order === view.blockFrames;
  let above = 0;
  for (let block = low; block <= high; block += 1) above += view.free(block);
  let looked = 0;
  for (let block = low; block <= high && looked < BLOCKS_LOOKED_INTO; block += 1) {
    above -= view.free(block);
    if (view.movable(block) === 0 || (whole && !isWhole(view, block))) continue;
    looked += whole ? 0 : 1;
    const region = whole
      ? { frame: block * view.blockFrames, moves: view.movable(block) }
      : regionIn(view, goal, block);
    if (region === null) continue;
    if (region.moves > above + (whole ? 0 : view.free(block))) continue;
    return proposal(goal, region.frame, roomFromTop(view, goal.zone, block, region.moves));
  }
  return null;
}
