/**
 * Logical copies (physmem.md §4 copy): copy-on-write by default, SHARED, or MOVE. The result is as if the source
 * were read completely before the destination is written: how much can be done is decided before anything
 * changes (copy-plan.ts), and overlapping ranges are walked in the direction that reads each page before it is overwritten
 * (defect B18). Write access to what was copied is gone from every TLB when the call returns (B6).
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import { Fault } from '../abi/fault-switches.ts';
import { CopyFlag } from '../abi/rights.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { addFrames } from './allocate.ts';
import { BindResult, isBound, splitForMemory, takeBlock } from './bind.ts';
import {
  admissionToBoth,
  type CopyEnds,
  type CopyRange,
  hasFlag,
  isSameControl,
  planCopy,
} from './copy-plan.ts';
import { removeAndCredit, removeAndKeep } from './deallocate.ts';
import { tellFault } from './faults.ts';
import { containerKey, NEVER, PROGRESS_KEY } from './guard.ts';
import { holdNothing, holdOf } from './hold.ts';
import { keepMapped } from './keep-mapped.ts';
import { Hold } from './loan.ts';
import { addEntry, entryAt, insertName, pagesOf, removeName } from './names.ts';
import { awaitStill, begin, finishRange, newRangeJob, type RangeWork } from './operation.ts';
import { claimFrames, UNASKED } from './reclaim.ts';
import { Removal, settle } from './removal.ts';
import { ok, type Refusal, refusal, refuse } from './reply.ts';
import { splitAt, splitFrame, splitTo } from './split.ts';
import type { Store } from './store.ts';
import { canClaim } from './supply.ts';
import { protectFrame, unmapEntry } from './translation.ts';

/** What a request asks for: one range, or the ranges of a list (copy-list.ts). */
export interface CopyRequest {
  readonly ends: CopyEnds;
  readonly list: readonly CopyRange[];
  /** Number of the argument before the source of the first range. */
  readonly blamed: number;
}

/** Copies names. Rights and arguments were checked by the caller. */
export const copy = (store: Store, request: CopyRequest): RpcReply | Operation =>
  begin(copyInTurn(store, request));

function* copyInTurn(store: Store, { ends, list, blamed }: CopyRequest): Operation {
  const { source, destination, flags } = ends;
  const keys = [containerKey(source)];
  if (destination !== source) keys.push(containerKey(destination));
  keys.sort((a, b) => a - b);
  for (const key of keys) yield* store.guards.enter(key);
  try {
    const fault = admissionToBoth(store, ends);
    if (fault !== null) return refuse(fault);
    const plan = planCopy(store, ends, list, blamed);
    // All of it is paid before the first wait, so that nobody takes the credit in between.
    store.controls.charge(store.containers.at(destination).control, plan.price);
    let lost: Lost | null = null;
    for (const range of plan.ranges) {
      const offset = yield* perform(store, { ...ends, ...range });
      if (offset >= 0) lost ??= lostAt(list, range, offset, blamed);
    }
    if (lost !== null) return refuse(lost.refused, lost.pages * 4096);
    const bytes = plan.pages * 4096;
    store.port.emit(PhysmemEv.Copy, source, destination, bytes, flags);
    return plan.refused === null ? ok([bytes]) : refuse(plan.refused, bytes);
  } finally {
    for (const key of keys) {
      store.guards.leave(key);
      store.port.wake(key);
    }
  }
}

/** Extra memory of the source was taken by force during the copy: the pages before it are done, it has no copy. */
interface Lost {
  readonly pages: number;
  readonly refused: Refusal;
}

function lostAt(list: readonly CopyRange[], range: CopyRange, offset: number, blamed: number): Lost {
  const index = list.findIndex(({ destinationPage }) => destinationPage === range.destinationPage);
  const before = list.slice(0, index).reduce((sum, { pages }) => sum + pages, 0);
  const at = (range.sourcePage + offset) * 4096;
  return {
    pages: before + offset,
    refused: refusal(Errno.ENOENT, Reason.HOLE, blamed + 3 * index + 1, at),
  };
}

/** One range of a copy, with its ends. */
type RangeCopy = CopyEnds & CopyRange;

