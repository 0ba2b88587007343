/**
 * A schedule that is written down: the core that is furthest behind runs, in slices of one length, except where a
 * *hold* keeps one core running while the others stand still. So an interleaving is a short list of holds, which can be
 * enumerated, shortened and replayed. Nothing is random; between two holds the cores catch up by themselves.
 */
import type { PlainData } from '../../emu/arch/ports.ts';
import type { Schedule } from '../../emu/schedule.ts';

export interface Hold {
  /** Number of the decision (a core gets its turn) at which the hold begins, counted from the reset. */
  readonly at: number;
  readonly core: number;
  /** It ends when the core has run for so long, or can run no more, or another hold begins. */
  readonly cycles: number;
}

const NO_HOLD = -1;

interface ScheduleState {
  readonly decisions: number;
  readonly active: number;
  readonly until: number;
}

export class PlannedSchedule implements Schedule {
  private readonly quantum: number;
  private holds: readonly Hold[];
  private decisions = 0;
  /** Core that is held, and the time of its clock at which that ends. */
  private active = NO_HOLD;
  private until = 0;

  /** `quantum`: length of a slice in instructions. */
  constructor(quantum: number, holds: readonly Hold[] = []) {
    this.quantum = quantum;
    this.holds = holds;
  }

  /** Decisions so far: the number of the next one. */
  get decisionCount(): number {
    return this.decisions;
  }

  /** Goes on by another list of holds. */
  follow(holds: readonly Hold[]): void {
    this.holds = holds;
  }

  next(times: Float64Array): number {
    const decision = this.decisions++;
    for (const { at, core, cycles } of this.holds) {
      if (at !== decision || core >= times.length) continue;
      this.active = core;
      this.until = times[core]! + cycles;
    }
    if (this.active !== NO_HOLD) {
      if (times[this.active]! < this.until) return this.active;
      this.active = NO_HOLD;
    }
    return furthestBehind(times);
  }

  sliceInstructions(): number {
    return this.quantum;
  }

  save(): PlainData {
    const { decisions, active, until } = this;
    return { decisions, active, until };
  }

  load(state: PlainData): void {
    const { decisions, active, until } = state as unknown as ScheduleState;
    this.decisions = decisions;
    this.active = active;
    this.until = until;
  }
}

/** The lowest number among equals. */
function furthestBehind(times: Float64Array): number {
  let best = 0;
  for (let core = 1; core < times.length; core++) if (times[core]! < times[best]!) best = core;
  return best;
}
