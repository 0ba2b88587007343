/**
 * What the runs of an evaluation say together: medians with intervals over the seeds, which claims hold, and whether a
 * claim flips under another cost model. Plain data, from which table, JSON and plots are made.
 */
import { PUBLISHED } from './cost-settings.ts';
import type { Experiment, Medians, Plot, Point, Sample } from './experiment.ts';
import { chosenExperiments, type Job } from './plan.ts';
import { median, medianInterval } from './statistics.ts';

export interface Figure {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
  /** By seed, in order. */
  readonly samples: readonly number[];
}

export interface Verdict {
  readonly says: string;
  readonly holds: boolean;
  /** Cost settings under which the answer is the other one. */
  readonly flips: readonly string[];
  /** Cost settings that were tried besides the published one. */
  readonly tried: number;
}

export interface ExperimentSummary {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly found: string;
  readonly runsOn: string;
  readonly seeds: number;
  /** By variant, then by metric. */
  readonly figures: Readonly<Record<string, Readonly<Record<string, Figure>>>>;
  readonly claims: readonly Verdict[];
  /** By plot, then by variant: medians over the seeds at each x. */
  readonly curves: Readonly<Record<string, Readonly<Record<string, readonly Point[]>>>>;
}

/** A job and what came out; jobs that were not run are left out. */
export interface Outcome {
  readonly job: Job;
  readonly sample: Sample;
}

/** Experiments of which no seed is complete are left out. */
export function summarize(outcomes: readonly Outcome[], only: readonly string[]): ExperimentSummary[] {
  return chosenExperiments(only)
    .map((experiment) =>
      summarizeOne(
        experiment,
        outcomes.filter(({ job }) => job.experiment === experiment.name),
      ),
    )
    .filter((summary) => summary.seeds > 0);
}

function summarizeOne(experiment: Experiment, outcomes: readonly Outcome[]): ExperimentSummary {
  const { name, title, source, found, runsOn, variants, claims } = experiment;
  const published = bySeed(experiment, outcomes, PUBLISHED.name);
  const others = [...new Set(outcomes.map(({ job }) => job.costs))].filter(
    (costs) => costs !== PUBLISHED.name,
  );
  const settings = others
    .map((costs) => ({ costs, seeds: bySeed(experiment, outcomes, costs) }))
    .filter(({ seeds }) => seeds.length > 0);
  const base = mediansOf(published);
  return {
    name,
    title,
    source,
    found,
    runsOn,
    seeds: published.length,
    figures: Object.fromEntries(
      variants.map((variant) => [variant, figuresOf(experiment, published, variant)]),
    ),
    claims:
      published.length === 0
        ? []
        : claims.map(({ says, holds }) => {
            const answer = holds(base);
            const flips = settings.filter(({ seeds }) => holds(mediansOf(seeds)) !== answer);
            return { says, holds: answer, flips: flips.map(({ costs }) => costs), tried: settings.length };
          }),
    curves: Object.fromEntries(
      curvesOf(experiment).map((plot) => [
        plot.name,
        Object.fromEntries(variants.map((variant) => [variant, medianCurve(published, variant, plot.name)])),
      ]),
    ),
  };
}

type Seed = Readonly<Record<string, Sample>>;

/** The seeds of which every variant was run, each with its samples by variant. */
function bySeed({ variants }: Experiment, outcomes: readonly Outcome[], costs: string): Seed[] {
  const seeds = new Map<number, Record<string, Sample>>();
  for (const { job, sample } of outcomes) {
    if (job.costs !== costs) continue;
    const row = seeds.get(job.seed) ?? {};
    row[job.variant] = sample;
    seeds.set(job.seed, row);
  }
  return [...seeds.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, row]) => row)
    .filter((row) => variants.every((variant) => row[variant] !== undefined));
}

const valuesOf = (seeds: readonly Seed[], variant: string, metric: string): number[] =>
  seeds.map((seed) => seed[variant]!.values[metric]!).filter((value) => !Number.isNaN(value));

const curvesOf = ({ plots }: Experiment): readonly Plot[] => plots.filter(({ kind }) => kind === 'curve');

const mediansOf = (seeds: readonly Seed[]): Medians => ({
  of: (variant, metric) => median(valuesOf(seeds, variant, metric)),
});

function figuresOf({ metrics }: Experiment, seeds: readonly Seed[], variant: string): Record<string, Figure> {
  return Object.fromEntries(
    metrics.map(({ name }) => {
      const samples = valuesOf(seeds, variant, name);
      return [name, { median: median(samples), ...medianInterval(samples), samples }];
    }),
  );
}

/** The median over the seeds at each x that some seed has. */
function medianCurve(seeds: readonly Seed[], variant: string, plot: string): Point[] {
  const columns = new Map<number, number[]>();
  for (const seed of seeds) {
    for (const { x, y } of seed[variant]!.curves?.[plot] ?? []) {
      const column = columns.get(x);
      if (column === undefined) columns.set(x, [y]);
      else column.push(y);
    }
  }
  return [...columns.entries()].sort(([a], [b]) => a - b).map(([x, ys]) => ({ x, y: median(ys) }));
}
