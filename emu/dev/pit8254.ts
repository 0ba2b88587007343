/**
 * Interval timer 8254 (Intel 8254 data sheet) as an IBM PC/AT wires it: counter 0 to IRQ 0, gate open; counter 1, the
 * memory refresh, only as the toggling bit 4 of port 61; counter 2 gated by port 61 bit 0, its output in bit 5, for
 * loops that measure time. 1,193,182 ticks a second of the emulated clock. Nothing counts before software says so:
 * there is no BIOS that sets up 18.2 interrupts a second. No sound.
 */
import { PORT_PIT, PORT_SYSTEM_CONTROL_B } from '../arch/address-map.ts';
import type { Clock, DeviceTimer, IrqLine, PlainData, PortRange, Snapshotable } from '../arch/ports.ts';
import { PIT_HZ, PitCounter } from './pit-counter.ts';

export interface PitPorts {
  readonly clock: Clock;
  readonly irq: IrqLine;
  readonly cyclesPerSecond: number;
}

/** Access of a counter's port: low byte, high byte, or both in turn. */
enum Access {
  Latch = 0,
  Low = 1,
  High = 2,
  LowHigh = 3,
}
const READ_BACK = 3;
/** Ticks between two refreshes (15 µs), whose request toggles bit 4 of port 61. */
const REFRESH_TICKS = 18;
const PORT_B_WRITABLE = 0x0f;
const PORT_B_REFRESH = 0x10;
const PORT_B_OUT2 = 0x20;

/** The bus side of a counter: what is written and read byte by byte. */
class CounterPort {
  access: Access = Access.LowHigh;
  /** Low byte of a count whose high byte is awaited, -1 = none. */
  pendingLow = -1;
  /** 1 when the next read gives the high byte. */
  readsHigh = 0;
  /** Latched count or status that is read before anything else, -1 = none. */
  latched = -1;
  latchedStatus = -1;
}

export class Pit8254 implements DeviceTimer, Snapshotable {
  readonly name = 'pit';
  readonly portRanges: readonly PortRange[];
  private readonly ports: PitPorts;
  private readonly counters: readonly PitCounter[];
  private readonly sides = [new CounterPort(), new CounterPort(), new CounterPort()];
  private portB = 0;

  constructor(ports: PitPorts) {
    this.ports = ports;
    const clock = { now: () => ports.clock.now(), cyclesPerSecond: ports.cyclesPerSecond };
    this.counters = ([1, 1, 0] as const).map((gate) => new PitCounter(clock, gate));
    this.portRanges = [
      {
        name: 'pit',
        first: PORT_PIT,
        last: PORT_PIT + 3,
        read: (port) => (port === PORT_PIT + 3 ? 0xff : this.readCounter(port - PORT_PIT)),
        write: (port, _size, value) => {
          if (port === PORT_PIT + 3) this.control(value & 0xff);
          else this.writeCounter(port - PORT_PIT, value & 0xff);
        },
      },
      {
        name: 'system-control-b',
        first: PORT_SYSTEM_CONTROL_B,
        last: PORT_SYSTEM_CONTROL_B,
        read: () => this.readPortB(),
        write: (_port, _size, value) => this.writePortB(value & 0xff),
      },
    ];
  }

  /** OUT of counter 0 rises. The request is an edge that stays latched, however short the pulse. */
  fire(now: number): void {
    const counter = this.counters[0]!;
    if (counter.mode <= 1) this.ports.irq.set(1);
    else this.ports.irq.pulse();
    this.armAfter(now);
  }

  save(): PlainData {
    const counters = this.counters.map((counter) => {
      const { mode, isBcd, period, gate, isStarted, isLoaded, startCycles, heldTicks } = counter;
      return { mode, isBcd, period, gate, isStarted, isLoaded, startCycles, heldTicks };
    });
    return { counters, sides: this.sides.map((side) => ({ ...side })), portB: this.portB };
  }

  load(data: PlainData): void {
    const state = data as { counters: object[]; sides: object[]; portB: number };
    for (const [i, counter] of this.counters.entries()) Object.assign(counter, state.counters[i]);
    for (const [i, side] of this.sides.entries()) Object.assign(side, state.sides[i]);
    this.portB = state.portB;
  }

  private control(value: number): void {
    const index = value >> 6;
    if (index === READ_BACK) {
      for (let i = 0; i < 3; i++) if ((value & (2 << i)) !== 0) this.readBack(i, value);
      return;
    }
    const access: Access = (value >> 4) & 3;
    if (access === Access.Latch) {
      this.latch(index);
      return;
    }
    Object.assign(this.sides[index]!, new CounterPort(), { access });
    this.counters[index]!.setMode((value >> 1) & 7, (value & 1) as 0 | 1);
    this.changed(index);
  }

  /** Bits 5 and 4 are low for what is wanted: count, status. */
  private readBack(index: number, command: number): void {
    const side = this.sides[index]!;
    const counter = this.counters[index]!;
    if ((command & 0x20) === 0) this.latch(index);
    if ((command & 0x10) !== 0 || side.latchedStatus >= 0) return;
    const noCount = counter.isLoaded !== 0 ? 0 : 0x40;
    side.latchedStatus =
      (counter.out() << 7) | noCount | (side.access << 4) | (counter.mode << 1) | counter.isBcd;
  }

  private latch(index: number): void {
    const side = this.sides[index]!;
    if (side.latched < 0) side.latched = this.counters[index]!.count();
  }

  private writeCounter(index: number, byte: number): void {
    const side = this.sides[index]!;
    if (side.access === Access.LowHigh && side.pendingLow < 0) {
      side.pendingLow = byte;
      return;
    }
    const low = side.access === Access.Low ? byte : Math.max(0, side.pendingLow);
    const high = side.access === Access.Low ? 0 : byte;
    side.pendingLow = -1;
    this.counters[index]!.load((high << 8) | low);
    this.changed(index);
  }

  private readCounter(index: number): number {
    const side = this.sides[index]!;
    if (side.latchedStatus >= 0) {
      const status = side.latchedStatus;
      side.latchedStatus = -1;
      return status;
    }
    const count = side.latched >= 0 ? side.latched : this.counters[index]!.count();
    const wantsHigh = side.access === Access.High || (side.access === Access.LowHigh && side.readsHigh !== 0);
    if (side.access === Access.LowHigh) side.readsHigh ^= 1;
    if (side.access !== Access.LowHigh || wantsHigh) side.latched = -1;
    return wantsHigh ? count >> 8 : count & 0xff;
  }

  /** A control word or a count: OUT may have fallen, and rises at another time. */
  private changed(index: number): void {
    if (index !== 0) return;
    this.ports.irq.set(0);
    this.armAfter(this.ports.clock.now());
  }

  private armAfter(atCycles: number): void {
    const next = this.counters[0]!.nextRise(atCycles);
    if (next === Number.POSITIVE_INFINITY) this.ports.clock.cancel(this);
    else this.ports.clock.arm(this, next);
  }

  private readPortB(): number {
    const ticks = Math.floor((this.ports.clock.now() * PIT_HZ) / this.ports.cyclesPerSecond);
    const refresh = Math.floor(ticks / REFRESH_TICKS) % 2 === 0 ? 0 : PORT_B_REFRESH;
    return this.portB | refresh | (this.counters[2]!.out() !== 0 ? PORT_B_OUT2 : 0);
  }

  private writePortB(value: number): void {
    this.portB = value & PORT_B_WRITABLE;
    this.counters[2]!.setGate((value & 1) as 0 | 1);
  }
}
