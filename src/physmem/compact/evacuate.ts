/**
 * Emptying a region (physmem.md §7.2, §7.3): its free blocks are claimed, so that nobody settles there meanwhile; then its
 * frames move out in batches, one shootdown each, with a pause after every batch; what they leave is claimed as well. In the
 * end the region is one free block, or all goes back as it was and the first obstacle is told.
 */
import { PhysmemEv } from '../../abi/events.ts';
import type { Operation } from '../../abi/server.ts';
import { FrameState } from '../base-frames.ts';
import type { Buddy } from '../buddy.ts';
import { claimBlock, claimFree, claimWithin, freeFrame } from '../claim.ts';
import { FrameFlag } from '../frame.ts';
import { NEVER, PROGRESS_KEY } from '../guard.ts';
import { type Move, moveBlocks, Obstacle, obstacleAt, ringOf } from '../migrate.ts';
import { freeBlock, Removal, settle } from '../removal.ts';
import { splitFrame } from '../split.ts';
import type { Store } from '../store.ts';
import { ZoneId } from '../zone.ts';

export interface Region {
  readonly frame: number;
  readonly order: number;
  /** Blocks (of 4 MiB) that take what moves, in this order; then any place in the zones that are allowed. */
  readonly into: readonly number[];
  /** `zone`: memory stays in its zone. `above`: ordinary memory leaves for another zone if it can (zone clearing). */
  readonly where: 'zone' | 'above';
}

export enum Evacuated {
  /** The region is one free block. */
  EMPTY = 0,
  /** Something in it cannot move now. */
  OBSTACLE = 1,
  /** There is no room elsewhere. */
  NO_ROOM = 2,
  /** Somebody needs memory at once: everything was given back. */
  HURRY = 3,
}

/** Batches that may come to nothing (a late core, memory on its way elsewhere) before the region is given up. */
const TRIES = 8;
/** Blocks that are moved out of a region, for each base frame of it, before it is given up. */
const MOVES_PER_FRAME = 2;

interface Work {
  readonly region: Region;
  readonly end: number;
  readonly batch: number;
  /** Heads of claimed blocks of the region. */
  readonly kept: Set<number>;
  /** Position in `region.into`: what is full is not asked again. */
  target: number;
}

/** Empties a region of at most 4 MiB, in slices. */
export function* evacuate(store: Store, region: Region): Operation<Evacuated> {
  const end = region.frame + 2 ** region.order;
  const { batch } = store.compaction;
  const work: Work = { region, end, batch, kept: new Set(), target: 0 };
  store.hurry = false;
  const result = yield* moveOut(store, work);
  giveBack(store, work, result);
  const { counters } = store;
  if (result === Evacuated.EMPTY) counters.evacuations += 1;
  else counters.evacuationsFailed += 1;
  store.port.emit(PhysmemEv.Evacuate, region.frame, region.order, result, 0);
  store.progress();
  return result;
}

function* moveOut(store: Store, work: Work): Operation<Evacuated> {
  // Two regions that are emptied at a time could hand each other the same blocks for ever.
  let left = MOVES_PER_FRAME << work.region.order;
  for (let tries = 0; tries < TRIES && left > 0; ) {
    // A core that owes an answer may still write to anything.
    if (store.inflight.parked.length > 0) return Evacuated.OBSTACLE;
    const found = collect(store, work);
    if (found.obstacle === Obstacle.MOVING) {
      tries += 1;
      yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
      continue;
    }
    if (found.obstacle !== Obstacle.NONE) {
      for (const { to } of found.moves) freeFrame(store, to);
      return Evacuated.OBSTACLE;
    }
    if (found.tooLarge !== 0) {
      yield* halve(store, found.tooLarge);
      continue;
    }
    if (found.moves.length === 0) return found.noRoom ? Evacuated.NO_ROOM : Evacuated.EMPTY;
    const moved = yield* moveBlocks(store, found.moves);
    if (moved === 0) tries += 1;
    left -= moved;
    yield { kind: 'pause' };
    if (store.hurry) return Evacuated.HURRY;
  }
  return Evacuated.OBSTACLE;
}

