/** `unmap` (physmem.md §4): takes the caller's own translations of a range of linear addresses away. */
import type { Operation, RpcReply } from '../abi/server.ts';
import { NEVER, spaceKey } from './guard.ts';
import { keepMapped } from './keep-mapped.ts';
import { Removal, settle, settleNow } from './removal.ts';
import { ok } from './reply.ts';
import type { Store } from './store.ts';
import { clearRange } from './translation.ts';

/** Removes translations of `count` pages of a task; the amount is the bytes that had one. */
export function unmapPages(store: Store, task: number, page: number, count: number): RpcReply | Operation {
  const space = store.spaces.get(task);
  if (space === undefined || space.state === 'dying') return ok([0]);
  if (space.pending > 0) return waitAndUnmap(store, task, page, count);
  const removal = removalFor(store, task, page, count);
  const removed = clearRange(store, space, page, count, removal);
  if (settleNow(store, removal)) {
    keepMapped(store, removal);
    return ok([removed * 4096]);
  }
  return settleAndReply(store, removal, removed);
}

function* settleAndReply(store: Store, removal: Removal, removed: number): Operation {
  yield* settle(store, removal);
  keepMapped(store, removal);
  return ok([removed * 4096]);
}

/** Another shootdown of this space is open: a page may look unmapped here and still be in a TLB. */
function* waitAndUnmap(store: Store, task: number, page: number, count: number): Operation {
  for (;;) {
    const space = store.spaces.get(task);
    if (space === undefined || space.state === 'dying') return ok([0]);
    if (space.pending === 0) {
      const removal = removalFor(store, task, page, count);
      const removed = clearRange(store, space, page, count, removal);
      yield* settle(store, removal);
      keepMapped(store, removal);
      return ok([removed * 4096]);
    }
    yield { kind: 'event', key: spaceKey(task), deadlineCycles: NEVER };
  }
}

/** A deferred unmap may have left a translation of the range behind; whoever asks for its end gets it. */
const removalFor = (store: Store, task: number, page: number, count: number): Removal =>
  new Removal('own', store.deferred.covers(task, page, count) ? 'all' : 'needed');
