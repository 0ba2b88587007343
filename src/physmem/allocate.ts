/**
 * Making names for new memory (physmem.md §4 allocate). A range becomes the least number of power-of-two frames,
 * largest first, whose sizes depend on the size alone; memory is bound at first use. A partial result is the
 * frames for the part that was done.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import { AllocFlag } from '../abi/rights.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { type Actor, admission } from './actor.ts';
import { FrameState } from './base-frames.ts';
import { clearZone, makeDmaRoom, type Told } from './clear.ts';
import { compactFor, isWorthWaiting } from './compact/direct.ts';
import { contiguousOrder, takeContiguous } from './contiguous.ts';
import { removeAndKeep } from './deallocate.ts';
import { FrameFlag, UNBOUND } from './frame.ts';
import { containerKey } from './guard.ts';
import { addEntry, entryFrom, nextEntry, pagesOf } from './names.ts';
import { begin, finishRange, newRangeJob } from './operation.ts';
import { noCredit, ok, type Refusal, refusal, refuse } from './reply.ts';
import type { Store } from './store.ts';
import { ZoneId } from './zone.ts';

/** How much of a request can be done, and the error of the first byte that can not. */
export interface Extent {
  readonly pages: number;
  readonly refused: Refusal | null;
}

/** Allocates pages in a container; the container's control pays. */
export function allocate(store: Store, request: AllocateRequest): RpcReply | Operation {
  const { container, flags } = request;
  if ((flags & AllocFlag.SQUASH) !== 0 || !store.guards.isFree(containerKey(container))) {
    return begin(allocateInTurn(store, request));
  }
  const extent = planAllocation(store, request);
  if (extent.refused?.reason === Reason.NO_DMA) return begin(allocateInTurn(store, request));
  if (isRefused(extent, flags)) return refuse(extent.refused!);
  const block = reserve(store, request, extent, extent.pages);
  if (block === NO_BLOCK) return begin(allocateInTurn(store, request));
  return fill(store, request, extent, block);
}

export interface AllocateRequest {
  readonly actor: Actor;
  readonly container: number;
  readonly generation: number;
  readonly start: number;
  readonly pages: number;
  readonly flags: number;
  /** What the caller may know of pins in its way. */
  readonly told: Told;
}

const has = (request: AllocateRequest, flag: AllocFlag): boolean => (request.flags & flag) !== 0;
/** One contiguous block for half a request makes no sense, so CONTIGUOUS implies ALL_OR_NONE. */
const isRefused = (extent: Extent, flags: number): boolean =>
  extent.refused !== null && (flags & (AllocFlag.ALL_OR_NONE | AllocFlag.CONTIGUOUS)) !== 0;
const refuseBlock = ({ pages }: AllocateRequest): RpcReply =>
  refuse(refusal(Errno.ENOMEM, Reason.NO_BLOCK, 0, contiguousOrder(pages)));

/** How much can be done; names first, then credit, then room in the DMA zone. Changes nothing. */
function planAllocation(store: Store, request: AllocateRequest): Extent {
  const { container, start, pages } = request;
  const extent = has(request, AllocFlag.SQUASH)
    ? beforePins(store, container, start, squashRoom(store, container, start, pages))
    : roomFor(store, container, start, pages);
  if (!has(request, AllocFlag.DMA) || has(request, AllocFlag.CONTIGUOUS)) return extent;
  // Less than nothing while memory below 16 MiB is on the move.
  const dmaRoom = Math.max(0, store.zones.dmaRoom);
  if (dmaRoom >= extent.pages) return extent;
  return { pages: dmaRoom, refused: refusal(Errno.ENOMEM, Reason.NO_DMA, 0, dmaRoom) };
}

/** Result of `reserve` without CONTIGUOUS, and when there is no such block. */
const LAZY = -2;
const NO_BLOCK = -1;

