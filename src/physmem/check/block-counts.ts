/** The counts per 4 MiB block equal what the base-frame table says (I37), and nothing is claimed for a move at rest. */
import { FrameState, TAIL } from '../base-frames.ts';
import type { Store } from '../store.ts';
import type { Report } from './report.ts';

export function checkBlockCounts(store: Store, report: Report): void {
  const { base } = store;
  const { counts } = base;
  const free = new Int32Array(counts.blocks);
  const movable = new Int32Array(counts.blocks);
  const pinned = new Int32Array(counts.blocks);
  for (let head = 0; head < base.count; head += 1) {
    const order = base.order[head]!;
    if (order === TAIL) continue;
    const block = head >>> counts.shift;
    const state = base.state[head]!;
    if (state === FrameState.FREE) free[block]! += 1 << order;
    else if (state === FrameState.QUARANTINE) pinned[block]! += 1 << order;
    else if (state === FrameState.SOFT) movable[block]! += 1 << order;
    else if (state === FrameState.BOUND && base.pins[head] === 0) movable[block]! += 1 << order;
    else if (state === FrameState.BOUND) pinned[block]! += 1 << order;
  }
  for (let block = 0; block < counts.blocks; block += 1) {
    const said = [counts.free[block], counts.movable[block], counts.pinned[block]].join(' ');
    const found = [free[block], movable[block], pinned[block]].join(' ');
    report.expect(
      'I37',
      said === found,
      () => `block ${block} counts ${said} free, movable, pinned; has ${found}`,
    );
  }
  report.expect(
    'I37',
    store.claimed === 0,
    () => `${store.claimed} base frames are claimed, and nothing moves`,
  );
}
