/**
 * Shipped scenarios on both engines: the same events in the same order with the same times, and the same machine at the
 * end, whatever the quantum. Each run is cut to keep the test short.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interpreter, runScenario, translator } from './scenarios.ts';

const SCENARIOS = ['hello', 'story', 'stale', 'cow', 'forge', 'selftest', 'faults', 'spin', 'pingpong'];
const MAX_INSTRUCTIONS = 300_000;

describe.each(SCENARIOS)('the scenario %s', (name) => {
  it.each([1, 7, 1000, 1_000_000])('leaves the same trace and state with a quantum of %i', (quantum) => {
    const expected = runScenario(name, interpreter, quantum, MAX_INSTRUCTIONS);
    expect(runScenario(name, translator, quantum, MAX_INSTRUCTIONS)).toEqual(expected);
    expect(expected.events).toBeGreaterThan(50);
  });
});

/** All the others, with one quantum. */
const OTHERS = readdirSync(new URL('../../../scenarios/', import.meta.url))
  .map((file) => file.replace('.json', ''))
  .filter((name) => !SCENARIOS.includes(name));

it.each(OTHERS)('the scenario %s leaves the same trace and state', (name) => {
  const expected = runScenario(name, interpreter, 300, MAX_INSTRUCTIONS / 2);
  expect(runScenario(name, translator, 300, MAX_INSTRUCTIONS / 2)).toEqual(expected);
  expect(expected.events).toBeGreaterThan(50);
});
