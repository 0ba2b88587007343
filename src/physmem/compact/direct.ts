/**
 * Compaction for somebody who waits (physmem.md §7.3, on demand): a bind that finds no block asks the policy what to empty
 * until there is one. The time is counted as a wait of the guest; a shortage that was not cured makes the bind fall back to
 * smaller frames, so a guaranteed bind never fails for it.
 */
import type { Operation } from '../../abi/server.ts';
import type { Store } from '../store.ts';
import { ZoneId } from '../zone.ts';
import { Evacuated, evacuate } from './evacuate.ts';
import type { Goal } from './policy.ts';

/** Regions in a row that could not be emptied: a policy without memory proposes the same one again. */
const FAILURES_MAX = 4;

/** Where a block of the order for unrestricted use should come from: the zone that has the memory, Normal first. */
export function goalFor(store: Store, order: number): Goal {
  const normal = store.zones.zones[ZoneId.NORMAL]!.buddy;
  const zone = normal.freeFrames >= 1 << order ? ZoneId.NORMAL : ZoneId.DMA;
  return { zone, order };
}

/** Whether a bind that finds no block of the order shall wait for one to be made. */
export function isWorthWaiting(store: Store, order: number): boolean {
  if (order === 0) return false;
  return store.compaction.onShortage(goalFor(store, order)) === 'compact';
}

/** Makes a free block of the order, or gives up; the caller looks again in either case. */
export function* compactFor(store: Store, order: number): Operation<void> {
  const { compaction, counters, port } = store;
  const goal = goalFor(store, order);
  const start = port.now();
  compaction.tried[order]! += 1;
  let failures = 0;
  for (let asked = 0; !hasBlock(store, goal) && failures < FAILURES_MAX; asked += 1) {
    const proposal = compaction.choose(goal, asked);
    if (proposal === null) break;
    const { frame, into = [] } = proposal;
    const result = yield* evacuate(store, { frame, order, into, where: 'zone' });
    if (result === Evacuated.HURRY || result === Evacuated.NO_ROOM) break;
    failures = result === Evacuated.EMPTY ? 0 : failures + 1;
  }
  if (hasBlock(store, goal)) compaction.cured[order]! += 1;
  counters.moveWaits += 1;
  counters.moveWaitCycles += port.now() - start;
}

const hasBlock = (store: Store, { zone, order }: Goal): boolean => store.zones.zones[zone]!.buddy.has(order);
