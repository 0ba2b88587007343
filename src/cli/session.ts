/**
 * One run of a scenario, as `run` and `trace` share it: the system is built, booted up to the hand-over (where the first
 * picture of physical memory is taken), and run in slices to its end.
 */
import { EventWatch } from '../observe/event-watch.ts';
import type { FrameMapInput } from '../observe/frame-map.ts';
import { framesOf } from '../observe/physmem-view.ts';
import { HostError } from '../scenario/host-error.ts';
import type { Picture, Scenario } from '../scenario/scenario.ts';
import { type StopReason, System, type SystemConfig } from '../system.ts';
import type { ConsoleWriter } from './console-writer.ts';
import type { Io } from './io.ts';
import { type RunEnd, runSliced } from './sliced-run.ts';
import type { StatusLine } from './status-line.ts';

export interface SessionResult {
  readonly end: RunEnd<StopReason>;
  /** Physical memory when physmem had taken it over, before the first guest instruction; null when it never did. */
  readonly framesAtBoot: FrameMapInput | null;
  /** Pictures whose event did not come. */
  readonly missedPictures: readonly Picture[];
  readonly hostSeconds: number;
}

export interface SessionOptions {
  readonly limits: Scenario['limits'];
  readonly output: ConsoleWriter;
  readonly status: StatusLine;
  /** Pictures to take on the way, and what is done with each. */
  readonly pictures?: readonly Picture[];
  readonly onPicture?: (picture: Picture) => void;
}

/** Runs `system` to its end; console output and pictures come between slices. */
export async function runSession(system: System, options: SessionOptions, io: Io): Promise<SessionResult> {
  const { limits, output, status, pictures = [], onPicture } = options;
  system.onConsole = (bytes, source) => output.write(bytes, source);
  const started = io.hostSeconds();
  const booting = system.run({
    until: () => system.physmem !== null,
    ...(limits.maxInstructions === null ? {} : { maxInstructions: limits.maxInstructions }),
    ...(limits.maxCycles === null ? {} : { maxCycles: limits.maxCycles }),
  });
  const framesAtBoot = system.physmem === null ? null : framesOf(system.physmem);
  const watch = new EventWatch(system.trace, pictures);
  const afterSlice = (): void => {
    output.flush();
    for (const picture of watch.take()) onPicture?.(picture);
    if (output.atLineStart) status.update(system.instructions, system.cycles);
  };
  const end: RunEnd<StopReason> =
    booting.kind === 'budget'
      ? await runSliced(system, limits, io, { afterSlice, until: () => watch.isDue })
      : { kind: 'stop', stop: booting };
  watch.stop();
  status.clear();
  output.flush();
  return { end, framesAtBoot, missedPictures: watch.missing, hostSeconds: io.hostSeconds() - started };
}

/**
 * A new system, or one at the moment of a saved state.
 * @throws HostError when the configuration is impossible, or `saved` is not of such a system
 */
export function openSystem(config: SystemConfig, saved: { path: string; bytes: Uint8Array } | null): System {
  try {
    return saved === null ? new System(config) : System.restore(config, saved.bytes);
  } catch (error) {
    if (saved === null || !(error instanceof HostError)) throw error;
    throw new HostError(`${saved.path}: ${error.message}`);
  }
}
