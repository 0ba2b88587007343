/**
 * Making names for new memory (physmem.md §4 allocate). A range becomes the least number of power-of-two frames,
 * largest first, whose sizes depend on the size alone; memory is bound at first use. A partial result is the
 * frames for the part that was done.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import { AllocFlag } from '../abi/rights.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { removeAndKeep } from './deallocate.ts';
import { containerKey } from './guard.ts';
import { addEntry, entryFrom, nextEntry, pagesOf } from './names.ts';
import { begin, finishRange, newRangeJob } from './operation.ts';
import { DYING, noCredit, ok, type Refusal, refusal, refuse } from './reply.ts';
import type { Store } from './store.ts';

/** How much of a request can be done, and the error of the first byte that can not. */
export interface Extent {
  readonly pages: number;
  readonly refused: Refusal | null;
}

/** Allocates pages in a container; the container's control pays. */
export function allocate(
  store: Store,
  container: number,
  start: number,
  pages: number,
  flags: number,
): RpcReply | Operation {
  if ((flags & AllocFlag.SQUASH) !== 0 || !store.guards.isFree(containerKey(container))) {
    return begin(allocateInTurn(store, container, start, pages, flags));
  }
  const extent = roomFor(store, container, start, pages);
  if (extent.refused !== null && (flags & AllocFlag.ALL_OR_NONE) !== 0) return refuse(extent.refused);
  store.controls.charge(store.containers.at(container).control, extent.pages);
  return fill(store, container, start, pages, extent);
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

/** Makes the entries of `extent.pages` pages, which are charged already. */
function fill(store: Store, container: number, start: number, pages: number, extent: Extent): RpcReply {
  addFrames(store, container, start, extent.pages);
  store.port.emit(PhysmemEv.Allocate, container, start * 4096, pages * 4096, extent.pages * 4096);
  if (extent.refused !== null) return refuse(extent.refused, extent.pages * 4096);
  return ok([extent.pages * 4096]);
}

/** Names fresh unbound frames: the binary digits of `pages`, largest first. */
export function addFrames(store: Store, container: number, start: number, pages: number): void {
  const { maxOrder } = store.tuning;
  let page = start;
  const end = start + pages;
  while (page < end) {
    const order = Math.min(maxOrder, 31 - Math.clz32(end - page));
    addEntry(store, container, page, store.frames.alloc(order));
    page += 1 << order;
    store.port.charge(1);
  }
}

/**
 * With SQUASH, or after a wait. What is replaced is removed and shot down before the new names exist; its charge
 * stays in place for them, so nobody can take the credit in between.
 */
function* allocateInTurn(
  store: Store,
  container: number,
  start: number,
  pages: number,
  flags: number,
): Operation {
  const { generation } = store.containers.at(container);
  const key = containerKey(container);
  yield* store.guards.enter(key);
  try {
    const target = store.containers.at(container);
    if (target.state !== 'live' || target.generation !== generation) return refuse(DYING);
    const squash = (flags & AllocFlag.SQUASH) !== 0;
    const extent = squash
      ? squashRoom(store, container, start, pages)
      : roomFor(store, container, start, pages);
    if (extent.refused !== null && (flags & AllocFlag.ALL_OR_NONE) !== 0) return refuse(extent.refused);
    const old = squash ? namedPages(store, container, start, extent.pages) : 0;
    store.controls.charge(target.control, extent.pages - old);
    if (old > 0) {
      yield* finishRange(store, newRangeJob(store, container, start, extent.pages), removeAndKeep);
    }
    return fill(store, container, start, pages, extent);
  } finally {
    store.guards.leave(key);
    store.port.wake(key);
  }
}

/** The longest prefix whose unnamed pages the control can pay for. */
export function squashRoom(store: Store, container: number, start: number, pages: number): Extent {
  const { free } = store.controls.at(store.containers.at(container).control);
  let credit = free;
  let page = start;
  const end = start + pages;
  for (let entry = entryFrom(store, container, start); page < end; entry = nextEntry(store)) {
    const from = entry === 0 ? end : Math.min(end, Math.max(page, store.entries.start[entry]!));
    if (from - page > credit) return { pages: page + credit - start, refused: noCredit(free) };
    credit -= from - page;
    page = entry === 0 ? end : Math.min(end, store.entries.start[entry]! + pagesOf(store, entry));
  }
  return { pages, refused: null };
}

/** Pages of a range that have a name. */
export function namedPages(store: Store, container: number, start: number, pages: number): number {
  const end = start + pages;
  let sum = 0;
  for (let entry = entryFrom(store, container, start); entry !== 0; entry = nextEntry(store)) {
    const from = store.entries.start[entry]!;
    if (from >= end) break;
    sum += Math.min(end, from + pagesOf(store, entry)) - Math.max(start, from);
  }
  return sum;
}
