/**
 * Every transcript in the documentation is true: a fenced block marked `console` whose lines begin with `$ physmem …` is
 * run, and what it prints is compared. A line `…` stands for any number of lines, `…` in a line for any characters.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const PAGES = [
  'README.md',
  ...readdirSync(new URL('docs/', ROOT))
    .filter((f) => f.endsWith('.md'))
    .map((f) => `docs/${f}`),
];

interface Transcript {
  readonly command: string;
  readonly expected: readonly string[];
}

function transcripts(page: string): Transcript[] {
  const text = readFileSync(new URL(page, ROOT), 'utf8');
  const blocks = [...text.matchAll(/^```console\n([\s\S]*?)^```/gm)].map((match) => match[1]);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command, ...expected] = part.trimEnd().split('\n');
        return { command, expected };
      }),
  );
}

/** What the command prints, both streams, without trailing blanks. */
function run(command: string): string[] {
  const [program, ...args] = command.split(/ +/);
  expect(program, 'a transcript runs physmem and nothing else').toBe('physmem');
  const result = spawnSync(process.execPath, ['dist/physmem.js', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
  return `${result.stdout}${result.stderr}`
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
}

function matchesLine(expected: string, actual: string): boolean {
  const parts = expected.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(actual);
}

/** Whether the lines match, `…` standing for any number of them. */
function matches(expected: readonly string[], actual: readonly string[]): boolean {
  if (expected.length === 0) return actual.length === 0;
  const [first, ...rest] = expected;
  if (first.trim() === '…') {
    return actual.some((_, i) => matches(rest, actual.slice(i))) || matches(rest, []);
  }
  return actual.length > 0 && matchesLine(first.trimEnd(), actual[0]) && matches(rest, actual.slice(1));
}

describe.each(PAGES)('%s', (page) => {
  const all = transcripts(page);
  it.each(all.length > 0 ? all : [{ command: '', expected: [] }])(
    'shows what `$command` prints',
    (transcript) => {
      if (transcript.command === '') return;
      const actual = run(transcript.command);
      if (!matches(transcript.expected, actual)) expect(actual).toEqual(transcript.expected);
    },
  );
});
