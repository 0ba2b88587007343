/** What user code does on the cores: reads and writes through whatever translation its TLB or the tables have. */
import type { Cell } from '../../../src/physmem/model.ts';
import type { Arena } from './arena.ts';

const WRITE = 2;

/** A read; what it sees must be what the task may see at that page now. */
export function look(w: Arena, core: number, task: number, page: number): void {
  if (isStale(w, core, task, page)) return;
  const value = w.top.kernel.read(core, task, page);
  if (value === null) return;
  if (isDeferred(w, core, task, page)) {
    // What a deferred unmap left there shows what it showed when it was left, as long as it is there.
    const key = `${core}:${task}:${page}:${w.top.physmem.store.deferred.deadline}`;
    w.same(value, w.leftBehind.get(key) ?? value, `task ${task}, core ${core} reads page ${page}, deferred`);
    w.leftBehind.set(key, value);
    return;
  }
  const targets = w.views.at(task, page);
  if (targets.some(({ container }) => w.flux.has(container))) return;
  const cells: Cell[] = [...targets.map(({ cell }) => cell), ...w.views.coming(task, page)];
  if (cells.some((cell) => cell.value === value)) return;
  const may = cells.map((cell) => cell.value).join(' or ') || 'nothing';
  throw new Error(`I18: core ${core}, task ${task} reads ${value} at page ${page}; it may see ${may}`);
}

/** A write of a new value, where the model knows for certain which page that is. */
export function write(w: Arena, core: number, task: number, page: number): void {
  if (isStale(w, core, task, page) || w.views.coming(task, page).length > 0) return;
  const targets = w.views.at(task, page);
  const [target] = targets;
  if (targets.length > 1 || (target !== undefined && w.flux.has(target.container))) return;
  w.stamp += 1;
  const { kernel } = w.top;
  if (!kernel.write(core, task, page, w.stamp)) return;
  if (target === undefined)
    throw new Error(`I18: core ${core}, task ${task} writes page ${page}; nothing is there`);
  const mayWrite = target.writable || w.flights.aloft.some(({ what }) => what === 'copy' || what === 'map');
  w.same(mayWrite, true, `I17: core ${core}, task ${task} may write page ${page}`);
  w.journal.write(target.cell, w.flights.clock);
  target.cell.value = w.stamp;
}

/** Whether a core still holds a translation that is on the list of deferred unmaps, or in the flush of one. */
function isDeferred(w: Arena, core: number, task: number, page: number): boolean {
  const { deferred, inflight, tuning } = w.top.physmem.store;
  const cached = w.top.kernel.tlbs[core]!.get(`${task}:${page}`);
  if (tuning.deferral.mode === 'off' || cached === undefined) return false;
  if (w.top.kernel.spaces.get(task)?.pages.has(page)) return false;
  return deferred.covers(task, page, 1) || inflight.showing.length > 0;
}

/**
 * A core that has not answered in time may go on with a translation that is gone: nobody can promise otherwise
 * (physmem.md §6.5). Only then is a translation left alone that the tables do not have.
 */
function isStale(w: Arena, core: number, task: number, page: number): boolean {
  if (w.flights.late.length === 0) return false;
  const cached = w.top.kernel.tlbs[core]!.get(`${task}:${page}`);
  if (cached === undefined) return false;
  const tables = w.top.kernel.spaces.get(task);
  const large = tables?.large.get(page >>> 10);
  const now =
    tables?.pages.get(page) ?? (large && { frame: large.frame + (page & 1023), access: large.access });
  return now?.frame !== cached.frame || (cached.access & ~now.access & WRITE) !== 0;
}
