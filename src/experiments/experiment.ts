/**
 * What an experiment is: one question that a paper has asked, tried here on the same seeds for every variant. An
 * experiment is data and one pure function, so that it can be run anywhere, in any order, and gives the same numbers.
 */
import type { CostModel } from '../../emu/arch/cost.ts';
import type { ImageSource } from '../scenario/image-source.ts';

/** `quick` takes less memory and fewer operations, so that all experiments end within a minute; `tiny` is for tests. */
export type Size = 'tiny' | 'quick' | 'full';

/** One run: everything that its outcome depends on. */
export interface Trial {
  readonly seed: number;
  readonly variant: string;
  readonly costs: CostModel;
  readonly size: Size;
  /** Guest programs, for experiments that run on the whole system. */
  readonly images: ImageSource;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** What one run measured. */
export interface Sample {
  /** By the name of the metric. */
  readonly values: Readonly<Record<string, number>>;
  /** By the name of the plot. */
  readonly curves?: Readonly<Record<string, readonly Point[]>>;
}

export interface Metric {
  readonly name: string;
  readonly unit: 'cycles' | '%' | 'count' | 'frames' | 'pages' | 'ratio' | 'pass';
  /** What it says, for the documentation of the output. */
  readonly means: string;
}

/** Medians over the seeds, by variant and metric. */
export interface Medians {
  of(variant: string, metric: string): number;
}

/** A sentence about shapes, which is true of the measured medians or not. */
export interface Claim {
  readonly says: string;
  holds(medians: Medians): boolean;
}

/** A picture of the result; every variant is one series in it. */
export type Plot = {
  readonly name: string;
  readonly title: string;
  /** What the vertical axis shows, with its unit. */
  readonly y: string;
  readonly scale: 'linear' | 'log';
} & (
  | { readonly kind: 'curve'; readonly x: string }
  /** Some of the metrics beside each other, with their intervals. */
  | { readonly kind: 'metrics'; readonly metrics: readonly string[] }
);

export interface Experiment {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** What the source found, in one or two sentences. */
  readonly found: string;
  /**
   * `server`: physmem itself, on a kernel that only counts cycles, where very many operations are needed. `system`: the
   * whole emulated machine with guests on its cores, where cores and TLBs matter.
   */
  readonly runsOn: 'server' | 'system';
  readonly variants: readonly string[];
  readonly metrics: readonly Metric[];
  readonly claims: readonly Claim[];
  readonly plots: readonly Plot[];
  run(trial: Trial): Sample;
}
