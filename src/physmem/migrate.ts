/**
 * Moving a frame to another block (physmem.md §7.1): its translations are taken away and shot down, and only then are
 * the bytes copied, so that no write is lost (I31). Meanwhile the frame counts as moving: whoever needs it waits. The old
 * block is freed when every older shootdown has been answered, too.
 */
import { PhysmemEv } from '../abi/events.ts';
import type { Operation } from '../abi/server.ts';
import { FrameState } from './base-frames.ts';
import { freeBlock, lowerMoving, Removal, raiseMoving, type Settled, settle } from './removal.ts';
import type { Store } from './store.ts';
import { unmapFrame } from './translation.ts';

/**
 * Moves a bound frame that shares its block with no other logical copy, and is not pinned, to the block `head`, which
 * was taken for it. Identity, names and contents stay; clients fault and map again.
 * With 'limbo' it stays where it is, because a silent core may still write there (I31); `head` is free again.
 */
export function* moveFrame(store: Store, frame: number, head: number): Operation<Settled> {
  const { frames, base, port } = store;
  const removal = new Removal('all');
  const old = frames.block[frame]!;
  const order = frames.order(frame);
  raiseMoving(store, frame);
  base.set(head, FrameState.BOUND, frame);
  base.refs[head] = base.refs[old]!;
  unmapFrame(store, frame, removal);
  if ((yield* settle(store, removal)) === 'limbo' || store.inflight.parked.length > 0) {
    lowerMoving(store, frame);
    freeBlock(store, head);
    store.progress();
    return 'limbo';
  }
  port.copyFrames(old, head, 1 << order);
  frames.block[frame] = head;
  lowerMoving(store, frame);
  store.counters.movedFrames += 1 << order;
  port.emit(PhysmemEv.Move, old, head, order, 0);
  removal.takeBlock(store, old);
  store.progress();
  return yield* settle(store, removal);
}
