import { describe, expect, it } from 'vitest';
import { SeededSchedule } from '../../../emu/schedule.ts';

const times = (...values: number[]) => Float64Array.from(values);
const draws = (seed: number, quantum: number, count: number) => {
  const schedule = new SeededSchedule(seed, quantum);
  return Array.from({ length: count }, () => schedule.sliceInstructions());
};

describe('the seeded schedule', () => {
  it('takes the core that is furthest behind when the others are more than a quantum ahead', () => {
    const schedule = new SeededSchedule(1, 100);
    expect(schedule.next(times(500, 300, 401))).toBe(1);
    expect(schedule.next(times(Number.POSITIVE_INFINITY, 901, 800))).toBe(2);
  });

  it('gives every core within a quantum of the last one its turn', () => {
    const schedule = new SeededSchedule(1, 100);
    const seen = new Set(Array.from({ length: 50 }, () => schedule.next(times(7, 108, 107, 50))));
    expect(seen).toEqual(new Set([0, 2, 3]));
  });

  it('varies slices between half and one and a half quantum', () => {
    const lengths = draws(5, 1000, 500);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1500);
    expect(new Set(lengths).size).toBeGreaterThan(100);
  });

  it('gives slices of one instruction for a quantum of 1', () => {
    expect(new Set(draws(5, 1, 50))).toEqual(new Set([1]));
  });

  it('repeats itself for a seed and differs between seeds, also neighbouring ones', () => {
    expect(draws(1, 1000, 20)).toEqual(draws(1, 1000, 20));
    expect(draws(1, 1000, 20)).not.toEqual(draws(2, 1000, 20));
    expect(draws(0, 1000, 20)).not.toEqual(draws(1, 1000, 20));
  });

  it('goes on from a snapshot as if nothing had happened', () => {
    const schedule = new SeededSchedule(9, 1000);
    schedule.sliceInstructions();
    const other = new SeededSchedule(1, 1000);
    other.load(schedule.save());
    expect(other.sliceInstructions()).toBe(schedule.sliceInstructions());
  });
});
