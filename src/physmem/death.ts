/**
 * Death of tasks and of capabilities (physmem.md §9, invariant I16): a translation lives only as long as the task
 * whose capability it was made through still holds that capability with these rights.
 */
import { CapType, ContainerRight } from '../abi/rights.ts';
import type { CapRef, Operation } from '../abi/server.ts';
import type { Container } from './container.ts';
import { dropLocks, holdsLock } from './lock-wait.ts';
import { entryFrom, nextEntry } from './names.ts';
import { dropPins, holdsPin } from './pin-end.ts';
import { Removal, settle } from './removal.ts';
import { removeSpace } from './sponsor.ts';
import type { Store } from './store.ts';
import { unmapRecord } from './translation.ts';

/** A task is gone: its space goes, and so do the translations that it had installed in other tasks' spaces. */
export function* dropTask(store: Store, task: number): Operation<void> {
  dropLocks(store, task, () => true);
  dropPins(store, task);
  yield* removeSpace(store, task);
  const { maps } = store;
  const removal = new Removal();
  let steps = store.tuning.sliceSteps;
  for (let record = 1; record < maps.numbers.end; record += 1) {
    if (maps.pages[record] === 0 || maps.holder[record] !== task) continue;
    unmapRecord(store, record, removal);
    steps -= 1;
    if (steps > 0) continue;
    yield* settle(store, removal);
    yield { kind: 'pause' };
    steps = store.tuning.sliceSteps;
  }
  yield* settle(store, removal);
}

/** Whether a task has anything here that its death must undo. */
export function concernsTask(store: Store, task: number): boolean {
  if (store.spaces.get(task) !== undefined || holdsLock(store, task) || holdsPin(store, task)) return true;
  const { maps } = store;
  for (let record = 1; record < maps.numbers.end; record += 1) {
    if (maps.pages[record] !== 0 && maps.holder[record] === task) return true;
  }
  return false;
}

/**
 * A task holds no slot any more that names `cap.object` with the rights `cap.rights`: removes the translations made
 * through it that need one of them (READ is needed by all).
 */
export function* dropCapability(store: Store, task: number, cap: CapRef): Operation<void> {
  if ((cap.rights & ContainerRight.LOCK) !== 0) {
    dropLocks(store, task, (container) => isNamedBy(store, container, cap));
  }
  const found =
    cap.type === CapType.LIMITED ? limitedRecords(store, task, cap) : containerRecords(store, task, cap);
  const removal = new Removal('all', hasDeferred(store, cap) ? 'all' : 'needed');
  for (const record of found) unmapRecord(store, record, removal);
  yield* settle(store, removal);
}

function hasDeferred(store: Store, cap: CapRef): boolean {
  if (cap.type === CapType.CONTAINER) return store.deferred.isThrough(store.containers.find(cap.object));
  const limited = store.limiteds.find(cap.object);
  return limited !== 0 && store.deferred.isThrough(0, [limited]);
}

/** Whether a capability is the one that the lock of a container is held through. */
function isNamedBy(store: Store, container: Container, cap: CapRef): boolean {
  if (cap.type === CapType.LIMITED) return container.lockLimited === store.limiteds.find(cap.object);
  return container.lockLimited === 0 && container.index === store.containers.find(cap.object);
}

function limitedRecords(store: Store, task: number, cap: CapRef): number[] {
  const limited = store.limiteds.find(cap.object);
  const found: number[] = [];
  if (limited === 0) return found;
  const { maps } = store;
  for (let record = store.limiteds.at(limited).maps; record !== 0; record = maps.nextSame[record]!) {
    if (maps.holder[record] === task && (maps.access[record]! & cap.rights) !== 0) found.push(record);
  }
  return found;
}

function containerRecords(store: Store, task: number, cap: CapRef): number[] {
  const container = store.containers.find(cap.object);
  const found: number[] = [];
  if (container === 0) return found;
  const { maps, entries } = store;
  for (let entry = entryFrom(store, container, 0); entry !== 0; entry = nextEntry(store)) {
    for (let record = entries.maps[entry]!; record !== 0; record = maps.next[record]!) {
      const own = maps.holder[record] === task && maps.limited[record] === 0;
      if (own && (maps.access[record]! & cap.rights) !== 0) found.push(record);
    }
  }
  return found;
}
