/**
 * Installing translations (physmem.md §4 map, §6): binds what is unbound, breaks copy-on-write for writers, installs
 * page tables at the sponsor's cost, uses one PDE for 4 MiB, replaces what is there after a shootdown.
 * A job is advanced by `advance`, which never waits; `runMap` drives it and waits in between. After every wait
 * everything is looked up again, because other operations may have run.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { ContainerRight, MapFlag } from '../abi/rights.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { admission } from './actor.ts';
import { BindResult, bindFrame, breakCow, isBound, needsBreak } from './bind.ts';
import { compactFor } from './compact/direct.ts';
import { staleness } from './defer.ts';
import { noRoom, roomForExtra } from './extra.ts';
import { FrameFlag } from './frame.ts';
import { containerKey, NEVER, PROGRESS_KEY, spaceKey } from './guard.ts';
import { holdOf, isGuaranteed } from './hold.ts';
import { Hold } from './loan.ts';
import { installLarge, installSmall, type MapJob, MapStep, noMemory, tableFault } from './map-install.ts';
import { entryAfter, pagesOf } from './names.ts';
import { claimFrames, UNASKED } from './reclaim.ts';
import { Removal, settle, settleNow } from './removal.ts';
import { NOT_SPONSORED, ok, type Refusal, refusal, refuse } from './reply.ts';
import { SILENT } from './silent-core.ts';
import { type Space, TABLE_PAGES } from './space.ts';
import type { Store } from './store.ts';
import { removeTable } from './translation.ts';

const { READ, WRITE } = ContainerRight;

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
  else if (step === MapStep.CLAIM) {
    yield* settle(store, job.removal);
    job.claimUntil = yield* claimFrames(store, job.need, job.claimUntil);
  } else if (step === MapStep.COMPACT) yield* compactFor(store, job.shortOrder);
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
  if (store.deferred.covers(job.task, job.virtualPage + job.done, job.pages - job.done)) {
    // What a deferred unmap left there must not stand beside the new translation (I18, I21).
    job.removal.flush = 'all';
    if (!settleNow(store, job.removal)) return MapStep.FLUSH;
  }
  const limit = job.done + store.tuning.sliceSteps;
  while (job.done < job.pages) {
    if (job.done >= limit) return MapStep.PAUSE;
    const step = mapNext(store, job, space!);
    if (step !== null) return step;
    if (job.refused !== null) return finish(store, job);
  }
  return finish(store, job);
}

/** Objects may have died during a wait, and a silent core may hold an old translation of the very page. */
function objection(store: Store, job: MapJob, space: Space | undefined): Refusal | null {
  const fault = admission(store, job.container, job.containerGeneration, job.actor);
  if (fault !== null) return fault;
  if (space === undefined || space.state === 'dying') return NOT_SPONSORED;
  return store.inflight.holdsSpace(job.task) ? SILENT : null;
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
  const entry = entryAfter(store, job.container, page);
  if (entry === 0) {
    job.refused = refusal(Errno.ENOENT, Reason.HOLE, 1, page * 4096);
    return null;
  }
  if (entries.loan[entry] !== 0 && holdOf(store, entry) === Hold.SOFT) {
    job.refused = refusal(Errno.ENOENT, Reason.SOFT_PAGE, 1, page * 4096);
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
    if (prepared === Prepared.SHORT) return MapStep.COMPACT;
    if (prepared === Prepared.LEAVING) return MapStep.WAIT_PROGRESS;
    if (prepared === Prepared.FLUSH) return MapStep.FLUSH;
    return isGuaranteed(store, frame) ? noMemory(store, job, 1 << frames.order(frame)) : noSpare(store, job);
  }
  const access = needsBreak(store, frame) ? job.access & ~WRITE : job.access;
  if (isLarge) return installLarge(store, job, space, entry, offset, access);
  // One record for all runs of a job, and the next entry instead of a look-up: 10 to 17 M single pages per second.
  const { run } = job;
  run.entry = entry;
  run.offset = offset;
  run.count = Math.min(left, TABLE_PAGES - (target & (TABLE_PAGES - 1)));
  run.access = access;
  return installSmall(store, job, space, run);
}

/** Extra memory is what others leave over. */
function noSpare(store: Store, job: MapJob): null {
  job.refused = noRoom(roomForExtra(store));
  return null;
}

enum Prepared {
  READY,
  /** The frame was split: look again. */
  AGAIN,
  FLUSH,
  /** A core may still read the block through a deferred unmap whose flush is under way. */
  LEAVING,
  NO_MEMORY,
  SHORT,
}

/** Binds the frame; for a writer, ends copy-on-write. */
function prepareFrame(store: Store, job: MapJob, frame: number): Prepared {
  const whenShort = job.shortAt === job.done ? 'split' : 'ask';
  let result: BindResult;
  if (!isBound(store, frame)) result = bindFrame(store, frame, job.removal, whenShort);
  else if ((job.access & WRITE) === 0) return Prepared.READY;
  else if (!needsBreak(store, frame)) return prepareWriter(store, job, frame);
  else if ((job.flags & MapFlag.NO_BREAK) !== 0) return Prepared.READY;
  else result = breakCow(store, frame, job.removal, whenShort);
  if (result === BindResult.SHORT) {
    job.shortAt = job.done;
    job.shortOrder = store.frames.order(frame);
    return Prepared.SHORT;
  }
  if (result === BindResult.NO_MEMORY) return Prepared.NO_MEMORY;
  if (!settleNow(store, job.removal)) return Prepared.FLUSH;
  // A frame that stays where it is when the others leave (DMA) is looked at again: somebody may still read it.
  const isSettled = result !== BindResult.SPLIT && staleness(store, store.frames.block[frame]!) === 'none';
  return !isSettled ? Prepared.AGAIN : Prepared.READY;
}

/** Memory that somebody may still read through a deferred unmap is not written before the list is flushed (§6.6). */
function prepareWriter(store: Store, job: MapJob, frame: number): Prepared {
  const found = staleness(store, store.frames.block[frame]!);
  if (found === 'none') return Prepared.READY;
  if (found === 'leaving') return Prepared.LEAVING;
  job.removal.flush = 'all';
  return settleNow(store, job.removal) ? Prepared.READY : Prepared.FLUSH;
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
    need: 0,
    claimUntil: UNASKED,
    cleared: false,
    shortAt: -1,
    shortOrder: 0,
    run: { entry: 0, offset: 0, count: 0, access: 0 },
    removal: new Removal(),
  };
}
