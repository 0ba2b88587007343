/**
 * Allocating beyond the guarantee (flag EXTRA, physmem.md §8): what the credit covers is paid, the rest is extra memory. The
 * limit is on extra names that have no memory yet: what is bound is there already, and is taken back when a guarantee
 * needs it (reclaim.ts). Extra memory is what is left over: nobody asks for it in a special place.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import { AllocFlag } from '../abi/rights.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { admission } from './actor.ts';
import { type AllocateRequest, occupiedAt } from './allocate.ts';
import { containerKey } from './guard.ts';
import { holdExtra } from './hold.ts';
import { Hold } from './loan.ts';
import { addEntry, entryFrom } from './names.ts';
import { begin } from './operation.ts';
import { ok, type Refusal, refusal, refuse } from './reply.ts';
import type { Store } from './store.ts';

/** Flags that go with EXTRA. */
export const EXTRA_FLAGS = AllocFlag.EXTRA | AllocFlag.ALL_OR_NONE;

/**
 * Base frames of extra memory that can be given out now: what is free or soft, without the reserve of the DMA zone, less
 * what extra names may still bind. None while an operation waits for memory that is guaranteed to it.
 */
export function roomForExtra({ zones, loans }: Store): number {
  if (loans.claims > 0) return 0;
  return Math.max(0, zones.spareRoom + loans.softPages - (loans.extraPages - loans.boundPages));
}

export const noRoom = (room: number): Refusal => refusal(Errno.ENOMEM, Reason.NO_ROOM, 0, room);

/** Allocates pages, paid or extra; the amount is what both together allow. */
export function allocateExtra(store: Store, request: AllocateRequest): RpcReply | Operation {
  const isFree = store.guards.isFree(containerKey(request.container));
  return isFree ? allocateNow(store, request) : begin(allocateInTurn(store, request));
}

function* allocateInTurn(store: Store, request: AllocateRequest): Operation {
  const { container, generation, actor } = request;
  const key = containerKey(container);
  yield* store.guards.enter(key);
  try {
    const fault = admission(store, container, generation, actor);
    return fault === null ? allocateNow(store, request) : refuse(fault);
  } finally {
    store.guards.leave(key);
    store.port.wake(key);
  }
}

function allocateNow(store: Store, request: AllocateRequest): RpcReply {
  const { container, start, pages, flags } = request;
  const next = entryFrom(store, container, start);
  const end = next === 0 ? start + pages : Math.max(start, store.entries.start[next]!);
  const room = Math.min(pages, end - start);
  const { pieces, done } = cut(store, request, room);
  let refused: Refusal | null = null;
  if (done < room) refused = noRoom(roomForExtra(store));
  else if (room < pages) refused = occupiedAt(start + room);
  if (refused !== null && (flags & AllocFlag.ALL_OR_NONE) !== 0) return refuse(refused);
  let page = start;
  for (const piece of pieces) {
    addPiece(store, container, page, piece);
    page += 1 << piece.order;
  }
  store.port.emit(PhysmemEv.Allocate, container, start * 4096, pages * 4096, done * 4096);
  return refused === null ? ok([done * 4096]) : refuse(refused, done * 4096);
}

interface Piece {
  readonly order: number;
  readonly hold: Hold;
}

/**
 * Frames for a request: the least number, largest first, each of them paid if the credit covers all of it, else extra.
 * Only when neither account holds a whole frame is it cut smaller.
 */
function cut(store: Store, request: AllocateRequest, pages: number): { pieces: Piece[]; done: number } {
  const { maxOrder } = store.tuning;
  let { free } = store.controls.at(store.containers.at(request.container).control);
  let room = roomForExtra(store);
  const pieces: Piece[] = [];
  let done = 0;
  while (done < pages) {
    const most = Math.min(pages - done, Math.max(free, room));
    if (most === 0) break;
    const order = Math.min(maxOrder, 31 - Math.clz32(most));
    const size = 1 << order;
    const hold = size <= free ? Hold.PAID : Hold.EXTRA;
    if (hold === Hold.PAID) free -= size;
    else room -= size;
    pieces.push({ order, hold });
    done += size;
  }
  return { pieces, done };
}

function addPiece(store: Store, container: number, page: number, { order, hold }: Piece): void {
  const entry = addEntry(store, container, page, store.frames.alloc(order));
  if (hold === Hold.PAID) store.controls.charge(store.containers.at(container).control, 1 << order);
  else holdExtra(store, entry);
  store.port.charge(1);
}
