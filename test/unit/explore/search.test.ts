import { describe, expect, it } from 'vitest';
import type { Hold } from '../../../src/explore/planned-schedule.ts';
import {
  HOLD_CYCLES,
  randomSchedules,
  type Space,
  schedulesOfDepth,
  simplerSchedules,
  sizeOfDepth,
} from '../../../src/explore/search.ts';

const space: Space = { cores: 2, points: [10, 20, 40], first: 8, last: 60 };

describe('the exhaustive search', () => {
  it.each([0, 1, 2, 3, 4])('has as many schedules of %i holds as it says, and none twice', (depth) => {
    const all = [...schedulesOfDepth(space, depth)].map((holds) => JSON.stringify(holds));
    expect(all).toHaveLength(sizeOfDepth(space, depth));
    expect(new Set(all).size).toBe(all.length);
  });

  it('holds every core at every point for every length, in the order of time', () => {
    const single = [...schedulesOfDepth(space, 1)].flat();
    expect(single).toHaveLength(3 * 2 * HOLD_CYCLES.length);
    for (const holds of schedulesOfDepth(space, 2)) expect(holds[0]!.at).toBeLessThan(holds[1]!.at);
  });

  it('has nothing to try where nothing happened', () => {
    expect(sizeOfDepth({ ...space, points: [] }, 1)).toBe(0);
    expect([...schedulesOfDepth({ ...space, points: [] }, 1)]).toEqual([]);
  });
});

describe('the random search', () => {
  const some = (seed: number): (readonly Hold[])[] => {
    const schedules = randomSchedules(space, 3, seed);
    return Array.from({ length: 50 }, () => schedules.next().value as readonly Hold[]);
  };

  it('stays inside the run and the depth, in the order of time', () => {
    for (const holds of some(1)) {
      expect(holds.length).toBeGreaterThanOrEqual(1);
      expect(holds.length).toBeLessThanOrEqual(3);
      for (const { at, core } of holds) {
        expect(at).toBeGreaterThanOrEqual(space.first);
        expect(at).toBeLessThanOrEqual(space.last);
        expect(core).toBeLessThan(space.cores);
      }
      expect(holds.map(({ at }) => at)).toEqual([...holds].map(({ at }) => at).sort((a, b) => a - b));
    }
  });

  it('is decided by the seed', () => {
    expect(some(7)).toEqual(some(7));
    expect(some(7)).not.toEqual(some(8));
  });
});

describe('simpler schedules', () => {
  it('lack one hold, or have a shorter one; an empty schedule has none', () => {
    const [a, b] = [
      { at: 1, core: 0, cycles: 8 },
      { at: 2, core: 1, cycles: 1 },
    ];
    expect([...simplerSchedules([a, b])]).toEqual([[b], [a], [{ ...a, cycles: 4 }, b]]);
    expect([...simplerSchedules([])]).toEqual([]);
  });
});
