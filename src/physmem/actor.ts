/**
 * Who asks: a task through a capability. What an operation was allowed when it was decoded may have changed when its
 * turn comes, so `admission` is asked again after every wait for a guard.
 */
import { Errno, Reason } from '../abi/errno.ts';
import type { Container } from './container.ts';
import { DEAD, type Refusal, refusal } from './reply.ts';
import type { Store } from './store.ts';

export interface Actor {
  readonly task: number;
  /** Limited capability, or 0 for the container's own. */
  readonly limited: number;
  readonly limitedGeneration: number;
}

/** An actor that names the container itself. */
export const ownerActor = (task: number): Actor => ({ task, limited: 0, limitedGeneration: 0 });

/**
 * Why an actor may not work on a container now: it is gone or dying, its capability is, or somebody else has it
 * locked. Null when it may.
 */
export function admission(store: Store, container: number, generation: number, actor: Actor): Refusal | null {
  const target = store.containers.at(container);
  if (target.state !== 'live' || target.generation !== generation) return DEAD;
  if (actor.limited !== 0) {
    const limited = store.limiteds.at(actor.limited);
    if (limited.state !== 'live' || limited.generation !== actor.limitedGeneration) return DEAD;
  }
  return target.lockUntil === 0 ? null : lockFault(store, target, actor);
}

/** The refusal of an actor that does not hold the lock of a container which is locked now. */
export function lockFault(store: Store, container: Container, actor: Actor): Refusal | null {
  if (container.lockUntil === 0) return null;
  const left = container.lockUntil - store.port.now();
  if (left <= 0) return null;
  if (container.lockTask === actor.task && container.lockLimited === actor.limited) return null;
  return refusal(Errno.EBUSY, Reason.LOCKED, 0, left);
}
