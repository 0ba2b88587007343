/**
 * Installing translations (physmem.md §4 map, §6): binds what is unbound, breaks copy-on-write for writers, installs
 * page tables at the sponsor's cost, uses one PDE for 4 MiB, replaces what is there after a shootdown.
 * A job is advanced by `advance`, which never waits; `runMap` drives it and waits in between. After every wait
 * everything is looked up again, because other operations may have run.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import { ContainerRight, MapFlag } from '../abi/rights.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { type Actor, admission } from './actor.ts';
import { FrameState } from './base-frames.ts';
import { BindResult, bindFrame, breakCow, isBound, takeServerFrame } from './bind.ts';
import { FrameFlag } from './frame.ts';
import { containerKey, NEVER, PROGRESS_KEY, spaceKey } from './guard.ts';
import { LARGE } from './map-record.ts';
import { entryAt, pagesOf } from './names.ts';
import { Removal, settle, settleNow } from './removal.ts';
import { NOT_SPONSORED, ok, type Refusal, refusal, refuse } from './reply.ts';
import { type ShadowTable, type Space, TABLE_PAGES } from './space.ts';
import type { Store } from './store.ts';
import {
  installTable,
  isolate,
  linkRecord,
  protectRecord,
  recordAt,
  removeTable,
  unmapRun,
} from './translation.ts';

const { READ, WRITE } = ContainerRight;

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
  /** What stood in the way was cleared; page tables that it emptied are kept for the job. */
  cleared: boolean;
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
}

/** Runs a map: at once when nothing is in the way, as an operation otherwise. */
export function runMap(store: Store, job: MapJob): RpcReply | Operation {
  if (!store.guards.isFree(containerKey(job.container))) return drive(store, job, null);
  const step = advance(store, job);
  return step === MapStep.DONE ? replyTo(store, job) : drive(store, job, step);
}

function* drive(store: Store, job: MapJob, first: MapStep | null): Operation {
  const key = containerKey(job.container);
  yield* store.guards.enter(key);
  try {
    let step = first ?? advance(store, job);
    while (step !== MapStep.DONE) {
      yield* waitFor(store, job, step);
      step = advance(store, job);
    }
    if (!settleNow(store, job.removal)) yield* settle(store, job.removal);
    return replyTo(store, job);
  } finally {
    store.guards.leave(key);
    store.port.wake(key);
  }
}

function* waitFor(store: Store, job: MapJob, step: MapStep): Operation<void> {
  if (step === MapStep.FLUSH) yield* settle(store, job.removal);
  else if (step === MapStep.PAUSE) yield { kind: 'pause' };
  else {
    const key = step === MapStep.WAIT_SPACE ? spaceKey(job.task) : PROGRESS_KEY;
    yield { kind: 'event', key, deadlineCycles: NEVER };
  }
}

function replyTo(store: Store, job: MapJob): RpcReply {
  store.counters.mappedPages += job.done;
  if (job.refused !== null) return refuse(job.refused, job.done * 4096);
  return ok([job.done * 4096, job.granted]);
}

/** Maps as much as can be done without waiting. */
export function advance(store: Store, job: MapJob): MapStep {
  const space = store.spaces.get(job.task);
  job.refused = objection(store, job, space);
  if (job.refused !== null) return finish(store, job);
  if (space!.pending > 0) return MapStep.WAIT_SPACE;
  const limit = job.done + store.tuning.sliceSteps;
  while (job.done < job.pages) {
    if (job.done >= limit) return MapStep.PAUSE;
    const step = mapNext(store, job, space!);
    if (step !== null) return step;
    if (job.refused !== null) return finish(store, job);
  }
  return finish(store, job);
}

/** Objects may have died during a wait. */
function objection(store: Store, job: MapJob, space: Space | undefined): Refusal | null {
  const fault = admission(store, job.container, job.containerGeneration, job.actor);
  if (fault !== null) return fault;
  if (space === undefined || space.state === 'dying') return NOT_SPONSORED;
  return null;
}

/** Ends a job: tables that a replacement emptied and a refusal left empty go; what was cleared is flushed. */
function finish(store: Store, job: MapJob): MapStep {
  const { removal } = job;
  const space = store.spaces.get(job.task);
  if (space !== undefined && job.refused !== null && job.cleared) {
    const end = job.virtualPage + job.pages;
    for (let page = job.virtualPage + job.done; page < end; page = ((page >>> 10) + 1) << 10) {
      const table = space.tables.get(page >>> 10);
      if (table !== undefined && table.used === 0) removeTable(store, space, page, table, removal);
    }
    job.cleared = false;
  }
  return settleNow(store, removal) ? MapStep.DONE : MapStep.FLUSH;
}

