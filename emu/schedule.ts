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
 * The core that is furthest behind, ties broken by the seed; slices vary between half and one and a half times
 * the quantum, so that two seeds see different interleavings and one seed always the same.
 */
export class SeededSchedule implements Schedule {
  private readonly random: Xorshift32;
  private readonly quantum: number;

  /** `quantum` in instructions, at least 1. With 1, cores alternate instruction by instruction. */
  constructor(seed: number, quantum: number) {
    this.random = new Xorshift32(seed);
    this.quantum = quantum;
  }

  next(times: Float64Array): number {
    let first = -1;
    let least = Number.POSITIVE_INFINITY;
    let ties = 0;
    for (let core = 0; core < times.length; core++) {
      const time = times[core]!;
      if (time < least) {
        least = time;
        first = core;
        ties = 1;
      } else if (time === least && time !== Number.POSITIVE_INFINITY) ties++;
    }
    return ties > 1 ? this.breakTie(times, least, ties) : first;
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

  private breakTie(times: Float64Array, least: number, ties: number): number {
    let skip = this.random.below(ties);
    let core = 0;
    while (times[core] !== least || skip-- > 0) core++;
    return core;
  }
}
