/** Small things that all benches share: the host's clock, medians, and how figures are printed. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Processor time of this process: on a host that others use too it says more than the time that went by. The benches
 * are one thread; what V8 compiles beside it counts as well, which is why each warms up first.
 */
export const hostSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Geometric mean. */
export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Runs `work` `rounds` times after one warm-up and reports units per second, in millions when `unit` begins with M. */
export function figure(name: string, unit: string, rounds: number, work: () => number): Figure {
  work();
  const runs = Array.from({ length: rounds }, work);
  return { name, unit, median: median(runs), min: Math.min(...runs), max: Math.max(...runs) };
}

const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

/** A table with one row per figure: name, median, range, unit. */
export function printFigures(title: string, figures: readonly Figure[]): void {
  const width = Math.max(...figures.map((f) => f.name.length));
  process.stdout.write(`\n${title}\n`);
  for (const f of figures) {
    const range = `(${digits(f.min)} .. ${digits(f.max)})`;
    process.stdout.write(
      `  ${f.name.padEnd(width)}  ${digits(f.median).padStart(8)} ${f.unit.padEnd(6)} ${range}\n`,
    );
  }
}