/** Maps the run at the cursor. Returns why it must wait, or null when it went on or set `refused`. */
function mapNext(store: Store, job: MapJob, space: Space): MapStep | null {
  const { frames, entries } = store;
  const page = job.startPage + job.done;
  const entry = entryAt(store, job.container, page);
  if (entry === 0) {
    job.refused = refusal(Errno.ENOENT, Reason.HOLE, 1, page * 4096);
    return null;
  }
  const frame = entries.frame[entry]!;
  if (frames.has(frame, FrameFlag.MOVING)) return MapStep.WAIT_PROGRESS;
  const offset = page - entries.start[entry]!;
  const left = Math.min(pagesOf(store, entry) - offset, job.pages - job.done);
  const target = job.virtualPage + job.done;
  const isLarge = left >= TABLE_PAGES && ((target | offset) & (TABLE_PAGES - 1)) === 0;
  if (!isLarge) job.refused = tableFault(store, space, target);
  if (job.refused !== null) return null;
  const prepared = prepareFrame(store, job, frame);
  if (prepared !== Prepared.READY) {
    if (prepared === Prepared.AGAIN) return null;
    return prepared === Prepared.FLUSH ? MapStep.FLUSH : noMemory(store, job);
  }
  const access = frames.isCow(frame) ? job.access & ~WRITE : job.access;
  if (isLarge) return installLarge(store, job, space, entry, offset, access);
  const count = Math.min(left, TABLE_PAGES - (target & (TABLE_PAGES - 1)));
  return installSmall(store, job, space, { entry, offset, count, access });
}

/** A map that can not have its page table must not bind anything either. */
function tableFault(store: Store, space: Space, page: number): Refusal | null {
  const region = page >>> 10;
  if (space.tables.has(region) || space.large.has(region)) return null;
  const { free } = store.controls.at(space.control);
  return free > 0 ? null : refusal(Errno.ENOMEM, Reason.NO_TABLE_CREDIT, 0, free);
}

enum Prepared {
  READY,
  /** The frame was split: look again. */
  AGAIN,
  FLUSH,
  NO_MEMORY,
}

/** Binds the frame; for a writer, ends copy-on-write. */
function prepareFrame(store: Store, job: MapJob, frame: number): Prepared {
  let result: BindResult;
  if (!isBound(store, frame)) result = bindFrame(store, frame, job.removal);
  else if ((job.access & WRITE) === 0 || !store.frames.isCow(frame)) return Prepared.READY;
  else if ((job.flags & MapFlag.NO_BREAK) !== 0) return Prepared.READY;
  else result = breakCow(store, frame, job.removal);
  if (result === BindResult.NO_MEMORY) return Prepared.NO_MEMORY;
  if (!settleNow(store, job.removal)) return Prepared.FLUSH;
  return result === BindResult.SPLIT ? Prepared.AGAIN : Prepared.READY;
}

/** Not one base frame is free: memory of other operations may be on its way, or it is stuck in limbo. */
function noMemory(store: Store, job: MapJob): MapStep | null {
  if (store.inflight.open.length > 0) return MapStep.WAIT_PROGRESS;
  job.refused = refusal(Errno.ENOMEM, Reason.NO_BLOCK, 0, 0);
  return null;
}

interface Run {
  readonly entry: number;
  /** First page inside the entry. */
  readonly offset: number;
  readonly count: number;
  readonly access: number;
}

function installSmall(store: Store, job: MapJob, space: Space, run: Run): MapStep | null {
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
  table.records.fill(record, slot, slot + run.count);
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

/** Removes all translations of a range of pages of a space; returns how many pages of the range had one. */
export function clearRange(
  store: Store,
  space: Space,
  page: number,
  count: number,
  removal: Removal,
): number {
  const end = page + count;
  let removed = 0;
  let at = page;
  while (at < end) {
    const record = recordAt(space, at);
    if (record === 0) {
      at = space.tables.has(at >>> 10) ? at + 1 : ((at >>> 10) + 1) << 10;
      continue;
    }
    const recordEnd = store.maps.page[record]! + store.maps.pages[record]!;
    const to = Math.min(recordEnd, end);
    unmapRun(store, record, at, to - at, removal);
    removed += to - at;
    at = to;
  }
  return removed;
}

function addTable(store: Store, job: MapJob, space: Space, page: number): MapStep | null {
  job.refused = tableFault(store, space, page);
  if (job.refused !== null) return null;
  const frame = takeServerFrame(store, FrameState.PAGE_TABLE, job.task);
  if (frame < 0) return noMemory(store, job);
  store.controls.charge(space.control, 1);
  installTable(store, space, page, frame);
  return null;
}

/** One PDE for 4 MiB (physmem.md §4). A page table in the way goes first, with a shootdown (I21). */
function installLarge(
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

/** A job to map pages of a container; rights were checked by the caller. READ is implied by the hardware. */
export function newMapJob(
  store: Store,
  fields: Pick<MapJob, 'container' | 'actor' | 'task' | 'startPage' | 'pages' | 'virtualPage'>,
  access: number,
  flags: number,
): MapJob {
  // Written out: a spread here took a third of the whole path of a page fault (npm run bench trips).
  return {
    container: fields.container,
    containerGeneration: store.containers.at(fields.container).generation,
    actor: fields.actor,
    task: fields.task,
    startPage: fields.startPage,
    pages: fields.pages,
    virtualPage: fields.virtualPage,
    access: access | READ,
    flags,
    done: 0,
    granted: access | READ,
    refused: null,
    cleared: false,
    removal: new Removal(),
  };
}
