/** The sorted list of deadlines of one core: time-outs of threads, event waits of operations, shootdown bounds. */
import type { Core, Deadline, DeadlineKind } from './state.ts';

/** Adds a deadline behind those of the same time. */
export function addDeadline(core: Core, at: number, kind: DeadlineKind, id: number): void {
  const list = core.deadlines;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]!.at <= at) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, { at, kind, id });
}

export function removeDeadline(core: Core, at: number, kind: DeadlineKind, id: number): void {
  const list = core.deadlines;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < list.length && list[i]!.at === at; i++) {
    if (list[i]!.kind === kind && list[i]!.id === id) {
      list.splice(i, 1);
      return;
    }
  }
}

/** Takes the first deadline that is not after `now`. */
export function takeExpired(core: Core, now: number): Deadline | undefined {
  const first = core.deadlines[0];
  return first !== undefined && first.at <= now ? core.deadlines.shift() : undefined;
}
