/**
 * Guests built now, with every tool chain of this machine, do what the pre-built ones do. Skipped where there is no
 * compiler; CI has both.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';
import { buildGuests, ROOT, readBytes } from '../../../tools/guests/build.ts';
import { findToolchains } from '../../../tools/guests/toolchain.ts';

const toolchains = findToolchains();

/** Console bytes of a shipped scenario, run with the images of a folder. */
const consoleOf = (scenario: string, images: string): string => {
  const image = (name: string): Uint8Array => readBytes(join(images, `${name}.elf`));
  const system = new System(scenarioConfig(builtInScenario(scenario), { image }));
  const bytes: number[] = [];
  system.onConsole = (more) => bytes.push(...more);
  system.run({ maxInstructions: 500_000_000 });
  return new TextDecoder().decode(Uint8Array.from(bytes));
};

describe.skipIf(toolchains.length === 0).each(toolchains)('guests built with $name', (toolchain) => {
  let images = '';
  beforeAll(async () => {
    images = mkdtempSync(join(tmpdir(), 'guests-'));
    await buildGuests(toolchain, images);
  }, 120_000);
  afterAll(() => rmSync(images, { recursive: true, force: true }));

  it.each(['story', 'cow', 'selftest'])('%s prints what is expected', (scenario) => {
    const expected = readFileSync(join(ROOT, 'guest', scenario, 'expected.txt'), 'utf8');
    const frames = /(total|free|charged) \d{4}|charged \d\d/g; // depend on the size of the image
    const output = consoleOf(scenario, images).replace(frames, '$1');
    expect(output.endsWith(expected.replace(frames, '$1'))).toBe(true);
  });
});
