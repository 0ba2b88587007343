/**
 * Logical copies (physmem.md §4 copy): copy-on-write by default, SHARED, or MOVE. The result is as if the source
 * were read completely before the destination is written: how much can be done is decided before anything
 * changes, and overlapping ranges are walked in the direction that reads each page before it is overwritten
 * (defect B18). Write access to what was copied is gone from every TLB when the call returns (B6).
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import { Fault } from '../abi/fault-switches.ts';
import { CopyFlag } from '../abi/rights.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { type Actor, admission } from './actor.ts';
import { addFrames, beforePins, type Extent, namedPages, squashRoom } from './allocate.ts';
import { BindResult, isBound, splitForMemory, takeBlock } from './bind.ts';
import { removeAndCredit, removeAndKeep } from './deallocate.ts';
import { tellFault } from './faults.ts';
import { containerKey, NEVER, PROGRESS_KEY } from './guard.ts';
import { addEntry, entryAt, entryFrom, insertName, nextEntry, pagesOf, removeName } from './names.ts';
import { awaitStill, begin, finishRange, newRangeJob, type RangeWork } from './operation.ts';
import { assert } from './plain-data.ts';
import { Removal, settle } from './removal.ts';
import { noCredit, ok, type Refusal, refusal, refuse } from './reply.ts';
import { splitAt, splitFrame, splitTo } from './split.ts';
import type { Store } from './store.ts';
import { protectFrame, unmapEntry } from './translation.ts';

export interface CopyRequest {
  readonly source: number;
  readonly sourceGeneration: number;
  readonly destination: number;
  readonly destinationGeneration: number;
  /** Who asks, as the source and the destination are named. */
  readonly actor: Actor;
  readonly destinationActor: Actor;
  readonly sourcePage: number;
  readonly destinationPage: number;
  readonly pages: number;
  readonly flags: number;
}

/** Copies names. Rights and arguments were checked by the caller. */
export const copy = (store: Store, request: CopyRequest): RpcReply | Operation =>
  begin(copyInTurn(store, request));

function* copyInTurn(store: Store, request: CopyRequest): Operation {
  const keys = [containerKey(request.source)];
  if (request.destination !== request.source) keys.push(containerKey(request.destination));
  keys.sort((a, b) => a - b);
  for (const key of keys) yield* store.guards.enter(key);
  try {
    const fault = admissionToBoth(store, request);
    if (fault !== null) return refuse(fault);
    const extent = plan(store, request);
    const allOrNone = CopyFlag.ALL_OR_NONE | (extent.refused?.errno === Errno.ENOMEM ? CopyFlag.MOVE : 0);
    if (extent.refused !== null && (request.flags & allOrNone) !== 0) return refuse(extent.refused);
    const done = { ...request, pages: extent.pages };
    if (extent.pages > 0 && !isOntoItself(request)) yield* perform(store, done);
    store.port.emit(PhysmemEv.Copy, request.source, request.destination, extent.pages * 4096, request.flags);
    return extent.refused === null ? ok([extent.pages * 4096]) : refuse(extent.refused, extent.pages * 4096);
  } finally {
    for (const key of keys) {
      store.guards.leave(key);
      store.port.wake(key);
    }
  }
}

/** Objects may have died, or been locked, while the request waited its turn. */
function admissionToBoth(store: Store, request: CopyRequest): Refusal | null {
  return (
    admission(store, request.source, request.sourceGeneration, request.actor) ??
    admission(store, request.destination, request.destinationGeneration, request.destinationActor)
  );
}

const isOntoItself = (request: CopyRequest): boolean =>
  request.source === request.destination && request.sourcePage === request.destinationPage;

const hasFlag = (request: CopyRequest, flag: CopyFlag): boolean => (request.flags & flag) !== 0;

/** How many pages can be copied, and why not more. Changes nothing. */
function plan(store: Store, request: CopyRequest): Extent {
  let { pages } = request;
  let refused: Refusal | null = null;
  const backed = backedPages(store, request);
  if (backed < pages) {
    pages = backed;
    refused = refusal(Errno.ENOENT, Reason.HOLE, 1, (request.sourcePage + pages) * 4096);
  }
  if (!hasFlag(request, CopyFlag.SQUASH)) {
    const entry = entryFrom(store, request.destination, request.destinationPage);
    const at = entry === 0 ? Number.POSITIVE_INFINITY : store.entries.start[entry]!;
    const room = Math.max(0, at - request.destinationPage);
    if (room < pages) {
      pages = room;
      refused = refusal(Errno.EEXIST, Reason.OCCUPIED, 2, (request.destinationPage + pages) * 4096);
    }
  }
  if (isOntoItself(request)) return { pages, refused };
  const paid = affordable(store, request, pages);
  const extent = paid.refused === null ? { pages, refused } : paid;
  if (!hasFlag(request, CopyFlag.SQUASH)) return extent;
  return beforePins(store, request.destination, request.destinationPage, extent);
}

