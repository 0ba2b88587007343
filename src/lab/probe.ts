/**
 * The whole system in a page, without any view: runs the story and gives back what it printed and traced. The browser
 * test holds it against the golden files, so that "same seed, same trace" covers the browser too.
 */

import { DEFAULT_ENGINE, type OwnEngineName } from '../../emu/arch/engine.ts';
import { Translator } from '../../emu/cpu/index.ts';
import { engineNamed } from '../../emu/engine-choice.ts';
import { traceToJsonLines } from '../observe/trace-jsonl.ts';
import { TraceRecording } from '../observe/trace-recording.ts';
import { builtInScenario } from '../scenario/built-in.ts';
import { scenarioConfig } from '../scenario-system.ts';
import { System } from '../system.ts';
import { embeddedImages } from './embedded-images.ts';

export interface ProbeResult {
  readonly console: string;
  readonly trace: string;
  readonly status: number;
  /** Instructions that ran as WebAssembly. */
  readonly translated: number;
}

export function runStory(engine: OwnEngineName = DEFAULT_ENGINE): ProbeResult {
  const config = scenarioConfig(builtInScenario('story'), embeddedImages);
  const system = new System({ ...config, engine: engineNamed(engine) });
  const recording = new TraceRecording(system.trace);
  const bytes: number[] = [];
  system.onConsole = (more) => bytes.push(...more);
  const stop = system.run({ maxInstructions: 50_000_000 });
  const made = system.machine.engine;
  return {
    console: new TextDecoder().decode(Uint8Array.from(bytes)),
    trace: traceToJsonLines(recording),
    status: stop.kind === 'exit' ? stop.status : -1,
    translated: made instanceof Translator ? made.translatedInstructions : 0,
  };
}

declare global {
  interface Window {
    physmemProbe: typeof runStory;
  }
}
window.physmemProbe = runStory;
