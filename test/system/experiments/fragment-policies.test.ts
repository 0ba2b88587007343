/**
 * The scenario `fragment` under each policy: how many frames of 4 MiB come out of memory of which three quarters are free, and
 * what one of them costs; and that nothing is lost by moving memory that two other cores write to.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';
import { shippedImage } from '../../golden/story.ts';

interface Ended {
  readonly output: string;
  readonly huge: number;
  readonly medianCycles: number;
  readonly moved: number;
  readonly system: System;
}

function fragment(policy: string, seed: number): Ended {
  const scenario = builtInScenario('fragment', [
    { path: 'policy', value: policy },
    { path: 'root.args', value: [String(seed), '2', 'huge'] },
    { path: 'seed', value: seed },
    { path: 'machine.ram', value: '40M' },
  ]);
  const system = new System(scenarioConfig(scenario, { image: shippedImage }));
  let output = '';
  system.onConsole = (bytes) => {
    output += String.fromCharCode(...bytes);
  };
  const stop = system.run({ maxInstructions: 200_000_000 });
  expect(stop, output).toEqual({ kind: 'exit', status: 0 });
  return {
    output,
    huge: Number(/huge: I got (\d+)/.exec(output)![1]),
    medianCycles: Number(/median (\d+),/.exec(output)?.[1] ?? Number.NaN),
    moved: system.physmem!.counters.movedFrames,
    system,
  };
}

const POLICIES = ['none', 'on-demand/cheapest-block', 'on-demand/two-scanner', 'background'] as const;
type Policy = (typeof POLICIES)[number];

describe.each([1, 2])('fragmented memory, seed %i', (seed) => {
  const runs = new Map<Policy, Ended>();
  const run = (policy: Policy): Ended => runs.get(policy)!;
  beforeAll(() => {
    for (const policy of POLICIES) runs.set(policy, fragment(policy, seed));
  });

  it.each(POLICIES)('loses nothing, and breaks no rule, with the policy %s', (policy) => {
    const { output, system } = run(policy);
    expect(output).toContain('what was kept is as it was');
    expect(output).toMatch(/of \d{3,} writes, 0 are missing/);
    system.runUntilQuiescent();
    expect(checkSystem(system)).toEqual([]);
  });

  it('gives no frame of 4 MiB without a policy, and moves nothing', () => {
    expect(run('none')).toMatchObject({ huge: 0, moved: 0 });
  });

  it.each([
    ['on-demand/cheapest-block', 0.7],
    ['background', 0.7],
    // Its scanners meet in the middle of so small a memory.
    ['on-demand/two-scanner', 0.4],
  ] as const)('gives much of what there is credit for with the policy %s', (policy, share) => {
    const { huge, output, moved } = run(policy);
    const credit = Number(/credit for (\d+) frames/.exec(output)![1]);
    expect(huge).toBeGreaterThanOrEqual(share * credit);
    // A block in which a quarter is left has 256 frames.
    expect(moved).toBeGreaterThan(200 * huge);
  });

  it('moves fewer frames when the cheapest block is chosen than with two scanners', () => {
    expect(run('on-demand/cheapest-block').moved).toBeLessThan(run('on-demand/two-scanner').moved);
  });

  it('costs less in the background than on demand, because nobody waits', () => {
    expect(run('background').medianCycles).toBeLessThan(run('on-demand/cheapest-block').medianCycles);
  });
});
