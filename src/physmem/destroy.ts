/**
 * Destroying containers and controls (physmem.md §3.3). The subtree is marked as dying at once, so that nothing new
 * begins in it; then children come before their parents: containers are emptied, spaces taken away, and the credit goes
 * to the parent when the frames are really free. The work is cut in slices. An operation that began before the mark
 * is waited for; it holds its container's guard.
 */
import { PhysmemEv } from '../abi/events.ts';
import { CapType } from '../abi/rights.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import type { Container } from './container.ts';
import type { Control } from './control.ts';
import { removeAndCredit } from './deallocate.ts';
import { containerKey, controlKey, NEVER, PROGRESS_KEY } from './guard.ts';
import { dropExtraList } from './hold.ts';
import { awaitUnlock } from './lock-wait.ts';
import { begin, finishRange, newRangeJob } from './operation.ts';
import { DYING, ok, refuse } from './reply.ts';
import { killLimited } from './share.ts';
import { removeSpace } from './sponsor.ts';
import type { Store } from './store.ts';

/** Pages of the name space. */
const PAGES_MAX = 2 ** 20;

export const destroyContainer = (store: Store, container: Container): RpcReply | Operation =>
  begin(destroyContainerInTurn(store, container));

function* destroyContainerInTurn(store: Store, container: Container): Operation {
  const { index, generation } = container;
  container.state = 'dying';
  const pages = yield* removeContainer(store, index, generation);
  return ok([pages * 4096]);
}

/** Empties and removes a container that is marked as dying; returns the pages that had names. */
function* removeContainer(store: Store, index: number, generation: number): Operation<number> {
  // At most for the rest of the lock; a caller that gives up does not end it.
  const target = store.containers.at(index);
  while (target.generation === generation && (yield* awaitUnlock(store, target)) === 'cancelled') {
    yield { kind: 'pause' };
  }
  const key = containerKey(index);
  yield* store.guards.enter(key);
  try {
    const container = store.containers.at(index);
    if (container.generation !== generation) return 0;
    while (container.firstLimited !== 0) yield* killLimited(store, container.firstLimited, 'keep');
    store.port.revokeObject(CapType.CONTAINER, store.containers.id(index));
    const job = newRangeJob(store, null, index, 0, PAGES_MAX);
    if (store.deferred.isThrough(index)) job.removal.flush = 'all';
    yield* finishRange(store, job, removeAndCredit);
    unlinkContainer(store, container);
    store.port.emit(PhysmemEv.ContainerDestroy, index, container.control, 0, 0);
    store.trees.destroy(container.tree);
    store.containers.free(container);
    return job.done;
  } finally {
    store.guards.leave(key);
    store.port.wake(key);
  }
}

function unlinkContainer(store: Store, container: Container): void {
  const control = store.controls.at(container.control);
  if (container.prev !== 0) store.containers.at(container.prev).next = container.next;
  else control.firstContainer = container.next;
  if (container.next !== 0) store.containers.at(container.next).prev = container.prev;
  control.objects -= 1;
  // Somebody may destroy the control meanwhile and wait for this container.
  store.port.wake(controlKey(control.index));
}

export const destroyControl = (store: Store, control: Control): RpcReply | Operation => {
  if (control.state === 'dying') return refuse(DYING);
  return begin(destroyControlTree(store, control));
};

function* destroyControlTree(store: Store, control: Control): Operation {
  markDying(store, control);
  yield* removeControl(store, control);
  return ok([]);
}

/** Marks a subtree; controls in it that someone else destroys already are marked too. */
function markDying(store: Store, root: Control): void {
  const stack = [root];
  for (let control = stack.pop(); control !== undefined; control = stack.pop()) {
    control.state = 'dying';
    for (let at = control.firstContainer; at !== 0; at = store.containers.at(at).next) {
      store.containers.at(at).state = 'dying';
    }
    for (let at = control.firstChild; at !== 0; at = store.controls.at(at).nextSibling) {
      stack.push(store.controls.at(at));
    }
  }
}

/** Removes a dying control, its descendants first; depth is bounded by CONTROL_DEPTH_MAX. */
function* removeControl(store: Store, control: Control): Operation<void> {
  const { index, generation } = control;
  const key = controlKey(index);
  yield* store.guards.enter(key);
  try {
    if (control.generation !== generation) return;
    while (control.firstChild !== 0) yield* removeControl(store, store.controls.at(control.firstChild));
    while (control.firstContainer !== 0) {
      const container = store.containers.at(control.firstContainer);
      yield* removeContainer(store, container.index, container.generation);
    }
    // Containers first: their maps leave the TLBs of tasks that still run, and only then are the tasks stopped.
    while (control.spaces.length > 0) yield* removeSpace(store, control.spaces[0]!);
    yield* awaitCharges(store, control);
    absorb(store, control);
  } finally {
    store.guards.leave(key);
    store.port.wake(key);
  }
}

/** Waits until all credit that operations of others still hold for this control is back, or parked in limbo. */
function* awaitCharges(store: Store, control: Control): Operation<void> {
  const { base, inflight, pins } = store;
  const sizeOf = (head: number): number => 1 << base.order[head]!;
  while (control.charged > inflight.heldBy(control.index) + pins.heldBy(control.index, sizeOf)) {
    yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
  }
}

function absorb(store: Store, control: Control): void {
  const { index, parent, total } = control;
  store.port.revokeObject(CapType.CONTROL, store.controls.id(index));
  store.inflight.retarget(index, parent);
  store.pins.retarget(index, parent);
  store.controls.at(parent).pinned += control.pinned;
  dropExtraList(store, control);
  store.controls.absorb(control);
  store.port.emit(PhysmemEv.ControlDestroy, index, parent, total, store.controls.at(parent).free);
}
