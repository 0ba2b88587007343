/**
 * `npm run bench engines`: one image on every engine that is here, interleaved, so that drift of the host hits all alike;
 * `npm run bench loops`: the same on the engines of this project only. Each loop gets so many units on each engine that it
 * lasts about a third of a second; a result is million instructions per second by the same count for all (MiB/s for string
 * instructions, million traps per second).
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OWN_ENGINE_NAMES } from '../../../emu/arch/engine.ts';
import { geometricMean, median } from '../measure.ts';
import type { Runner, RunnerOrReason, Timed } from './marks.ts';
import { nativeRunner } from './native.ts';
import { instructionsPerUnit, LARGE_TLB, ownRunner } from './own.ts';
import { qemuRunner } from './qemu.ts';
import { unicornRunner } from './unicorn.ts';
import { v86Runner } from './v86.ts';

/** The nine loops of the comparison, in MIPS. */
const LOOPS = ['xorshift', 'crc32', 'fib', 'memcpy', 'memcpy-16M', 'memset', 'sieve', 'chase', 'chase-cr3'];
/** Units of the others: what one unit of the image is, in millions. */
const OTHERS: Readonly<Record<string, { unit: string; millions: number }>> = {
  'rep-movs': { unit: 'MiB/s', millions: 1 },
  'rep-stos': { unit: 'MiB/s', millions: 1 },
  int80: { unit: 'M/s', millions: 0.01 },
  fault: { unit: 'M/s', millions: 0.01 },
  fill: { unit: 'M/s', millions: 0.009216 },
};
const ALL = [...LOOPS, ...Object.keys(OTHERS)];
const TARGET_SECONDS = 0.33;
const LEAST_SECONDS = 0.02;
const MAX_UNITS = 20_000;

const IMAGE = 'guest/bin/bare-loops.elf';
const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

interface Entry {
  readonly runner: Runner;
  /** Units of each loop that last TARGET_SECONDS. */
  readonly units: Map<string, number>;
  /** Values of each loop, one per round. */
  readonly values: Map<string, number[]>;
}

export async function compareEngines(rounds: number): Promise<void> {
  const path = root(IMAGE);
  const image = new Uint8Array(readFileSync(path));
  await compare(rounds, image, [
    ownRunner('interpreter', image, 'interpreter', LARGE_TLB),
    ownRunner('translator', image, 'translator', LARGE_TLB),
    ownRunner('translator*', image, 'translator', null),
    v86Runner(image),
    qemuRunner(path),
    unicornRunner(image),
    nativeRunner(root('guest/bare/loops')),
  ]);
  process.stdout.write(
    '\ninterpreter and translator: 8192 data TLB entries (v86 has 2^20); translator*: the default, 64 entries.\n',
  );
}

/** With the TLB that machines have when nothing else is said. */
export async function compareOwnEngines(rounds: number): Promise<void> {
  const image = new Uint8Array(readFileSync(root(IMAGE)));
  await compare(
    rounds,
    image,
    OWN_ENGINE_NAMES.map((name) => ownRunner(name, image, name, null)),
  );
}

async function compare(rounds: number, image: Uint8Array, runners: readonly RunnerOrReason[]): Promise<void> {
  const perUnit = instructionsPerUnit(image, LOOPS);
  const worth = (name: string): number => OTHERS[name]?.millions ?? perUnit.get(name)! / 1e6;
  const entries: Entry[] = [];
  for (const runner of runners) {
    if (typeof runner === 'string') process.stdout.write(`skipped: ${runner}\n`);
    else entries.push({ runner, units: await calibrate(runner), values: new Map() });
  }
  await checkSums(entries.map((e) => e.runner));
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    for (const entry of entries) await measure(entry, worth);
  }
  progress('');
  printTable(entries);
}

const able = (runner: Runner): string[] => ALL.filter((name) => !runner.cannot.includes(name));

