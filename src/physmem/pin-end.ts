/**
 * The ends of pins: by unpin, by time, by the death of the holder (physmem.md §4 pin, I24 to I26). First devices lose the
 * memory, where a protection unit can take it from them. While one can still reach it, the pin drains: it holds the memory
 * in place although it has ended. Memory that was deallocated meanwhile waits in quarantine, charged, until the last pin
 * is gone. Ends come by the kernel's alarm; that a device is done is told by it, too (`KernelPort.deviceHolds`).
 */
import { PhysmemEv } from '../abi/events.ts';
import { CapType } from '../abi/rights.ts';
import type { Operation } from '../abi/server.ts';
import { FrameState, TAIL } from './base-frames.ts';
import type { Pin } from './pin-record.ts';
import { Removal, settle, settleNow } from './removal.ts';
import type { Store } from './store.ts';

const NOT_AGAIN = Number.MAX_SAFE_INTEGER;

/** A block that lost its last name is pinned: it stays in place, charged to the control, until the pins end. */
export function quarantineBlock(store: Store, head: number, control: number): void {
  store.base.set(head, FrameState.QUARANTINE, 0);
  store.pins.quarantine.set(head, control);
  store.port.emit(PhysmemEv.Quarantine, head, store.base.order[head]!, control, 0);
}

/** Has pins looked at no later than this. */
export function sweepNotAfter(store: Store, atCycles: number): void {
  store.pins.sweepAt = Math.min(store.pins.sweepAt, atCycles);
  store.port.setAlarm?.(store.pins.sweepAt);
}

/** Ends the pins that are over by now. Cheap when none is. */
export function sweepPins(store: Store): void {
  const now = store.port.now();
  if (now < store.pins.sweepAt) return;
  store.pins.sweepAt = NOT_AGAIN;
  for (const pin of store.pins.live()) if (pin.state === 'live' && pin.until <= now) endPin(store, pin);
  for (const pin of store.pins.live()) if (pin.state === 'live') sweepNotAfter(store, pin.until);
  releaseQuarantine(store);
}

/** The alarm has rung, or a device has become quiet: ends what is over, or only waited for that. */
export function tickPins(store: Store): void {
  for (const pin of store.pins.live()) if (pin.state === 'draining') endPin(store, pin);
  sweepPins(store);
  if (store.pins.sweepAt !== NOT_AGAIN) store.port.setAlarm?.(store.pins.sweepAt);
}

/** Ends a pin now, or as soon as no device can reach its memory. Its capability is gone in either case. */
export function endPin(store: Store, pin: Pin): void {
  const { base, port, pins } = store;
  if (pin.state === 'live') {
    port.revokeObject(CapType.PIN, pins.table.id(pin.index));
    closeToDevices(store, pin);
  }
  if (isReachable(store, pin)) {
    if (pin.state === 'live') port.emit(PhysmemEv.PinDrain, pin.index, pin.pages, pin.task, 0);
    pin.state = 'draining';
    return;
  }
  for (const head of heads(store, pin)) base.changePins(head, -1);
  pins.pages -= pin.pages;
  store.controls.at(pin.control).pinned -= pin.pages;
  port.emit(PhysmemEv.PinEnd, pin.index, pin.pages, 0, 0);
  pins.table.free(pin);
  releaseQuarantine(store);
  // Somebody may replace what it held (deallocate.ts).
  store.progress();
}

/** The blocks under a pin; they may have been split since it began. Merged they are by the fault ignorePins alone. */
function* heads({ base }: Store, { blocks }: Pin): Generator<number> {
  for (let i = 0; i < blocks.length; i += 2) {
    const end = blocks[i]! + blocks[i + 1]!;
    for (let head = blocks[i]!; head < end; head += base.order[head] === TAIL ? 1 : 1 << base.order[head]!)
      yield head;
  }
}

/** Lets devices reach the memory of a new pin, as far as its holder may. */
export function openToDevices({ port }: Store, { access, blocks }: Pin): void {
  if (access === 0) return;
  for (let i = 0; i < blocks.length; i += 2) port.allowDevices?.(blocks[i]!, blocks[i + 1]!, access);
}

/**
 * Limited capabilities are revoked: devices lose what was pinned through them (physmem.md §2.4). The pins hold their
 * memory on: their holder knows the address and, without a unit, could still use it.
 */
export function closePinsThrough(store: Store, limiteds: readonly number[]): void {
  for (const pin of store.pins.live()) {
    if (pin.state !== 'live' || !limiteds.includes(pin.limited)) continue;
    closeToDevices(store, pin);
    pin.access = 0;
  }
}

/** Takes the memory of a pin from devices, but for what other pins let them do. */
function closeToDevices(store: Store, pin: Pin): void {
  const { base, port, pins } = store;
  if (pin.access === 0 || port.denyDevices === undefined) return;
  const shared = new Set<number>();
  for (const head of heads(store, pin)) {
    port.denyDevices(head, 1 << base.order[head]!);
    if (base.pins[head]! > 1) shared.add(head);
  }
  if (shared.size === 0) return;
  for (const other of pins.live()) {
    if (other === pin || other.state !== 'live' || other.access === 0) continue;
    for (const head of heads(store, other)) {
      if (shared.has(head)) port.allowDevices?.(head, 1 << base.order[head]!, other.access);
    }
  }
}

function isReachable(store: Store, { blocks }: Pin): boolean {
  for (let i = 0; i < blocks.length; i += 2) {
    if (store.port.deviceHolds?.(blocks[i]!, blocks[i + 1]!) === true) return true;
  }
  return false;
}

/** Frees quarantined blocks whose pins have ended; not before every shootdown that is open has been answered (I19). */
function releaseQuarantine(store: Store): void {
  const { pins, base } = store;
  const removal = new Removal();
  for (const [head, control] of pins.quarantine) {
    if (base.pins[head] !== 0) continue;
    pins.quarantine.delete(head);
    removal.addCharge(control, 1 << base.order[head]!);
    removal.takeBlock(store, head);
  }
  if (removal.blocks.length === 0) return;
  if (settleNow(store, removal)) store.progress();
  else store.port.spawn(settleLater(store, removal));
}

function* settleLater(store: Store, removal: Removal): Operation<void> {
  yield* settle(store, removal);
}

/** Ends every pin of a task. */
export function dropPins(store: Store, task: number): void {
  for (const pin of store.pins.live()) if (pin.state === 'live' && pin.task === task) endPin(store, pin);
}

export function holdsPin(store: Store, task: number): boolean {
  for (const pin of store.pins.live()) if (pin.state === 'live' && pin.task === task) return true;
  return false;
}
