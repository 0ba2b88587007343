/**
 * I/O APIC with 24 inputs (Intel 82093AA data sheet; version 0x11): index/data window, redirection table, edge
 * and level triggering with remote IRR and EOI. Its ID is that which software wrote, as in the chip. ExtINT
 * entries are not passed on (the 8259 pair is wired to LINT0).
 */
import { IOAPIC_BASE } from '../arch/address-map.ts';
import type { AccessSize, IrqLine, MmioRegion, PlainData, Snapshotable } from '../arch/ports.ts';
import { type ApicMessagePort, Delivery } from './interrupt-ports.ts';

export const IOAPIC_INPUTS = 24;

const REG_SELECT = 0x00;
const WINDOW = 0x10;
const VERSION = 0x11 | ((IOAPIC_INPUTS - 1) << 16);
const REDIRECTION = 0x10;

/**
 * Redirection entry, low word:
 *
 *    16     15      14         13        12       11      10..8      7..0
 *  | mask | level | remote IRR | act. low | status | logical | delivery | vector |    high word: 31..24 destination
 */
const MASKED = 1 << 16;
const LEVEL = 1 << 15;
const REMOTE_IRR = 1 << 14;
const ACTIVE_LOW = 1 << 13;
const LOGICAL = 1 << 11;
const WRITABLE_LOW = 0x0001afff;

export class IoApic implements MmioRegion, Snapshotable {
  readonly name = 'ioapic';
  readonly base = IOAPIC_BASE;
  readonly sizeBytes = 0x1000;
  private readonly bus: ApicMessagePort;
  private readonly low = new Int32Array(IOAPIC_INPUTS).fill(MASKED);
  private readonly high = new Int32Array(IOAPIC_INPUTS);
  /** Level of each input as its device drives it; polarity only matters to the device. */
  private readonly levels = new Uint8Array(IOAPIC_INPUTS);
  private id: number;
  private select = 0;

  constructor(bus: ApicMessagePort, id: number) {
    this.bus = bus;
    this.id = id;
  }

  /** The line of an input, for a device to hold. */
  line(input: number): IrqLine {
    return {
      set: (level) => this.setLevel(input, level),
      pulse: () => {
        this.setLevel(input, 1);
        this.setLevel(input, 0);
      },
    };
  }

  read(pa: number, size: AccessSize): number {
    const offset = pa & 0xff;
    const word = offset === REG_SELECT ? this.select : offset === WINDOW ? this.readRegister() : 0;
    return size === 4 ? word >>> 0 : word & (size === 1 ? 0xff : 0xffff);
  }

  write(pa: number, size: AccessSize, value: number): void {
    const offset = pa & 0xff;
    if (offset === REG_SELECT) this.select = value & 0xff;
    else if (offset === WINDOW && size === 4) this.writeRegister(value);
  }

  /** EOI of a level-triggered vector by a local APIC: an input that is still active asks again. */
  endOfInterrupt(vector: number): void {
    for (let input = 0; input < IOAPIC_INPUTS; input++) {
      const entry = this.low[input]!;
      if ((entry & REMOTE_IRR) === 0 || (entry & 0xff) !== vector) continue;
      this.low[input] = entry & ~REMOTE_IRR;
      this.serviceLevel(input);
    }
  }

  save(): PlainData {
    return {
      low: this.low.slice(),
      high: this.high.slice(),
      levels: this.levels.slice(),
      id: this.id,
      select: this.select,
    };
  }

  load(data: PlainData): void {
    const state = data as {
      low: Int32Array;
      high: Int32Array;
      levels: Uint8Array;
      id: number;
      select: number;
    };
    this.low.set(state.low);
    this.high.set(state.high);
    this.levels.set(state.levels);
    this.id = state.id;
    this.select = state.select;
  }

  private setLevel(input: number, level: 0 | 1): void {
    const rises = level === 1 && this.levels[input] === 0;
    this.levels[input] = level;
    const entry = this.low[input]!;
    if ((entry & MASKED) !== 0) return;
    if ((entry & LEVEL) !== 0) this.serviceLevel(input);
    else if (rises) this.send(input);
  }

  private serviceLevel(input: number): void {
    const entry = this.low[input]!;
    if ((entry & (MASKED | REMOTE_IRR)) !== 0 || (entry & LEVEL) === 0 || this.levels[input] === 0) return;
    this.low[input] = entry | REMOTE_IRR;
    this.send(input);
  }

  private send(input: number): void {
    const entry = this.low[input]!;
    const delivery: Delivery = (entry >> 8) & 7;
    if (delivery === Delivery.ExtInt || delivery === Delivery.Smi) return;
    const mode = (entry & LOGICAL) !== 0 ? 'logical' : 'physical';
    const trigger = (entry & LEVEL) !== 0 ? 'level' : 'edge';
    this.bus.post({ mode, id: this.high[input]! >>> 24 }, { delivery, vector: entry & 0xff, trigger });
  }

  private readRegister(): number {
    if (this.select === 0 || this.select === 2) return this.id << 24;
    if (this.select === 1) return VERSION;
    const input = (this.select - REDIRECTION) >> 1;
    if (input < 0 || input >= IOAPIC_INPUTS) return 0;
    return (this.select & 1) === 0 ? this.low[input]! : this.high[input]!;
  }

  private writeRegister(value: number): void {
    if (this.select === 0) this.id = (value >>> 24) & 0xf;
    const input = (this.select - REDIRECTION) >> 1;
    if (input < 0 || input >= IOAPIC_INPUTS) return;
    if ((this.select & 1) !== 0) {
      this.high[input] = value & 0xff000000;
      return;
    }
    // Remote IRR is read-only, and an entry that becomes edge-triggered loses it.
    const remoteIrr = (value & LEVEL) !== 0 ? this.low[input]! & REMOTE_IRR : 0;
    this.low[input] = (value & (WRITABLE_LOW | ACTIVE_LOW)) | remoteIrr;
    this.serviceLevel(input);
  }
}
