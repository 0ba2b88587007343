/**
 * Zone clearing (physmem.md §7.2): somebody needs contiguous memory of a zone, or any memory of the DMA zone, that others
 * use. The cheapest region without pins is emptied; ordinary memory leaves the DMA zone for the rest of RAM, what must stay
 * below 16 MiB moves inside it. When pins are in the way the refusal says how many, where, and until when the first one
 * lasts. It works under every policy: a driver cannot do with smaller frames.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import type { Operation } from '../abi/server.ts';
import { Evacuated, evacuate } from './compact/evacuate.ts';
import type { Goal } from './compact/policy.ts';
import { BLOCKS_LOOKED_INTO, blockRange } from './compact/regions.ts';
import { countRegion, StoreView } from './compact/view.ts';
import { NEVER, PROGRESS_KEY } from './guard.ts';
import { type Refusal, refusal } from './reply.ts';
import type { Store } from './store.ts';
import { roomForAll } from './supply.ts';
import { ZoneId } from './zone.ts';

/** Physical addresses are told to drivers only (physmem.md §2.6). */
export type Told = 'driver' | 'client';

/** Times that all is given back because somebody needs memory at once. */
const HURRIES_MAX = 4;

/** Whether a free block of the order can be taken by somebody without a promise. */
export function hasBlock(store: Store, { zone, order }: Goal): boolean {
  const { buddy } = store.zones.zones[zone]!;
  return buddy.has(order) && (zone !== ZoneId.DMA || store.zones.dmaRoom >= 1 << order);
}

/** Makes a free block of the order in a zone; null when there is one, else why it cannot be had. */
export const clearZone = (store: Store, goal: Goal, told: Told): Operation<Refusal | null> =>
  clearUntil(store, goal, told, () => hasBlock(store, goal));

/** Order of the regions that are emptied when it does not matter how large they are: 128 KiB. */
const ROOM_ORDER = 5;

/** Makes room for so many base frames in the DMA zone, in pieces, as far as it goes. */
export const makeDmaRoom = (store: Store, pages: number): Operation<Refusal | null> =>
  clearUntil(store, { zone: ZoneId.DMA, order: ROOM_ORDER }, 'client', () => store.zones.dmaRoom >= pages);

function* clearUntil(
  store: Store,
  goal: Goal,
  told: Told,
  isEnough: () => boolean,
): Operation<Refusal | null> {
  const start = store.port.now();
  const given = new Set<number>();
  let hurries = 0;
  let refused: Refusal | null = null;
  while (refused === null && !isEnough()) {
    const frame = cheapest(store, goal, given);
    // Others are moving memory: what they have claimed comes back.
    if (frame < 0 && store.claimed > 0) yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
    else if (frame < 0) refused = whatIsInTheWay(store, goal, told);
    else {
      const result = yield* evacuate(store, { frame, order: goal.order, into: [], where: 'above' });
      if (result === Evacuated.HURRY) hurries += 1;
      else given.add(frame);
      if (hurries > HURRIES_MAX) refused = noBlock(goal);
    }
  }
  store.counters.moveWaits += 1;
  store.counters.moveWaitCycles += store.port.now() - start;
  return refused;
}

/** Base frames in all that a cleared DMA zone could give: what is there moves up, as far as there is room. */
export function dmaRoomAfterClearing(store: Store): number {
  const { zones, base } = store;
  const { buddy } = zones.zones[ZoneId.DMA]!;
  let movable = 0;
  for (let block = 0; block << base.counts.shift < buddy.end; block += 1)
    movable += base.counts.movable[block]!;
  const above = roomForAll(store) - Math.max(0, zones.dmaRoom);
  return zones.dmaRoom + Math.min(movable, Math.max(0, above));
}

/** Start of the cheapest region that was not tried yet, -1 when there is none without something fixed. */
function cheapest(store: Store, goal: Goal, given: ReadonlySet<number>): number {
  let best = -1;
  let fewest = Number.POSITIVE_INFINITY;
  eachRegion(store, goal, (frame) => {
    const { movable, pinned, fixed } = countRegion(store, frame, goal.order);
    if (movable === 0 || pinned + fixed > 0 || given.has(frame) || movable >= fewest) return;
    best = frame;
    fewest = movable;
  });
  return best;
}

/** Regions of the goal's order, in the blocks that have most of what can go and least of what cannot. */
function eachRegion(store: Store, goal: Goal, visit: (frame: number) => void): void {
  const view = new StoreView(store);
  const { counts } = store.base;
  const [low, high] = blockRange(view, goal.zone);
  const { first, end } = view.zones[goal.zone]!;
  const stuck = (block: number): number => counts.pinned[block]! + counts.fixed(block);
  const blocks = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  blocks.sort((a, b) => stuck(a) - stuck(b) || counts.movable[a]! - counts.movable[b]! || a - b);
  for (const block of blocks.slice(0, BLOCKS_LOOKED_INTO)) {
    const from = Math.max(first, block << counts.shift);
    const to = Math.min(end, (block + 1) << counts.shift);
    for (let frame = from; frame + 2 ** goal.order <= to; frame += 2 ** goal.order) visit(frame);
  }
}

const noBlock = ({ order }: Goal): Refusal => refusal(Errno.ENOMEM, Reason.NO_BLOCK, 0, order);

/** The region that only pins keep from being emptied, with the fewest of them; else there is just no block. */
function whatIsInTheWay(store: Store, goal: Goal, told: Told): Refusal {
  let at = -1;
  let fewest = Number.POSITIVE_INFINITY;
  eachRegion(store, goal, (frame) => {
    const { pinned, fixed } = countRegion(store, frame, goal.order);
    if (pinned === 0 || fixed > 0 || pinned >= fewest) return;
    at = frame;
    fewest = pinned;
  });
  if (at < 0) return noBlock(goal);
  const end = at + 2 ** goal.order;
  const cycles = cyclesUntilFirst(store, at, end);
  store.port.emit(PhysmemEv.ClearRefused, at, goal.order, fewest, cycles);
  const more = told === 'driver' ? [cycles, at * 4096, end * 4096 - 1] : [cycles];
  const reason = told === 'driver' ? Reason.PINS_AT : Reason.PINS_IN_WAY;
  return { ...refusal(Errno.EBUSY, reason, 0, fewest), more };
}

/** Time until the first pin in [first, end) ends; 0 when one is over and only its device is not quiet yet. */
function cyclesUntilFirst(store: Store, first: number, end: number): number {
  const now = store.port.now();
  let until = Number.POSITIVE_INFINITY;
  for (const pin of store.pins.live()) {
    for (let i = 0; i < pin.blocks.length; i += 2) {
      if (pin.blocks[i]! < end && pin.blocks[i]! + pin.blocks[i + 1]! > first)
        until = Math.min(until, pin.until);
    }
  }
  return Number.isFinite(until) ? Math.min(0xffffffff, Math.max(0, until - now)) : 0;
}
