/**
 * Cutting what was taken out of a container by SHARED copies through a limited capability that dies (physmem.md §2.5,
 * case F15): each such entry gets a frame of its own that reads as zeroes, and so does what was taken on from there
 * through a limited capability of the receiving container. Done in slices; a SHARED copy of
 * such an entry that is made meanwhile is cut at birth (copy.ts), so the work ends.
 */
import type { Operation } from '../abi/server.ts';
import { FrameFlag, UNBOUND } from './frame.ts';
import { NEVER, PROGRESS_KEY } from './guard.ts';
import { renewEntry } from './release.ts';
import { type Removal, settle } from './removal.ts';
import type { Store } from './store.ts';

/** What becomes of SHARED copies that were taken through a capability that dies. */
export type Sharers = 'cut' | 'keep';

/**
 * Cuts all that came through a capability. When the whole container goes away the sharers keep their memory (physmem.md
 * §3.3), and only the mark goes.
 */
export function* cutCopies(
  store: Store,
  limited: number,
  sharers: Sharers,
  removal: Removal,
): Operation<void> {
  const { via } = store.entries;
  while (via.isUsed(limited)) {
    if (sharers === 'keep') dropMarks(store, limited);
    else cutSlice(store, limited, removal);
    yield* settle(store, removal);
    if (!via.isUsed(limited)) return;
    if (store.moving > 0) yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
    else yield { kind: 'pause' };
  }
}

function dropMarks(store: Store, limited: number): void {
  let steps = store.tuning.sliceSteps;
  for (const entry of store.entries.via.through(limited)) {
    if (steps === 0) return;
    steps -= 1;
    store.entries.via.delete(entry);
  }
}

/** Cuts about a slice of entries; those of frames that are on their way to another block must wait. */
function cutSlice(store: Store, limited: number, removal: Removal): void {
  const { entries, frames, containers } = store;
  let steps = store.tuning.sliceSteps;
  for (const entry of entries.via.through(limited)) {
    if (steps <= 0) return;
    const frame = entries.frame[entry]!;
    if (frames.has(frame, FrameFlag.MOVING)) steps -= 1;
    else if (containers.at(entries.container[entry]!).firstLimited !== 0) {
      steps -= cutFrame(store, frame, limited, removal);
    } else {
      cutEntry(store, entry, removal);
      steps -= 1;
    }
  }
}

/**
 * Cuts all entries of a frame that came through the capability, and on from their containers, with one walk over the
 * sharers of the frame: it is needed only where a receiving container has given capabilities itself. Returns the
 * entries that were cut.
 */
function cutFrame(store: Store, frame: number, limited: number, removal: Removal): number {
  const { entries } = store;
  const takenFrom = sharersBySource(store, frame);
  const source = store.limiteds.at(limited).container;
  const doomed = takenFrom.get(source)!.filter((entry) => entries.via.get(entry) === limited);
  const reached = new Set<number>();
  for (const entry of doomed) {
    const container = entries.container[entry]!;
    cutEntry(store, entry, removal);
    if (reached.has(container)) continue;
    reached.add(container);
    for (const onward of takenFrom.get(container) ?? []) {
      if (onward !== entry && entries.via.has(onward)) doomed.push(onward);
    }
  }
  return doomed.length;
}

/**
 * Gives an entry a frame of its own. Pinned memory that nobody else names stays: a device may be at work there, and there
 * is nothing to cut it off from (docs/adr/0021).
 */
function cutEntry(store: Store, entry: number, removal: Removal): void {
  const { entries, base, pins } = store;
  const block = store.frames.block[entries.frame[entry]!]!;
  const isHeld = pins.pages > 0 && block !== UNBOUND && base.pins[block] !== 0;
  if (isHeld && base.refs[block] === 1) entries.via.delete(entry);
  else renewEntry(store, entry, removal);
}

/** Marked entries of a frame by the container out of which they were taken. */
function sharersBySource(store: Store, frame: number): ReadonlyMap<number, number[]> {
  const { entries } = store;
  const found = new Map<number, number[]>();
  for (let entry = store.frames.entries[frame]!; entry !== 0; entry = entries.next[entry]!) {
    const via = entries.via.get(entry);
    if (via === undefined) continue;
    const { container } = store.limiteds.at(via);
    const known = found.get(container);
    if (known === undefined) found.set(container, [entry]);
    else known.push(entry);
  }
  return found;
}
