/**
 * Soft references (physmem.md §8): container_release with SOFT gives memory back, credit and all, but what is in it stays
 * until the memory is reused (supply.ts), and container_recover makes it real again. A soft reference is the only name of
 * its block: nothing maps, copies or pins it, so nobody can change or see its contents (F38, F39, I29).
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import { AllocFlag } from '../abi/rights.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import type { Actor } from './actor.ts';
import { FrameState } from './base-frames.ts';
import { removeEntry } from './deallocate.ts';
import { noRoom, roomForExtra } from './extra.ts';
import { UNBOUND } from './frame.ts';
import { controlOf, holdExtra, holdNothing, holdOf, holdSoft } from './hold.ts';
import { Hold } from './loan.ts';
import { entryAt, entryFrom, isShared, pagesOf } from './names.ts';
import { newRangeJob, type RangeJob, runRange } from './operation.ts';
import { noCredit, ok, type Refusal, refusal, refuse } from './reply.ts';
import { splitAt, splitFrame, splitTo } from './split.ts';
import type { Store } from './store.ts';
import { unmapEntry } from './translation.ts';

/** A range of a container, and who asks. */
export interface RangeRequest {
  readonly actor: Actor;
  readonly container: number;
  readonly start: number;
  readonly pages: number;
}

/**
 * Gives a range back softly; the amount is the bytes before the first pinned page (EBUSY/PINNED) that have a name. What has
 * other users would not come free, and what was never touched has nothing to keep: such names just go.
 */
export function releaseSoft(store: Store, request: RangeRequest): RpcReply | Operation {
  const { actor, container, start, pages } = request;
  const job = newRangeJob(store, actor, container, start, pages);
  let refused: Refusal | null = null;
  const work = (_: Store, range: RangeJob): boolean => {
    if (refused !== null) return true;
    const done = softenSlice(store, range);
    if (done !== 'pinned') return done === 'end';
    refused = refusal(Errno.EBUSY, Reason.PINNED, 1, range.cursor * 4096);
    return true;
  };
  return runRange(store, job, work, (_, { done }) => {
    store.port.emit(PhysmemEv.SoftRelease, container, start * 4096, pages * 4096, done * 4096);
    return refused === null ? ok([done * 4096]) : refuse(refused, done * 4096);
  });
}

function softenSlice(store: Store, job: RangeJob): 'end' | 'more' | 'pinned' {
  const { entries, frames, base } = store;
  for (let steps = store.tuning.sliceSteps; job.cursor < job.end; steps -= 1) {
    const entry = entryFrom(store, job.container, job.cursor);
    const start = entry === 0 ? job.end : entries.start[entry]!;
    if (start >= job.end) return 'end';
    if (steps === 0) return 'more';
    store.port.charge(1);
    const pages = pagesOf(store, entry);
    const block = frames.block[entries.frame[entry]!]!;
    job.cursor = Math.max(start, job.cursor);
    if (block !== UNBOUND && base.pins[block] !== 0) return 'pinned';
    if (start < job.cursor) splitAt(store, job.container, job.cursor, job.removal);
    else if (start + pages > job.end) splitFrame(store, entries.frame[entry]!, job.removal);
    else {
      softenEntry(store, entry, job);
      job.done += pages;
      job.cursor = start + pages;
    }
  }
  return 'end';
}

function softenEntry(store: Store, entry: number, { removal }: RangeJob): void {
  const { entries, frames } = store;
  const hold = holdOf(store, entry);
  if (hold === Hold.SOFT) return;
  const isKept = frames.block[entries.frame[entry]!] !== UNBOUND && !isShared(store, entry);
  if (!isKept) {
    removeEntry(store, entry, removal, 'credit');
    return;
  }
  if (entries.maps[entry] !== 0) unmapEntry(store, entry, removal);
  entries.via.delete(entry);
  if (hold === Hold.PAID) removal.addCharge(controlOf(store, entry).index, pagesOf(store, entry));
  holdSoft(store, entry);
  removal.softs.push(entry);
}

/**
 * Makes a range real again; the amount is the bytes before the first page that is not there (ENOENT/HOLE: it was reused, or
 * never was) or that can not be paid (ENOMEM/NO_CREDIT; with EXTRA, ENOMEM/NO_ROOM). Paid pages are done as they are.
 */
export function recover(store: Store, request: RangeRequest, flags: number): RpcReply | Operation {
  const { actor, container, start, pages } = request;
  const job = newRangeJob(store, actor, container, start, pages);
  let refused: Refusal | null = null;
  const work = (_: Store, range: RangeJob): boolean => {
    for (let steps = store.tuning.sliceSteps; range.cursor < range.end; steps -= 1) {
      if (steps === 0) return false;
      refused = recoverNext(store, range, flags);
      if (refused !== null) return true;
    }
    return true;
  };
  return runRange(store, job, work, (_, { done }) => {
    store.port.emit(PhysmemEv.Recover, container, start * 4096, pages * 4096, done * 4096);
    return refused === null ? ok([done * 4096]) : refuse(refused, done * 4096);
  });
}

/** Recovers the piece at the cursor, at most one entry; says why not. */
function recoverNext(store: Store, job: RangeJob, flags: number): Refusal | null {
  const { cursor } = job;
  store.port.charge(1);
  const found = entryAt(store, job.container, cursor);
  if (found === 0) return refusal(Errno.ENOENT, Reason.HOLE, 1, cursor * 4096);
  const isStaying = (flags & AllocFlag.EXTRA) !== 0 && holdOf(store, found) === Hold.EXTRA;
  if (isStaying || holdOf(store, found) === Hold.PAID) {
    const end = Math.min(job.end, store.entries.start[found]! + pagesOf(store, found));
    advance(job, end - cursor);
    return null;
  }
  const { free } = controlOf(store, found);
  const room = (flags & AllocFlag.EXTRA) === 0 ? 0 : roomForExtra(store);
  const most = Math.min(job.end - cursor, Math.max(free, room));
  if (most === 0) return (flags & AllocFlag.EXTRA) === 0 ? noCredit(free) : noRoom(room);
  const entry = splitTo(store, job.container, cursor, most, job.removal);
  const pages = pagesOf(store, entry);
  makeReal(store, entry, pages <= free ? Hold.PAID : Hold.EXTRA);
  advance(job, pages);
  return null;
}

function advance(job: RangeJob, pages: number): void {
  job.cursor += pages;
  job.done += pages;
}

function makeReal(store: Store, entry: number, hold: Hold): void {
  const block = store.frames.block[store.entries.frame[entry]!]!;
  if (holdOf(store, entry) === Hold.SOFT) store.base.changeState(block, FrameState.BOUND);
  holdNothing(store, entry);
  if (hold === Hold.PAID) store.controls.charge(controlOf(store, entry).index, pagesOf(store, entry));
  else holdExtra(store, entry);
}
