/** Shipped scenarios with a disk driver, run under the whole-state checker and the watch of devices. */
import { readFileSync } from 'node:fs';
import { TrialBench, type TrialEnd } from '../../../src/explore/trial.ts';
import type { TraceEvent } from '../../../src/observe/trace.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import type { System, SystemConfig } from '../../../src/system.ts';

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export type Changes = Readonly<Record<string, unknown>>;

export interface Trial extends TrialEnd {
  readonly system: System;
  readonly events: readonly TraceEvent[];
}

/** The pattern in free memory is off: the checker would look at all of it each time. */
export function configOf(name: string, changes: Changes = {}): SystemConfig {
  const all = { poison: 'off', 'machine.ram': '20M', ...changes };
  const scenario = builtInScenario(
    name,
    Object.entries(all).map(([path, value]) => ({ path, value })),
  );
  return scenarioConfig(scenario, { image });
}

/** A bench for many trials. */
export const benchOf = (name: string, changes: Changes = {}): TrialBench =>
  new TrialBench(configOf(name, changes), decode);

/** One run from the hand-over; `kinds` are the events that are kept. */
export function trial(name: string, changes: Changes = {}, kinds: readonly number[] = []): Trial {
  const bench = benchOf(name, changes);
  const { checks } = builtInScenario(name);
  const events: TraceEvent[] = [];
  const end = bench.run({ judge: 'both', checks, maxInstructions: 100_000_000, atLimit: 'fail' }, (system) =>
    system.trace.listen((event) => {
      if (kinds.includes(event.kind)) events.push({ ...event });
    }),
  );
  return { ...end, system: bench.system, events };
}

/** Lines of the guests that end with `yes` or `NO`, without that. */
export const answers = (output: string, word: 'yes' | 'NO'): string[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('client: ') && line.endsWith(`: ${word}`))
    .map((line) => line.slice('client: '.length, -`: ${word}`.length));
