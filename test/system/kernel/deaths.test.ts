/**
 * Death at every step (physmem.md §9): tasks of real scenarios are killed at entries of the kernel, one run each, and the
 * whole system is held to its rules. Here with strides; `physmem explore SCENARIO --deaths` does every step.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type DeathOptions, type DeathResult, exploreDeaths } from '../../../src/explore/explore-deaths.ts';
import { TrialBench } from '../../../src/explore/trial.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function explore(name: string, { ram, ...options }: Partial<DeathOptions> & { ram?: string }): DeathResult {
  // The checker looks at all of free memory when it carries a pattern, at each end of an operation: 0.1 s.
  const size = ram === undefined ? [] : [{ path: 'machine.ram', value: ram }];
  const scenario = builtInScenario(name, [{ path: 'poison', value: 'off' }, ...size]);
  const bench = new TrialBench(scenarioConfig(scenario, { image }), decode);
  const all: DeathOptions = { tasks: [], stride: 1, maxRuns: 1000, faults: {}, ...options };
  const runs = exploreDeaths(bench, all);
  for (;;) {
    const step = runs.next();
    if (step.done === true) return step.value;
  }
}

describe('a task that is killed', () => {
  it.each([
    ['story', 2, 4],
    ['stale', 2, 3],
    ['serial', 2, 4],
  ])('at any step of %s leaves kernel, server and TLBs sound and the credit whole', (name, task, stride) => {
    const result = explore(name, { tasks: [task], stride });
    expect(result.failures).toEqual([]);
    expect(result.deaths).toBe(result.runs - 1);
    expect(result.deaths).toBeGreaterThan(12);
    expect(result.isComplete).toBe(true);
  });

  it.each([
    ['story', 20],
    ['cow', 25],
  ])('ends the run when it is the root task of %s, at a sound moment', (name, stride) => {
    const result = explore(name, { tasks: [1], stride });
    expect(result.failures).toEqual([]);
    expect(result.deaths).toBe(result.runs - 1);
    expect(result.deaths).toBeGreaterThan(6);
  });

  it.each([
    ['the kind cache', 2],
    ['the rude cache', 3],
  ])('ends %s of hog at some step: what it held beyond its guarantee comes back', (_, task) => {
    const result = explore('hog', { tasks: [task], stride: 150, ram: '12M' });
    expect(result.failures).toEqual([]);
    expect(result.deaths).toBeGreaterThan(3);
  });

  it('is found out when a rule is broken at the same time', () => {
    const result = explore('story', { tasks: [2], stride: 30, faults: { skipShootdown: 'on' } });
    expect(result.failures.length).toBeGreaterThan(0);
    expect(result.failures[0]!.failure.sentences[0]).toMatch(/^I18/);
  });

  it('gives the same result when it is explored again, and stops at the bound', () => {
    const twice = [0, 1].map(() => explore('stale', { tasks: [2], maxRuns: 4 }));
    expect(twice[0]).toEqual(twice[1]);
    expect(twice[0]).toMatchObject({ runs: 4, isComplete: false });
  });
});
