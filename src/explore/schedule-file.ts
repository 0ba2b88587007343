/**
 * A schedule as a text file, so that it can be kept, read and replayed (`physmem run --schedule FILE`):
 *
 *   physmem schedule 1
 *   scenario stale
 *   set faults.dontWaitForAcks=on
 *   hold core 0 at 1234 for 20000
 *
 * `set` lines are the changes under which it was found; without them the decisions would have other numbers.
 */
import { HostError, quoted } from '../scenario/host-error.ts';
import type { Change } from '../scenario/scenario.ts';
import type { Hold } from './planned-schedule.ts';

export interface ScheduleFile {
  readonly scenario: string;
  readonly changes: readonly Change[];
  readonly holds: readonly Hold[];
}

const HEAD = 'physmem schedule 1';
const HOLD = /^hold core (\d+) at (\d+) for (\d+)$/;
const MAX_HOLDS = 1000;

export function formatSchedule({ scenario, changes, holds }: ScheduleFile): string {
  const lines = [HEAD, `scenario ${scenario}`];
  for (const { path, value } of changes) {
    lines.push(`set ${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  }
  for (const { core, at, cycles } of holds) lines.push(`hold core ${core} at ${at} for ${cycles}`);
  return `${lines.join('\n')}\n`;
}

/**
 * Reads a schedule; `file` is what the sentence calls it. Empty lines and lines that begin with # count for nothing.
 * @throws HostError with the line that is wrong
 */
export function parseSchedule(text: string, file: string): ScheduleFile {
  let scenario: string | null = null;
  let hasHead = false;
  const changes: Change[] = [];
  const holds: Hold[] = [];
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    const refuse = (what: string): never => {
      throw new HostError(`${file}: line ${index + 1}: ${what}`);
    };
    if (!hasHead) {
      if (line !== HEAD) refuse(`a schedule begins with '${HEAD}', not with ${quoted(line)}`);
      hasHead = true;
    } else if (line.startsWith('scenario ')) {
      scenario = line.slice('scenario '.length).trim();
    } else if (line.startsWith('set ')) {
      changes.push(readChange(line.slice('set '.length)) ?? refuse('set must be followed by KEY=VALUE'));
    } else {
      if (holds.length >= MAX_HOLDS) refuse(`there are more than ${MAX_HOLDS} holds`);
      holds.push(
        readHold(line) ?? refuse(`a line must be 'hold core C at N for CYCLES', not ${quoted(line)}`),
      );
    }
  });
  if (!hasHead) throw new HostError(`${file}: a schedule begins with '${HEAD}', and the file is empty`);
  if (scenario === null) throw new HostError(`${file}: the line 'scenario NAME' is missing`);
  return { scenario, changes, holds };
}

function readHold(line: string): Hold | null {
  const match = HOLD.exec(line);
  if (match === null) return null;
  const [core, at, cycles] = match.slice(1).map(Number) as [number, number, number];
  return [core, at, cycles].every(Number.isSafeInteger) ? { core, at, cycles } : null;
}

/** Lists are JSON, everything else is text as on the command line. */
function readChange(text: string): Change | null {
  const at = text.indexOf('=');
  if (at <= 0) return null;
  const value = text.slice(at + 1);
  try {
    return { path: text.slice(0, at), value: value.startsWith('[') ? (JSON.parse(value) as unknown) : value };
  } catch {
    return null;
  }
}
