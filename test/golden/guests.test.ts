/**
 * What the shipped guest programs print, line by line: guest/<folder>/expected.txt. Programs whose output is a
 * measurement (pingpong, faults, spin) are held by their scenarios' checks instead. The files change only by
 * `npm run golden`, which is read in the diff.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { builtInScenario } from '../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../src/scenario-system.ts';
import { System } from '../../src/system.ts';
import { shippedImage } from './story.ts';

const PROGRAMS = [
  { scenario: 'hello', expected: 'hello/expected.txt' },
  { scenario: 'story', expected: 'story/expected.txt' },
  { scenario: 'stale', expected: 'stale/expected.txt' },
  { scenario: 'cow', expected: 'cow/expected.txt' },
  { scenario: 'serial', expected: 'serial/expected.txt' },
  { scenario: 'files', expected: 'files/expected.txt' },
  { scenario: 'hog', expected: 'hog/expected.txt' },
  { scenario: 'fork', expected: 'fork/expected.txt' },
  { scenario: 'weaken', expected: 'weaken/expected.txt' },
  { scenario: 'disk-driver', expected: 'disk-driver/expected.txt' },
  { scenario: 'disk-driver-dies', expected: 'disk-driver/driver-dies.expected.txt' },
  { scenario: 'disk-expiry', expected: 'disk-driver/expiry.expected.txt' },
  { scenario: 'disk-owner-dies', expected: 'disk-driver/owner-dies.expected.txt' },
  { scenario: 'disk-rogue', expected: 'disk-driver/rogue.expected.txt' },
  { scenario: 'library', expected: 'library/expected.txt' },
  { scenario: 'zone', expected: 'zone/expected.txt' },
  { scenario: 'hostile', expected: 'hostile/expected.txt' },
  { scenario: 'races', expected: 'races/expected.txt' },
  { scenario: 'rearrange', expected: 'rearrange/expected.txt' },
  { scenario: 'refusals', expected: 'refusals/expected.txt' },
  { scenario: 'refusals-driver', expected: 'refusals/driver.expected.txt' },
  { scenario: 'forge', expected: 'forge/expected.txt' },
  { scenario: 'selftest', expected: 'selftest/expected.txt' },
] as const;
const ACCEPT = process.env['PHYSMEM_ACCEPT_GOLDEN'] === '1';
const LAST_FIRMWARE_LINE = 'start    kernel\r\n';
const COLUMNS_MAX = 78;

interface GuestRun {
  readonly output: string;
  readonly status: number | undefined;
}

/** Runs a shipped scenario; the output is what the guests wrote, without the firmware's lines. */
function runGuest(scenario: string, seed?: number): GuestRun {
  const config = scenarioConfig(builtInScenario(scenario), { image: shippedImage });
  const system = new System(seed === undefined ? config : { ...config, seed });
  const bytes: number[] = [];
  system.onConsole = (more) => bytes.push(...more);
  system.run({ maxInstructions: 500_000_000 });
  const text = new TextDecoder().decode(Uint8Array.from(bytes));
  const begin = text.indexOf(LAST_FIRMWARE_LINE) + LAST_FIRMWARE_LINE.length;
  const stop = system.machine.stopReason;
  return { output: text.slice(begin), status: stop !== null && 'status' in stop ? stop.status : undefined };
}

describe.each(PROGRAMS)('the guest $scenario', ({ scenario, expected }) => {
  const file = new URL(`../../guest/${expected}`, import.meta.url);

  it('prints what is expected and ends with status 0', () => {
    const { output, status } = runGuest(scenario);
    if (ACCEPT) writeFileSync(file, output);
    expect(status).toBe(0);
    expect(output.split('\n')).toEqual(readFileSync(file, 'utf8').split('\n'));
  });

  it('prints the same under other interleavings', () => {
    for (const seed of [2, 3, 4711]) {
      expect(runGuest(scenario, seed).output, `seed ${seed}`).toBe(readFileSync(file, 'utf8'));
    }
  });

  it('fits a terminal of 80 columns', () => {
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines.filter((line) => line.length > COLUMNS_MAX)).toEqual([]);
  });
});
