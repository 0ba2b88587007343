/**
 * Exploration of interleavings: runs a scenario under many schedules until one fails, makes the failing one as short as
 * it can, and says how much of the space was covered. It sees orders of *turns*: a turn ends at each entry of the kernel
 * and after a quantum of instructions, so races between two instructions inside a quantum need a smaller quantum.
 */
import { KernelEv } from '../abi/events.ts';
import type { System } from '../system.ts';
import type { Hold, PlannedSchedule } from './planned-schedule.ts';
import { randomSchedules, type Space, schedulesOfDepth, simplerSchedules, sizeOfDepth } from './search.ts';
import type { Failure, TrialBench, TrialEnd, TrialOptions } from './trial.ts';

export interface ExploreOptions {
  /** Trials in all, those that shorten a failing schedule included. */
  readonly maxRuns: number;
  /** Holds of one schedule at most. */
  readonly depth: number;
  readonly search: 'exhaustive' | 'random' | 'both';
  readonly seed: number;
  readonly judge: TrialOptions['judge'];
  readonly checks: TrialOptions['checks'];
}

export interface Progress {
  readonly runs: number;
  readonly phase: 'base' | 'exhaustive' | 'random' | 'shorten';
}

/** How many of the schedules of one depth were tried. */
export interface Coverage {
  readonly depth: number;
  readonly tried: number;
  readonly size: number;
}

export interface ExploreResult {
  readonly runs: number;
  readonly failure: { readonly holds: readonly Hold[]; readonly failure: Failure } | null;
  readonly space: Space;
  readonly exhaustive: readonly Coverage[];
  readonly random: number;
  /** Instructions of the base run, boot included. */
  readonly instructions: number;
}

/** Trials may take so many times the instructions of the base run. */
const PATIENCE = 20;
const BASE_INSTRUCTIONS_MAX = 1_000_000_000;

/** Kernel events after which a core's turn is a point. */
const POINT_EVENTS: ReadonlySet<number> = new Set([
  KernelEv.Syscall,
  KernelEv.PageFault,
  KernelEv.ContextSwitch,
  KernelEv.ShootdownStart,
  KernelEv.ShootdownAck,
  KernelEv.OpWait,
  KernelEv.OpDone,
  KernelEv.TaskExit,
  KernelEv.IrqMessage,
]);

/**
 * Explores step by step: yields after each trial, so that the caller can show progress and stop. The bench's system must
 * have been built with `schedule`.
 */
export function* exploreSchedules(
  bench: TrialBench,
  schedule: PlannedSchedule,
  options: ExploreOptions,
): Generator<Progress, ExploreResult> {
  const explorer = new Explorer(bench, schedule, options);
  return yield* explorer.explore();
}

class Explorer {
  private readonly bench: TrialBench;
  private readonly schedule: PlannedSchedule;
  private readonly options: ExploreOptions;
  private runs = 0;
  private maxInstructions = BASE_INSTRUCTIONS_MAX;
  private readonly coverage: Coverage[] = [];
  private randomRuns = 0;

  constructor(bench: TrialBench, schedule: PlannedSchedule, options: ExploreOptions) {
    this.bench = bench;
    this.schedule = schedule;
    this.options = options;
  }

  *explore(): Generator<Progress, ExploreResult> {
    const { space, end } = this.baseRun();
    yield this.progress('base');
    const result = (holds: readonly Hold[], failure: Failure | null): ExploreResult => ({
      runs: this.runs,
      failure: failure === null ? null : { holds, failure },
      space,
      exhaustive: this.coverage,
      random: this.randomRuns,
      instructions: end.instructions,
    });
    if (end.failure !== null) return result([], end.failure);
    const { search } = this.options;
    const found =
      (search === 'random' ? null : yield* this.searchExhaustively(space)) ??
      (search === 'exhaustive' ? null : yield* this.searchRandomly(space));
    if (found === null) return result([], null);
    const shortest = yield* this.shorten(found);
    return result(shortest.holds, shortest.failure);
  }

  /** The run without holds: whether it fails, and where the points are. */
  private baseRun(): { space: Space; end: TrialEnd } {
    const points = new Set<number>();
    let first = 0;
    let endListening = (): void => {};
    const end = this.trial([], (system) => {
      first = this.schedule.decisionCount;
      endListening = system.trace.listen(({ kind }) => {
        if (POINT_EVENTS.has(kind)) points.add(this.schedule.decisionCount);
      });
    });
    endListening();
    this.maxInstructions = (end.instructions + 100_000) * PATIENCE;
    const last = Math.max(first, this.schedule.decisionCount - 1);
    const cores = this.bench.system.machine.cores.length;
    return { space: { cores, points: [...points], first, last }, end };
  }

  private *searchExhaustively(space: Space): Generator<Progress, Found | null> {
    const { depth: deepest, search, maxRuns } = this.options;
    // Half of the trials are for the random search, when there is one.
    const limit = search === 'both' ? Math.ceil(maxRuns / 2) : maxRuns;
    for (let depth = 1; depth <= deepest; depth++) {
      let tried = 0;
      let found: Found | null = null;
      for (const holds of schedulesOfDepth(space, depth)) {
        if (this.runs >= limit) break;
        found = this.attempt(holds);
        tried++;
        yield this.progress('exhaustive');
        if (found !== null) break;
      }
      this.coverage.push({ depth, tried, size: sizeOfDepth(space, depth) });
      if (found !== null || this.runs >= limit) return found;
    }
    return null;
  }

  private *searchRandomly(space: Space): Generator<Progress, Found | null> {
    const { depth, seed, maxRuns } = this.options;
    for (const holds of randomSchedules(space, depth, seed)) {
      if (this.runs >= maxRuns) return null;
      const found = this.attempt(holds);
      this.randomRuns++;
      yield this.progress('random');
      if (found !== null) return found;
    }
    return null;
  }

  /** Greedy: takes the first simpler schedule that fails, too, until none does or the trials are used up. */
  private *shorten(found: Found): Generator<Progress, Found> {
    let shortest = found;
    for (let simpler: Found | null = found; simpler !== null; ) {
      simpler = null;
      for (const holds of simplerSchedules(shortest.holds)) {
        if (this.runs >= this.options.maxRuns) return shortest;
        simpler = this.attempt(holds);
        yield this.progress('shorten');
        if (simpler !== null) break;
      }
      if (simpler !== null) shortest = simpler;
    }
    return shortest;
  }

  private attempt(holds: readonly Hold[]): Found | null {
    const { failure } = this.trial(holds);
    return failure === null ? null : { holds, failure };
  }

  private trial(holds: readonly Hold[], prepare: (system: System) => void = () => {}): TrialEnd {
    this.runs++;
    const { judge, checks } = this.options;
    return this.bench.run(
      { judge, checks, maxInstructions: this.maxInstructions, atLimit: 'fail', late: 'fail' },
      (system) => {
        this.schedule.follow(holds);
        prepare(system);
      },
    );
  }

  private progress(phase: Progress['phase']): Progress {
    return { runs: this.runs, phase };
  }
}

interface Found {
  readonly holds: readonly Hold[];
  readonly failure: Failure;
}