/** Does a copy that is paid. Returns the first page that was lost to somebody's guarantee meanwhile, or -1. */
function* perform(store: Store, request: RangeCopy): Operation<number> {
  const { source, sourcePage, destination, destinationPage, pages } = request;
  const inPlace = hasFlag(request, CopyFlag.MOVE) && isSameControl(store, request);
  const squashWork: RangeWork = inPlace ? removeAndCredit : removeAndKeep;
  const squash = hasFlag(request, CopyFlag.SQUASH);
  const distance = destinationPage - sourcePage;
  const overlaps = source === destination && Math.abs(distance) < pages;
  if (squash && !overlaps) {
    yield* finishRange(store, newRangeJob(store, null, destination, destinationPage, pages), squashWork);
  }
  const walk: Walk = {
    request,
    removal: new Removal('all'),
    pieceMax: overlaps ? Math.abs(distance) : pages,
    from: 0,
    end: pages,
    backward: overlaps && distance > 0,
    lost: -1,
    claimUntil: UNASKED,
  };
  while (walk.from < walk.end) {
    yield* awaitStill(store, source, sourcePage + walk.from, sourcePage + walk.end);
    for (let steps = store.tuning.sliceSteps; steps > 0 && walk.from < walk.end; steps -= 1) {
      let piece = nextPiece(store, walk);
      if (squash && overlaps) {
        // While this waits, memory may move: what was taken away so far must have left the TLBs (migrate.ts).
        yield* settle(store, walk.removal);
        const target = newRangeJob(store, null, destination, destinationPage + piece.offset, piece.pages);
        yield* finishRange(store, target, squashWork);
        yield* awaitStill(store, source, sourcePage + walk.from, sourcePage + walk.end);
        // What was replaced may have shared the piece's frame, which is split then. Zeroes need no source.
        if (piece.entry !== ZEROES) piece = nextPiece(store, walk);
      }
      const placed = placePiece(store, walk, piece);
      if (placed === Placed.NO_MEMORY) yield* awaitMemory(store, walk, piece.pages);
      if (placed !== Placed.DONE) continue;
      if (walk.backward) walk.end = piece.offset;
      else walk.from = piece.offset + piece.pages;
    }
    yield* settle(store, walk.removal);
    keepMapped(store, walk.removal);
    if (walk.from < walk.end) yield { kind: 'pause' };
  }
  return walk.lost;
}

/** Guaranteed memory is on its way back: extra memory makes room, others' shootdowns are open, or a late core is to answer. */
function* awaitMemory(store: Store, walk: Walk, need: number): Operation<void> {
  yield* settle(store, walk.removal);
  if (canClaim(store, need)) {
    walk.claimUntil = yield* claimFrames(store, need, walk.claimUntil);
    return;
  }
  const { open, parked } = store.inflight;
  if (open.length + parked.length === 0) yield { kind: 'pause' };
  else yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
}

interface Walk {
  readonly request: RangeCopy;
  readonly removal: Removal;
  readonly pieceMax: number;
  /** Pages of the range that are still to do: [from, end), relative to its start. */
  from: number;
  end: number;
  readonly backward: boolean;
  /** First page that was taken from the source during the copy, or -1. */
  lost: number;
  claimUntil: number;
}

interface Piece {
  /** Relative to the start of the range. */
  readonly offset: number;
  readonly pages: number;
  /** ZEROES need no frame in common with the source; GONE was extra memory, and was taken. */
  readonly entry: number;
}

const ZEROES = 0;
const GONE = -1;

/** The next piece to copy: one whole entry, split off if need be, or any run of one entry that reads as zeroes. */
function nextPiece(store: Store, walk: Walk): Piece {
  const { request } = walk;
  const base = request.sourcePage;
  const at = walk.backward ? base + walk.end - 1 : base + walk.from;
  const entry = entryAt(store, request.source, at);
  if (entry === 0) return { offset: at - base, pages: 1, entry: GONE };
  const start = store.entries.start[entry]!;
  const isCopy = (request.flags & (CopyFlag.SHARED | CopyFlag.MOVE)) === 0;
  if (isCopy && !isBound(store, store.entries.frame[entry]!)) {
    const from = Math.max(base + walk.from, start);
    const to = Math.min(base + walk.end, start + pagesOf(store, entry));
    return { offset: from - base, pages: to - from, entry: ZEROES };
  }
  const whole = walk.backward
    ? splitBefore(store, walk)
    : splitTo(store, request.source, at, Math.min(walk.end - walk.from, walk.pieceMax), walk.removal);
  return { offset: store.entries.start[whole]! - base, pages: pagesOf(store, whole), entry: whole };
}

/** Splits until one entry ends at the end of the walk and fits into it. */
function splitBefore(store: Store, walk: Walk): number {
  const { request, removal } = walk;
  const end = request.sourcePage + walk.end;
  splitAt(store, request.source, end, removal);
  for (;;) {
    const entry = entryAt(store, request.source, end - 1);
    const pages = pagesOf(store, entry);
    const fits = store.entries.start[entry]! >= request.sourcePage + walk.from;
    if (fits && pages <= walk.pieceMax) return entry;
    splitFrame(store, store.entries.frame[entry]!, removal);
  }
}

