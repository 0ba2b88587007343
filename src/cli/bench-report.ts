/** The result of an evaluation for people: for each experiment what the paper found, the figures, and what agrees. */
import { SENSITIVITY } from '../experiments/cost-settings.ts';
import type { Metric } from '../experiments/experiment.ts';
import { experimentNamed } from '../experiments/plan.ts';
import type { ExperimentSummary, Figure, Verdict } from '../experiments/summary.ts';
import { plural, thousands } from '../observe/number-format.ts';
import { headingLine, type TextStyle } from '../observe/text-style.ts';
import { alignColumns } from '../observe/text-table.ts';

const RUNS_ON = {
  server: 'The memory server alone, on a kernel that counts cycles.',
  system: 'The whole machine, guests on its cores.',
} as const;

export function benchText(summaries: readonly ExperimentSummary[], style: TextStyle): string {
  return summaries.map((summary) => `${experimentText(summary, style)}\n`).join('\n');
}

function experimentText(summary: ExperimentSummary, style: TextStyle): string {
  const { name, metrics, variants, runsOn } = experimentNamed(summary.name);
  const rows = metrics.flatMap((metric) =>
    variants.map((variant, i) => row(metric, variant, summary.figures[variant]![metric.name]!, i === 0)),
  );
  const table = alignColumns(
    [['', '', 'median', confidenceText(summary), 'unit'], ...rows],
    ['left', 'left', 'right', 'right', 'left'],
  );
  return [
    headingLine(name, style),
    ...wrap(`${summary.title}. ${summary.source}.`, style.columns),
    ...wrap(`Found there: ${summary.found}`, style.columns),
    ...wrap(`Here: ${plural(summary.seeds, 'seed')}. ${RUNS_ON[runsOn]}`, style.columns),
    '',
    ...table.map((line, i) => (i === 0 ? style.paint(line, 'faint') : line)),
    '',
    ...summary.claims.flatMap((claim) => claimLines(claim, style)),
  ].join('\n');
}

/** `95 % interval`; fewer seeds than six cannot give that. */
function confidenceText({ figures }: ExperimentSummary): string {
  const all = Object.values(figures).flatMap((byMetric) => Object.values(byMetric));
  const full = all.reduce((most, figure) => (figure.samples.length > most.samples.length ? figure : most));
  return `${Math.floor(full.confidence * 100)} % interval`;
}

const row = ({ name, unit }: Metric, variant: string, figure: Figure, isFirst: boolean): string[] => {
  if (figure.samples.length === 0) return [isFirst ? name : '', variant, '-', '-', ''];
  const range = `${number(figure.low)} .. ${number(figure.high)}`;
  return [isFirst ? name : '', variant, number(figure.median), range, unit === 'ratio' ? '' : unit];
};

/** Whole from 100 on, else three digits that count. */
function number(value: number): string {
  if (Math.abs(value) >= 100) return thousands(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

function claimLines({ says, holds, flips, tried }: Verdict, style: TextStyle): string[] {
  const mark = holds ? style.paint('agrees ', 'good') : style.paint('DIFFERS', 'bad');
  const [first, ...rest] = wrap(says, style.columns - 11);
  const lines = [`  ${mark}  ${first}`, ...rest.map((line) => `           ${line}`)];
  if (flips.length > 0) {
    lines.push(
      ...wrap(`FLIPS with ${flips.join(', ')}`, style.columns - 11).map((line) => `           ${line}`),
    );
  } else if (tried > 0 && tried < SENSITIVITY.length) {
    lines.push(`           the same under ${plural(tried, 'other cost model')}`);
  }
  return lines;
}

/** Breaks a sentence into lines of at most `columns`. */
function wrap(sentence: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
