/**
 * Common shapes of operations. An operation is written once, as a generator; `begin` runs it on the spot to its
 * first wait, so that a request which need not wait is answered as by a plain function.
 */
import type { Operation, RpcReply, Wait } from '../abi/server.ts';
import { type Actor, admission } from './actor.ts';
import { FrameFlag } from './frame.ts';
import { containerKey, NEVER, PROGRESS_KEY } from './guard.ts';
import { keepMapped } from './keep-mapped.ts';
import { entryFrom, nextEntry } from './names.ts';
import { Removal, settle, settleNow } from './removal.ts';
import { refuse } from './reply.ts';
import type { Store } from './store.ts';

/** Runs an operation to its first wait. */
export function begin(operation: Operation): RpcReply | Operation {
  const first = operation.next('done');
  return first.done === true ? first.value : resume(operation, first.value);
}

function* resume(operation: Operation, first: Wait): Operation {
  let wait = first;
  for (;;) {
    const result = yield wait;
    const step = operation.next(result);
    if (step.done === true) return step.value;
    wait = step.value;
  }
}

/** Work on the names of a page range of one container, in slices. */
export interface RangeJob {
  /** Who asked; null when the server itself empties the container. */
  readonly actor: Actor | null;
  readonly container: number;
  readonly generation: number;
  /** Next page to look at, and the end of the range. */
  cursor: number;
  readonly end: number;
  /** Pages that the operation was about. */
  done: number;
  /** It cannot go on before a pin has ended. */
  waitsForPin: boolean;
  readonly removal: Removal;
}

export const newRangeJob = (
  store: Store,
  actor: Actor | null,
  container: number,
  start: number,
  pages: number,
): RangeJob => ({
  actor,
  container,
  generation: store.containers.at(container).generation,
  cursor: start,
  end: start + pages,
  done: 0,
  waitsForPin: false,
  removal: store.idleRemovals.pop() ?? new Removal('all'),
});

/** Does at most a slice of the work without waiting; returns whether the job is finished. */
export type RangeWork = (store: Store, job: RangeJob) => boolean;

/** Runs a job: at once when nothing is in the way, as an operation otherwise. */
export function runRange(
  store: Store,
  job: RangeJob,
  work: RangeWork,
  reply: (store: Store, job: RangeJob) => RpcReply,
): RpcReply | Operation {
  if (!store.guards.isFree(containerKey(job.container)) || store.moving > 0) {
    return driveRange(store, job, work, reply);
  }
  const finished = work(store, job);
  if (finished && settleNow(store, job.removal)) {
    keepMapped(store, job.removal);
    store.idleRemovals.push(job.removal.rewind());
    return reply(store, job);
  }
  return driveRange(store, job, finished ? () => true : work, reply);
}

function* driveRange(
  store: Store,
  job: RangeJob,
  work: RangeWork,
  reply: (store: Store, job: RangeJob) => RpcReply,
): Operation {
  const key = containerKey(job.container);
  yield* store.guards.enter(key);
  try {
    const { actor, container, generation } = job;
    const fault = actor === null ? null : admission(store, container, generation, actor);
    if (fault !== null) return refuse(fault);
    yield* finishRange(store, job, work);
    return reply(store, job);
  } finally {
    store.guards.leave(key);
    store.port.wake(key);
  }
}

/** Does a job to its end, slice by slice; the caller holds the container's guard. */
export function* finishRange(store: Store, job: RangeJob, work: RangeWork): Operation<void> {
  for (;;) {
    yield* awaitStill(store, job.container, job.cursor, job.end);
    const finished = work(store, job);
    yield* settle(store, job.removal);
    keepMapped(store, job.removal);
    if (finished) return;
    if (job.waitsForPin) yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
    else yield { kind: 'pause' };
    job.waitsForPin = false;
  }
}

/** Waits until no frame that the range names is on its way to another block. */
export function* awaitStill(store: Store, container: number, from: number, end: number): Operation<void> {
  while (store.moving > 0 && namesMoving(store, container, from, end)) {
    yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
  }
}

function namesMoving(store: Store, container: number, from: number, end: number): boolean {
  const { entries, frames } = store;
  for (let entry = entryFrom(store, container, from); entry !== 0; entry = nextEntry(store)) {
    if (entries.start[entry]! >= end) return false;
    if (frames.has(entries.frame[entry]!, FrameFlag.MOVING)) return true;
  }
  return false;
}
