/**
 * Pinning (physmem.md §4): binds a range and holds it in place for a bounded time, for a device that is told physical
 * addresses. Before a frame is pinned it leaves its copy-on-write ring, so that what the device writes is seen by this
 * logical copy only (I29), and with PinFlag.DMA it moves below 16 MiB. Either all of the range is pinned or none.
 * Quotas, per control and in all, keep enough memory movable.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import { CapType, PinFlag } from '../abi/rights.ts';
import { PIN_RANGES_MAX } from '../abi/rpcs.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { type Actor, admission } from './actor.ts';
import {
  BindResult,
  backFrame,
  bindFrame,
  breakCow,
  cutForMemory,
  isBound,
  needsBreak,
  takeBlock,
} from './bind.ts';
import { awaitsMemory, claimApart, claimLow } from './claim.ts';
import { clearZone, dmaRoomAfterClearing, hasBlock, makeDmaRoom } from './clear.ts';
import type { Control } from './control.ts';
import { staleness } from './defer.ts';
import { failsNow } from './faults.ts';
import { FrameFlag, UNBOUND } from './frame.ts';
import { containerKey, NEVER, PROGRESS_KEY } from './guard.ts';
import { hasLoan, holdOf } from './hold.ts';
import { Hold } from './loan.ts';
import { moveFrame } from './migrate.ts';
import { entryAt, pagesOf } from './names.ts';
import { awaitStill, begin } from './operation.ts';
import { openToDevices, sweepNotAfter } from './pin-end.ts';
import { claimFrames, UNASKED } from './reclaim.ts';
import { Removal, settle } from './removal.ts';
import { ok, type Refusal, refusal, refuse } from './reply.ts';
import { SILENT } from './silent-core.ts';
import { splitFrame } from './split.ts';
import type { Store } from './store.ts';
import { canClaim } from './supply.ts';
import { ZoneId } from './zone.ts';

/** A control may have this share of its credit pinned, and all together this share of the memory. */
export const PIN_SHARE_OF_CONTROL = 1 / 2;
export const PIN_SHARE_OF_ALL = 1 / 4;

export interface PinRequest {
  readonly actor: Actor;
  readonly container: number;
  readonly generation: number;
  readonly start: number;
  readonly pages: number;
  readonly cycles: number;
  readonly flags: number;
  /** Only a driver is told physical addresses (physmem.md §2.6). */
  readonly driver: boolean;
  /** What a driver's device may do with the memory: what the capability allows its holder. */
  readonly access: number;
}

/** Pins a range. Rights and arguments were checked by the caller. */
export const pin = (store: Store, request: PinRequest): RpcReply | Operation =>
  begin(pinInTurn(store, request));

function* pinInTurn(store: Store, request: PinRequest): Operation {
  const key = containerKey(request.container);
  yield* store.guards.enter(key);
  try {
    const refused =
      admission(store, request.container, request.generation, request.actor) ??
      quotaFault(store, request) ??
      (yield* clearFor(store, request)) ??
      (yield* prepare(store, request));
    // Others may have pinned meanwhile.
    const full = refused ?? pinQuotaFault(store, request);
    return full === null ? commit(store, request) : refuse(full);
  } finally {
    store.guards.leave(key);
    store.port.wake(key);
  }
}

/** Calls `visit` with each entry of the range; returns the first hole, or -1. */
function eachEntry(store: Store, request: PinRequest, visit: (entry: number) => void): number {
  const end = request.start + request.pages;
  for (let page = request.start; page < end; ) {
    const entry = entryAt(store, request.container, page);
    if (entry === 0) return page;
    visit(entry);
    page = store.entries.start[entry]! + pagesOf(store, entry);
  }
  return -1;
}

