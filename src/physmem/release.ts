/**
 * container_release (seed, physmem.md §4): names and credit stay, sharing ends. An entry whose memory has other
 * users gets a fresh unbound frame, so it reads as zeroes; one without keeps its frame in place: nothing is torn
 * down to be recreated at once, and nobody breaks a copy for nothing.
 */
import { PhysmemEv } from '../abi/events.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import type { Actor } from './actor.ts';
import { entryUnbound, holdOf } from './hold.ts';
import { Hold } from './loan.ts';
import { attach, detach, entryFrom, isShared, pagesOf } from './names.ts';
import { newRangeJob, type RangeJob, runRange } from './operation.ts';
import { noteShown, type Removal } from './removal.ts';
import { ok } from './reply.ts';
import { splitAt, splitFrame } from './split.ts';
import type { Store } from './store.ts';
import { unmapEntry } from './translation.ts';

/** Ends the sharing of a range; the amount is the bytes of it that have a name. */
export function release(
  store: Store,
  actor: Actor,
  container: number,
  start: number,
  pages: number,
): RpcReply | Operation {
  const job = newRangeJob(store, actor, container, start, pages);
  return runRange(store, job, releaseSlice, (_, done) => {
    store.port.emit(PhysmemEv.Release, container, start * 4096, done.done * 4096, 0);
    return ok([done.done * 4096]);
  });
}

function releaseSlice(store: Store, job: RangeJob): boolean {
  for (let steps = store.tuning.sliceSteps; job.cursor < job.end; steps -= 1) {
    const entry = entryFrom(store, job.container, job.cursor);
    const start = entry === 0 ? job.end : store.entries.start[entry]!;
    if (start >= job.end) break;
    if (steps === 0) return false;
    store.port.charge(1);
    const end = start + pagesOf(store, entry);
    if (holdOf(store, entry) === Hold.SOFT) {
      job.cursor = end;
      continue;
    }
    if (isShared(store, entry) || store.entries.via.has(entry)) {
      if (start < job.cursor) {
        splitAt(store, job.container, job.cursor, job.removal);
        continue;
      }
      if (end > job.end) {
        splitFrame(store, store.entries.frame[entry]!, job.removal);
        continue;
      }
      if (isShared(store, entry)) renewEntry(store, entry, job.removal);
      else store.entries.via.delete(entry);
    }
    job.done += Math.min(end, job.end) - Math.max(start, job.cursor);
    job.cursor = end;
  }
  return true;
}

/** Gives an entry a frame of its own that reads as zeroes; its translations go. */
export function renewEntry(store: Store, entry: number, removal: Removal): void {
  const pages = pagesOf(store, entry);
  noteShown(store, entry, removal);
  unmapEntry(store, entry, removal);
  entryUnbound(store, entry);
  const block = detach(store, entry);
  if (block >= 0) removal.takeBlock(store, block);
  store.entries.via.delete(entry);
  attach(store, entry, store.frames.alloc(31 - Math.clz32(pages)));
}