/**
 * Charges `fresh` pages and promises or takes the memory that the flags ask for. Returns the contiguous block, LAZY, or
 * NO_BLOCK when nothing was done.
 */
function reserve(store: Store, request: AllocateRequest, extent: Extent, fresh: number): number {
  const dma = has(request, AllocFlag.DMA) ? 'dma' : 'any';
  let block = LAZY;
  if (has(request, AllocFlag.CONTIGUOUS)) {
    block = takeContiguous(store, extent.pages, dma);
    if (block === NO_BLOCK) return block;
  } else if (dma === 'dma') store.zones.promiseDma(extent.pages);
  store.controls.charge(store.containers.at(request.container).control, fresh);
  return block;
}

/** Free names and free credit from `start` on, at most `pages`. */
function roomFor(store: Store, container: number, start: number, pages: number): Extent {
  const entry = entryFrom(store, container, start);
  const occupied = entry === 0 ? start + pages : Math.max(start, store.entries.start[entry]!);
  const room = Math.min(pages, occupied - start);
  const { free } = store.controls.at(store.containers.at(container).control);
  if (free < room) return { pages: free, refused: noCredit(free) };
  if (room < pages) return { pages: room, refused: occupiedAt(start + room) };
  return { pages, refused: null };
}

export const occupiedAt = (page: number): Refusal => refusal(Errno.EEXIST, Reason.OCCUPIED, 1, page * 4096);

/** Makes the entries of `extent.pages` pages, which are reserved already. */
function fill(store: Store, request: AllocateRequest, extent: Extent, block: number): RpcReply {
  const { container, start, pages } = request;
  if (block >= 0) nameContiguous(store, request, block);
  else addFrames(store, container, start, extent.pages, has(request, AllocFlag.DMA) ? FrameFlag.DMA : 0);
  store.port.emit(PhysmemEv.Allocate, container, start * 4096, pages * 4096, extent.pages * 4096);
  if (extent.refused !== null) return refuse(extent.refused, extent.pages * 4096);
  return ok([extent.pages * 4096]);
}

/** Names fresh unbound frames: the binary digits of `pages`, largest first. */
export function addFrames(
  store: Store,
  container: number,
  start: number,
  pages: number,
  flags: FrameFlag | 0 = 0,
): void {
  const { maxOrder } = store.tuning;
  let page = start;
  const end = start + pages;
  while (page < end) {
    const order = Math.min(maxOrder, 31 - Math.clz32(end - page));
    const frame = store.frames.alloc(order);
    if (flags !== 0) store.frames.raise(frame, flags);
    addEntry(store, container, page, frame);
    page += 1 << order;
    store.port.charge(1);
  }
}

/** Names the pieces of one block, bound and zeroed at once: contiguity is what was asked for. */
function nameContiguous(store: Store, request: AllocateRequest, block: number): void {
  const { container, start, pages } = request;
  if (store.tuning.faults.skipZeroing === 'off') store.port.zeroFrames(block, pages);
  store.counters.zeroedFrames += pages;
  for (let done = 0; done < pages; ) {
    const head = block + done;
    const order = store.base.order[head]!;
    const frame = store.frames.alloc(order);
    if (has(request, AllocFlag.DMA)) store.frames.raise(frame, FrameFlag.DMA);
    store.base.set(head, FrameState.BOUND, frame);
    store.frames.block[frame] = head;
    addEntry(store, container, start + done, frame);
    done += 1 << order;
  }
}

/**
 * With SQUASH, or after a wait. What is replaced is removed and shot down before the new names exist; its charge
 * stays in place for them, so nobody can take the credit in between.
 */