/** What can be said before anything is touched: holes, quotas, room in the DMA zone. */
function quotaFault(store: Store, request: PinRequest): Refusal | null {
  let toMove = 0;
  let loan: Refusal | null = null;
  const hole = eachEntry(store, request, (entry) => {
    loan ??= loanFault(store, entry);
    if (!isLow(store, store.entries.frame[entry]!)) toMove += overlap(store, request, entry);
  });
  if (loan !== null) return loan;
  if (hole >= 0) return refusal(Errno.ENOENT, Reason.HOLE, 1, hole * 4096);
  const full = pinQuotaFault(store, request);
  if (full !== null) return full;
  const hasRoom = (request.flags & PinFlag.DMA) === 0 || toMove <= dmaRoomAfterClearing(store);
  return hasRoom ? null : noDma(store);
}

/** Why no more may be pinned now: a quota of the control, or of all. */
function pinQuotaFault(store: Store, { container, pages }: PinRequest): Refusal | null {
  const control = store.controls.at(store.containers.at(container).control);
  const own = pinQuota(control);
  if (control.pinned + pages > own) return refusal(Errno.ENOMEM, Reason.QUOTA, 0, own);
  const all = Math.floor(store.controls.at(1).total * PIN_SHARE_OF_ALL);
  return store.pins.pages + pages > all ? refusal(Errno.ENOMEM, Reason.QUOTA, 0, all) : null;
}

/** Others' memory leaves the DMA zone as far as the range needs it. */
function* clearFor(store: Store, request: PinRequest): Operation<Refusal | null> {
  if ((request.flags & PinFlag.DMA) === 0) return null;
  let toMove = 0;
  eachEntry(store, request, (entry) => {
    if (!isLow(store, store.entries.frame[entry]!)) toMove += overlap(store, request, entry);
  });
  if (toMove > store.zones.dmaRoom) yield* makeDmaRoom(store, toMove);
  return admission(store, request.container, request.generation, request.actor);
}

/** Extra memory must stay takeable, for whoever it is guaranteed to, so it can not be pinned; soft memory is not there. */
function loanFault(store: Store, entry: number): Refusal | null {
  const at = store.entries.start[entry]! * 4096;
  if (holdOf(store, entry) === Hold.SOFT) return refusal(Errno.ENOENT, Reason.SOFT_PAGE, 1, at);
  return hasLoan(store, store.entries.frame[entry]!) ? refusal(Errno.ENOMEM, Reason.EXTRA_PAGE, 1, at) : null;
}

/** Pages of the range that an entry names. */
function overlap(store: Store, request: PinRequest, entry: number): number {
  const start = store.entries.start[entry]!;
  const end = Math.min(start + pagesOf(store, entry), request.start + request.pages);
  return end - Math.max(start, request.start);
}

/** Whether a frame lies in the DMA zone, or has a promise there. */
function isLow(store: Store, frame: number): boolean {
  const block = store.frames.block[frame]!;
  if (block === UNBOUND) return store.frames.has(frame, FrameFlag.DMA);
  return store.zones.zoneOf(block) === ZoneId.DMA;
}

export const pinQuota = (control: Control): number => Math.floor(control.total * PIN_SHARE_OF_CONTROL);

/**
 * Makes every frame of the range fit to be pinned. Whatever has to wait may undo what was done before, so after a wait
 * it begins again at the start; it ends with a pass in which nothing was left to do.
 */
function* prepare(store: Store, request: PinRequest): Operation<Refusal | null> {
  const clears = CLEARS_PER_PAGE * request.pages;
  const fit: Fit = { piecesFrom: Number.POSITIVE_INFINITY, isApartFull: false, clears };
  const end = request.start + request.pages;
  let until = UNASKED;
  for (let page = request.start; page < end; ) {
    yield* awaitStill(store, request.container, request.start, end);
    const entry = entryAt(store, request.container, page);
    // Extra memory may have been taken, and with it the name, while this waited.
    if (entry === 0) return refusal(Errno.ENOENT, Reason.HOLE, 1, page * 4096);
    const loan = loanFault(store, entry);
    if (loan !== null) return loan;
    const frame = store.entries.frame[entry]!;
    if (overlap(store, request, entry) < pagesOf(store, entry)) {
      // Just what is asked for is pinned, and counts.
      const removal = new Removal();
      splitFrame(store, frame, removal);
      yield* settle(store, removal);
      page = request.start;
      continue;
    }
    if (isFit(store, request, fit, frame)) {
      page = store.entries.start[entry]! + pagesOf(store, entry);
      continue;
    }
    const made = yield* makeFit(store, request, fit, frame);
    if (made === 'no-memory') {
      const need = 1 << store.frames.order(frame);
      if (canClaim(store, need)) until = yield* claimFrames(store, need, until);
      else if (!awaitsMemory(store)) return noDma(store);
      else yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
    } else if (made !== null) return made;
    page = request.start;
  }
  return null;
}

