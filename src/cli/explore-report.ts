/** What an exploration found, in words: how much was tried, what broke, how to see it again. */
import type { DeathResult } from '../explore/explore-deaths.ts';
import type { ExploreResult } from '../explore/explore-schedules.ts';
import { plural, thousands } from '../observe/number-format.ts';

const DEATHS_SHOWN = 10;

/** `text` is the failing schedule as a file, `path` where it was written. */
export function schedulesText(
  name: string,
  result: ExploreResult,
  text: string | null,
  path: string | undefined,
): string {
  const { space, exhaustive, random, failure, runs } = result;
  const turns = space.last - space.first + 1;
  const lines = [
    `${name}: ${plural(turns, 'turn')} of a core, ${plural(space.points.length, 'point')} for holds`,
  ];
  for (const { depth, tried, size } of exhaustive) {
    const whole = tried === size ? 'all' : `${thousands(tried)} of ${thousands(size)}`;
    lines.push(`  schedules of ${plural(depth, 'hold')} at the points: ${whole} tried`);
  }
  if (random > 0) lines.push(`  random schedules: ${thousands(random)} tried`);
  if (failure === null) {
    return `${[...lines, `nothing broke in ${plural(runs, 'run')}`].join('\n')}\n`;
  }
  const { holds, failure: what } = failure;
  lines.push(`FAILED, ${what.kind}: ${what.sentences.join('\n  ')}`);
  lines.push(
    holds.length === 0
      ? `it breaks without any hold (${plural(runs, 'run')})`
      : `the shortest schedule found in ${plural(runs, 'run')} has ${plural(holds.length, 'hold')}`,
  );
  if (path === undefined) lines.push('', ...(text ?? '').trimEnd().split('\n'));
  else lines.push(`replay: physmem run ${name} --schedule ${path}`);
  return `${lines.join('\n')}\n`;
}

export function deathsText(name: string, result: DeathResult): string {
  const lines = result.lifetimes.map(
    ({ task, first, last }) => `${name}: task ${task} lives from entry ${first} of the kernel to ${last}`,
  );
  lines.push(
    `${plural(result.deaths, 'death')} in ${plural(result.runs, 'run')}${result.isComplete ? '' : ', not all of them'}`,
  );
  for (const { task, step, failure } of result.failures.slice(0, DEATHS_SHOWN)) {
    lines.push(`FAILED, task ${task} at entry ${step}, ${failure.kind}: ${failure.sentences[0]}`);
    lines.push(`  replay: --set faults.killTaskAt.task=${task} --set faults.killTaskAt.step=${step}`);
  }
  const more = result.failures.length - DEATHS_SHOWN;
  if (more > 0) lines.push(`and ${plural(more, 'failure')} more`);
  if (result.failures.length === 0) lines.push('nothing broke');
  return `${lines.join('\n')}\n`;
}
