/** Work in the background on the real kernel: it runs beside guests, on idle cores, and comes to an end. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));

describe('background compaction beside guests that write', () => {
  it('ends, lets snapshots be taken between its episodes, and leaves a sound system', () => {
    const changes = [{ path: 'policy', value: 'background/two-scanner+grouping' }];
    const system = new System(scenarioConfig(builtInScenario('fragment', changes), { image }));
    system.run({
      maxInstructions: 100_000_000,
      until: () => system.physmem?.store.compaction.episode === 'on',
    });
    expect(system.isQuiescent).toBe(false);
    expect(system.runUntilQuiescent()).toBe(true);
    expect(checkSystem(system)).toEqual([]);
    const { store } = system.physmem!;
    expect(store.compaction).toMatchObject({ episode: 'off', stopped: null });
    expect(store.counters.moves).toBeGreaterThan(100);
    expect(system.run({ maxInstructions: 200_000_000 })).toEqual({ kind: 'exit', status: 0 });
    expect(checkSystem(system)).toEqual([]);
  });
});