function isFit(store: Store, request: PinRequest, fit: Fit, frame: number): boolean {
  if (!isBound(store, frame) || needsBreak(store, frame)) return false;
  if (staleness(store, store.frames.block[frame]!) !== 'none') return false;
  if ((request.flags & PinFlag.DMA) !== 0 && !isLow(store, frame)) return false;
  return fit.isApartFull || isApart(store, frame);
}

/** With grouping by mobility pinned memory stands in blocks of its own, unless it fills one or is pinned already. */
function isApart({ base, frames, zones }: Store, frame: number): boolean {
  const head = frames.block[frame]!;
  if (zones.grouping === 'off' || base.pins[head] !== 0) return true;
  return frames.order(frame) === base.counts.shift || base.counts.apart[head >>> base.counts.shift] === 1;
}

/** Blocks that are cleared for a page of a range before the zone counts as full. */
const CLEARS_PER_PAGE = 8;

/** What was found out on the way: frames of this order and above are cut, because no block can be cleared for them. */
interface Fit {
  piecesFrom: number;
  /** There is no room in the blocks of unmovable memory. */
  isApartFull: boolean;
  /** Blocks that may still be cleared: clearing the zone for one frame of a range can drive another one out again. */
  clears: number;
}

/** Brings a frame one step nearer to being fit. */
function* makeFit(
  store: Store,
  request: PinRequest,
  fit: Fit,
  frame: number,
): Operation<Refusal | null | 'no-memory'> {
  const { frames } = store;
  const removal = new Removal();
  const low = (request.flags & PinFlag.DMA) !== 0;
  if (low && wantsLowBlock(store, frame)) {
    const goal = { zone: ZoneId.DMA, order: frames.order(frame) };
    if (goal.order < fit.piecesFrom && !hasBlock(store, goal)) {
      if (fit.clears === 0) return noDma(store);
      fit.clears -= 1;
      const refused = yield* clearZone(store, goal, request.driver ? 'driver' : 'client');
      if (refused !== null) fit.piecesFrom = goal.order;
      return goal.order === 0 ? refused : null;
    }
  }
  let result: BindResult;
  if (!isBound(store, frame))
    result = low ? bindLow(store, frame, removal) : bindFrame(store, frame, removal);
  else if (needsBreak(store, frame)) result = breakCow(store, frame, removal);
  else if (staleness(store, store.frames.block[frame]!) !== 'none') return yield* endStaleness(store, frame);
  else if (low && !isLow(store, frame)) return yield* moveLow(store, frame);
  else return yield* moveApart(store, fit, frame);
  if ((yield* settle(store, removal)) === 'limbo') return SILENT;
  return result === BindResult.NO_MEMORY ? 'no-memory' : null;
}

/** Moves a frame among unmovable memory; it is pinned where it is when there is no room for it. */
function* moveApart(store: Store, fit: Fit, frame: number): Operation<Refusal | null> {
  const { frames, zones } = store;
  const head = claimApart(store, zones.zoneOf(frames.block[frame]!), frames.order(frame));
  if (head < 0) {
    fit.isApartFull = true;
    return null;
  }
  return (yield* moveFrame(store, frame, head)) === 0 ? SILENT : null;
}

/** A device writes behind everybody's back: no core may still read the block through a deferred unmap. */
function* endStaleness(store: Store, frame: number): Operation<Refusal | null> {
  if (staleness(store, store.frames.block[frame]!) === 'leaving') {
    yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
    return null;
  }
  return (yield* settle(store, new Removal('own', 'all'))) === 'limbo' ? SILENT : null;
}

