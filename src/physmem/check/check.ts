/**
 * The whole-state checker (physmem.md §10): recomputes every invariant from scratch and tells what is broken, by
 * number. For states between operations. What needs TLBs (I18 to I20) is checked by the machine's debug shadow and,
 * in tests, by the fake kernel.
 */
import type { Store } from '../store.ts';
import { checkBlockCounts } from './block-counts.ts';
import { checkCredit } from './credit.ts';
import { checkDeferred } from './deferred.ts';
import { checkLoans } from './loans.ts';
import { checkMaps, type PageTableView } from './maps.ts';
import { checkNames } from './names.ts';
import { checkPhysical } from './physical.ts';
import { checkPins } from './pins.ts';
import { Report, type Violation } from './report.ts';

/** All violations of the present state; `view` compares with the page tables as they are, too. */
export function check(store: Store, view: PageTableView | null = null): readonly Violation[] {
  const report = new Report();
  checkCredit(store, report);
  checkPhysical(store, report);
  checkNames(store, report);
  checkMaps(store, report, view);
  checkPins(store, report);
  checkLoans(store, report);
  checkBlockCounts(store, report);
  checkDeferred(store, report);
  report.expect('I38', store.guards.queues.size === 0, () => 'a container is guarded, and no operation runs');
  report.expect('I38', store.inflight.open.length === 0, () => 'a shootdown is open, and no operation runs');
  report.expect('I38', store.moving === 0, () => 'a frame is moving, and no operation runs');
  return report.violations;
}
