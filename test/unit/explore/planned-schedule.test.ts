import { describe, expect, it } from 'vitest';
import { type Hold, PlannedSchedule } from '../../../src/explore/planned-schedule.ts';

const QUANTUM = 100;
const NEVER = Number.POSITIVE_INFINITY;

/** Runs cores that never block for some turns; returns who ran. */
function turns(schedule: PlannedSchedule, count: number, times = new Float64Array(2)): string {
  let order = '';
  for (let i = 0; i < count; i++) {
    const core = schedule.next(times);
    order += core;
    times[core]! += schedule.sliceInstructions();
  }
  return order;
}

const plan = (...holds: Hold[]): PlannedSchedule => new PlannedSchedule(QUANTUM, holds);

describe('a planned schedule', () => {
  it('without holds runs the core that is furthest behind, the lowest among equals', () => {
    expect(turns(plan(), 6)).toBe('010101');
  });

  it('keeps a core running from a decision on for so many cycles, then the others catch up', () => {
    expect(turns(plan({ at: 2, core: 1, cycles: 300 }), 10)).toBe('0111100001');
  });

  it('ends a hold when another one begins', () => {
    expect(turns(plan({ at: 0, core: 0, cycles: 1000 }, { at: 2, core: 1, cycles: 200 }), 6)).toBe('001101');
  });

  it('ends a hold when its core can run no more, and ignores one of a core that can not run or is not there', () => {
    const times = new Float64Array(2);
    const schedule = plan({ at: 0, core: 1, cycles: 1000 });
    expect(schedule.next(times)).toBe(1);
    times[1] = NEVER;
    expect(schedule.next(times)).toBe(0);
    times[1] = 50;
    times[0] = 500;
    expect(schedule.next(times)).toBe(1);
    expect(plan({ at: 0, core: 1, cycles: 9 }).next(Float64Array.of(5, NEVER))).toBe(0);
    expect(plan({ at: 0, core: 7, cycles: 9 }).next(Float64Array.of(5, 6))).toBe(0);
  });

  it('goes on from a saved state as it would have gone on', () => {
    const holds = [{ at: 3, core: 0, cycles: 450 }];
    const times = new Float64Array(2);
    const first = plan(...holds);
    turns(first, 5, times);
    const second = plan(...holds);
    second.load(first.save());
    expect(second.decisionCount).toBe(5);
    expect(turns(second, 10, times.slice())).toBe(turns(first, 10, times.slice()));
  });
});
