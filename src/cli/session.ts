/**
 * One run of a scenario, as `run` and `trace` share it: the system is built, booted up to the hand-over (where the first
 * picture of physical memory is taken), and run in slices to its end.
 */
import type { FrameMapInput } from '../observe/frame-map.ts';
import { framesOf } from '../observe/physmem-view.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type StopReason, System, type SystemConfig } from '../system.ts';
import type { ConsoleWriter } from './console-writer.ts';
import type { Io } from './io.ts';
import { type RunEnd, runSliced } from './sliced-run.ts';
import type { StatusLine } from './status-line.ts';

export interface SessionResult {
  readonly end: RunEnd<StopReason>;
  /** Physical memory when physmem had taken it over, before the first guest instruction; null when it never did. */
  readonly framesAtBoot: FrameMapInput | null;
  readonly hostSeconds: number;
}

/** Runs `system` to its end; console output goes to `output` between slices. */
export async function runSession(
  system: System,
  limits: Scenario['limits'],
  output: ConsoleWriter,
  status: StatusLine,
  io: Io,
): Promise<SessionResult> {
  system.onConsole = (bytes, source) => output.write(bytes, source);
  const started = io.hostSeconds();
  const booting = system.run({
    until: () => system.physmem !== null,
    ...(limits.maxInstructions === null ? {} : { maxInstructions: limits.maxInstructions }),
    ...(limits.maxCycles === null ? {} : { maxCycles: limits.maxCycles }),
  });
  const framesAtBoot = system.physmem === null ? null : framesOf(system.physmem);
  const end: RunEnd<StopReason> =
    booting.kind === 'budget'
      ? await runSliced(system, limits, io, () => {
          output.flush();
          if (output.atLineStart) status.update(system.instructions, system.cycles);
        })
      : { kind: 'stop', stop: booting };
  status.clear();
  output.flush();
  return { end, framesAtBoot, hostSeconds: io.hostSeconds() - started };
}

/** A new system, or one at the moment of a saved state. @throws HostError */
export const openSystem = (config: SystemConfig, saved: Uint8Array | null): System =>
  saved === null ? new System(config) : System.restore(config, saved);
