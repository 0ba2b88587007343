/**
 * Memory for guarantees when extra memory holds it (physmem.md §8). Its holders are asked first, by a message that never
 * waits; they have a bounded time; then it is taken away, the newest first. So a guaranteed bind ends in bounded time,
 * whatever the holders do. Who gives, and how much, is levelled: those who hold most give until they hold no more than
 * the others (ties: the older control), so that the order is fair and depends on nothing else.
 */
import { PhysmemEv } from '../abi/events.ts';
import type { Operation } from '../abi/server.ts';
import type { Control } from './control.ts';
import { removeEntry } from './deallocate.ts';
import { FrameFlag } from './frame.ts';
import { PROGRESS_KEY } from './guard.ts';
import { controlOf } from './hold.ts';
import { pagesOf } from './names.ts';
import { Removal, settle } from './removal.ts';
import { splitFrame } from './split.ts';
import type { Store } from './store.ts';
import { roomForAll } from './supply.ts';

/** Deadline of a claim that has asked nobody yet. */
export const UNASKED = -1;

export interface Share {
  readonly control: Control;
  readonly frames: number;
}

/**
 * Waits until `need` base frames can be taken, or takes them from who holds extra memory. Somebody else may be faster than
 * the caller: then it claims again, with the deadline that this call returned, and does not wait a second time. On
 * return memory was freed, or nothing can be claimed (then canClaim is false, or everything extra is in the hands of
 * other operations, which was waited for).
 */
export function* claimFrames(store: Store, need: number, deadline: number): Operation<number> {
  const { loans } = store;
  loans.claims += 1;
  try {
    const until = deadline === UNASKED ? askHolders(store, need) : deadline;
    while (roomForAll(store) < need && store.port.now() < until) {
      // A caller that gave up ends the wait, too: its operation must come to an end.
      if ((yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: until }) === 'timeout') break;
    }
    if (roomForAll(store) < need) yield* takeByForce(store, need);
    return until;
  } finally {
    loans.claims -= 1;
  }
}

/** Asks the holders of extra memory; returns when their time is over, which is now if nobody can be asked. */
function askHolders(store: Store, need: number): number {
  const { port, tuning } = store;
  let until = port.now();
  for (const { control, frames } of levelDown(store, need - roomForAll(store))) {
    const { index, returnThread, returnBadge, extraBound } = control;
    if (returnThread === 0) continue;
    const message = { thread: returnThread, badge: returnBadge, frames, cycles: tuning.returnCycles };
    if (port.askToReturn?.(message) !== true) {
      control.returnThread = 0;
      continue;
    }
    store.counters.returnRequests += 1;
    port.emit(PhysmemEv.ReturnFrames, index, frames, returnThread, extraBound);
    until = port.now() + tuning.returnCycles;
  }
  return until;
}

/** Who gives how much, so that the holders of extra memory come down to one level. */
export function levelDown(store: Store, frames: number): Share[] {
  const holders = store.controls.records.filter(({ extraBound }) => extraBound > 0);
  holders.sort((a, b) => b.extraBound - a.extraBound || a.index - b.index);
  let left = frames;
  for (let count = 1; count <= holders.length; count += 1) {
    const level = holders[count - 1]!.extraBound;
    const step = (level - (holders[count]?.extraBound ?? 0)) * count;
    if (step < left) {
      left -= step;
      continue;
    }
    return holders
      .slice(0, count)
      .map((control, i) => {
        const each = Math.floor(left / count) + (i < left % count ? 1 : 0);
        return { control, frames: control.extraBound - level + each };
      })
      .filter((share) => share.frames > 0);
  }
  return holders.map((control) => ({ control, frames: control.extraBound }));
}

/** Takes what is missing, the newest extra memory of each holder first. */
function* takeByForce(store: Store, need: number): Operation<void> {
  const removal = new Removal();
  const shares = levelDown(store, need - roomForAll(store));
  let taken = 0;
  for (const share of shares) taken += yield* takeFrom(store, share, 'alone', removal);
  // Memory that guaranteed copies share does not come free, but the copies can be written in place afterwards.
  if (taken === 0) for (const share of shares) taken += yield* takeFrom(store, share, 'any', removal);
  yield* settle(store, removal);
  // All of it is moving, in operations of others.
  if (taken === 0) yield { kind: 'pause' };
}

/** Takes a share from a holder; returns the base frames taken. */
function* takeFrom(store: Store, share: Share, which: 'alone' | 'any', removal: Removal): Operation<number> {
  const { control } = share;
  const { generation } = control;
  let left = share.frames;
  let steps = store.tuning.sliceSteps;
  while (left > 0 && control.generation === generation) {
    if (steps === 0) {
      yield* settle(store, removal);
      yield { kind: 'pause' };
      steps = store.tuning.sliceSteps;
    }
    steps -= 1;
    const entry = newestExtra(store, control, which);
    if (entry === 0) break;
    // The upper half counts as the younger one.
    if (pagesOf(store, entry) > left) splitFrame(store, store.entries.frame[entry]!, removal);
    else left -= takeExtra(store, entry, removal);
  }
  return share.frames - left;
}

/** The youngest bound extra entry of a control that is not in the hands of another operation, or 0. */
function newestExtra(store: Store, control: Control, which: 'alone' | 'any'): number {
  const { loans, entries, frames, base } = store;
  if (control.extraList === 0) return 0;
  for (let loan = loans.prev[control.extraList]!; loan !== control.extraList; loan = loans.prev[loan]!) {
    const entry = loans.entry[loan]!;
    const frame = entries.frame[entry]!;
    const isAlone = base.refs[frames.block[frame]!] === 1;
    if (!frames.has(frame, FrameFlag.MOVING) && (isAlone || which === 'any')) return entry;
  }
  return 0;
}

/** Takes an extra entry, name and all, out of its container, whoever works there; returns its pages. */
function takeExtra(store: Store, entry: number, removal: Removal): number {
  const { entries } = store;
  const { index } = controlOf(store, entry);
  const pages = pagesOf(store, entry);
  store.port.emit(PhysmemEv.Reclaim, index, entries.container[entry]!, entries.start[entry]! * 4096, pages);
  store.counters.reclaimedFrames += pages;
  store.port.charge(1);
  return removeEntry(store, entry, removal, 'credit');
}
