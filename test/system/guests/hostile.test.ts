/**
 * Hostile guests (physmem.md I35; adversarial cases F16, F17, F20 to F22, F25): a million random messages from two cores,
 * copies against copies, with the whole-state checker in between; and the shipped scenarios about trust, looked at often.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';

const MESSAGES = 1_000_000;
const COPIES = 50_000;
const INSTRUCTIONS_MAX = 3_000_000_000;

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));

/** Runs a scenario to its end and checks the whole state every `stride` instructions. */
function watch(name: string, stride: number, args?: readonly string[]) {
  const changes = args === undefined ? [] : [{ path: 'root.args', value: args }];
  // The checker looks at all free memory when it carries a pattern.
  const scenario = builtInScenario(name, [...changes, { path: 'poison', value: 'off' }]);
  const system = new System(scenarioConfig(scenario, { image }));
  const bytes: number[] = [];
  system.onConsole = (more) => bytes.push(...more);
  let checks = 0;
  for (let run = 0; run < INSTRUCTIONS_MAX; run += stride) {
    const stop = system.run({ maxInstructions: stride });
    const broken = checkSystem(system);
    if (broken.length > 0) throw new Error(`after ${run} instructions: ${broken.slice(0, 5).join('; ')}`);
    checks += 1;
    if (stop.kind !== 'budget') break;
  }
  const stop = system.machine.stopReason;
  return {
    output: new TextDecoder().decode(Uint8Array.from(bytes)),
    status: stop !== null && 'status' in stop ? stop.status : undefined,
    requests: system.kernel.counters.rpcs,
    checks,
  };
}

describe('hostile guests', () => {
  it('send a million random messages from two cores, and the server stays sound and answers', () => {
    const { output, status, requests, checks } = watch('hostile', 4_000_000, [`${MESSAGES}`, `${COPIES}`]);
    expect(output).toContain(`${MESSAGES} random messages from two cores: done.`);
    expect(output).toContain(`${COPIES} copies A to B against B to A: done.`);
    expect(output.match(/The server answers, the credit is what it was/g)).toHaveLength(2);
    expect(status).toBe(0);
    expect(requests).toBeGreaterThan(MESSAGES);
    expect(checks).toBeGreaterThan(100);
  }, 240_000);

  it.each([
    ['files', 10_000],
    ['weaken', 3_000],
    ['fork', 5_000],
    ['cow', 1_000],
    ['forge', 50_000],
    ['hostile', 100_000],
  ])(
    'leave kernel, server, page tables and TLBs sound at every look: %s',
    (name, stride) => {
      const { status, checks } = watch(name, stride);
      expect(status).toBe(0);
      expect(checks).toBeGreaterThan(40);
    },
    60_000,
  );
});
