/** The kernel's whole-state checker (src/kernel/check.ts) between any two slices of real guests on the real machine. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));

const SLICE_INSTRUCTIONS = 500;
const SLICES_MAX = 4000;

describe('the kernel under a scenario', () => {
  it.each(['story', 'cow', 'forge', 'pingpong', 'stale'])('is sound at every moment of %s', (name) => {
    const system = new System(scenarioConfig(builtInScenario(name), { image }));
    let slices = 0;
    while (slices < SLICES_MAX && system.run({ maxInstructions: SLICE_INSTRUCTIONS }).kind === 'budget') {
      slices++;
      expect(system.kernel.check()).toEqual([]);
    }
    expect(system.kernel.check()).toEqual([]);
    expect(slices).toBeGreaterThan(10);
    expect(system.kernel.counters.rpcs).toBeGreaterThan(0);
  });
});

describe('a system whose free memory carries a pattern', () => {
  it('goes back to a snapshot and on from there as before', () => {
    const system = new System(scenarioConfig(builtInScenario('cow'), { image }));
    system.run({ until: () => system.physmem !== null });
    const boot = system.snapshot();
    const first = { stop: system.run(), bytes: system.save() };
    system.restore(boot);
    expect(checkSystem(system)).toEqual([]);
    expect(system.run()).toEqual(first.stop);
    expect(Buffer.compare(system.save(), first.bytes)).toBe(0);
  });
});
