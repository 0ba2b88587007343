/**
 * F12 with the whole system: cores that cache translations again at every moment at which the page tables allow it, between
 * the kernel's change of an entry and its INVLPG too. No guest sees a difference, and no TLB holds what was taken away.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { StaleWatch } from '../../../src/explore/stale-watch.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));

function run(name: string, speculation: 'on' | 'off') {
  const changes = [{ path: 'machine.speculation', value: speculation }];
  const system = new System(scenarioConfig(builtInScenario(name, changes), { image }));
  let said = '';
  system.onConsole = (bytes) => {
    said += String.fromCharCode(...bytes);
  };
  const watch = new StaleWatch(system);
  const stop = system.run({ maxInstructions: 50_000_000 });
  watch.stop();
  return { said, stop, stale: watch.take(), broken: checkSystem(system), counters: system.kernel.counters };
}

describe('cores that speculate as much as they may', () => {
  it.each(['stale', 'story', 'cow', 'fork'])('change nothing in %s', (name) => {
    const plain = run(name, 'off');
    const wild = run(name, 'on');
    expect(plain.stop).toEqual({ kind: 'exit', status: 0 });
    expect({ ...wild, counters: null }).toEqual({ ...plain, counters: null });
    expect([wild.stale, wild.broken]).toEqual([[], []]);
  });

  it('are noticed where the rule is broken: without the shootdown the reader sees the secret', () => {
    const { said } = run('stale-broken', 'on');
    expect(said).toContain('STALE TRANSLATION');
  });
});
