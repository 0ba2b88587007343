/**
 * Which schedules are tried, in which order. Exhaustive: every schedule of one hold at the *points* of the base run (turns
 * of a core right after something happened in the kernel), then of two, and so on; short holds and long ones. Random: in the
 * manner of PCT (Burckhardt et al., ASPLOS 2010), a few changes of who goes first at random moments of the run, which finds
 * a race of few ordering constraints with a probability that does not depend on the length of the run by more than a power.
 */
import { Xorshift32 } from '../../emu/xorshift.ts';
import type { Hold } from './planned-schedule.ts';

/** What the base run told about the space of schedules. */
export interface Space {
  readonly cores: number;
  /** Decisions at which holds are worth while, in order. */
  readonly points: readonly number[];
  /** First and last decision of the run. */
  readonly first: number;
  readonly last: number;
}

/** From less than the latency of an IPI to many time slices. */
export const HOLD_CYCLES: readonly number[] = [1_000, 10_000, 100_000];
const RANDOM_CYCLES_LOG2_MIN = 8;
const RANDOM_CYCLES_LOG2_MAX = 17;

/** Number of schedules with exactly `depth` holds. */
export function sizeOfDepth(space: Space, depth: number): number {
  const single = space.points.length * space.cores * HOLD_CYCLES.length;
  let size = 1;
  // Holds of one schedule are at different points, in order.
  for (let i = 0; i < depth; i++) {
    size *= ((space.points.length - i) * (single / Math.max(1, space.points.length))) / (i + 1);
  }
  return Math.max(0, Math.round(size));
}

/** Every schedule with exactly `depth` holds: points in order, then cores, then lengths. */
export function* schedulesOfDepth(space: Space, depth: number, from = 0): Generator<readonly Hold[]> {
  if (depth === 0) {
    yield [];
    return;
  }
  for (let i = from; i <= space.points.length - depth; i++) {
    for (let core = 0; core < space.cores; core++) {
      for (const cycles of HOLD_CYCLES) {
        const hold: Hold = { at: space.points[i]!, core, cycles };
        for (const rest of schedulesOfDepth(space, depth - 1, i + 1)) yield [hold, ...rest];
      }
    }
  }
}

/** Endless random schedules of 1 to `depth` holds; the same for the same seed. */
export function* randomSchedules(space: Space, depth: number, seed: number): Generator<readonly Hold[]> {
  const random = new Xorshift32(seed);
  for (;;) {
    const count = 1 + random.below(depth);
    const holds: Hold[] = [];
    for (let i = 0; i < count; i++) {
      const log2 = RANDOM_CYCLES_LOG2_MIN + random.below(RANDOM_CYCLES_LOG2_MAX - RANDOM_CYCLES_LOG2_MIN + 1);
      holds.push({
        at: space.first + random.below(space.last - space.first + 1),
        core: random.below(space.cores),
        cycles: 2 ** log2 + random.below(2 ** log2),
      });
    }
    yield holds.sort((a, b) => a.at - b.at);
  }
}

/** Simpler schedules than this one, the simplest first: without one of its holds, then with a shorter one. */
export function* simplerSchedules(holds: readonly Hold[]): Generator<readonly Hold[]> {
  for (let i = 0; i < holds.length; i++) yield holds.filter((_, other) => other !== i);
  for (let i = 0; i < holds.length; i++) {
    const hold = holds[i]!;
    if (hold.cycles < 2) continue;
    yield holds.map((old, at) => (at === i ? { ...hold, cycles: hold.cycles >> 1 } : old));
  }
}
