/**
 * The last steps of a map (map.ts): page tables, PTEs and large pages with their records. What is there already is
 * kept, widened or narrowed where it says the same, and otherwise cleared, flushed and replaced (physmem.md §4, I21).
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import { ContainerRight } from '../abi/rights.ts';
import type { Actor } from './actor.ts';
import { FrameState } from './base-frames.ts';
import { takeServerFrame } from './bind.ts';
import { awaitsMemory } from './claim.ts';
import { LARGE } from './map-record.ts';
import { type Removal, settleNow } from './removal.ts';
import { type Refusal, refusal } from './reply.ts';
import { type ShadowTable, type Space, TABLE_PAGES } from './space.ts';
import type { Store } from './store.ts';
import { canClaim } from './supply.ts';
import { clearRange, installTable, isolate, linkRecord, protectRecord, removeTable } from './translation.ts';

const { WRITE } = ContainerRight;

/** Everything a map needs to go on after a wait; object numbers carry generations, so stale ones are noticed. */
export interface MapJob {
  readonly container: number;
  readonly containerGeneration: number;
  /** Who asks, and holds the capability that the map is made through. */
  readonly actor: Actor;
  /** Task whose space it is for. */
  readonly task: number;
  readonly startPage: number;
  readonly pages: number;
  readonly virtualPage: number;
  readonly access: number;
  readonly flags: number;
  /** Pages done so far, and the access that all of them got. */
  done: number;
  granted: number;
  refused: Refusal | null;
  /** Base frames to claim, and until when their holders may wait (reclaim.ts). */
  need: number;
  claimUntil: number;
  /** What stood in the way was cleared; page tables that it emptied are kept for the job. */
  cleared: boolean;
  /** Page (of the job) whose frame a block was made for already, and its order; smaller frames come next. */
  shortAt: number;
  shortOrder: number;
  /** The run that is being installed. */
  readonly run: Run;
  readonly removal: Removal;
}

export enum MapStep {
  DONE = 0,
  /** The removal must be settled first. */
  FLUSH = 1,
  /** Something of another operation must end first. */
  WAIT_PROGRESS = 2,
  WAIT_SPACE = 3,
  PAUSE = 4,
  /** Extra memory must make room first. */
  CLAIM = 5,
  /** A block is to be made for the frame at the cursor. */
  COMPACT = 6,
}

export interface Run {
  entry: number;
  /** First page inside the entry. */
  offset: number;
  count: number;
  access: number;
}

export function installSmall(store: Store, job: MapJob, space: Space, run: Run): MapStep | null {
  const page = job.virtualPage + job.done;
  const slot = page & (TABLE_PAGES - 1);
  let table = space.tables.get(page >>> 10);
  const present =
    table === undefined ? (space.large.get(page >>> 10) ?? 0) : firstRecord(table, slot, run.count);
  if (present !== 0) {
    const kept = keepPresent(store, job, page, present, run);
    if (kept > 0) return advanceBy(job, kept, run.access);
    return clearTarget(store, job, space);
  }
  if (table === undefined) {
    const step = addTable(store, job, space, page);
    if (step !== null || job.refused !== null) return step;
    table = space.tables.get(page >>> 10)!;
  }
  const record = newRecord(store, job, page, run, run.access);
  if (run.count === 1) table.records[slot] = record;
  else table.records.fill(record, slot, slot + run.count);
  table.used += run.count;
  const frame = store.frames.block[store.entries.frame[run.entry]!]! + run.offset;
  store.port.mapPages(job.task, page, frame, run.count, run.access);
  store.port.emit(PhysmemEv.Map, job.task, page * 4096, frame, (run.count << 3) | run.access);
  return advanceBy(job, run.count, run.access);
}

function firstRecord(table: ShadowTable, slot: number, count: number): number {
  if (table.used === 0) return 0;
  for (let i = slot; i < slot + count; i += 1) if (table.records[i] !== 0) return table.records[i]!;
  return 0;
}

function advanceBy(job: MapJob, count: number, access: number): null {
  job.done += count;
  job.granted &= access;
  return null;
}

function newRecord(store: Store, job: MapJob, page: number, run: Run, access: number): number {
  const { maps } = store;
  const record = maps.alloc();
  maps.space[record] = job.task;
  maps.page[record] = page;
  maps.entry[record] = run.entry;
  maps.offset[record] = run.offset;
  maps.pages[record] = run.count;
  maps.limited[record] = job.actor.limited;
  maps.holder[record] = job.actor.task;
  maps.access[record] = access;
  linkRecord(store, record);
  return record;
}