function* allocateInTurn(store: Store, request: AllocateRequest): Operation {
  const { container, start, flags } = request;
  const key = containerKey(container);
  yield* store.guards.enter(key);
  try {
    const fault =
      admission(store, container, request.generation, request.actor) ??
      (yield* makeRoom(store, request)) ??
      admission(store, container, request.generation, request.actor);
    if (fault !== null) return refuse(fault);
    const extent = planAllocation(store, request);
    if (isRefused(extent, flags)) return refuse(extent.refused!);
    const old = has(request, AllocFlag.SQUASH) ? namedPages(store, container, start, extent.pages) : 0;
    const block = reserve(store, request, extent, extent.pages - old);
    if (block === NO_BLOCK) return refuseBlock(request);
    // Names that nobody pays for go, too.
    if (has(request, AllocFlag.SQUASH)) {
      yield* finishRange(store, newRangeJob(store, null, container, start, extent.pages), removeAndKeep);
    }
    return fill(store, request, extent, block);
  } finally {
    store.guards.leave(key);
    store.port.wake(key);
  }
}

/** Moves others' memory out of the way of a request that wants a place; null when there is room, or nothing helps. */
function* makeRoom(store: Store, request: AllocateRequest): Operation<Refusal | null> {
  const { pages, flags, told } = request;
  const extent = planAllocation(store, request);
  if (has(request, AllocFlag.CONTIGUOUS)) {
    const order = contiguousOrder(pages);
    if (isRefused(extent, flags)) return extent.refused;
    if (has(request, AllocFlag.DMA)) return yield* clearZone(store, { zone: ZoneId.DMA, order }, told);
    const isFree = store.zones.zones.some(({ buddy }) => buddy.has(order));
    if (!isFree && isWorthWaiting(store, order)) yield* compactFor(store, order);
  } else if (extent.refused?.reason === Reason.NO_DMA) {
    // Whatever could be cleared counts: the plan that follows says how far it goes.
    yield* makeDmaRoom(store, pages);
  }
  return null;
}

/** The longest prefix whose pages that nobody pays for yet `budget` pays for, by default all that the control has free. */
export function squashRoom(
  store: Store,
  container: number,
  start: number,
  pages: number,
  budget?: number,
): Extent {
  const { free } = store.controls.at(store.containers.at(container).control);
  let credit = budget ?? free;
  let page = start;
  const end = start + pages;
  for (let entry = entryFrom(store, container, start); page < end; entry = nextEntry(store)) {
    // What stands on loan now is paid for once it is replaced.
    if (entry !== 0 && store.entries.loan[entry] !== 0 && store.entries.start[entry]! < end) continue;
    const from = entry === 0 ? end : Math.min(end, Math.max(page, store.entries.start[entry]!));
    if (from - page > credit) return { pages: page + credit - start, refused: noCredit(free) };
    credit -= from - page;
    page = entry === 0 ? end : Math.min(end, store.entries.start[entry]! + pagesOf(store, entry));
  }
  return { pages, refused: null };
}

/** Memory that is pinned cannot be replaced: its frame must stay, and the charge with it. */
export function beforePins(store: Store, container: number, start: number, extent: Extent): Extent {
  if (store.pins.pages === 0) return extent;
  const end = start + extent.pages;
  for (let entry = entryFrom(store, container, start); entry !== 0; entry = nextEntry(store)) {
    const from = Math.max(start, store.entries.start[entry]!);
    if (from >= end) return extent;
    const block = store.frames.block[store.entries.frame[entry]!]!;
    if (block === UNBOUND || store.base.pins[block] === 0) continue;
    return { pages: from - start, refused: refusal(Errno.EBUSY, Reason.PINNED, 1, from * 4096) };
  }
  return extent;
}

/** Pages of a range that are paid for. */
export function namedPages(store: Store, container: number, start: number, pages: number): number {
  const end = start + pages;
  let sum = 0;
  for (let entry = entryFrom(store, container, start); entry !== 0; entry = nextEntry(store)) {
    const from = store.entries.start[entry]!;
    if (from >= end) break;
    if (store.entries.loan[entry] !== 0) continue;
    sum += Math.min(end, from + pagesOf(store, entry)) - Math.max(start, from);
  }
  return sum;
}
