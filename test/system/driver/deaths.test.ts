/**
 * Death at every step around a running transfer (physmem.md §4, §9): driver, owner and their successors are killed at
 * entries of the kernel, one run each; the whole state is checked at each end of an operation, and each access of a device
 * is judged by what the frame is at that moment. So nobody's memory is ever hit, whenever somebody dies.
 */
import { describe, expect, it } from 'vitest';
import { type DeathResult, exploreDeaths } from '../../../src/explore/explore-deaths.ts';
import { benchOf, type Changes } from './trial.ts';

const DRIVER = 2;
const CLIENT = 3;

function explore(name: string, task: number, stride: number, changes: Changes = {}): DeathResult {
  const faults = {};
  const runs = exploreDeaths(benchOf(name, changes), { tasks: [task], stride, maxRuns: 1000, faults });
  for (;;) {
    const step = runs.next();
    if (step.done === true) return step.value;
  }
}

describe('whoever is killed around a running transfer', () => {
  it.each<[string, number, number, number, Changes]>([
    ['disk-driver-dies', DRIVER, 1, 90, {}],
    ['disk-owner-dies', DRIVER, 19, 10, {}],
    ['disk-owner-dies', CLIENT, 5, 12, {}],
    ['disk-expiry', DRIVER, 17, 5, {}],
    ['disk-expiry', CLIENT, 17, 3, { 'machine.ioProtection': 'on' }],
  ])(
    'in %s, task %i, every step of %i: no device hits memory that is not held for it',
    (name, task, stride, least, changes) => {
      const result = explore(name, task, stride, changes);
      expect(result.failures).toEqual([]);
      expect(result.isComplete).toBe(true);
      expect(result.deaths).toBe(result.runs - 1);
      expect(result.deaths).toBeGreaterThan(least);
    },
    300_000,
  );
});
