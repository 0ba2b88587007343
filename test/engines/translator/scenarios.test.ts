/**
 * Shipped scenarios on both engines: the same events in the same order with the same times, and the same machine at the
 * end, whatever the quantum. Each run is cut to keep the test short.
 */
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
