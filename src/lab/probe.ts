/**
 * The whole system in a page, without any view: runs the story and gives back what it printed and traced. The browser
 * test holds it against the golden files, so that "same seed, same trace" covers the browser too.
 */

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
}

export function runStory(): ProbeResult {
  const system = new System(scenarioConfig(builtInScenario('story'), embeddedImages));
  const recording = new TraceRecording(system.trace);
  const bytes: number[] = [];
  system.onConsole = (more) => bytes.push(...more);
  const stop = system.run({ maxInstructions: 50_000_000 });
  return {
    console: new TextDecoder().decode(Uint8Array.from(bytes)),
    trace: traceToJsonLines(recording),
    status: stop.kind === 'exit' ? stop.status : -1,
  };
}

declare global {
  interface Window {
    physmemProbe: typeof runStory;
  }
}
window.physmemProbe = runStory;
