/** Man-page-like comments for the C stubs, made from the ABI data. */
import { ERRNOS } from '../../src/abi/errno.ts';
import type { ArgumentDef } from '../../src/abi/syscalls.ts';
import { cIdentifier, wrap } from './names.ts';

const WIDTH = 96;

export interface ManPage {
  readonly name: string;
  readonly summary: string;
  /** One line on how it is reached: trap number, or operation and rights. */
  readonly how: string;
  readonly args: readonly ArgumentDef[];
  readonly results: readonly ArgumentDef[];
  readonly errors: readonly string[];
}

const meaningOf = (errno: string): string => ERRNOS.find((def) => def.name === errno)?.meaning ?? '';

const rows = (title: string, items: readonly (readonly [string, string])[]): string[] => {
  if (items.length === 0) {
    return [];
  }
  const column = Math.max(...items.map(([name]) => name.length)) + 2;
  const lines = items.flatMap(([name, text]) =>
    wrap(text, WIDTH - column - 6).map(
      (line, index) => `     ${(index === 0 ? name : '').padEnd(column)}${line}`,
    ),
  );
  return [`   ${title}`, ...lines];
};

const rowsOf = (title: string, defs: readonly ArgumentDef[]): string[] =>
  rows(
    title,
    defs.map((def) => [cIdentifier(def.name), def.meaning] as const),
  );

export const manComment = (page: ManPage): string => {
  const lines = [
    ...wrap(`${page.name}: ${page.summary}`, WIDTH).map((line, index) => (index === 0 ? line : `   ${line}`)),
    `   ${page.how}`,
    ...rowsOf('Arguments', page.args),
    ...rowsOf('Results (a pointer may be NULL)', page.results),
    ...rows(
      'Errors',
      page.errors.map((name) => [name, meaningOf(name)] as const),
    ),
  ];
  return `/* ${lines.join('\n').trimEnd()} */`;
};
