/**
 * `npm run bench engines`: one image on every engine that is here, interleaved, so that drift of the host hits all alike;
 * `npm run bench loops`: the same on the engines of this project only. Each loop gets so many units on each engine that it
 * lasts about a third of a second; a result is million instructions per second by the same count for all (MiB/s for string
 * instructions, million traps per second).
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OWN_ENGINE_NAMES } from '../../../emu/arch/engine.ts';
import type { Runner, RunnerOrReason, Timed } from './marks.ts';
import { nativeRunner } from './native.ts';
import { instructionsPerUnit, LARGE_TLB, ownRunner } from './own.ts';
import { qemuRunner } from './qemu.ts';
import { ALL, LOOPS, OTHERS, printReport } from './report.ts';
import { unicornRunner } from './unicorn.ts';
import { v86Runner } from './v86.ts';

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
    '\ninterpreter and translator: 8192 data TLB entries (v86 has 2^20); translator*: the default, 64 entries.\n' +
      'unicorn.js: figures of another day, of a host with these engines about as fast.\n',
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
  printReport(entries.map(({ runner, values }) => ({ name: runner.name, values })));
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
