/**
 * `physmem run SCENARIO|ELF`: the guests' output as it comes, pictures on the way, the end report. With --json all of it as one
 * object, with --quiet only the guests' own output.
 */
import { TraceRecording } from '../observe/trace-recording.ts';
import { evaluateChecks } from '../scenario/checks.ts';
import { HostError } from '../scenario/host-error.ts';
import type { Picture } from '../scenario/scenario.ts';
import type { System } from '../system.ts';
import { ConsoleWriter } from './console-writer.ts';
import { ExitCode } from './exit-code.ts';
import type { Io } from './io.ts';
import { changesOf, type OutputOptions, type ScenarioOptions } from './options.ts';
import { configOf } from './policy-file.ts';
import { outcomeOf } from './run-end.ts';
import {
  closing,
  complaints,
  jsonReport,
  opening,
  type PictureData,
  pictureData,
  pictureText,
  policyComplaint,
  type RunResult,
  viewOf,
} from './run-report.ts';
import { readSchedule, withSchedule } from './schedule-option.ts';
import { openSystem, runSession } from './session.ts';
import { StatusLine } from './status-line.ts';
import { styleOf } from './style-of.ts';
import { findTarget } from './target.ts';
import { formatOfFile, traceText } from './trace-files.ts';

export interface RunOptions extends ScenarioOptions, OutputOptions {
  readonly trace?: string;
  readonly save?: string;
  readonly restore?: string;
  readonly schedule?: string;
}

const NO_CHECKS = { exit: null, output: [] };

/** Returns the exit code: of the checks when the scenario has some, else of the guest. @throws HostError */
export async function runCommand(
  name: string,
  args: readonly string[],
  options: RunOptions,
  io: Io,
): Promise<number> {
  if (options.schedule !== undefined && (options.save ?? options.restore) !== undefined) {
    throw new HostError(
      '--schedule goes with neither --save nor --restore: a saved state has its own interleaving',
    );
  }
  const schedule = readSchedule(options.schedule, name, io);
  const changes = [...schedule.changes, ...changesOf(options)];
  const target = findTarget(name, args, changes, options.module ?? [], io);
  const { scenario } = target;
  const config = withSchedule(await configOf(target, io), scenario, schedule);
  const system = openSystem(config, savedState(options.restore, io));
  const recording = options.trace === undefined ? null : new TraceRecording(system.trace);
  const style = styleOf(options, io);
  const mode = options.json ? 'json' : options.quiet ? 'quiet' : 'report';
  const status = new StatusLine(io, mode === 'report' ? 'on' : 'off');
  const output = new ConsoleWriter(io, {
    show: mode === 'json' ? 'kept' : 'live',
    sources: mode === 'quiet' ? ['guest'] : ['serial', 'debug', 'guest'],
    beforeWrite: () => status.clear(),
  });
  if (mode === 'report') io.out(opening(scenario, style));
  const pictures: PictureData[] = [];
  const onPicture = (picture: Picture): void => {
    const view = viewOf(system);
    if (view === null) return;
    pictures.push(pictureData(picture, view, system));
    if (mode !== 'report') return;
    output.endLine();
    status.clear();
    io.out(pictureText(picture, view, system, style));
  };
  const { limits } = scenario;
  const session = await runSession(
    system,
    { limits, output, status, pictures: scenario.pictures, onPicture },
    io,
  );
  output.endLine();
  const outcome = outcomeOf(session.end);
  // A run that a person ended has not failed anything.
  const asked = outcome.kind === 'interrupted' ? NO_CHECKS : scenario.checks;
  const checks = evaluateChecks(asked, { exitStatus: outcome.status, output: output.text() });
  const result: RunResult = { scenario, system, session, outcome, checks, pictures, output: output.text() };
  if (mode === 'json') io.out(`${JSON.stringify(jsonReport(result))}\n`);
  if (mode === 'report') io.out(closing(result, style, io));
  if (mode === 'quiet') io.err(complaints(result));
  else io.err(policyComplaint(system));
  writeFiles(result, recording, options, io);
  return exitCode(result);
}

/** State before trace: a run that is saved goes on to the end of the operation that is in flight. */
function writeFiles(result: RunResult, recording: TraceRecording | null, options: RunOptions, io: Io): void {
  const { scenario, system, session } = result;
  if (options.save !== undefined) saveState(system, options.save, io);
  if (recording === null || options.trace === undefined) return;
  const context = {
    cores: scenario.machine.cores,
    rootName: scenario.root.image,
    framesAtBoot: session.framesAtBoot,
  };
  io.writeFile(options.trace, traceText(recording, formatOfFile(options.trace), context));
}

/** A run that did not come to its end speaks for itself; otherwise the checks do, and without checks the guest. */
function exitCode({ outcome, checks }: RunResult): number {
  if (checks.length === 0) return outcome.code;
  if (checks.some((check) => check.result === 'failed')) {
    return outcome.kind === 'exit' ? ExitCode.CHECK_FAILED : outcome.code;
  }
  return ExitCode.OK;
}

const savedState = (path: string | undefined, io: Io): { path: string; bytes: Uint8Array } | null =>
  path === undefined ? null : { path, bytes: io.readFile(path) };

function saveState(system: System, path: string, io: Io): void {
  if (!system.runUntilQuiescent()) {
    io.err(`physmem: ${path} was not written: the run ended in the middle of a server operation\n`);
    return;
  }
  io.writeFile(path, system.save());
}
