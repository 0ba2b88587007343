/**
 * The ends of pins: by unpin, by time, by the death of the holder (physmem.md §4 pin, I24 to I26). Memory that was
 * deallocated while it was pinned waits in quarantine, charged, until the last pin has ended and no device can reach it.
 * There is no timer: ends are looked at when the next request comes, because nobody can miss the memory before.
 */
import { PhysmemEv } from '../abi/events.ts';
import { CapType } from '../abi/rights.ts';
import { FrameState } from './base-frames.ts';
import type { Pin } from './pin-record.ts';
import { freeBlock } from './removal.ts';
import type { Store } from './store.ts';

/** How long to wait before a device is asked again whether it is done. */
const ASK_AGAIN_CYCLES = 10_000;

/** A block that lost its last name is pinned: it stays in place, charged to the control, until the pins end. */
export function quarantineBlock(store: Store, head: number, control: number): void {
  store.base.set(head, FrameState.QUARANTINE, 0);
  store.pins.quarantine.set(head, control);
  store.port.emit(PhysmemEv.Quarantine, head, store.base.order[head]!, control, 0);
}

/** Ends what is over by now. Cheap when nothing is. */
export function sweepPins(store: Store): void {
  const now = store.port.now();
  if (now < store.pins.sweepAt) return;
  let next = Number.MAX_SAFE_INTEGER;
  for (const pin of store.pins.live()) {
    if (pin.state === 'draining' || pin.until <= now) endPin(store, pin);
    if (pin.state === 'live') next = Math.min(next, pin.until);
    else if (pin.state === 'draining') next = Math.min(next, now + ASK_AGAIN_CYCLES);
  }
  store.pins.sweepAt = next;
  releaseQuarantine(store);
}

/** Ends a pin now, or as soon as no device can reach its memory. Its capability is gone in either case. */
export function endPin(store: Store, pin: Pin): void {
  const { base, port, pins } = store;
  if (pin.state === 'live') port.revokeObject(CapType.PIN, pins.table.id(pin.index));
  if (isReachable(store, pin)) {
    pin.state = 'draining';
    pins.sweepAt = Math.min(pins.sweepAt, port.now() + ASK_AGAIN_CYCLES);
    return;
  }
  for (let i = 0; i < pin.blocks.length; i += 2) {
    const end = pin.blocks[i]! + pin.blocks[i + 1]!;
    for (let head = pin.blocks[i]!; head < end; head += 1 << base.order[head]!) {
      base.pins[head] = base.pins[head]! - 1;
    }
  }
  pins.pages -= pin.pages;
  store.controls.at(pin.control).pinned -= pin.pages;
  port.emit(PhysmemEv.PinEnd, pin.index, pin.pages, 0, 0);
  pins.table.free(pin);
  releaseQuarantine(store);
}

function isReachable(store: Store, { blocks }: Pin): boolean {
  for (let i = 0; i < blocks.length; i += 2) {
    if (store.port.deviceHolds?.(blocks[i]!, blocks[i + 1]!) === true) return true;
  }
  return false;
}

/** Frees blocks whose pins have ended; not before every shootdown that is open has been answered (I19). */
function releaseQuarantine(store: Store): void {
  const { inflight, pins, base } = store;
  if (pins.quarantine.size === 0) return;
  if (inflight.open.length > 0 || inflight.parked.length > 0) {
    pins.sweepAt = Math.min(pins.sweepAt, store.port.now());
    return;
  }
  for (const [head, control] of pins.quarantine) {
    if (base.pins[head] !== 0) continue;
    pins.quarantine.delete(head);
    const size = 1 << base.order[head]!;
    freeBlock(store, head);
    store.controls.credit(control, size);
  }
  store.progress();
}

/** Ends every pin of a task. */
export function dropPins(store: Store, task: number): void {
  for (const pin of store.pins.live()) if (pin.state === 'live' && pin.task === task) endPin(store, pin);
}

export function holdsPin(store: Store, task: number): boolean {
  for (const pin of store.pins.live()) if (pin.state === 'live' && pin.task === task) return true;
  return false;
}