/** Whether the next step for a frame takes a block of its order below 16 MiB that nobody has promised it. */
function wantsLowBlock(store: Store, frame: number): boolean {
  if (!isBound(store, frame)) return !store.frames.has(frame, FrameFlag.DMA);
  return !needsBreak(store, frame) && !isLow(store, frame);
}

const noDma = (store: Store): Refusal =>
  refusal(Errno.ENOMEM, Reason.NO_DMA, 0, Math.max(0, store.zones.dmaRoom));

/** Binds a frame in the DMA zone; a frame that was allocated for it has a promise there. */
function bindLow(store: Store, frame: number, removal: Removal): BindResult {
  if (store.frames.has(frame, FrameFlag.DMA)) return bindFrame(store, frame, removal);
  const head = takeBlock(store, store.frames.order(frame), frame, 'low');
  if (head < 0) return cutForMemory(store, frame, removal);
  backFrame(store, frame, head);
  return BindResult.DONE;
}

/** Moves a frame that no other logical copy shares into the DMA zone, in pieces if need be. */
function* moveLow(store: Store, frame: number): Operation<Refusal | null> {
  const block = store.frames.block[frame]!;
  if (store.base.pins[block] !== 0) return refusal(Errno.EBUSY, Reason.PINNED, 0, 0);
  const head = failsNow(store) ? -1 : claimLow(store, store.frames.order(frame));
  if (head >= 0) {
    return (yield* moveFrame(store, frame, head)) === 0 ? SILENT : null;
  }
  if (store.frames.order(frame) === 0) return noDma(store);
  const removal = new Removal();
  cutForMemory(store, frame, removal);
  yield* settle(store, removal);
  return null;
}

/** Counts the pin on every block and makes its record; cannot fail but for too many ranges to tell. */
function commit(store: Store, request: PinRequest): RpcReply {
  const ranges = physicalRanges(store, request);
  if (request.driver && ranges.length > 2 * PIN_RANGES_MAX) {
    return refuse(refusal(Errno.EMSGSIZE, Reason.BAD_COUNT, 0, PIN_RANGES_MAX));
  }
  const { control } = store.containers.at(request.container);
  const record = store.pins.table.create();
  record.state = 'live';
  record.task = request.actor.task;
  record.limited = request.actor.limited;
  record.access = request.driver ? request.access : 0;
  record.control = control;
  record.until = store.port.now() + request.cycles;
  record.blocks = holdBlocks(store, request);
  record.pages = record.blocks.reduce((sum, value, i) => (i % 2 === 1 ? sum + value : sum), 0);
  store.controls.at(control).pinned += record.pages;
  store.pins.pages += record.pages;
  sweepNotAfter(store, record.until);
  openToDevices(store, record);
  store.port.emit(PhysmemEv.Pin, request.container, request.start * 4096, record.pages, request.cycles);
  const told = request.driver ? ranges : [];
  const object = store.pins.table.id(record.index);
  return ok([request.pages * 4096, told.length / 2, ...told], [{ type: CapType.PIN, object, rights: 1 }]);
}

function holdBlocks(store: Store, request: PinRequest): number[] {
  const blocks: number[] = [];
  eachEntry(store, request, (entry) => {
    const block = store.frames.block[store.entries.frame[entry]!]!;
    store.base.changePins(block, 1);
    blocks.push(block, pagesOf(store, entry));
  });
  return blocks;
}

/** Pairs of physical address and size, neighbours joined. */
function physicalRanges(store: Store, request: PinRequest): number[] {
  const ranges: number[] = [];
  eachEntry(store, request, (entry) => {
    const size = pagesOf(store, entry) * 4096;
    const address = store.frames.block[store.entries.frame[entry]!]! * 4096;
    const last = ranges.length - 2;
    if (last >= 0 && ranges[last]! + ranges[last + 1]! === address)
      ranges[last + 1] = ranges[last + 1]! + size;
    else ranges.push(address, size);
  });
  return ranges;
}
