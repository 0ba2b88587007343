/**
 * What is left of a large page (physmem.md §4): when a part of it goes, the 4 MiB translation is taken away and shot down as
 * a whole, because no core may ever hold a large and a small translation of one address (I21). Then the rest, which keeps
 * its contents, names and place, is mapped again by a page table: one step for 1,024 pages instead of a fault for each that
 * is touched (docs/adr/0013). This is a favour, not a promise: a map may vanish at any time. It is left out when something
 * has changed meanwhile, or when there is no frame or no credit for the table.
 */
import { PhysmemEv } from '../abi/events.ts';
import { ContainerRight } from '../abi/rights.ts';
import { type Actor, admission } from './actor.ts';
import { FrameState } from './base-frames.ts';
import { needsBreak, takeServerFrame } from './bind.ts';
import { staleness } from './defer.ts';
import { FrameFlag } from './frame.ts';
import { entryFrom, pagesOf } from './names.ts';
import type { Removal } from './removal.ts';
import { type Space, TABLE_PAGES } from './space.ts';
import type { Store } from './store.ts';
import { installTable, linkRecord, recordAt } from './translation.ts';

const { WRITE } = ContainerRight;

/** A large page that was taken away for the sake of a part of it, as its map record said. */
export interface Demoted {
  readonly task: number;
  /** First page of the task, and of the container; the base frame that was there. */
  readonly page: number;
  readonly start: number;
  readonly block: number;
  readonly container: number;
  readonly containerGeneration: number;
  readonly actor: Actor;
  readonly access: number;
  /** Capabilities that had been dropped until then, in all: if there are more now, it may have been this one. */
  readonly drops: number;
  /** Pages of the task that are not to be mapped again: [from, to). */
  readonly from: number;
  readonly to: number;
}

/** Maps what is left of the large pages that a removal took; to be called when it is settled. */
export function keepMapped(store: Store, removal: Removal): void {
  if (removal.demoted.length === 0) return;
  for (const demoted of removal.demoted.splice(0)) {
    const space = store.spaces.get(demoted.task);
    if (space !== undefined && mayKeep(store, demoted, space)) keep(store, demoted, space);
  }
}

function mayKeep(store: Store, demoted: Demoted, space: Space): boolean {
  const { task, page, container, containerGeneration, actor } = demoted;
  if (demoted.drops !== store.drops || space.state !== 'live' || space.pending > 0) return false;
  if (space.large.has(page >>> 10) || store.inflight.holdsSpace(task)) return false;
  if (store.deferred.covers(task, page, TABLE_PAGES)) return false;
  return admission(store, container, containerGeneration, actor) === null;
}

function keep(store: Store, demoted: Demoted, space: Space): void {
  const { page, start, container, from, to } = demoted;
  let at = start;
  while (at < start + TABLE_PAGES) {
    const entry = entryFrom(store, container, at);
    if (entry === 0 || store.entries.start[entry]! >= start + TABLE_PAGES) return;
    at = Math.max(at, store.entries.start[entry]!);
    const target = page + at - start;
    if (target >= from && target < to) {
      at += to - target;
      continue;
    }
    const offset = at - store.entries.start[entry]!;
    const end = target < from ? Math.min(from, page + TABLE_PAGES) : page + TABLE_PAGES;
    const count = Math.min(pagesOf(store, entry) - offset, end - target);
    if (!keepRun(store, demoted, space, { entry, offset, target, count })) return;
    at += count;
  }
}

interface KeptRun {
  readonly entry: number;
  readonly offset: number;
  readonly target: number;
  readonly count: number;
}

/** Maps one run, or skips it; false when nothing more can be mapped. */
function keepRun(store: Store, demoted: Demoted, space: Space, run: KeptRun): boolean {
  const { entries, frames, maps, port } = store;
  const { entry, offset, target, count } = run;
  const frame = entries.frame[entry]!;
  const block = frames.block[frame]!;
  // The same memory at the same place, and nothing else there now.
  if (block + offset !== demoted.block + target - demoted.page || frames.has(frame, FrameFlag.MOVING))
    return true;
  for (let i = 0; i < count; i += 1) if (recordAt(space, target + i) !== 0) return true;
  const isReadOnly = needsBreak(store, frame) || staleness(store, block) !== 'none';
  const access = isReadOnly ? demoted.access & ~WRITE : demoted.access;
  const table = space.tables.get(target >>> 10) ?? newTable(store, space, target);
  if (table === null) return false;
  const record = maps.alloc();
  maps.space[record] = demoted.task;
  maps.page[record] = target;
  maps.entry[record] = entry;
  maps.offset[record] = offset;
  maps.pages[record] = count;
  maps.limited[record] = demoted.actor.limited;
  maps.holder[record] = demoted.actor.task;
  maps.access[record] = access;
  linkRecord(store, record);
  const slot = target & (TABLE_PAGES - 1);
  table.records.fill(record, slot, slot + count);
  table.used += count;
  port.mapPages(demoted.task, target, block + offset, count, access);
  port.emit(PhysmemEv.Map, demoted.task, target * 4096, block + offset, (count << 3) | access);
  store.counters.keptPages += count;
  return true;
}

function newTable(store: Store, space: Space, page: number) {
  if (store.controls.at(space.control).free < 1) return null;
  const frame = takeServerFrame(store, FrameState.PAGE_TABLE, space.task);
  if (frame < 0) return null;
  store.controls.charge(space.control, 1);
  return installTable(store, space, page, frame);
}
