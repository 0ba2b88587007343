/**
 * Taking names away: deallocate (physmem.md §4), and the same work for SQUASH, container destruction and control
 * destruction. A frame that is covered in part is split first; of what goes, translations are removed and shot
 * down before the memory is free and the credit is back.
 */
import { PhysmemEv } from '../abi/events.ts';
import { Fault } from '../abi/fault-switches.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import type { Actor } from './actor.ts';
import { mayStay } from './defer.ts';
import { tellFault } from './faults.ts';
import { UNBOUND } from './frame.ts';
import { holdNothing, holdOf } from './hold.ts';
import { Hold } from './loan.ts';
import { detach, entryFrom, pagesOf, removeName } from './names.ts';
import { newRangeJob, type RangeJob, runRange } from './operation.ts';
import { quarantineBlock } from './pin-end.ts';
import { noteShown, type Removal } from './removal.ts';
import { ok } from './reply.ts';
import { splitAt, splitFrame } from './split.ts';
import type { Store } from './store.ts';
import { leaveEntry, unmapEntry } from './translation.ts';

/** `credit`: the control gets the charge back. `keep`: the caller puts new names in place that it pays for. */
export type ChargeRule = 'credit' | 'keep';

/** Takes one whole entry away, however it is held; returns its pages. */
export function removeEntry(store: Store, entry: number, removal: Removal, rule: ChargeRule): number {
  const { entries } = store;
  const pages = pagesOf(store, entry);
  noteShown(store, entry, removal);
  if (entries.maps[entry] !== 0) {
    if (removal.leaves === 'read-only' && mayStay(store, entry)) leaveEntry(store, entry, removal);
    else unmapEntry(store, entry, removal);
  }
  removeName(store, entry);
  const hold = holdOf(store, entry);
  holdNothing(store, entry);
  const block = detach(store, entry);
  const { control } = store.containers.at(entries.container[entry]!);
  const isPinned = block >= 0 && store.base.pins[block] !== 0;
  const isHeld = isPinned && store.tuning.faults.ignorePins === 'off';
  if (isPinned && !isHeld) tellFault(store, Fault.IGNORE_PINS, block);
  if (isHeld) quarantineBlock(store, block, control);
  else if (block >= 0) removal.takeBlock(store, block);
  if (rule === 'credit' && !isHeld && hold === Hold.PAID) removal.addCharge(control, pages);
  entries.free(entry);
  return pages;
}

/** Removes names of [job.cursor, job.end), at most a slice of them; returns whether it came to the end. */
export function removeSlice(store: Store, job: RangeJob, rule: ChargeRule): boolean {
  const { entries } = store;
  let steps = store.tuning.sliceSteps;
  while (job.cursor < job.end) {
    const entry = entryFrom(store, job.container, job.cursor);
    const start = entry === 0 ? job.end : entries.start[entry]!;
    if (start >= job.end) break;
    if (steps === 0) return false;
    steps -= 1;
    if (start < job.cursor) splitAt(store, job.container, job.cursor, job.removal);
    else if (start + pagesOf(store, entry) > job.end) {
      splitFrame(store, entries.frame[entry]!, job.removal);
    } else if (rule === 'keep' && isPinnedAlone(store, entry)) {
      job.waitsForPin = true;
      return false;
    } else {
      const pages = removeEntry(store, entry, job.removal, rule);
      job.cursor = start + pages;
      job.done += pages;
    }
  }
  job.cursor = job.end;
  store.port.charge(store.tuning.sliceSteps - steps);
  return true;
}

/**
 * Whether taking a name away would put its memory into quarantine. Who replaces memory has found none pinned, but while
 * it waited a pin may have begun through another name that is gone by now. Nobody pays for the quarantine then, because
 * the charge stays with the new name: the end of the pin is waited for (docs/adr/0021).
 */
function isPinnedAlone(store: Store, entry: number): boolean {
  if (store.pins.pages === 0 || store.tuning.faults.ignorePins === 'on') return false;
  const block = store.frames.block[store.entries.frame[entry]!]!;
  return block !== UNBOUND && store.base.pins[block] !== 0 && store.base.refs[block] === 1;
}

const removeAndCredit = (store: Store, job: RangeJob): boolean => removeSlice(store, job, 'credit');
export const removeAndKeep = (store: Store, job: RangeJob): boolean => removeSlice(store, job, 'keep');
export { removeAndCredit };

/** Deallocates pages of a container; the amount is the bytes that had a name. */
export function deallocate(
  store: Store,
  actor: Actor,
  container: number,
  start: number,
  pages: number,
): RpcReply | Operation {
  const job = newRangeJob(store, actor, container, start, pages);
  if (store.tuning.deferral.mode === 'on') job.removal.leaves = 'read-only';
  return runRange(store, job, removeAndCredit, (_, done) => {
    store.port.emit(PhysmemEv.Deallocate, container, start * 4096, pages * 4096, done.done * 4096);
    return ok([done.done * 4096]);
  });
}
