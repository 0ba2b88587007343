/**
 * Exploration of deaths (physmem.md §9): kills each task of a scenario at each entry of the kernel, one run for each,
 * and holds the system to its rules afterwards: at every end of an operation, as soon as everything that was in flight
 * has come to its end, and when the run ends. How the scenario ends does not matter, only that it hurt nobody.
 */
import { KernelEv } from '../abi/events.ts';
import type { KernelFaults } from '../kernel/config.ts';
import type { System } from '../system.ts';
import { checkSystem } from '../system-check.ts';
import type { Failure, TrialBench, TrialOptions, TrialWatch } from './trial.ts';

export interface DeathOptions {
  /** Tasks to kill; empty = all that the scenario has. */
  readonly tasks: readonly number[];
  /** Every so many entries of the kernel. */
  readonly stride: number;
  readonly maxRuns: number;
  /** Other fault switches that are on. */
  readonly faults: Partial<KernelFaults>;
}

/** Entries of the kernel at which a task can be killed. */
export interface Lifetime {
  readonly task: number;
  readonly first: number;
  readonly last: number;
}

export interface DeathFailure {
  readonly task: number;
  readonly step: number;
  readonly failure: Failure;
}

export interface DeathResult {
  readonly runs: number;
  /** Runs in which the task was really killed. */
  readonly deaths: number;
  readonly lifetimes: readonly Lifetime[];
  readonly failures: readonly DeathFailure[];
  /** Whether every step of the stride was tried. */
  readonly isComplete: boolean;
}

export interface DeathProgress {
  readonly runs: number;
  readonly total: number;
  readonly failures: number;
}

const BASE_INSTRUCTIONS_MAX = 1_000_000_000;
const NO_CHECKS: TrialOptions['checks'] = { exit: null, output: [] };

/** Yields after each run, so that the caller can show progress and stop. */
export function* exploreDeaths(
  bench: TrialBench,
  options: DeathOptions,
): Generator<DeathProgress, DeathResult> {
  const { lifetimes, instructions } = baseRun(bench, options);
  const total = Math.min(
    options.maxRuns,
    lifetimes.reduce((sum, life) => sum + stepsOf(life, options.stride).length, 1),
  );
  const failures: DeathFailure[] = [];
  let runs = 1;
  let deaths = 0;
  const result = (isComplete: boolean): DeathResult => ({ runs, deaths, lifetimes, failures, isComplete });
  yield { runs, total, failures: 0 };
  for (const life of lifetimes) {
    for (const step of stepsOf(life, options.stride)) {
      if (runs >= options.maxRuns) return result(false);
      const watch = new DeathWatch();
      const limits = { maxInstructions: 3 * instructions, atLimit: 'accept' } as const;
      const end = bench.run(
        { judge: 'state', checks: NO_CHECKS, ...limits },
        (system) => {
          system.kernel.setFaults({ ...options.faults, killTaskAt: { task: life.task, step } });
          watch.begin(system, life.task);
        },
        watch,
      );
      watch.stop();
      runs++;
      if (watch.wasKilled) deaths++;
      if (end.failure !== null) failures.push({ task: life.task, step, failure: end.failure });
      yield { runs, total, failures: failures.length };
    }
  }
  return result(true);
}

/** The undisturbed run: which tasks live from which entry of the kernel to which. */
function baseRun(
  bench: TrialBench,
  { tasks, faults }: DeathOptions,
): { lifetimes: Lifetime[]; instructions: number } {
  const born = new Map<number, number>();
  const died = new Map<number, number>();
  let endListening = (): void => {};
  let begin = 0;
  const end = bench.run(
    { judge: 'outcome', checks: NO_CHECKS, maxInstructions: BASE_INSTRUCTIONS_MAX, atLimit: 'accept' },
    (system) => {
      system.kernel.setFaults(faults);
      begin = system.instructions;
      for (const { task } of system.kernel.describeTasks()) born.set(task, entriesOf(system));
      endListening = system.trace.listen(({ kind, a }) => {
        if (kind === KernelEv.TaskCreate) born.set(a, entriesOf(system));
        if (kind === KernelEv.TaskExit) died.set(a, entriesOf(system));
      });
    },
  );
  endListening();
  const last = entriesOf(bench.system);
  const lifetimes = [...born]
    .map(([task, at]) => ({ task, first: at + 1, last: died.get(task) ?? last }))
    .filter(({ task }) => tasks.length === 0 || tasks.includes(task));
  return { lifetimes, instructions: Math.max(100_000, end.instructions - begin) };
}

function stepsOf({ first, last }: Lifetime, stride: number): number[] {
  const steps: number[] = [];
  for (let step = first; step <= last; step += stride) steps.push(step);
  return steps;
}

/** Entries of the kernel so far, as killTaskAt counts them. */
const entriesOf = (system: System): number => {
  const { traps, interrupts } = system.kernel.counters;
  return traps + interrupts;
};

/** Looks at the system when it has come to rest after the death. */
class DeathWatch implements TrialWatch {
  wasKilled = false;
  private system: System | null = null;
  private task = 0;
  private seen = false;
  private endListening: () => void = () => {};

  begin(system: System, task: number): void {
    this.system = system;
    this.task = task;
    this.endListening = system.trace.listen(({ kind }) => {
      if (kind === KernelEv.FaultInjected) this.wasKilled = true;
    });
  }

  isDue(): boolean {
    if (!this.wasKilled || this.seen || this.system === null) return false;
    const { kernel } = this.system;
    return kernel.exitStatus < 0 && kernel.isQuiescent() && !this.isRunning();
  }

  take(system: System): readonly string[] {
    this.seen = true;
    const broken = checkSystem(system);
    if (system.kernel.describeTasks().some(({ task }) => task === this.task)) {
      broken.push(`task ${this.task} was killed, nothing is in flight, and it is still there`);
    }
    return broken;
  }

  stop(): void {
    this.endListening();
  }

  /** A thread of the task is loaded on a core that has not taken its interrupt yet. */
  private isRunning(): boolean {
    return this.system!.kernel.describeThreads().some(({ task }) => task === this.task);
  }
}
