/**
 * Logical copies (physmem.md §4 copy): copy-on-write by default, SHARED, or MOVE. The result is as if the source
 * were read completely before the destination is written: how much can be done is decided before anything
 * changes (copy-plan.ts), and overlapping ranges are walked in the direction that reads each page before it is overwritten
 * (defect B18). Write access to what was copied is gone from every TLB when the call returns (B6).
 */
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
import { addEntry, entryAt, insertName, pagesOf, removeName } from './names.ts';
import { awaitStill, begin, finishRange, newRangeJob, type RangeWork } from './operation.ts';
import { assert } from './plain-data.ts';
import { Removal, settle } from './removal.ts';
import { ok, refuse } from './reply.ts';
import { splitAt, splitFrame, splitTo } from './split.ts';
import type { Store } from './store.ts';
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
    for (const range of plan.ranges) yield* perform(store, { ...ends, ...range });
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

/** One range of a copy, with its ends. */
type RangeCopy = CopyEnds & CopyRange;

/** Does a copy that cannot fail any more, and is paid. */
function* perform(store: Store, request: RangeCopy): Operation<void> {
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
  };
  while (walk.from < walk.end) {
    yield* awaitStill(store, source, sourcePage + walk.from, sourcePage + walk.end);
    for (let steps = store.tuning.sliceSteps; steps > 0 && walk.from < walk.end; steps -= 1) {
      let piece = nextPiece(store, walk);
      if (squash && overlaps) {
        const target = newRangeJob(store, null, destination, destinationPage + piece.offset, piece.pages);
        yield* finishRange(store, target, squashWork);
        // What was replaced may have shared the piece's frame, which is split then. Zeroes need no source.
        if (piece.entry !== 0) piece = nextPiece(store, walk);
      }
      const placed = placePiece(store, walk, piece);
      if (placed === Placed.NO_MEMORY) yield* awaitMemory(store, walk.removal);
      if (placed !== Placed.DONE) continue;
      if (walk.backward) walk.end = piece.offset;
      else walk.from = piece.offset + piece.pages;
    }
    yield* settle(store, walk.removal);
    if (walk.from < walk.end) yield { kind: 'pause' };
  }
}

/** Guaranteed memory is on its way back: others' shootdowns are open, or a late core has still to answer. */
function* awaitMemory(store: Store, removal: Removal): Operation<void> {
  yield* settle(store, removal);
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
}

interface Piece {
  /** Relative to the start of the range. */
  readonly offset: number;
  readonly pages: number;
  /** 0: zeroes, which need no frame in common with the source. */
  readonly entry: number;
}

/** The next piece to copy: one whole entry, split off if need be, or any run of one entry that reads as zeroes. */
function nextPiece(store: Store, walk: Walk): Piece {
  const { request } = walk;
  const base = request.sourcePage;
  const at = walk.backward ? base + walk.end - 1 : base + walk.from;
  const entry = entryAt(store, request.source, at);
  assert(entry !== 0, 'the source of a copy has lost a name');
  const start = store.entries.start[entry]!;
  const isCopy = (request.flags & (CopyFlag.SHARED | CopyFlag.MOVE)) === 0;
  if (isCopy && !isBound(store, store.entries.frame[entry]!)) {
    const from = Math.max(base + walk.from, start);
    const to = Math.min(base + walk.end, start + pagesOf(store, entry));
    return { offset: from - base, pages: to - from, entry: 0 };
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
  if (piece.entry === 0) addFrames(store, request.destination, page, piece.pages);
  else if (hasFlag(request, CopyFlag.MOVE)) moveEntry(store, request, piece.entry, page, removal);
  else if (hasFlag(request, CopyFlag.SHARED)) shareEntry(store, request, piece.entry, page);
  else return cowEntry(store, request, piece.entry, page, removal);
  return Placed.DONE;
}

function moveEntry(store: Store, request: RangeCopy, entry: number, page: number, removal: Removal): void {
  const { entries } = store;
  unmapEntry(store, entry, removal);
  removeName(store, entry);
  if (!isSameControl(store, request)) {
    removal.addCharge(store.containers.at(request.source).control, pagesOf(store, entry));
  }
  entries.container[entry] = request.destination;
  entries.start[entry] = page;
  insertName(store, request.destination, page, entry);
}

/** The new entry names the same frame. What came through a limited capability is cut when that is revoked. */
function shareEntry(store: Store, request: RangeCopy, entry: number, page: number): void {
  const { entries } = store;
  const added = addEntry(store, request.destination, page, entries.frame[entry]!);
  const { limited } = request.actor;
  const via = limited !== 0 ? limited : entries.via.get(entry);
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