interface Found {
  readonly moves: Move[];
  obstacle: Obstacle;
  /** A frame for which there is only room in pieces. */
  tooLarge: number;
  noRoom: boolean;
}

/** Claims what is free in the region, so that nothing settles there; whether all of it is one free block already. */
function keepFree(store: Store, { region, end, kept }: Work): 'free' | 'in use' {
  const { base, zones } = store;
  const { buddy } = zones.zones[zones.zoneOf(region.frame)]!;
  for (let head = base.headOf(region.frame); head < end; head += 1 << base.order[head]!) {
    if (base.state[head] !== FrameState.FREE) continue;
    if (base.order[head]! > region.order) return 'free';
    kept.add(claimFree(store, buddy, head));
  }
  return 'in use';
}

/** Finds targets outside the region for the next batch of what is in it. */
function collect(store: Store, work: Work): Found {
  const { base } = store;
  const { region, end, batch, kept } = work;
  const found: Found = { moves: [], obstacle: Obstacle.NONE, tooLarge: 0, noRoom: false };
  if (keepFree(store, work) === 'free') return found;
  for (let head = base.headOf(region.frame); head < end; head += 1 << base.order[head]!) {
    const isLarger = base.order[head]! > region.order;
    if (!kept.has(head)) {
      if (found.moves.length >= batch) break;
      found.obstacle = obstacleAt(store, head);
      if (found.obstacle !== Obstacle.NONE) break;
      const to = isLarger ? -1 : target(store, work, head);
      if (to < 0) {
        if (base.order[head] === 0) found.noRoom = true;
        else found.tooLarge = base.owner[head]!;
        break;
      }
      found.moves.push({ from: head, to });
    }
  }
  store.port.charge(found.moves.length + 1);
  if (found.moves.length === 0) return found;
  // What has its place moves first; what stopped the search is met again after it.
  return {
    ...found,
    tooLarge: 0,
    obstacle: found.obstacle === Obstacle.MOVING ? Obstacle.NONE : found.obstacle,
  };
}

/** A block for what is at `head`, outside the region; -1 when there is none of its order. */
function target(store: Store, work: Work, head: number): number {
  const { base, zones, frames } = store;
  const order = base.order[head]!;
  const home = zones.zoneOf(head);
  const own = zones.zones[home]!.buddy;
  for (const member of ringOf(store, head)) {
    if (frames.has(member, FrameFlag.DMA)) return claimBlock(store, zones.zones[ZoneId.DMA]!.buddy, order);
  }
  if (work.region.where === 'above' && home === ZoneId.DMA) {
    const above = claimBlock(store, zones.zones[ZoneId.NORMAL]!.buddy, order);
    if (above >= 0) return above;
  }
  const preferred = inPreferred(store, work, own, order);
  return preferred >= 0 ? preferred : claimBlock(store, own, order);
}

function inPreferred(store: Store, work: Work, buddy: Buddy, order: number): number {
  const { counts } = store.base;
  const { into } = work.region;
  while (work.target < into.length && counts.free[into[work.target]!] === 0) work.target += 1;
  for (let i = work.target; i < into.length; i += 1) {
    const first = into[i]! << counts.shift;
    if (counts.free[into[i]!]! < 1 << order || first < buddy.base || first >= buddy.end) continue;
    const head = claimWithin(store, buddy, order, first, first + (1 << counts.shift));
    if (head >= 0) return head;
  }
  return -1;
}

function* halve(store: Store, frame: number): Operation<void> {
  const removal = new Removal();
  splitFrame(store, frame, removal);
  yield* settle(store, removal);
}

/** The whole region as one block, or the blocks as they are. */
function giveBack(store: Store, { region, end, kept }: Work, result: Evacuated): void {
  const { base } = store;
  if (result !== Evacuated.EMPTY || kept.size === 0) {
    for (const head of kept) freeFrame(store, head);
    return;
  }
  store.claimed -= end - region.frame;
  base.makeBlock(region.frame, region.order, FrameState.SERVER);
  freeBlock(store, region.frame);
}
