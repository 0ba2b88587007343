/**
 * Compaction in the background (physmem.md §7.3, proactive). The policy is asked after requests that changed memory, at most
 * once per `LOOK_AFTER` base frames taken or given back; when it names a goal, an episode of work begins that nobody waits
 * for. An episode ends when the policy rests, when nothing is worth emptying, or after `REGIONS_MAX` regions, so that there
 * are moments at which a snapshot can be taken.
 */
import type { Operation } from '../../abi/server.ts';
import type { Store } from '../store.ts';
import { Evacuated, evacuate } from './evacuate.ts';

/** 1 MiB of change. */
const LOOK_AFTER = 256;
const REGIONS_MAX = 64;
/** Regions in a row that could not be emptied. */
const FAILURES_MAX = 4;

/** Begins an episode if it is time to look and the policy wants one. Cheap when it is not. */
export function considerWork(store: Store): void {
  const { compaction, zones } = store;
  if (compaction.policy.background === undefined || compaction.episode === 'on') return;
  if (Math.abs(zones.turnover - compaction.lookedAt) < LOOK_AFTER) return;
  compaction.lookedAt = zones.turnover;
  if (compaction.stopped !== null || compaction.background('resting') === null) return;
  compaction.episode = 'on';
  store.port.spawn(episode(store));
}

function* episode(store: Store): Operation<void> {
  const { compaction } = store;
  let failures = 0;
  for (let asked = 0; asked < REGIONS_MAX && failures < FAILURES_MAX; asked += 1) {
    const goal = compaction.background('working');
    // Each region that was emptied is a goal that was reached.
    const proposal = goal === null ? null : compaction.choose(goal, failures);
    if (proposal === null) break;
    const { frame, order, into = [] } = proposal;
    const result = yield* evacuate(store, { frame, order, into, where: 'zone' });
    if (result === Evacuated.HURRY || result === Evacuated.NO_ROOM) break;
    failures = result === Evacuated.EMPTY ? 0 : failures + 1;
    yield { kind: 'pause' };
  }
  compaction.episode = 'off';
  compaction.lookedAt = store.zones.turnover;
}
