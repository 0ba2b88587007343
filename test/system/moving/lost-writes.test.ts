/**
 * Three cores count in shared pages while the server moves these pages about, thousands of times, on a fourth core
 * (physmem.md §7.1, I20, I31): no write is lost, under several interleavings; without the shootdown some are.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KernelEv } from '../../../src/abi/events.ts';
import type { Operation } from '../../../src/abi/server.ts';
import { evacuate } from '../../../src/physmem/compact/evacuate.ts';
import { countRegion } from '../../../src/physmem/compact/view.ts';
import type { Store } from '../../../src/physmem/store.ts';
import { checkScenario } from '../../../src/scenario/scenario.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));

interface Storm {
  readonly seed: number;
  readonly rounds: number;
  /** Instructions of a core's turn: how fine the interleaving is. */
  readonly quantum: number;
  readonly faults?: object;
}

/** Moves whatever can move, at random, until the guest has said its last word. */
function* storm(store: Store, seed: number, isOver: () => boolean): Operation<void> {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
  while (!isOver()) {
    const order = random(5);
    const frame = random(store.base.count) & -(1 << order);
    const { movable, pinned, fixed } = countRegion(store, frame, order);
    if (movable > 0 && pinned + fixed === 0) {
      yield* evacuate(store, { frame, order, into: [], where: random(2) === 0 ? 'zone' : 'above' });
    }
    yield { kind: 'pause' };
  }
}

function run({ seed, rounds, quantum, faults = {} }: Storm): { system: System; output: string } {
  const scenario = checkScenario(
    {
      name: 'storm',
      title: 'Moves under writes',
      look: 'Nothing is lost.',
      machine: { cores: 4, ram: '4M', quantum },
      seed,
      root: { image: 'hammer', args: [String(rounds)] },
      faults,
    },
    'storm',
  );
  const system = new System(scenarioConfig(scenario, { image }));
  let output = '';
  system.onConsole = (bytes) => {
    output += new TextDecoder().decode(bytes);
  };
  const isOver = (): boolean => output.includes('lost');
  system.run({ maxInstructions: 60_000_000, until: () => output.includes('hammer: ') });
  const { store } = system.physmem!;
  store.port.spawn(storm(store, seed, isOver));
  system.run({ maxInstructions: 60_000_000 });
  return { system, output };
}

describe('counting guests on three cores, while their pages move', () => {
  it.each([
    { seed: 1, rounds: 250, quantum: 1000 },
    { seed: 2, rounds: 250, quantum: 137 },
    { seed: 3, rounds: 250, quantum: 29 },
  ])('lose no write with seed $seed and turns of $quantum instructions', (storm) => {
    const { system, output } = run(storm);
    expect(output).toMatch(/hammer: 0 of \d+ writes are lost/);
    const { moves, moveShootdowns } = system.physmem!.counters;
    expect(moves).toBeGreaterThan(1000);
    expect(moveShootdowns).toBeGreaterThan(100);
    expect(system.kernel.counters.shootdownIpis).toBeGreaterThan(100);
    expect(checkSystem(system)).toEqual([]);
  });

  it('come to grief when the shootdown is left out', () => {
    const { system, output } = run({ seed: 1, rounds: 400, quantum: 137, faults: { skipShootdown: 'on' } });
    expect(output).toMatch(/hammer: 3 threads/);
    expect(output).not.toMatch(/hammer: 0 of \d+ writes are lost/);
    expect(system.trace.count(KernelEv.FaultInjected)).toBeGreaterThan(0);
  });
});
