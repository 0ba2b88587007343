/**
 * Moving a frame to another block (physmem.md §7.1): its translations are taken away and shot down, and only then are
 * the bytes copied, so that no write is lost (I31). Meanwhile the frame counts as moving: whoever needs it waits. The old
 * block is freed when every older shootdown has been answered, too.
 */
import { PhysmemEv } from '../abi/events.ts';
import type { Operation } from '../abi/server.ts';
import { FrameState } from './base-frames.ts';
import { lowerMoving, Removal, raiseMoving, settle } from './removal.ts';
import type { Store } from './store.ts';
import { unmapFrame } from './translation.ts';

/**
 * Moves a bound frame that shares its block with no other logical copy, and is not pinned, to the block `head`, which
 * was taken for it. Identity, names and contents stay; clients fault and map again.
 */
export function* moveFrame(store: Store, frame: number, head: number): Operation<void> {
  const { frames, base, port } = store;
  const removal = new Removal();
  const old = frames.block[frame]!;
  const order = frames.order(frame);
  raiseMoving(store, frame);
  base.set(head, FrameState.BOUND, frame);
  base.refs[head] = base.refs[old]!;
  unmapFrame(store, frame, removal);
  yield* settle(store, removal);
  port.copyFrames(old, head, 1 << order);
  frames.block[frame] = head;
  lowerMoving(store, frame);
  store.counters.movedFrames += 1 << order;
  port.emit(PhysmemEv.Move, old, head, order, 0);
  removal.takeBlock(store, old);
  store.progress();
  yield* settle(store, removal);
}