/** Doubles a loop's units until it can be timed, then scales them. */
async function calibrate(runner: Runner): Promise<Map<string, number>> {
  const units = new Map<string, number>(able(runner).map((name) => [name, 2]));
  progress(`calibrating ${runner.name}`);
  for (let open = true; open; ) {
    open = false;
    const results = await runner.run(units);
    for (const [name, count] of units) {
      const { seconds } = results.get(name)!;
      const wanted = Math.round((count * TARGET_SECONDS) / Math.max(seconds, 1e-6));
      const next = Math.min(
        MAX_UNITS,
        Math.max(2, seconds < LEAST_SECONDS ? Math.min(wanted, count * 16) : wanted),
      );
      if (seconds < LEAST_SECONDS && count < MAX_UNITS) open = true;
      units.set(name, next);
    }
  }
  return units;
}

/** All engines must compute the same. */
async function checkSums(runners: readonly Runner[]): Promise<void> {
  const seen = new Map<string, { checksum: string; by: string }>();
  for (const runner of runners) {
    const results = await runner.run(new Map(able(runner).map((name) => [name, 3])));
    for (const [name, { checksum }] of results) {
      const first = seen.get(name) ?? { checksum, by: runner.name };
      seen.set(name, first);
      if (first.checksum === checksum) continue;
      throw new Error(`${name}: ${runner.name} computes ${checksum}, ${first.by} ${first.checksum}`);
    }
  }
}

async function measure(entry: Entry, worth: (name: string) => number): Promise<void> {
  const results: ReadonlyMap<string, Timed> = await entry.runner.run(entry.units);
  for (const [name, { seconds }] of results) {
    const values = entry.values.get(name) ?? [];
    values.push((entry.units.get(name)! * worth(name)) / seconds);
    entry.values.set(name, values);
  }
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

function printTable(entries: readonly Entry[]): void {
  const middle = (entry: Entry, name: string): number | null => {
    const values = entry.values.get(name);
    return values === undefined ? null : median(values);
  };
  const cell = (value: number | null): string => (value === null ? '-' : digits(value)).padStart(12);
  const names = entries.map(({ runner }) => runner.name.padStart(12)).join('');
  process.stdout.write(`\n${'median'.padEnd(18)}${names}\n`);
  for (const name of ALL) {
    const unit = OTHERS[name]?.unit ?? 'MIPS';
    const row = entries.map((entry) => cell(middle(entry, name))).join('');
    process.stdout.write(`${`${name} ${unit}`.padEnd(18)}${row}\n`);
  }
  const mean = (of: (entry: Entry, name: string) => number | null): string => {
    const means = entries.map((entry) => {
      const known = LOOPS.map((name) => of(entry, name));
      return known.includes(null) ? null : geometricMean(known as number[]);
    });
    return `${'mean of nine loops'.padEnd(18)}${means.map(cell).join('')}\n`;
  };
  process.stdout.write(mean(middle));
  const v86 = entries.find(({ runner }) => runner.name === 'v86');
  if (v86 !== undefined) {
    const ratio = (entry: Entry, name: string): number | null => {
      const value = middle(entry, name);
      return value === null ? null : value / middle(v86, name)!;
    };
    process.stdout.write(`\n${'× v86'.padEnd(18)}${names}\n`);
    for (const name of ALL) {
      process.stdout.write(`${name.padEnd(18)}${entries.map((e) => cell(ratio(e, name))).join('')}\n`);
    }
    process.stdout.write(mean(ratio));
  }
  printRanges(entries);
}

function printRanges(entries: readonly Entry[]): void {
  process.stdout.write('\nrange of each\n');
  for (const name of ALL) {
    const row = entries.map(({ values }) => {
      const all = values.get(name);
      return (all === undefined ? '-' : `${digits(Math.min(...all))}..${digits(Math.max(...all))}`).padStart(
        14,
      );
    });
    process.stdout.write(`${name.padEnd(18)}${row.join('')}\n`);
  }
}
