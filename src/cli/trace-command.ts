/** `physmem trace SCENARIO`: records the events of a run and writes them, for people, programs or Perfetto's page. */

import { EVENT_GROUPS, kindsOf } from '../observe/event-table.ts';
import { plural } from '../observe/number-format.ts';
import { TraceRecording } from '../observe/trace-recording.ts';
import { HostError, quoted } from '../scenario/host-error.ts';
import { suggestion } from '../scenario/nearest-word.ts';
import { ConsoleWriter } from './console-writer.ts';
import type { Io } from './io.ts';
import { changesOf, type ScenarioOptions } from './options.ts';
import { configOf } from './policy-file.ts';
import { outcomeOf } from './run-end.ts';
import { readSchedule, withSchedule } from './schedule-option.ts';
import { openSystem, runSession } from './session.ts';
import { StatusLine } from './status-line.ts';
import { findTarget } from './target.ts';
import { type TraceFormat, traceText } from './trace-files.ts';

export interface TraceOptions extends ScenarioOptions {
  readonly out?: string;
  readonly format: TraceFormat;
  readonly filter?: string;
  readonly schedule?: string;
}

/** Returns the exit code of the run. The guests' output is not shown. @throws HostError */
export async function traceCommand(
  name: string,
  args: readonly string[],
  options: TraceOptions,
  io: Io,
): Promise<number> {
  const kinds = options.filter === undefined ? null : filterKinds(options.filter);
  const schedule = readSchedule(options.schedule, name, io);
  const changes = [...schedule.changes, ...changesOf(options)];
  const target = findTarget(name, args, changes, options.module ?? [], io);
  const config = withSchedule(await configOf(target, io), target.scenario, schedule);
  const system = openSystem(config, null);
  const recording = new TraceRecording(system.trace, kinds);
  const output = new ConsoleWriter(io, { show: 'kept', sources: [] });
  const status = new StatusLine(io, 'on');
  const session = { limits: target.scenario.limits, output, status };
  const { end, framesAtBoot } = await runSession(system, session, io);
  const outcome = outcomeOf(end);
  const context = { cores: system.machine.cores.length, rootName: config.root.name, framesAtBoot };
  const text = traceText(recording, options.format, context);
  if (options.out === undefined) io.out(text);
  else {
    io.writeFile(options.out, text);
    io.err(`${options.out}: ${plural(recording.length, 'event')}; ${outcome.sentence}\n`);
  }
  return outcome.code;
}

function filterKinds(filter: string): ReadonlySet<number> {
  const words = filter.split(',').map((word) => word.trim());
  const { kinds, unknown } = kindsOf(words);
  const [first] = unknown;
  if (first !== undefined) {
    throw new HostError(`--filter cannot be ${quoted(first)}${suggestion(first, EVENT_GROUPS)}`);
  }
  return kinds;
}
