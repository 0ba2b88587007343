/**
 * Limited capabilities (physmem.md §2.4, §2.5): made by share, killed by revoke together with all that was derived
 * from them. When revoke returns, every map made through them is gone from every TLB, what was taken out by SHARED
 * copies through them is cut, and the slots are empty.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import { CapType } from '../abi/rights.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import type { Container, Limited } from './container.ts';
import { cutCopies, type Sharers } from './cut.ts';
import { containerKey } from './guard.ts';
import { awaitUnlock } from './lock-wait.ts';
import { begin } from './operation.ts';
import { closePinsThrough } from './pin-end.ts';
import { Removal, settle } from './removal.ts';
import { ok, refusal, refuse } from './reply.ts';
import type { Store } from './store.ts';
import { unmapRecord } from './translation.ts';

/** Makes a limited capability; the caller has checked rights and quota. `parent` is 0 or a limited capability. */
export function share(store: Store, container: Container, parent: number, rights: number): RpcReply {
  const limited = store.limiteds.create();
  limited.state = 'live';
  limited.container = container.index;
  limited.parent = parent;
  limited.rights = rights;
  limited.next = parent === 0 ? container.firstLimited : store.limiteds.at(parent).firstChild;
  if (limited.next !== 0) store.limiteds.at(limited.next).prev = limited.index;
  if (parent === 0) container.firstLimited = limited.index;
  else store.limiteds.at(parent).firstChild = limited.index;
  store.controls.at(container.control).objects += 1;
  const object = store.limiteds.id(limited.index);
  store.port.emit(PhysmemEv.Share, container.index, limited.index, rights, 0);
  return ok([], [{ type: CapType.LIMITED, object, rights }]);
}

/** Whether `limited` was derived, in any number of steps, from `ancestor`. */
export function isDerived(store: Store, limited: number, ancestor: number): boolean {
  for (let at = store.limiteds.at(limited).parent; at !== 0; at = store.limiteds.at(at).parent) {
    if (at === ancestor) return true;
  }
  return false;
}

/** Revokes a limited capability. */
export const revoke = (store: Store, limited: Limited): RpcReply | Operation =>
  begin(revokeInTurn(store, limited.index, limited.generation));

function* revokeInTurn(store: Store, index: number, generation: number): Operation {
  const container = store.containers.at(store.limiteds.at(index).container);
  if ((yield* awaitRevocation(store, container)) === 'cancelled') {
    return refuse(refusal(Errno.ETIMEDOUT, Reason.LOCKED));
  }
  const key = containerKey(container.index);
  try {
    const limited = store.limiteds.at(index);
    // Someone who came first has revoked it: it is as dead as was asked.
    if (limited.state !== 'live' || limited.generation !== generation) return ok([]);
    const pages = yield* killLimited(store, index, 'cut');
    store.port.emit(PhysmemEv.Revoke, container.index, index, pages, 0);
    return ok([]);
  } finally {
    store.guards.leave(key);
    store.port.wake(key);
  }
}

/** Waits for the end of the lock and takes the container's guard; no new lock can come in between (I28). */
function* awaitRevocation(store: Store, container: Container): Operation<'free' | 'cancelled'> {
  const { generation } = container;
  container.cancels += 1;
  const waited = yield* awaitUnlock(store, container);
  if (waited === 'free') yield* store.guards.enter(containerKey(container.index));
  if (container.generation === generation) container.cancels -= 1;
  return waited;
}

/** Kills a limited capability and its descendants; the caller holds the container's guard. Returns pages unmapped. */
export function* killLimited(store: Store, index: number, sharers: Sharers): Operation<number> {
  const doomed = subtree(store, index);
  for (const limited of doomed) store.limiteds.at(limited).state = sharers === 'cut' ? 'cutting' : 'dying';
  closePinsThrough(store, doomed);
  const removal = new Removal('all', store.deferred.isThrough(0, doomed) ? 'all' : 'needed');
  let steps = store.tuning.sliceSteps;
  for (const limited of doomed) {
    store.port.revokeObject(CapType.LIMITED, store.limiteds.id(limited));
    const record = store.limiteds.at(limited);
    while (record.maps !== 0) {
      unmapRecord(store, record.maps, removal);
      steps -= 1;
      if (steps > 0) continue;
      yield* settle(store, removal);
      yield { kind: 'pause' };
      steps = store.tuning.sliceSteps;
    }
    yield* cutCopies(store, limited, sharers, removal);
  }
  yield* settle(store, removal);
  for (const limited of doomed.reverse()) forget(store, limited);
  return removal.unmappedPages;
}

function subtree(store: Store, index: number): number[] {
  const found = [index];
  for (let i = 0; i < found.length; i += 1) {
    const first = store.limiteds.at(found[i]!).firstChild;
    for (let child = first; child !== 0; child = store.limiteds.at(child).next) found.push(child);
  }
  return found;
}

function forget(store: Store, index: number): void {
  const limited = store.limiteds.at(index);
  const container = store.containers.at(limited.container);
  if (limited.prev !== 0) store.limiteds.at(limited.prev).next = limited.next;
  else if (limited.parent !== 0) store.limiteds.at(limited.parent).firstChild = limited.next;
  else container.firstLimited = limited.next;
  if (limited.next !== 0) store.limiteds.at(limited.next).prev = limited.prev;
  store.controls.at(container.control).objects -= 1;
  store.limiteds.free(limited);
}
