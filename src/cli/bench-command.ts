/**
 * `physmem bench memory`: the experiments of src/experiments over many seeds and cost models; figures as a table, as JSON, and
 * as SVG plots. Host time shapes the progress line only: the same options give the same bytes.
 */
import { availableParallelism } from 'node:os';
import { EXPERIMENT_NAMES } from '../experiments/all.ts';
import { planJobs } from '../experiments/plan.ts';
import { drawPlots } from '../experiments/plot/plots.ts';
import { type ExperimentSummary, summarize } from '../experiments/summary.ts';
import { plural } from '../observe/number-format.ts';
import { HostError, quoted } from '../scenario/host-error.ts';
import { suggestion } from '../scenario/nearest-word.ts';
import { benchText } from './bench-report.ts';
import { type Interruption, jobRunners, runJobs } from './bench-runner.ts';
import { ExitCode } from './exit-code.ts';
import type { Io } from './io.ts';
import { StatusLine } from './status-line.ts';
import { styleOf } from './style-of.ts';

export const BENCH_SUITES = ['memory'] as const;

export interface BenchOptions {
  readonly quick?: true;
  readonly only?: readonly string[];
  readonly seeds?: number;
  readonly json?: string;
  readonly svg?: string;
  readonly workers?: number;
  readonly color: boolean;
}

const SEEDS = { quick: 3, full: 20 } as const;
const SENSITIVITY_SEEDS = { quick: 1, full: 2 } as const;
const WORKERS_MAX = 8;

/** Returns 0, or 130 after Ctrl-C, when the summary is of what was complete. @throws HostError */
export async function benchCommand(suite: string, options: BenchOptions, io: Io): Promise<number> {
  if (!(BENCH_SUITES as readonly string[]).includes(suite)) {
    throw new HostError(`There is no bench ${quoted(suite)}${suggestion(suite, BENCH_SUITES)}`);
  }
  const only = options.only ?? [];
  for (const name of only) checkName(name);
  const size = options.quick ? 'quick' : 'full';
  const seeds = options.seeds ?? SEEDS[size];
  const plan = { size, only, seeds, sensitivitySeeds: SENSITIVITY_SEEDS[size] } as const;
  const jobs = planJobs(plan);
  // A path that cannot be written is better known before a quarter of an hour than after it.
  if (options.json !== undefined) io.writeFile(options.json, '');
  if (options.svg !== undefined) io.makeFolder(options.svg);

  const status = new StatusLine(io, 'beside output');
  const runners = jobRunners(options.workers ?? Math.min(WORKERS_MAX, availableParallelism()), io);
  const interruption = interruptionOf(io);
  try {
    const outcomes = await runJobs(jobs, runners, interruption, (done, job) =>
      status.show((seconds) => progressText(done, jobs.length, job.experiment, seconds)),
    );
    status.clear();
    const summaries = summarize(outcomes, only);
    report(summaries, plan, options, io);
    if (!interruption.isSet()) return ExitCode.OK;
    const all = plural(jobs.length, 'run');
    io.err(`physmem: stopped by Ctrl-C after ${plural(outcomes.length, 'run')} of ${all}\n`);
    return ExitCode.INTERRUPTED;
  } finally {
    interruption.release();
    status.clear();
    for (const runner of runners) runner.end();
  }
}

function interruptionOf(io: Io): Interruption & { readonly release: () => void } {
  let isSet = false;
  let tell: (nothing: undefined) => void = () => {};
  const happens = new Promise<undefined>((resolve) => {
    tell = resolve;
  });
  const release = io.onInterrupt(() => {
    isSet = true;
    tell(undefined);
  });
  return { isSet: () => isSet, happens, release };
}

function checkName(name: string): void {
  if (EXPERIMENT_NAMES.includes(name)) return;
  const hint = suggestion(name, EXPERIMENT_NAMES);
  throw new HostError(`There is no experiment ${quoted(name)}${hint}`);
}

function progressText(done: number, all: number, experiment: string, seconds: number): string {
  const left = Math.round((seconds / done) * (all - done));
  const time = left >= 90 ? `${Math.round(left / 60)} minutes` : `${left} s`;
  return `${experiment}: ${done} of ${plural(all, 'run')}, about ${time} left`;
}

function report(
  experiments: readonly ExperimentSummary[],
  plan: Readonly<Record<string, unknown>>,
  { json, svg, color }: BenchOptions,
  io: Io,
): void {
  if (json !== undefined) io.writeFile(json, `${JSON.stringify({ ...plan, experiments }, null, 1)}\n`);
  if (svg !== undefined) {
    for (const { name, svg: picture } of drawPlots(experiments)) io.writeFile(`${svg}/${name}`, picture);
  }
  io.out(benchText(experiments, styleOf({ color }, io)));
}
