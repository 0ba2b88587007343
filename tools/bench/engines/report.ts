/** What `npm run bench engines` prints: medians, ratios to v86 and to unicorn.js, ranges. */
import { geometricMean, median } from '../measure.ts';

/** The nine loops of the comparison, in MIPS. */
export const LOOPS = [
  'xorshift',
  'crc32',
  'fib',
  'memcpy',
  'memcpy-16M',
  'memset',
  'sieve',
  'chase',
  'chase-cr3',
];
/** Units of the others: what one unit of the image is, in millions. */
export const OTHERS: Readonly<Record<string, { unit: string; millions: number }>> = {
  'rep-movs': { unit: 'MiB/s', millions: 1 },
  'rep-stos': { unit: 'MiB/s', millions: 1 },
  int80: { unit: 'M/s', millions: 0.01 },
  fault: { unit: 'M/s', millions: 0.01 },
  fill: { unit: 'M/s', millions: 0.009216 },
};
export const ALL = [...LOOPS, ...Object.keys(OTHERS)];

/**
 * unicorn.js 2.1.4 on loops of the same kinds, in MIPS: measured on another day with the host's other engines about as
 * fast as here (v86 0.7 to 1.8 times). It is in no registry that the project can use, so these are not of this run.
 */
const UNICORN_JS: Readonly<Record<string, number>> = {
  xorshift: 70.3,
  crc32: 36.1,
  fib: 17,
  memcpy: 16.5,
  'memcpy-16M': 7.3,
  memset: 21.9,
  sieve: 29.8,
  chase: 5.87,
  'chase-cr3': 27.4,
};

/** What one engine has done: values of each loop, one per round. */
export interface Column {
  readonly name: string;
  readonly values: ReadonlyMap<string, readonly number[]>;
}

const middle = ({ values }: Column, name: string): number | null => {
  const all = values.get(name);
  return all === undefined ? null : median(all);
};

const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

const cell = (value: number | null): string => (value === null ? '-' : digits(value)).padStart(12);

/** Rows of `names` and the geometric mean of the nine loops. */
function printTable(
  title: string,
  columns: readonly Column[],
  names: readonly string[],
  of: (column: Column, name: string) => number | null,
): void {
  const out = (label: string, cells: readonly string[]): void => {
    process.stdout.write(`${label.padEnd(18)}${cells.join('')}\n`);
  };
  process.stdout.write('\n');
  out(
    title,
    columns.map(({ name }) => name.padStart(12)),
  );
  for (const name of names) {
    const unit = title === 'median' ? ` ${OTHERS[name]?.unit ?? 'MIPS'}` : '';
    out(
      name + unit,
      columns.map((column) => cell(of(column, name))),
    );
  }
  const means = columns.map((column) => {
    const known = LOOPS.map((name) => of(column, name));
    return known.includes(null) ? null : geometricMean(known as number[]);
  });
  out('mean of nine loops', means.map(cell));
}

function printRanges(columns: readonly Column[]): void {
  process.stdout.write('\nrange of each\n');
  for (const name of ALL) {
    const row = columns.map(({ values }) => {
      const all = values.get(name);
      const range = all === undefined ? '-' : `${digits(Math.min(...all))}..${digits(Math.max(...all))}`;
      return range.padStart(14);
    });
    process.stdout.write(`${name.padEnd(18)}${row.join('')}\n`);
  }
}

/** Everything, to standard output. */
export function printReport(columns: readonly Column[]): void {
  const ratio = (value: number | null, base: number | null): number | null =>
    value === null || base === null ? null : value / base;
  printTable('median', columns, ALL, middle);
  const v86 = columns.find(({ name }) => name === 'v86');
  if (v86 !== undefined) {
    printTable('× v86', columns, ALL, (column, name) => ratio(middle(column, name), middle(v86, name)));
    printTable('× unicorn.js', columns, LOOPS, (column, name) =>
      ratio(middle(column, name), UNICORN_JS[name] ?? null),
    );
  }
  printRanges(columns);
}
