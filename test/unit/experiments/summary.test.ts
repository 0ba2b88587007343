/** How runs become figures and verdicts: complete seeds only, medians, flips under other cost models. */
import { describe, expect, it } from 'vitest';
import { EXPERIMENTS } from '../../../src/experiments/all.ts';
import { PUBLISHED, SENSITIVITY } from '../../../src/experiments/cost-settings.ts';
import type { Sample } from '../../../src/experiments/experiment.ts';
import { experimentNamed, type Job, planJobs } from '../../../src/experiments/plan.ts';
import { summarize } from '../../../src/experiments/summary.ts';

const NAME = 'half-free-gate';
const { variants } = experimentNamed(NAME);

const options = { size: 'tiny', only: [NAME], seeds: 3, sensitivitySeeds: 1 } as const;

/** Outcomes made up: a run passes when `passes` says so. */
const outcomes = (passes: (job: Job) => boolean) =>
  planJobs(options).map((job): { job: Job; sample: Sample } => ({
    job,
    sample: {
      values: { pass: passes(job) ? 1 : 0, huge: job.seed, 'of free': 50, 'moved each': Number.NaN },
    },
  }));

describe('a plan', () => {
  it('has every variant of every seed, with the published costs and with each other cost model', () => {
    const jobs = planJobs(options);
    expect(jobs).toHaveLength(variants.length * (3 + SENSITIVITY.length));
    expect(new Set(jobs.map((job) => JSON.stringify(job))).size).toBe(jobs.length);
  });

  it('is of all experiments when none is named', () => {
    const names = planJobs({ ...options, only: [] }).map((job) => job.experiment);
    expect(new Set(names)).toEqual(new Set(EXPERIMENTS.map(({ name }) => name)));
  });
});

describe('a summary', () => {
  it('takes medians over the seeds, and leaves out what has no value', () => {
    const [summary] = summarize(
      outcomes(() => true),
      [NAME],
    );
    const figures = summary!.figures['none']!;
    expect(figures['huge']).toMatchObject({ median: 2, low: 1, high: 3, samples: [1, 2, 3] });
    expect(figures['moved each']).toMatchObject({ median: Number.NaN, samples: [] });
    expect(summary!.seeds).toBe(3);
  });

  it('tells which claims hold, and under which other costs the answer is the other one', () => {
    const [other] = SENSITIVITY;
    const [summary] = summarize(
      outcomes(({ costs }) => costs !== other!.name),
      [NAME],
    );
    for (const claim of summary!.claims) {
      expect(claim).toMatchObject({ holds: true, flips: [other!.name], tried: SENSITIVITY.length });
    }
  });

  it('counts a seed only when all its variants have run', () => {
    const all = outcomes(() => true);
    const [summary] = summarize(all.slice(0, variants.length + 1), [NAME]);
    expect(summary!.seeds).toBe(1);
    expect(summarize(all.slice(0, 1), [NAME])).toEqual([]);
  });
});

describe('the cost models of the sensitivity runs', () => {
  it('each differ from the published one in what their names say, by a half or twice', () => {
    for (const { name, costs } of SENSITIVITY) {
      const changed = Object.entries(costs).filter(
        ([key, value]) => value !== PUBLISHED.costs[key as keyof typeof costs],
      );
      expect(changed.length, name).toBeGreaterThan(1);
      expect(costs.instruction).toBe(PUBLISHED.costs.instruction);
      for (const [key, value] of changed) {
        expect(value / PUBLISHED.costs[key as keyof typeof costs]).toBe(name.endsWith('x 2') ? 2 : 0.5);
      }
    }
  });
});
