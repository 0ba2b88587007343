/**
 * Which runs an evaluation consists of. A job is plain data, its outcome depends on nothing else, and outcomes are put
 * together in the order of the jobs: it does not matter who runs them, or how many at a time.
 */
import type { ImageSource } from '../scenario/image-source.ts';
import { EXPERIMENTS } from './all.ts';
import { PUBLISHED, SENSITIVITY } from './cost-settings.ts';
import type { Experiment, Sample, Size } from './experiment.ts';

export interface PlanOptions {
  readonly size: Size;
  /** Names of experiments; empty for all. */
  readonly only: readonly string[];
  readonly seeds: number;
  /** Seeds for each changed cost model. */
  readonly sensitivitySeeds: number;
}

/** One run. */
export interface Job {
  readonly experiment: string;
  readonly variant: string;
  /** Name of a cost setting. */
  readonly costs: string;
  readonly seed: number;
  readonly size: Size;
}

export const experimentNamed = (name: string): Experiment => EXPERIMENTS.find((one) => one.name === name)!;

export const chosenExperiments = (only: readonly string[]): readonly Experiment[] =>
  only.length === 0 ? EXPERIMENTS : EXPERIMENTS.filter(({ name }) => only.includes(name));

/** Experiment by experiment, the published costs first; the variants of one seed stand side by side. */
export function planJobs({ size, only, seeds, sensitivitySeeds }: PlanOptions): Job[] {
  const jobs: Job[] = [];
  for (const { name, variants } of chosenExperiments(only)) {
    const add = (costs: string, seed: number): void => {
      for (const variant of variants) jobs.push({ experiment: name, variant, costs, seed, size });
    };
    for (let seed = 1; seed <= seeds; seed += 1) add(PUBLISHED.name, seed);
    for (const { name: costs } of SENSITIVITY) {
      for (let seed = 1; seed <= Math.min(sensitivitySeeds, seeds); seed += 1) add(costs, seed);
    }
  }
  return jobs;
}

export function runJob(job: Job, images: ImageSource): Sample {
  const setting = [PUBLISHED, ...SENSITIVITY].find(({ name }) => name === job.costs)!;
  const { seed, variant, size } = job;
  return experimentNamed(job.experiment).run({ seed, variant, costs: setting.costs, size, images });
}
