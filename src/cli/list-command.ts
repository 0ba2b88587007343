/** `physmem list`: the shipped scenarios and what to look at in each. */
import { alignColumns } from '../observe/text-table.ts';
import { builtInScenarios } from '../scenario/built-in.ts';
import type { Io } from './io.ts';

export function listCommand(options: { readonly json?: true }, io: Io): number {
  const scenarios = builtInScenarios();
  if (options.json) {
    io.out(`${JSON.stringify(scenarios.map(({ name, title, look }) => ({ name, title, look })))}\n`);
    return 0;
  }
  const rows = scenarios.map(({ name, title }) => [name, title]);
  io.out(`${alignColumns(rows, []).join('\n')}\n`);
  return 0;
}
