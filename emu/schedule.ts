/**
 * Which core runs next, and for how many instructions (machine.md §4). The machine's correctness does not depend
 * on the choice, so a schedule is a replaceable object: an explorer of interleavings brings its own.
 */
import type { PlainData, Snapshotable } from './arch/ports.ts';
import { Xorshift32 } from './xorshift.ts';

export interface Schedule extends Snapshotable {
  /**
   * The core to run. `times[core]` is the core's local time in cycles, Infinity while it cannot run; at least one
   * is finite. The array is the machine's own: it must not be kept.
   */
  next(times: Float64Array): number;
  /** Length of the slice that now begins, in instructions, at least 1. */
  sliceInstructions(core: number): number;
}

/**
 * A core picked at random among those that are at most one quantum ahead of the one furthest behind, for a slice of half
 * to one and a half times the quantum. So cores drift against each other, as real ones do: two seeds see different
 * interleavings, one seed always the same. Always running the core furthest behind would make the order of events
 * that of the local clocks, whatever the seed.
 */
export class SeededSchedule implements Schedule {
  private readonly random: Xorshift32;
  private readonly quantum: number;

  /** `quantum` in instructions, at least 1. With 1, cores alternate about instruction by instruction. */
  constructor(seed: number, quantum: number) {
    this.random = new Xorshift32(seed);
    this.quantum = quantum;
  }

  next(times: Float64Array): number {
    let least = Number.POSITIVE_INFINITY;
    for (let core = 0; core < times.length; core++) if (times[core]! < least) least = times[core]!;
    const window = least + this.quantum;
    let candidates = 0;
    for (let core = 0; core < times.length; core++) if (times[core]! <= window) candidates++;
    let skip = candidates > 1 ? this.random.below(candidates) : 0;
    let core = 0;
    while (times[core]! > window || skip-- > 0) core++;
    return core;
  }

  sliceInstructions(): number {
    const half = this.quantum >> 1;
    return half === 0 ? this.quantum : this.quantum - half + this.random.below(2 * half + 1);
  }

  save(): PlainData {
    return this.random.state;
  }

  load(state: PlainData): void {
    this.random.state = state as number;
  }
}
