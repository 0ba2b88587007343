/**
 * Moving memory to other blocks (physmem.md §7.1): everything that shares a block moves with it, whatever names it (SHARED
 * copies, copy-on-write rings, large pages). All translations are taken away and shot down, for many blocks in one batch;
 * only then are the bytes copied, in slices, so that no write is lost (I31). Meanwhile the frames count as moving: whoever
 * needs one waits. In the end the frames name the new blocks, and clients fault and map again; nobody sees a half state.
 */
import { PhysmemEv } from '../abi/events.ts';
import type { Operation } from '../abi/server.ts';
import { FrameState } from './base-frames.ts';
import { freeFrame, takeFrame } from './claim.ts';
import { FrameFlag } from './frame.ts';
import { lowerMoving, Removal, raiseMoving, settle } from './removal.ts';
import type { Store } from './store.ts';
import { unmapFrame } from './translation.ts';

/** From a block that backs frames to one of the same order that was claimed for it (claim.ts). */
export interface Move {
  readonly from: number;
  readonly to: number;
}

/** Why a block must stay where it is. */
export enum Obstacle {
  NONE = 0,
  /** It backs no frame: free, a page table, reserved … */
  FIXED = 1,
  PINNED = 2,
  /** A device may reach it, pin or no pin. */
  DEVICE = 3,
  /** On its way already: worth another try when that is over. */
  MOVING = 4,
}

/** Base frames that are copied before other work gets its turn (1 MiB). */
const COPY_SLICE = 256;

/** Every logical copy that shares the block, the owner first. */
export function* ringOf(store: Store, head: number): Generator<number> {
  const owner = store.base.owner[head]!;
  let member = owner;
  do {
    yield member;
    member = store.frames.ringNext[member]!;
  } while (member !== owner);
}

/** Whether the block at `head` may move now. */
export function obstacleAt(store: Store, head: number): Obstacle {
  const { base, frames, port } = store;
  if (base.state[head] === FrameState.QUARANTINE) return Obstacle.PINNED;
  if (base.state[head] !== FrameState.BOUND && base.state[head] !== FrameState.SOFT) return Obstacle.FIXED;
  if (base.pins[head] !== 0) return Obstacle.PINNED;
  if (store.inflight.isShowing(head)) return Obstacle.MOVING;
  for (const member of ringOf(store, head)) {
    if (frames.has(member, FrameFlag.MOVING)) return Obstacle.MOVING;
  }
  return port.deviceHolds?.(head, 1 << base.order[head]!) === true ? Obstacle.DEVICE : Obstacle.NONE;
}

/** Moves one frame that may move, as `moveBlocks`. */
export const moveFrame = (store: Store, frame: number, to: number): Operation<number> =>
  moveBlocks(store, [{ from: store.frames.block[frame]!, to }]);

/**
 * Moves blocks that have no obstacle now, with one shootdown for all. Returns how many moved: all, or none when a core does
 * not answer in time (it may still write to the old places; the new ones are free again then).
 */
export function* moveBlocks(store: Store, moves: readonly Move[]): Operation<number> {
  const { counters, inflight } = store;
  // 'all': others may have taken a translation of these blocks away and still wait for their own acknowledgements.
  // What a deferred unmap left in some TLB goes with the rest: memory that moves is not read at its old place.
  const isStale = moves.some(({ from }) => store.deferred.marks(from));
  const removal = new Removal('all', isStale ? 'all' : 'needed');
  const held: number[] = [];
  for (const { from } of moves) {
    for (const member of ringOf(store, from)) {
      raiseMoving(store, member);
      held.push(member);
      unmapFrame(store, member, removal);
    }
  }
  // What deferred unmaps show is freed in the end, and that needs a flush: the same shootdown serves it.
  if (moves.some(({ from }) => store.deferred.marks(from))) removal.flush = 'all';
  if (removal.batch !== null) {
    counters.moveShootdowns += 1;
    counters.moveIpis += store.port.remoteCores?.(removal.batch) ?? 0;
  }
  yield* settle(store, removal);
  const isQuiet = inflight.parked.length === 0;
  if (isQuiet) yield* copyAll(store, moves);
  for (const move of moves) {
    if (isQuiet) rebind(store, move, removal);
    else freeFrame(store, move.to);
  }
  for (const member of held) lowerMoving(store, member);
  store.progress();
  if (!isQuiet) counters.movesAbandoned += moves.length;
  yield* settle(store, removal);
  return isQuiet ? moves.length : 0;
}

/** Copies in slices. Nobody can write to the old places: no TLB has them any more, and nobody maps a moving frame. */
function* copyAll(store: Store, moves: readonly Move[]): Operation<void> {
  let left = COPY_SLICE;
  for (const { from, to } of moves) {
    const size = 1 << store.base.order[from]!;
    for (let done = 0; done < size; ) {
      if (left === 0) {
        yield { kind: 'pause' };
        left = COPY_SLICE;
      }
      const count = Math.min(left, size - done);
      store.port.copyFrames(from + done, to + done, count);
      done += count;
      left -= count;
    }
  }
}

/** Frames, owner and references go over to the new block; the old one is freed with the removal. */
function rebind(store: Store, { from, to }: Move, removal: Removal): void {
  const { base, frames, counters } = store;
  const order = base.order[from]!;
  const owner = base.owner[from]!;
  takeFrame(store, to, owner);
  // What is soft stays soft.
  base.changeState(to, base.state[from]!);
  base.refs[to] = base.refs[from]!;
  for (const member of ringOf(store, from)) frames.block[member] = to;
  removal.takeBlock(store, from);
  counters.moves += 1;
  counters.movedFrames += 1 << order;
  store.port.emit(PhysmemEv.Move, from, to, order, 0);
}
