/**
 * `physmem explore SCENARIO`: runs it under many interleavings, or with a task killed at each step, until something
 * breaks. What it found can be replayed with `physmem run --schedule FILE`.
 */
import { type DeathResult, exploreDeaths } from '../explore/explore-deaths.ts';
import { type ExploreResult, exploreSchedules } from '../explore/explore-schedules.ts';
import { PlannedSchedule } from '../explore/planned-schedule.ts';
import { formatSchedule } from '../explore/schedule-file.ts';
import { type Judge, TrialBench } from '../explore/trial.ts';
import { plural, thousands } from '../observe/number-format.ts';
import { HostError } from '../scenario/host-error.ts';
import type { Change } from '../scenario/scenario.ts';
import { ExitCode } from './exit-code.ts';
import { deathsText, schedulesText } from './explore-report.ts';
import type { Io } from './io.ts';
import { changesOf, type ScenarioOptions } from './options.ts';
import { configOf } from './policy-file.ts';
import { StatusLine } from './status-line.ts';
import { findTarget, type Target } from './target.ts';

export const SEARCHES = ['both', 'exhaustive', 'random'] as const;
export const JUDGES = ['both', 'outcome', 'state'] as const;

export interface ExploreCommandOptions extends ScenarioOptions {
  readonly runs: number;
  readonly depth: number;
  readonly search: (typeof SEARCHES)[number];
  readonly judge: Judge;
  readonly deaths?: true;
  readonly task?: number;
  readonly stride: number;
  readonly out?: string;
  readonly json?: true;
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Returns 0 when nothing broke, 1 when something did, 130 after Ctrl-C. @throws HostError */
export async function exploreCommand(
  name: string,
  args: readonly string[],
  options: ExploreCommandOptions,
  io: Io,
): Promise<number> {
  if (options.deaths && options.out !== undefined)
    throw new HostError('--out needs a schedule: leave --deaths out');
  const changes = changesOf(options);
  const target = findTarget(name, args, changes, options.module ?? [], io);
  return options.deaths
    ? await commandDeaths(name, target, options, io)
    : await commandSchedules(name, [...changes, ...argumentChanges(args)], target, options, io);
}

async function commandSchedules(
  name: string,
  changes: readonly Change[],
  target: Target,
  options: ExploreCommandOptions,
  io: Io,
): Promise<number> {
  const { scenario } = target;
  const schedule = new PlannedSchedule(scenario.machine.quantumInstructions);
  const bench = new TrialBench({ ...(await configOf(target, io)), schedule }, decode);
  const { runs: maxRuns, depth, search, judge } = options;
  const { seed, checks } = scenario;
  const trials = exploreSchedules(bench, schedule, { maxRuns, depth, search, judge, seed, checks });
  const result = await follow(
    trials,
    ({ runs, phase }) => `${phase}: ${thousands(runs)} of ${plural(maxRuns, 'run')}`,
    io,
  );
  if (result === null) return ExitCode.INTERRUPTED;
  const text = result.failure === null ? null : scheduleText(name, changes, result);
  if (text !== null && options.out !== undefined) io.writeFile(options.out, text);
  const { points, ...space } = result.space;
  if (options.json) {
    io.out(`${JSON.stringify({ scenario: name, ...result, space: { ...space, points: points.length } })}\n`);
  } else {
    io.out(schedulesText(name, result, text, options.out));
  }
  return result.failure === null ? ExitCode.OK : ExitCode.CHECK_FAILED;
}

async function commandDeaths(
  name: string,
  target: Target,
  options: ExploreCommandOptions,
  io: Io,
): Promise<number> {
  const { scenario } = target;
  const bench = new TrialBench(await configOf(target, io), decode);
  const { task, stride, runs: maxRuns } = options;
  const tasks = task === undefined ? [] : [task];
  const trials = exploreDeaths(bench, { tasks, stride, maxRuns, faults: scenario.faults });
  const result: DeathResult | null = await follow(
    trials,
    ({ runs, total, failures }) =>
      `deaths: ${thousands(runs)} of ${plural(total, 'run')}, ${plural(failures, 'failure')}`,
    io,
  );
  if (result === null) return ExitCode.INTERRUPTED;
  if (task !== undefined && result.lifetimes.length === 0) {
    throw new HostError(`the scenario ${name} has no task ${task}`);
  }
  io.out(options.json ? `${JSON.stringify({ scenario: name, ...result })}\n` : deathsText(name, result));
  return result.failures.length === 0 ? ExitCode.OK : ExitCode.CHECK_FAILED;
}

/** Drives an exploration to its end; null after Ctrl-C, which is told. */
async function follow<Progress extends { readonly runs: number }, Result>(
  trials: Generator<Progress, Result>,
  describe: (progress: Progress) => string,
  io: Io,
): Promise<Result | null> {
  const status = new StatusLine(io, 'on');
  let isInterrupted = false;
  const release = io.onInterrupt(() => {
    isInterrupted = true;
  });
  try {
    for (;;) {
      const step = trials.next();
      if (step.done === true) return step.value;
      status.show(() => describe(step.value));
      await io.breathe();
      if (!isInterrupted) continue;
      status.clear();
      io.err(`physmem: stopped by Ctrl-C after ${plural(step.value.runs, 'run')}; nothing is concluded\n`);
      return null;
    }
  } finally {
    release();
    status.clear();
  }
}

const scheduleText = (scenario: string, changes: readonly Change[], result: ExploreResult): string =>
  formatSchedule({ scenario, changes, holds: result.failure?.holds ?? [] });

const argumentChanges = (args: readonly string[]): Change[] =>
  args.length === 0 ? [] : [{ path: 'root.args', value: args }];
