/**
 * `physmem run SCENARIO|ELF`: the guests' output as it comes, then the end report: how it ended, the scenario's checks, frames,
 * free blocks, controls, containers, counters. With --json the same facts as one object.
 */
import { endReport, endReportData, type SystemView } from '../observe/end-report.ts';
import { binarySize, plural, thousands } from '../observe/number-format.ts';
import { systemView } from '../observe/system-view.ts';
import { ansiPaint, headingLine, type TextStyle } from '../observe/text-style.ts';
import { TraceRecording } from '../observe/trace-recording.ts';
import { type CheckResult, evaluateChecks } from '../scenario/checks.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { scenarioConfig } from '../scenario-system.ts';
import type { System } from '../system.ts';
import { ConsoleWriter } from './console-writer.ts';
import { ExitCode } from './exit-code.ts';
import type { Io } from './io.ts';
import { changesOf, type OutputOptions, type ScenarioOptions } from './options.ts';
import { type Outcome, outcomeOf } from './run-end.ts';
import { openSystem, runSession, type SessionResult } from './session.ts';
import { StatusLine } from './status-line.ts';
import { findTarget } from './target.ts';
import { formatOfFile, traceText } from './trace-files.ts';

export interface RunOptions extends ScenarioOptions, OutputOptions {
  readonly trace?: string;
  readonly save?: string;
  readonly restore?: string;
}

/** Returns the exit code: of the checks when the scenario has some, else of the guest. @throws HostError */
export async function runCommand(
  name: string,
  args: readonly string[],
  options: RunOptions,
  io: Io,
): Promise<number> {
  const target = findTarget(name, args, changesOf(options), options.module ?? [], io);
  const { scenario } = target;
  const config = scenarioConfig(target.scenario, target.images);
  const system = openSystem(config, options.restore === undefined ? null : io.readFile(options.restore));
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
  const session = await runSession(system, scenario.limits, output, status, io);
  output.endLine();
  const outcome = outcomeOf(session.end);
  const checks = evaluateChecks(scenario.checks, { exitStatus: outcome.status, output: output.text() });
  const result: RunResult = { scenario, system, session, outcome, checks, output: output.text() };
  if (mode === 'json') io.out(`${JSON.stringify(jsonReport(result))}\n`);
  if (mode === 'report') io.out(closing(result, style, io));
  if (mode === 'quiet') io.err(complaints(result));
  // Before the trace: a run that is saved goes on to the end of the operation that is in flight.
  if (options.save !== undefined) saveState(system, options.save, io);
  if (recording !== null) {
    const context = {
      cores: scenario.machine.cores,
      rootName: config.root.name,
      framesAtBoot: session.framesAtBoot,
    };
    io.writeFile(options.trace!, traceText(recording, formatOfFile(options.trace!), context));
  }
  return exitCode(result);
}

interface RunResult {
  readonly scenario: Scenario;
  readonly system: System;
  readonly session: SessionResult;
  readonly outcome: Outcome;
  readonly checks: readonly CheckResult[];
  readonly output: string;
}

/** A run that did not come to its end speaks for itself; otherwise the checks do, and without checks the guest. */
function exitCode({ outcome, checks }: RunResult): number {
  if (outcome.kind === 'interrupted' || checks.length === 0) return outcome.code;
  if (checks.some((check) => check.result === 'failed')) {
    return outcome.kind === 'exit' ? ExitCode.CHECK_FAILED : outcome.code;
  }
  return ExitCode.OK;
}

function styleOf(options: OutputOptions, io: Io): TextStyle {
  const { columns, glyphs, colours } = io.terminal;
  const isColoured = colours === 'on' && options.color;
  return { columns, glyphs, paint: isColoured ? ansiPaint : (text) => text };
}

function opening(scenario: Scenario, style: TextStyle): string {
  const { cores, ramBytes } = scenario.machine;
  const machine = `${plural(cores, 'core')}, ${binarySize(ramBytes)} of RAM, seed ${scenario.seed}`;
  const faults = Object.entries(scenario.faults)
    .filter(([, state]) => state === 'on')
    .map(([fault]) => `Fault switch on: ${fault}\n`);
  const look = wrap(scenario.look, Math.min(style.columns, 80));
  return `${headingLine(`${scenario.name}: ${machine}`, style)}\n${look}\n${faults.join('')}\n`;
}

function closing(result: RunResult, style: TextStyle, io: Io): string {
  const { outcome, checks, session, system } = result;
  const counts = `${thousands(system.instructions)} instructions, ${thousands(system.cycles)} cycles`;
  const rate = system.instructions / 1e6 / Math.max(session.hostSeconds, 1e-3);
  // Host time differs from run to run: only people get it, so that piped output stays comparable.
  const host =
    io.terminal.out === 'terminal' ? `, ${session.hostSeconds.toFixed(2)} s, ${rate.toFixed(1)} MIPS` : '';
  const lines = checks.map(({ check, result: verdict, found }) =>
    verdict === 'passed'
      ? `  ${style.paint('passed', 'good')}  ${check}`
      : `  ${style.paint('FAILED', 'bad')}  ${check}: ${found}`,
  );
  const head = [headingLine('Result', style), `${outcome.sentence}, after ${counts}${host}`, ...lines, ''];
  const view = viewOf(result);
  return `\n${head.join('\n')}\n${view === null ? '' : endReport(view, style)}`;
}

/** Null when the machine stopped before physmem had begun. */
const viewOf = ({ system, session }: RunResult): SystemView | null =>
  system.physmem === null || session.framesAtBoot === null
    ? null
    : systemView(system.machine, system.kernel, system.physmem, system.trace, session.framesAtBoot);

function jsonReport(result: RunResult): Readonly<Record<string, unknown>> {
  const { scenario, system, session, outcome, checks, output } = result;
  const view = viewOf(result);
  return {
    scenario: scenario.name,
    seed: scenario.seed,
    exit: outcome,
    instructions: system.instructions,
    cycles: system.cycles,
    hostSeconds: Number(session.hostSeconds.toFixed(6)),
    checks,
    console: output,
    ...(view === null ? {} : endReportData(view)),
  };
}

/** What --quiet must not hide: an end that is none, and failed checks. */
function complaints({ outcome, checks }: RunResult): string {
  const failed = checks.filter((check) => check.result === 'failed');
  const lines = failed.map(({ check, found }) => `physmem: check failed: ${check}: ${found}\n`);
  return `${outcome.kind === 'exit' ? '' : `physmem: ${outcome.sentence}\n`}${lines.join('')}`;
}

function saveState(system: System, path: string, io: Io): void {
  if (!system.runUntilQuiescent()) {
    io.err(`physmem: ${path} was not written: the run ended in the middle of a server operation\n`);
    return;
  }
  io.writeFile(path, system.save());
}

/** Breaks text between words. */
function wrap(text: string, columns: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line.length + word.length + 1 > columns) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
