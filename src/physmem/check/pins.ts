/**
 * Invariants of pins: I24 (a pinned frame is in place, alone, and not free), I25 (counts are those of the live pins), and
 * quarantine holds just what lost its names while it was pinned.
 */
import { FrameState, TAIL } from '../base-frames.ts';
import type { Store } from '../store.ts';
import type { Report } from './report.ts';

export function checkPins(store: Store, report: Report): void {
  const { base, pins, controls } = store;
  const counts = new Map<number, number>();
  const perControl = new Map<number, number>();
  let pages = 0;
  for (const pin of pins.live()) {
    pages += pin.pages;
    perControl.set(pin.control, (perControl.get(pin.control) ?? 0) + pin.pages);
    for (let i = 0; i < pin.blocks.length; i += 2) {
      const end = pin.blocks[i]! + pin.blocks[i + 1]!;
      let head = pin.blocks[i]!;
      for (; head < end && base.order[head] !== TAIL; head += 1 << base.order[head]!) {
        counts.set(head, (counts.get(head) ?? 0) + 1);
      }
      report.expect('I24', head === end, () => `pin ${pin.index} does not hold whole blocks`);
    }
  }
  report.expect(
    'I25',
    pages === pins.pages,
    () => `${pins.pages} frames are counted as pinned, ${pages} are`,
  );
  for (const { index, state, pinned } of controls.records) {
    if (state === 'free') continue;
    const own = perControl.get(index) ?? 0;
    report.expect('I25', pinned === own, () => `control ${index} counts ${pinned} pinned frames, has ${own}`);
  }
  for (let head = 0; head < base.count; head += 1) {
    if (base.order[head] === TAIL) continue;
    const count = counts.get(head) ?? 0;
    const state = base.state[head];
    const isUsed = state === FrameState.BOUND || state === FrameState.QUARANTINE;
    if (isUsed)
      report.expect(
        'I25',
        base.pins[head] === count,
        () => `block ${head} counts ${base.pins[head]} pins, not ${count}`,
      );
    else report.expect('I24', count === 0, () => `pinned block ${head} is neither bound nor in quarantine`);
    if (state === FrameState.BOUND && count > 0) {
      const isAlone = !store.frames.isCow(base.owner[head]!);
      report.expect('I24', isAlone, () => `pinned block ${head} backs several logical copies`);
    }
    const isHeld = pins.quarantine.has(head);
    report.expect(
      'I6',
      isHeld === (state === FrameState.QUARANTINE),
      () => `quarantine disagrees about block ${head}`,
    );
  }
}