/**
 * A record that already says the same, up to rights, stays: more rights are a widening (no shootdown, §6.3), fewer
 * are a narrowing (flushed at the end of the job). Returns the pages kept, 0 when it must be replaced.
 */
function keepPresent(store: Store, job: MapJob, page: number, record: number, run: Run): number {
  const { maps, port } = store;
  const inside = page - maps.page[record]!;
  if (maps.entry[record] !== run.entry || inside < 0 || maps.offset[record]! + inside !== run.offset)
    return 0;
  const { task, limited } = job.actor;
  if (maps.limited[record] !== limited || maps.holder[record] !== task) return 0;
  const has = maps.access[record]!;
  const count = Math.min(maps.pages[record]! - inside, run.count);
  if ((has & ~LARGE) === run.access) return count;
  if ((has & LARGE) !== 0) {
    if (count < maps.pages[record]!) return 0;
    if ((run.access & WRITE) !== 0 && (has & WRITE) === 0) port.widenLarge(job.task, page);
    else if ((run.access & WRITE) === 0 && (has & WRITE) !== 0) protectRecord(store, record, job.removal);
    maps.access[record] = run.access | LARGE;
    return count;
  }
  const own = isolate(store, record, page, count);
  if ((run.access & WRITE) !== 0 && (has & WRITE) === 0) port.widenPages(job.task, page, count);
  else if ((run.access & WRITE) === 0 && (has & WRITE) !== 0) protectRecord(store, own, job.removal);
  maps.access[own] = run.access;
  return count;
}

/** Clears what stands in the way of the rest of the job, so that one shootdown serves all of it. */
function clearTarget(store: Store, job: MapJob, space: Space): MapStep | null {
  const { removal } = job;
  removal.emptyTables = 'keep';
  clearRange(store, space, job.virtualPage + job.done, job.pages - job.done, removal);
  removal.emptyTables = 'remove';
  job.cleared = true;
  return settleNow(store, removal) ? null : MapStep.FLUSH;
}

function addTable(store: Store, job: MapJob, space: Space, page: number): MapStep | null {
  job.refused = tableFault(store, space, page);
  if (job.refused !== null) return null;
  const frame = takeServerFrame(store, FrameState.PAGE_TABLE, job.task);
  if (frame < 0) return noMemory(store, job, 1);
  store.controls.charge(space.control, 1);
  installTable(store, space, page, frame);
  return null;
}

/** Not one base frame is free: memory of other operations may be on its way, or it is stuck in limbo. */
export function noMemory(store: Store, job: MapJob, need: number): MapStep | null {
  job.need = need;
  if (canClaim(store, need)) return MapStep.CLAIM;
  if (awaitsMemory(store)) return MapStep.WAIT_PROGRESS;
  job.refused = refusal(Errno.ENOMEM, Reason.NO_BLOCK, 0, 0);
  return null;
}

/** A map that can not have its page table must not bind anything either. */
export function tableFault(store: Store, space: Space, page: number): Refusal | null {
  const region = page >>> 10;
  if (space.tables.has(region) || space.large.has(region)) return null;
  const { free } = store.controls.at(space.control);
  return free > 0 ? null : refusal(Errno.ENOMEM, Reason.NO_TABLE_CREDIT, 0, free);
}

/** One PDE for 4 MiB (physmem.md §4). A page table in the way goes first, with a shootdown (I21). */
export function installLarge(
  store: Store,
  job: MapJob,
  space: Space,
  entry: number,
  offset: number,
  access: number,
): MapStep | null {
  const page = job.virtualPage + job.done;
  const run: Run = { entry, offset, count: TABLE_PAGES, access };
  const present = space.large.get(page >>> 10) ?? 0;
  if (present !== 0) {
    const kept = keepPresent(store, job, page, present, run);
    if (kept > 0) return advanceBy(job, kept, access);
  }
  if (present !== 0 || space.tables.has(page >>> 10)) {
    const table = space.tables.get(page >>> 10);
    if (table !== undefined && table.used === 0) removeTable(store, space, page, table, job.removal);
    clearRange(store, space, page, TABLE_PAGES, job.removal);
    return settleNow(store, job.removal) ? null : MapStep.FLUSH;
  }
  const frame = store.frames.block[store.entries.frame[entry]!]! + offset;
  const record = newRecord(store, job, page, run, access | LARGE);
  space.large.set(page >>> 10, record);
  store.port.mapLarge(job.task, page, frame, access);
  store.counters.largeMaps += 1;
  store.port.emit(PhysmemEv.Map, job.task, page * 4096, frame, (TABLE_PAGES << 3) | access);
  return advanceBy(job, TABLE_PAGES, access);
}
