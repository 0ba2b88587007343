/**
 * What `physmem run` says around the guests' output: an opening, pictures on the way, and the end report with result, checks
 * and views; or the same facts as one JSON object (docs/command-line.md).
 */
import { LARGE_PAGE_ORDER } from '../../emu/arch/types.ts';
import type { ZoneBlocks } from '../observe/buddyinfo.ts';
import {
  endReport,
  endReportData,
  type SystemView,
  sectionData,
  sectionText,
} from '../observe/end-report.ts';
import { binarySize, plural, thousands } from '../observe/number-format.ts';
import { zoneBlocksOf } from '../observe/physmem-view.ts';
import { systemView } from '../observe/system-view.ts';
import { headingLine, type TextStyle } from '../observe/text-style.ts';
import type { CheckResult } from '../scenario/checks.ts';
import type { Picture, Scenario } from '../scenario/scenario.ts';
import type { System } from '../system.ts';
import type { Io } from './io.ts';
import type { Outcome } from './run-end.ts';
import type { SessionResult } from './session.ts';

export interface RunResult {
  readonly scenario: Scenario;
  readonly system: System;
  readonly session: SessionResult;
  readonly outcome: Outcome;
  readonly checks: readonly CheckResult[];
  readonly pictures: readonly PictureData[];
  readonly output: string;
}

export function opening(scenario: Scenario, style: TextStyle): string {
  const { cores, ramBytes } = scenario.machine;
  const machine = `${plural(cores, 'core')}, ${binarySize(ramBytes)} of RAM, seed ${scenario.seed}`;
  const faults = Object.entries(scenario.faults)
    .filter(([, value]) => value !== 'off')
    .map(([fault, value]) => `Fault switch on: ${fault}${faultText(value)}\n`);
  const look = wrap(scenario.look, Math.min(style.columns, 80));
  return `${headingLine(`${scenario.name}: ${machine}`, style)}\n${look}\n${faults.join('')}\n`;
}

/** ` (core 1, cycles 5000)`; nothing for a switch that is merely on. */
function faultText(value: Scenario['faults'][keyof Scenario['faults']]): string {
  if (typeof value !== 'object') return value === 'on' ? '' : ` (${value})`;
  const parts = Object.entries(value).map(([key, number]) => `${key} ${number}`);
  return ` (${parts.join(', ')})`;
}

export function closing(run: RunResult, style: TextStyle, io: Io): string {
  const { outcome, checks, session, system } = run;
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
  const missed = session.missedPictures.map(
    ({ title, after, nth }) => `  no picture '${title}': ${after} did not come ${plural(nth, 'time')}`,
  );
  const result = `${outcome.sentence}, after ${counts}${host}`;
  const head = [headingLine('Result', style), result, ...lines, ...missed, ''];
  const view = viewOf(system);
  return `\n${head.join('\n')}\n${view === null ? '' : endReport(view, blocksAtBoot(session), style)}`;
}

/** Null while physmem has not begun. */
export const viewOf = ({ machine, kernel, physmem, trace }: System): SystemView | null =>
  physmem === null ? null : systemView(machine, kernel, physmem, trace);

const blocksAtBoot = ({ framesAtBoot }: SessionResult): readonly ZoneBlocks[] =>
  framesAtBoot === null ? [] : zoneBlocksOf(framesAtBoot, LARGE_PAGE_ORDER);

export type PictureData = Readonly<Record<string, unknown>>;

export function pictureText(picture: Picture, view: SystemView, system: System, style: TextStyle): string {
  const when = `after ${picture.after} ${picture.nth}, at cycle ${thousands(system.cycles)}`;
  const sections = picture.show.map((section) => sectionText(view, section, style)).join('');
  return `\n${headingLine(picture.title, style)}\n${style.paint(when, 'faint')}\n\n${sections}`;
}

export const pictureData = (picture: Picture, view: SystemView, system: System): PictureData => ({
  title: picture.title,
  after: picture.after,
  nth: picture.nth,
  instructions: system.instructions,
  cycles: system.cycles,
  ...Object.fromEntries(picture.show.map((section) => [section, sectionData(view, section)])),
});

export function jsonReport(result: RunResult): Readonly<Record<string, unknown>> {
  const { scenario, system, session, outcome, checks, pictures, output } = result;
  const view = viewOf(system);
  return {
    scenario: scenario.name,
    seed: scenario.seed,
    exit: outcome,
    instructions: system.instructions,
    cycles: system.cycles,
    hostSeconds: Number(session.hostSeconds.toFixed(6)),
    checks,
    console: output,
    pictures,
    ...(view === null ? {} : endReportData(view, blocksAtBoot(session))),
  };
}

/** A policy that was stopped: who, what it did, and the rule that it broke (src/physmem/compact/judge.ts). */
export function policyComplaint({ physmem }: System): string {
  const stopped = physmem?.store.compaction.stopped ?? null;
  if (stopped === null) return '';
  const { policy, rule, sentence, cycles } = stopped;
  return `physmem: the policy ${policy} was stopped at cycle ${thousands(cycles)}: ${sentence} (rule ${rule})\n`;
}

/** What --quiet must not hide: an end that is none, and failed checks. */
export function complaints({ outcome, checks, system }: RunResult): string {
  const failed = checks.filter((check) => check.result === 'failed');
  const lines = failed.map(({ check, found }) => `physmem: check failed: ${check}: ${found}\n`);
  const end = outcome.kind === 'exit' ? '' : `physmem: ${outcome.sentence}\n`;
  return `${end}${lines.join('')}${policyComplaint(system)}`;
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
