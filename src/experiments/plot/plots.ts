/** The plots of an evaluation, as SVG files by name. */
import type { Experiment, Plot } from '../experiment.ts';
import { chosenExperiments } from '../plan.ts';
import type { ExperimentSummary } from '../summary.ts';
import { type Chart, type ChartPoint, drawChart } from './chart.ts';

export interface PlotFile {
  readonly name: string;
  readonly svg: string;
}

/** One file for each plot of each experiment in the summaries, in their order. */
export function drawPlots(summaries: readonly ExperimentSummary[]): PlotFile[] {
  return summaries.flatMap((summary) => {
    const [experiment] = chosenExperiments([summary.name]);
    return experiment!.plots.map((plot) => ({
      name: `${summary.name}-${plot.name}.svg`,
      svg: drawChart(chartOf(experiment!, summary, plot)),
    }));
  });
}

function chartOf({ variants }: Experiment, summary: ExperimentSummary, plot: Plot): Chart {
  const seeds = `${summary.seeds} ${summary.seeds === 1 ? 'seed' : 'seeds'}`;
  return {
    title: plot.title,
    subtitle:
      plot.kind === 'curve'
        ? `medians of ${seeds}`
        : `medians of ${seeds}, with intervals of 95 % where that many give one`,
    xLabel: plot.kind === 'curve' ? plot.x : '',
    yLabel: plot.y,
    yScale: plot.scale,
    groups: plot.kind === 'curve' ? null : plot.metrics,
    series: variants.map((variant) => ({
      name: variant,
      points:
        plot.kind === 'curve'
          ? summary.curves[plot.name]![variant]!
          : pointsOf(summary, variant, plot.metrics),
    })),
  };
}

/** Metrics that have no value (nothing was allocated) are left out. */
const pointsOf = (summary: ExperimentSummary, variant: string, metrics: readonly string[]): ChartPoint[] =>
  metrics
    .map((metric, x) => {
      const { median, low, high } = summary.figures[variant]![metric]!;
      return { x, y: median, low, high };
    })
    .filter(({ y }) => Number.isFinite(y));