/** Pages of the source range before its first hole. */
function backedPages(store: Store, request: CopyRequest): number {
  const end = request.sourcePage + request.pages;
  let page = request.sourcePage;
  for (let entry = entryFrom(store, request.source, page); entry !== 0; entry = nextEntry(store)) {
    if (store.entries.start[entry]! > page) break;
    page = store.entries.start[entry]! + pagesOf(store, entry);
    if (page >= end) return request.pages;
  }
  return page - request.sourcePage;
}

/** A MOVE inside one control is free; a MOVE into another is paid in full or not done. */
function affordable(store: Store, request: CopyRequest, pages: number): Extent {
  const { destination, destinationPage } = request;
  const { free } = store.controls.at(store.containers.at(destination).control);
  if (!hasFlag(request, CopyFlag.MOVE)) {
    if (hasFlag(request, CopyFlag.SQUASH)) return squashRoom(store, destination, destinationPage, pages);
    return free < pages ? { pages: free, refused: noCredit(free) } : { pages, refused: null };
  }
  if (isSameControl(store, request)) return { pages, refused: null };
  const need = pages - namedPages(store, destination, destinationPage, pages);
  return need > free ? { pages: 0, refused: noCredit(free) } : { pages, refused: null };
}

const isSameControl = (store: Store, request: CopyRequest): boolean =>
  store.containers.at(request.source).control === store.containers.at(request.destination).control;

/** Does a copy that cannot fail any more. */
function* perform(store: Store, request: CopyRequest): Operation<void> {
  const { source, sourcePage, destination, destinationPage, pages } = request;
  const inPlace = hasFlag(request, CopyFlag.MOVE) && isSameControl(store, request);
  const squashWork: RangeWork = inPlace ? removeAndCredit : removeAndKeep;
  const squash = hasFlag(request, CopyFlag.SQUASH);
  const distance = destinationPage - sourcePage;
  const overlaps = source === destination && Math.abs(distance) < pages;
  if (!inPlace) {
    const old = squash ? namedPages(store, destination, destinationPage, pages) : 0;
    store.controls.charge(store.containers.at(destination).control, pages - old);
  }
  if (squash && !overlaps) {
    yield* finishRange(store, newRangeJob(store, null, destination, destinationPage, pages), squashWork);
  }
  const walk: Walk = {
    request,
    removal: new Removal(),
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
  readonly request: CopyRequest;
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

function moveEntry(store: Store, request: CopyRequest, entry: number, page: number, removal: Removal): void {
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
function shareEntry(store: Store, request: CopyRequest, entry: number, page: number): void {
  const { entries } = store;
  const added = addEntry(store, request.destination, page, entries.frame[entry]!);
  const { limited } = request.actor;
  const via = limited !== 0 ? limited : entries.via.get(entry);
  if (via !== undefined) entries.via.set(added, via);
}

/** The new entry has a frame of its own, which shares the block until one of the two is written. */
function cowEntry(store: Store, request: CopyRequest, entry: number, page: number, removal: Removal): Placed {
  const { frames } = store;
  const frame = store.entries.frame[entry]!;
  const block = frames.block[frame]!;
  if (store.base.pins[block] !== 0) return copyPinned(store, request, entry, page, removal);
  if (store.tuning.faults.keepWriteAccess === 'on') tellFault(store, Fault.KEEP_WRITE_ACCESS, block);
  else if (!frames.isCow(frame)) protectFrame(store, frame, removal);
  const twin = frames.alloc(frames.order(frame));
  frames.block[twin] = block;
  frames.joinRing(twin, frame);
  addEntry(store, request.destination, page, twin);
  return Placed.DONE;
}

/** A device may write to pinned memory behind everybody's back, so a copy of it is made at once (I29). */
function copyPinned(
  store: Store,
  request: CopyRequest,
  entry: number,
  page: number,
  removal: Removal,
): Placed {
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
