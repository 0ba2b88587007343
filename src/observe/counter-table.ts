/** Counters per core and in all, as an aligned table that stays inside the columns: many cores go to several blocks. */
import { thousands } from './number-format.ts';
import type { TextStyle } from './text-style.ts';
import { alignColumns } from './text-table.ts';

export interface CounterRow {
  readonly label: string;
  /** One number per core; empty when the counter belongs to no core. */
  readonly perCore: readonly number[];
  readonly total: number;
}

/** With one core there is one column; else one per core and one for all of them. */
export function counterTable(rows: readonly CounterRow[], style: TextStyle): string {
  const cores = Math.max(0, ...rows.map((row) => row.perCore.length));
  if (cores <= 1) return block(rows, [], style);
  const perBlock = coresThatFit(rows, style);
  const blocks: string[] = [];
  for (let first = 0; first < cores; first += perBlock) {
    const shown = Array.from({ length: Math.min(perBlock, cores - first) }, (_, i) => first + i);
    blocks.push(block(first === 0 ? rows : rows.filter((row) => row.perCore.length > 0), shown, style));
  }
  return blocks.join('\n');
}

function block(rows: readonly CounterRow[], cores: readonly number[], style: TextStyle): string {
  const header = ['', 'all', ...cores.map((core) => `core ${core}`)];
  const cells = rows.map(({ label, total, perCore }) => [
    label,
    thousands(total),
    ...cores.map((core) => (perCore.length === 0 ? '' : thousands(perCore[core] ?? 0))),
  ]);
  const table = cores.length === 0 ? cells : [header, ...cells];
  const lines = alignColumns(table, ['left', ...header.slice(1).map(() => 'right' as const)]);
  return lines
    .map((line, i) => `${i === 0 && cores.length > 0 ? style.paint(line, 'faint') : line}\n`)
    .join('');
}

function coresThatFit(rows: readonly CounterRow[], style: TextStyle): number {
  const label = Math.max(...rows.map((row) => row.label.length));
  const number = Math.max(...rows.map((row) => thousands(row.total).length), 'core 15'.length);
  return Math.max(1, Math.floor((Math.min(style.columns, 80) - label - number - 2) / (number + 2)));
}
