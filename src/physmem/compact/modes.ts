/**
 * The three modes (physmem.md §7.3): none (eager failure), on demand (inside the bind that finds no block), background
 * (ahead of need, between two watermarks of the unusable-free-space index, and on demand when that was not enough).
 */
import type { PolicySpec } from '../../abi/policy-spec.ts';
import type { Goal, Policy, PolicyView } from './policy.ts';

type Mode = Pick<Policy, 'onShortage' | 'background'>;

/** Blocks that free memory must suffice for before the background bothers. */
const ROOM_BLOCKS = 2;

const rest = (): null => null;

export const none: Mode = { onShortage: () => 'fail', background: rest };

/**
 * A shortage is worth work when the zone has the memory, only not in one piece; towards 0 the fragmentation index says that
 * memory itself is missing.
 */
const whenFragmented: Policy['onShortage'] = (view, { zone, order }) =>
  view.zones[zone]!.freeFrames >= 2 ** order ? 'compact' : 'fail';

export const onDemand: Mode = { onShortage: whenFragmented, background: rest };

/** Works from the high watermark down to the low one, for the worst zone. */
export function background({ order, low, high }: PolicySpec): Mode {
  return {
    onShortage: whenFragmented,
    background: (view, state) => {
      const mark = (state === 'working' ? low : high) / 100;
      let worst: Goal | null = null;
      let score = mark;
      view.zones.forEach(({ freeFrames }, zone) => {
        if (freeFrames < ROOM_BLOCKS * 2 ** order) return;
        const index = scoreOf(view, zone, order);
        if (index <= score) return;
        score = index;
        worst = { zone, order };
      });
      return worst;
    },
  };
}

const scoreOf = (view: PolicyView, zone: number, order: number): number => view.unusableIndex(zone, order);
