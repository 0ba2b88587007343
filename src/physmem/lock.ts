/**
 * Timed locks of containers (physmem.md §4): the holder, one task through one capability, works undisturbed; everybody
 * else loses the maps of the container at lock time and is refused with EBUSY until the lock ends. It ends by unlock, by
 * time, or with its holder. Time is looked at when it matters, so no timer is needed. A waiting revocation comes before
 * any new lock, so nobody can lock for ever (I26 to I28).
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { type Actor, admission } from './actor.ts';
import type { Container } from './container.ts';
import { containerKey } from './guard.ts';
import { endLock, remainingLock } from './lock-wait.ts';
import { entryFrom, nextEntry } from './names.ts';
import { begin } from './operation.ts';
import { Removal, settle } from './removal.ts';
import { ok, refusal, refuse } from './reply.ts';
import { SILENT } from './silent-core.ts';
import type { Store } from './store.ts';
import { unmapRecord } from './translation.ts';

/** Locks a container for an actor, for `cycles` from when its turn comes. */
export const lock = (
  store: Store,
  container: Container,
  actor: Actor,
  cycles: number,
): RpcReply | Operation => begin(lockInTurn(store, container, actor, cycles));

function* lockInTurn(store: Store, container: Container, actor: Actor, cycles: number): Operation {
  const key = containerKey(container.index);
  const { generation } = container;
  yield* store.guards.enter(key);
  try {
    const fault = admission(store, container.index, generation, actor);
    if (fault !== null) return refuse(fault);
    const left = remainingLock(store, container);
    if (left > 0 || container.cancels > 0) return refuse(refusal(Errno.EBUSY, Reason.LOCKED, 0, left));
    container.lockUntil = store.port.now() + cycles;
    container.lockTask = actor.task;
    container.lockLimited = actor.limited;
    store.port.emit(PhysmemEv.Lock, container.index, actor.task, actor.limited, cycles);
    yield* removeOthersMaps(store, container, actor);
    if (store.inflight.parked.length === 0) return ok([]);
    endLock(store, container);
    return refuse(SILENT);
  } finally {
    store.guards.leave(key);
    store.port.wake(key);
  }
}

/** I27: during a lock there is no translation but the holder's. */
function* removeOthersMaps(store: Store, container: Container, actor: Actor): Operation<void> {
  const removal = new Removal('all', store.deferred.isThrough(container.index) ? 'all' : 'needed');
  let page = 0;
  for (let isMore = true; isMore; ) {
    isMore = false;
    const doomed: number[] = [];
    for (let entry = entryFrom(store, container.index, page); entry !== 0; entry = nextEntry(store)) {
      if (doomed.length >= store.tuning.sliceSteps) {
        page = store.entries.start[entry]!;
        isMore = true;
        break;
      }
      collectOthers(store, entry, actor, doomed);
    }
    for (const record of doomed) unmapRecord(store, record, removal);
    yield* settle(store, removal);
    if (isMore) yield { kind: 'pause' };
  }
}

function collectOthers(store: Store, entry: number, actor: Actor, into: number[]): void {
  const { maps } = store;
  for (let record = store.entries.maps[entry]!; record !== 0; record = maps.next[record]!) {
    if (maps.holder[record] !== actor.task || maps.limited[record] !== actor.limited) into.push(record);
  }
}

/** Ends the lock that the actor holds. EPERM/NOT_HOLDER when it holds none. */
export function unlock(store: Store, container: Container, actor: Actor): RpcReply {
  const isHolder = container.lockTask === actor.task && container.lockLimited === actor.limited;
  if (remainingLock(store, container) === 0 || !isHolder) {
    return refuse(refusal(Errno.EPERM, Reason.NOT_HOLDER));
  }
  endLock(store, container);
  return ok([]);
}
