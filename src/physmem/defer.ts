/**
 * Deferred unmap (seed: physmem "may not immediately unmap ... where it is safe to do so"; physmem.md §6.6). When a
 * deallocation takes read-only translations away and another core would have to be interrupted for nothing else, they are
 * left in that core's TLB, under four conditions:
 *   (a) the memory is not reused, moved or written meanwhile: who wants to free or write it flushes the list first;
 *   (b) the task could read these very bytes before: nobody can write the memory when its translation is left;
 *   (c) the list is bounded in entries, and in time by the kernel's alarm;
 *   (d) lock, revoke and destroy flush it, when anything on it was mapped through what they are about.
 * The page-table entries themselves are cleared at once, and the present core and idle ones are flushed at once.
 */
import { PhysmemEv } from '../abi/events.ts';
import { Fault } from '../abi/fault-switches.ts';
import { ContainerRight } from '../abi/rights.ts';
import type { ShootdownBatch } from '../abi/server.ts';
import { FrameState } from './base-frames.ts';
import { type DeferredRun, entriesOf } from './deferred.ts';
import { type DeferUnsafe, tellFault } from './faults.ts';
import { UNBOUND } from './frame.ts';
import type { Removal } from './removal.ts';
import type { Store } from './store.ts';
import { removeTable } from './translation.ts';

const { WRITE } = ContainerRight;

/** Translations of one removal that may be left behind. */
export interface Later {
  /** Says which cores hold them; never shot down itself. */
  readonly batch: ShootdownBatch;
  readonly runs: DeferredRun[];
  readonly blocks: number[];
}

/** Map records that are looked at to find a writer; a block with more counts as written. */
const SCAN_MAX = 128;

const isBroken = (store: Store, rule: DeferUnsafe): boolean => store.tuning.faults.deferUnsafe === rule;

/** Whether the translations of an entry that goes may be left behind, as far as its memory is concerned. */
export function mayStay(store: Store, entry: number): boolean {
  const { base, frames, entries, inflight } = store;
  const frame = entries.frame[entry]!;
  const block = frames.block[frame]!;
  if (block === UNBOUND || base.pins[block] !== 0 || base.refs[block]! < 2) return false;
  // Somebody else's shootdown may be about write access to this very block.
  if (inflight.open.length > 0 || inflight.parked.length > 0) return false;
  return isBroken(store, 'writable') || !isWritable(store, frame);
}

/** Whether any translation of the block behind a frame can write it. Copies of each other are read-only (I17). */
function isWritable(store: Store, frame: number): boolean {
  const { frames, entries, maps } = store;
  if (frames.isCow(frame)) return false;
  let left = SCAN_MAX;
  for (let entry = frames.entries[frame]!; entry !== 0; entry = entries.next[entry]!) {
    for (let record = entries.maps[entry]!; record !== 0; record = maps.next[record]!) {
      if ((maps.access[record]! & WRITE) !== 0 || left === 0) return true;
      left -= 1;
    }
  }
  return false;
}

/**
 * What a writer of a block must see to first: `listed`: somebody may read it through a deferred unmap, so the list is flushed.
 * `leaving`: somebody who has left it (also a copy-on-write copy) may read it until a shootdown under way is over.
 */
export function staleness(store: Store, block: number): 'none' | 'listed' | 'leaving' {
  if (isBroken(store, 'written')) return 'none';
  if (store.inflight.isShowing(block)) return 'leaving';
  return store.deferred.marks(block) ? 'listed' : 'none';
}

/** Decides, before a removal is settled, what it leaves behind and what it flushes besides its own. */
export function arrange(store: Store, removal: Removal): void {
  const { deferred } = store;
  const { later } = removal;
  if (later === null && deferred.isEmpty) return;
  removal.later = null;
  const isWanted =
    (removal.flush === 'all' && !isBroken(store, 'revoked')) ||
    (isReused(store, removal) && !isBroken(store, 'reused'));
  const isFull = later !== null && !hasRoom(store, later);
  if (later !== null) {
    if (!isWanted && !isFull && isWorthIt(store, removal, later)) leave(store, later);
    else listRuns(store, later.runs, removal);
  }
  if (isWanted || isFull) takeList(store, removal);
}

/** Whether a block with a mark loses its use: it will be free, or soft, which anybody may reuse. */
function isReused({ deferred, entries, frames }: Store, { blocks, softs }: Removal): boolean {
  if (deferred.blocks.size === 0) return false;
  return (
    blocks.some((head) => deferred.marks(head)) ||
    softs.some((entry) => deferred.marks(frames.block[entries.frame[entry]!]!))
  );
}

function hasRoom(store: Store, later: Later): boolean {
  if (isBroken(store, 'unbounded')) return true;
  const wanted = later.runs.reduce((sum, run) => sum + entriesOf(run), 0);
  return store.deferred.entries + wanted <= store.tuning.deferral.entriesMax;
}

/** What is left must still be somebody's, and it must spare an interrupt: one that is sent anyway serves all. */
function isWorthIt(store: Store, removal: Removal, later: Later): boolean {
  const { port, base } = store;
  if (removal.batch !== null && port.needsRemote(removal.batch)) return false;
  if (!later.blocks.every((block) => base.state[block] === FrameState.BOUND)) return false;
  return port.needsRemote(later.batch);
}

function leave(store: Store, { batch, runs, blocks }: Later): void {
  const { deferred, port, tuning, counters } = store;
  const wasEmpty = deferred.isEmpty;
  deferred.add(runs, blocks, port.now() + tuning.deferral.cycles);
  if (tuning.faults.deferUnsafe !== 'off') tellFault(store, Fault.DEFER_UNSAFE, blocks[0]!);
  if (wasEmpty && !isBroken(store, 'unbounded')) port.setAlarm?.(deferred.deadline);
  const cores = port.flushOwn(batch);
  counters.deferredPages += batch.pageCount;
  counters.deferredIpis += cores;
  port.emit(PhysmemEv.Defer, runs[0]!.task, runs[0]!.page * 4096, batch.pageCount, cores);
}

/** Takes the whole list into a removal. */
function takeList(store: Store, removal: Removal): void {
  const { deferred, port, counters } = store;
  if (deferred.isEmpty) return;
  const { entries } = deferred;
  const { runs, blocks } = deferred.take();
  listRuns(store, runs, removal);
  removal.shown.push(...blocks);
  counters.deferredFlushes += 1;
  port.emit(PhysmemEv.DeferFlush, entries, blocks.size, 0, 0);
}

/** Puts cleared translations into the removal's shootdown, with the page tables that they left empty. */
function listRuns(store: Store, runs: readonly DeferredRun[], removal: Removal): void {
  for (const { task, page, pages, size } of runs) {
    const space = store.spaces.get(task);
    if (space === undefined) continue;
    store.port.listPages(task, page, size === 'large' ? 1 : pages, size, removal.batchFor(store, task));
    const table = space.tables.get(page >>> 10);
    if (space.state === 'live' && table !== undefined && table.used === 0)
      removeTable(store, space, page, table, removal);
  }
}

/** Whether the list must be flushed now; else the alarm is set for when it must. */
export function isOverdue(store: Store): boolean {
  const { deferred, port } = store;
  if (deferred.isEmpty || isBroken(store, 'unbounded')) return false;
  if (port.now() >= deferred.deadline) return true;
  port.setAlarm?.(deferred.deadline);
  return false;
}
