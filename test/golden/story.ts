/** The seed's story as the golden tests run it: built-in scenario, shipped programs, every event recorded. */
import { readFileSync } from 'node:fs';
import { traceToJsonLines } from '../../src/observe/trace-jsonl.ts';
import { TraceRecording } from '../../src/observe/trace-recording.ts';
import { builtInScenario } from '../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../src/scenario-system.ts';
import { System, type SystemConfig } from '../../src/system.ts';

export const shippedImage = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../guest/bin/${name}.elf`, import.meta.url)));

export const storyConfig = (): SystemConfig =>
  scenarioConfig(builtInScenario('story'), { image: shippedImage });

export interface Recorded {
  readonly system: System;
  /** Console bytes so far, as text. */
  readonly console: () => string;
  /** Events so far, as JSON lines. */
  readonly trace: () => string;
}

/** Starts to record a system: everything from now on. */
export function record(system: System): Recorded {
  const recording = new TraceRecording(system.trace);
  const bytes: number[] = [];
  system.onConsole = (more) => bytes.push(...more);
  return {
    system,
    console: () => new TextDecoder().decode(Uint8Array.from(bytes)),
    trace: () => traceToJsonLines(recording),
  };
}

/** A whole story from power-on. */
export function runStory(config: SystemConfig = storyConfig()): Recorded {
  const recorded = record(new System(config));
  recorded.system.run({ maxInstructions: 50_000_000 });
  return recorded;
}
