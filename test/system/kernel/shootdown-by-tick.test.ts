/** Cores that are not interrupted for shootdowns but look at their next entry of the kernel: later, and as safe. */
import { describe, expect, it } from 'vitest';
import { StaleWatch } from '../../../src/explore/stale-watch.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';
import { shippedImage } from '../../golden/story.ts';

function run(name: string, shootdownBy: 'interrupt' | 'tick', args?: readonly string[]) {
  const changes = [{ path: 'shootdownBy', value: shootdownBy }];
  const scenario = builtInScenario(name, args ? [...changes, { path: 'root.args', value: args }] : changes);
  const system = new System(scenarioConfig(scenario, { image: shippedImage }));
  let output = '';
  system.onConsole = (bytes) => {
    output += String.fromCharCode(...bytes);
  };
  const watch = new StaleWatch(system);
  const stop = system.run({ maxInstructions: 300_000_000 });
  system.runUntilQuiescent();
  return { output, stop, system, stale: watch.take() };
}

describe.each(['stale', 'story', 'fragment'])('the scenario %s without interrupts for shootdowns', (name) => {
  it('ends as with them, breaks no rule, and no core uses a translation that is gone', () => {
    const { stop, system, stale } = run(name, 'tick');
    expect(stop).toEqual({ kind: 'exit', status: 0 });
    expect(stale).toEqual([]);
    expect(checkSystem(system)).toEqual([]);
    expect(system.kernel.counters.shootdownIpis).toBe(0);
    expect(system.kernel.counters.acks).toBeGreaterThan(0);
    expect(system.kernel.counters.shootdownTimeouts).toBe(0);
  });
});

it('makes the one who takes away wait for the tick of the others', () => {
  const median = (output: string): number => Number(/median (\d+),/.exec(output)![1]);
  const interrupted = median(run('shoot', 'interrupt', ['8']).output);
  const ticked = median(run('shoot', 'tick', ['8']).output);
  // A time slice is 50,000 cycles.
  expect(interrupted).toBeLessThan(10_000);
  expect(ticked).toBeGreaterThan(10_000);
  expect(ticked).toBeLessThan(60_000);
});
