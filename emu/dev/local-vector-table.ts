/**
 * Local vector table of a local APIC: what becomes of the timer, of the LINT0 and LINT1 pins and of errors
 * (SDM vol. 3 §11.5.1, fig. 11-8).
 *
 *    17        16     15      14         13        12      10..8      7..0
 *  | periodic | mask | level | remote IRR | act. low | status | delivery | vector |
 *    timer             LINT0 and LINT1 only                     not timer, error
 */
import type { PlainData } from '../arch/ports.ts';
import { Delivery } from './interrupt-ports.ts';

export enum Lvt {
  Timer = 0,
  Perf = 1,
  Lint0 = 2,
  Lint1 = 3,
  Error = 4,
}

export const LVT_PERIODIC = 1 << 17;
const MASKED = 1 << 16;
const LEVEL_TRIGGER = 1 << 15;
const REMOTE_IRR = 1 << 14;
/** Writable bits of each entry, by Lvt. */
const WRITABLE = [0x000300ff, 0x000107ff, 0x0001a7ff, 0x0001a7ff, 0x000100ff] as const;

export interface LvtPorts {
  /** A vector for this APIC itself. */
  vector(vector: number, trigger: 'edge' | 'level'): void;
  nmi(): void;
}

export class LocalVectorTable {
  private readonly ports: LvtPorts;
  private readonly entries = new Int32Array(WRITABLE.length).fill(MASKED);
  /** Levels of the LINT0 and LINT1 pins. */
  private readonly pins = new Uint8Array(2);

  constructor(ports: LvtPorts) {
    this.ports = ports;
  }

  /** Power-up or INIT: all masked. The pins keep the level that the board gives them. */
  reset(): void {
    this.entries.fill(MASKED);
  }

  read(index: Lvt): number {
    return this.entries[index]! >>> 0;
  }

  /** `enabled` is the APIC's software enable: without it an entry cannot be unmasked. */
  write(index: Lvt, value: number, apic: 'enabled' | 'disabled'): void {
    const remoteIrr = this.entries[index]! & REMOTE_IRR;
    this.entries[index] = (value & WRITABLE[index]!) | remoteIrr | (apic === 'enabled' ? 0 : MASKED);
    if (index === Lvt.Lint0 || index === Lvt.Lint1) this.pinChanged(index, 'steady');
  }

  maskAll(): void {
    for (let i = 0; i < this.entries.length; i++) this.entries[i]! |= MASKED;
  }

  /** A source without a pin asks: the timer or the error logic. */
  raise(index: Lvt.Timer | Lvt.Error): void {
    const entry = this.entries[index]!;
    if ((entry & MASKED) === 0) this.ports.vector(entry & 0xff, 'edge');
  }

  setPin(index: Lvt.Lint0 | Lvt.Lint1, level: 0 | 1): void {
    const rises = level === 1 && this.pins[index - Lvt.Lint0] === 0;
    this.pins[index - Lvt.Lint0] = level;
    this.pinChanged(index, rises ? 'rises' : 'steady');
  }

  /** Whether LINT0 passes the interrupt request of the 8259 pair to the core. */
  get extIntWaits(): boolean {
    const entry = this.entries[Lvt.Lint0]!;
    return this.pins[0] === 1 && (entry & MASKED) === 0 && ((entry >> 8) & 7) === Delivery.ExtInt;
  }

  /** EOI of a level-triggered vector: a pin that is still up asks again. */
  endOfInterrupt(vector: number): void {
    for (const index of [Lvt.Lint0, Lvt.Lint1] as const) {
      const entry = this.entries[index]!;
      if ((entry & REMOTE_IRR) === 0 || (entry & 0xff) !== vector) continue;
      this.entries[index] = entry & ~REMOTE_IRR;
      this.pinChanged(index, 'steady');
    }
  }

  save(): PlainData {
    return { entries: this.entries.slice(), pins: this.pins.slice() };
  }

  load(data: PlainData): void {
    const state = data as { entries: Int32Array; pins: Uint8Array };
    this.entries.set(state.entries);
    this.pins.set(state.pins);
  }

  private pinChanged(index: Lvt.Lint0 | Lvt.Lint1, change: 'rises' | 'steady'): void {
    const entry = this.entries[index]!;
    if ((entry & MASKED) !== 0) return;
    const delivery: Delivery = (entry >> 8) & 7;
    if (delivery === Delivery.Nmi && change === 'rises') this.ports.nmi();
    if (delivery !== Delivery.Fixed) return;
    const isUp = this.pins[index - Lvt.Lint0] === 1;
    if ((entry & LEVEL_TRIGGER) === 0) {
      if (change === 'rises') this.ports.vector(entry & 0xff, 'edge');
    } else if (isUp && (entry & REMOTE_IRR) === 0) {
      this.entries[index] = entry | REMOTE_IRR;
      this.ports.vector(entry & 0xff, 'level');
    }
  }
}
