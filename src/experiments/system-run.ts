/**
 * A shipped scenario on the whole machine, run to its end for its counters. What the guests print is kept for those
 * experiments whose guests take the time themselves.
 */
import { KernelEv } from '../abi/events.ts';
import type { KernelCounters } from '../kernel/counters.ts';
import { namedPolicy } from '../physmem/compact/named.ts';
import type { Counters } from '../physmem/counters.ts';
import { builtInScenario } from '../scenario/built-in.ts';
import type { Change } from '../scenario/scenario.ts';
import { scenarioConfig } from '../scenario-system.ts';
import { System, type SystemConfig } from '../system.ts';
import type { Trial } from './experiment.ts';
import { policyNamed } from './policies.ts';

/** No experiment comes near it; one that does has hung. */
const MAX_INSTRUCTIONS = 400_000_000;

export interface SystemRunOptions {
  readonly scenario: string;
  readonly changes?: readonly Change[];
  /** Short name of a policy; none by default. */
  readonly policy?: string;
  readonly batch?: number;
  readonly config?: Partial<SystemConfig>;
}

/** A shootdown that other cores had to answer. */
export interface Shootdown {
  readonly cycles: number;
  readonly ipis: number;
}

export interface SystemRun {
  readonly kernel: Readonly<KernelCounters>;
  readonly physmem: Readonly<Counters>;
  readonly shootdowns: readonly Shootdown[];
  readonly output: string;
  readonly system: System;
}

/** @throws Error when the scenario does not end with status 0: its figures would mean nothing */
export function runSystem(trial: Trial, options: SystemRunOptions): SystemRun {
  const { scenario: name, changes = [], policy = 'none', batch } = options;
  const scenario = builtInScenario(name, [...changes, { path: 'seed', value: trial.seed }]);
  const spec = policyNamed(policy, batch === undefined ? {} : { batch });
  const config = {
    ...scenarioConfig(scenario, trial.images, undefined, namedPolicy(spec)),
    costs: trial.costs,
    ...options.config,
  };
  const system = new System(config);
  const shootdowns: Shootdown[] = [];
  const bytes: number[] = [];
  system.onConsole = (more) => bytes.push(...more);
  system.trace.listen(({ kind, b, c }) => {
    if (kind === KernelEv.ShootdownDone && c > 0) shootdowns.push({ cycles: b, ipis: c });
  });
  const stop = system.run({ maxInstructions: MAX_INSTRUCTIONS });
  const output = String.fromCharCode(...bytes);
  if (stop.kind !== 'exit' || stop.status !== 0) {
    throw new Error(`${name}, seed ${trial.seed}: ended with ${JSON.stringify(stop)}\n${output}`);
  }
  const { stopped } = system.physmem!.store.compaction;
  if (stopped !== null) throw new Error(`the policy ${stopped.policy} was stopped: ${stopped.sentence}`);
  return {
    kernel: { ...system.kernel.counters },
    physmem: { ...system.physmem!.counters },
    shootdowns,
    output,
    system,
  };
}
