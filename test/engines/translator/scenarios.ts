/** Runs of shipped scenarios on an engine, reduced to what two engines must have in common. */
import { createHash } from 'node:crypto';
import { R } from '../../../emu/arch/core-layout.ts';
import { Interpreter, Translator } from '../../../emu/cpu/index.ts';
import type { MachineConfig } from '../../../emu/machine-config.ts';
import { encode } from '../../../emu/plain-data-codec.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';
import { shippedImage } from '../../golden/story.ts';

export interface ScenarioRun {
  readonly stop: string;
  readonly instructions: number;
  readonly events: number;
  /** SHA-256 over all events in order, and of the state at the end. */
  readonly trace: string;
  readonly state: string;
}

type MakeEngine = NonNullable<MachineConfig['engine']>;
export const interpreter: MakeEngine = (context) => new Interpreter(context);
/** Translates early, so that short guests are translated too. */
export const translator: MakeEngine = (context) => new Translator(context, { threshold: 50, leastBudget: 1 });

/** @param looseFlags bits of EFLAGS that the two engines may leave different (undefined after some instructions) */
export function runScenario(
  scenario: string,
  engine: MakeEngine,
  quantumInstructions: number,
  maxInstructions: number,
  looseFlags = 0,
): ScenarioRun {
  const config = scenarioConfig(builtInScenario(scenario), { image: shippedImage });
  const system = new System({ ...config, engine, quantumInstructions });
  const hash = createHash('sha256');
  const { sink } = system.machine.events;
  let events = 0;
  const words = new Float64Array(7);
  system.machine.events.sink = {
    emit: (...args) => {
      words.set(args);
      hash.update(words);
      events++;
      sink!.emit(...args);
    },
  };
  const stop = system.run({ maxInstructions });
  for (const { r } of system.machine.cores) r[R.EFLAGS]! &= ~looseFlags;
  const state = createHash('sha256').update(encode(system.machine.save())).digest('hex');
  return {
    stop: JSON.stringify(stop),
    instructions: system.instructions,
    events,
    trace: hash.digest('hex'),
    state,
  };
}
