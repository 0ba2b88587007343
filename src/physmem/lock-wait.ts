/**
 * The end of locks (lock.ts): by time, by the death of the holder, and those who wait for it.
 */
import { PhysmemEv } from '../abi/events.ts';
import type { Operation } from '../abi/server.ts';
import type { Container } from './container.ts';
import { lockKey } from './guard.ts';
import type { Store } from './store.ts';

/** Cycles until the lock of a container ends; 0 when there is none. Ends it when its time is over. */
export function remainingLock(store: Store, container: Container): number {
  if (container.lockUntil === 0) return 0;
  const left = container.lockUntil - store.port.now();
  if (left > 0) return left;
  endLock(store, container);
  return 0;
}

export function endLock(store: Store, container: Container): void {
  store.port.emit(PhysmemEv.Unlock, container.index, container.lockTask, 0, 0);
  container.lockUntil = 0;
  container.lockTask = 0;
  container.lockLimited = 0;
  store.port.wake(lockKey(container.index));
}

export const holdsLock = (store: Store, task: number): boolean =>
  store.containers.records.some(({ lockUntil, lockTask }) => lockUntil !== 0 && lockTask === task);

/** Ends all locks of a task, or those that it holds through one capability. */
export function dropLocks(store: Store, task: number, through: (container: Container) => boolean): void {
  for (const container of store.containers.records) {
    if (container.lockUntil !== 0 && container.lockTask === task && through(container)) {
      endLock(store, container);
    }
  }
}

/**
 * Waits for the end of a lock. Returns 'cancelled' when the caller gave up, which ends the waits of its own call only.
 */
export function* awaitUnlock(store: Store, container: Container): Operation<'free' | 'cancelled'> {
  const { generation } = container;
  while (container.generation === generation && remainingLock(store, container) > 0) {
    const deadlineCycles = container.lockUntil;
    const result = yield { kind: 'event', key: lockKey(container.index), deadlineCycles };
    if (result === 'timeout' && remainingLock(store, container) > 0) return 'cancelled';
  }
  return 'free';
}