enum Placed {
  DONE,
  /** A frame was split: cut the piece again. */
  AGAIN,
  NO_MEMORY,
}

/** Makes the destination's names for a piece; they are paid for already. */
function placePiece(store: Store, walk: Walk, piece: Piece): Placed {
  const { request, removal } = walk;
  const page = request.destinationPage + piece.offset;
  store.port.charge(1);
  if (piece.entry === GONE) skipPiece(store, walk, piece);
  else if (piece.entry === ZEROES) addFrames(store, request.destination, page, piece.pages);
  else if (hasFlag(request, CopyFlag.MOVE)) moveEntry(store, request, piece.entry, page, removal);
  else if (hasFlag(request, CopyFlag.SHARED)) shareEntry(store, request, piece.entry, page);
  else return cowEntry(store, request, piece.entry, page, removal);
  return Placed.DONE;
}

/** There is nothing to copy: the credit that was taken for it goes back. */
function skipPiece(store: Store, walk: Walk, { offset, pages }: Piece): void {
  const { request } = walk;
  walk.lost = walk.lost < 0 ? offset : Math.min(walk.lost, offset);
  const isFree = hasFlag(request, CopyFlag.MOVE) && isSameControl(store, request);
  if (!isFree) store.controls.credit(store.containers.at(request.destination).control, pages);
}

function moveEntry(store: Store, request: RangeCopy, entry: number, page: number, removal: Removal): void {
  const { entries } = store;
  unmapEntry(store, entry, removal);
  removeName(store, entry);
  if (!isSameControl(store, request)) {
    const isPaid = holdOf(store, entry) === Hold.PAID;
    holdNothing(store, entry);
    if (isPaid) removal.addCharge(store.containers.at(request.source).control, pagesOf(store, entry));
  }
  entries.container[entry] = request.destination;
  entries.start[entry] = page;
  insertName(store, request.destination, page, entry);
}

/**
 * The new entry names the same frame. What came through a limited capability is cut when that is revoked, at once when that
 * is under way: else a revocation might never come to its end.
 */
function shareEntry(store: Store, request: RangeCopy, entry: number, page: number): void {
  const { entries } = store;
  const { limited } = request.actor;
  const via = limited !== 0 ? limited : entries.via.get(entry);
  if (via !== undefined && store.limiteds.at(via).state === 'cutting') {
    addFrames(store, request.destination, page, pagesOf(store, entry));
    return;
  }
  const added = addEntry(store, request.destination, page, entries.frame[entry]!);
  if (via !== undefined) entries.via.set(added, via);
}

/** The new entry has a frame of its own, which shares the block until one of the two is written. */
function cowEntry(store: Store, request: RangeCopy, entry: number, page: number, removal: Removal): Placed {
  const { frames } = store;
  const frame = store.entries.frame[entry]!;
  const block = frames.block[frame]!;
  if (store.base.pins[block] !== 0) return copyPinned(store, request, entry, page, removal);
  if (store.tuning.faults.keepWriteAccess === 'on') tellFault(store, Fault.KEEP_WRITE_ACCESS, block);
  else if (!frames.isCow(frame)) {
    const narrowed = protectFrame(store, frame, removal);
    // A core may still write the block, through these or through what others have just taken away: until that is
    // settled nobody may break the copy.
    if (narrowed > 0 || store.inflight.open.length > 0) removal.moving.push(frame);
  }
  const twin = frames.alloc(frames.order(frame));
  frames.block[twin] = block;
  frames.joinRing(twin, frame);
  addEntry(store, request.destination, page, twin);
  return Placed.DONE;
}

/** A device may write to pinned memory behind everybody's back, so a copy of it is made at once (I29). */
function copyPinned(store: Store, request: RangeCopy, entry: number, page: number, removal: Removal): Placed {
  const { frames, base, port } = store;
  const frame = store.entries.frame[entry]!;
  const order = frames.order(frame);
  const head = takeBlock(store, order, 0, 'any');
  if (head < 0) {
    return splitForMemory(store, frame, removal) === BindResult.SPLIT ? Placed.AGAIN : Placed.NO_MEMORY;
  }
  const twin = frames.alloc(order);
  port.copyFrames(frames.block[frame]!, head, 1 << order);
  store.counters.copiedFrames += 1 << order;
  frames.block[twin] = head;
  base.owner[head] = twin;
  addEntry(store, request.destination, page, twin);
  return Placed.DONE;
}
