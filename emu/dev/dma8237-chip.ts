/**
 * One 8237A DMA controller: registers and arbitration of four channels (Intel 8237A data sheet). It counts; the
 * bytes are moved by dma8237.ts. Not modelled: memory-to-memory transfers (bits 0, 1 of the command), timing and pin
 * sense bits, which the board's wiring fixes.
 *
 *   mode       7..6 demand, single, block, cascade | 5 decrement | 4 autoinit | 3..2 verify, write, read | 1..0 channel
 *   command    4 rotating priority | 2 controller disabled
 *   status     7..4 requests | 3..0 terminal counts, cleared by reading
 *   request, single mask    2 set or clear | 1..0 channel
 */
import type { PlainData, Snapshotable } from '../arch/ports.ts';

export enum DmaReg {
  /** 0..7: address and count of channels 0..3. */
  /** Read: status. */
  Command = 8,
  Request = 9,
  SingleMask = 10,
  Mode = 11,
  ClearFlipFlop = 12,
  /** Read: temporary register. */
  MasterClear = 13,
  ClearMask = 14,
  AllMask = 15,
}

const COMMAND_DISABLE = 1 << 2;
const COMMAND_ROTATE = 1 << 4;
const BIT_SET = 1 << 2;
const MODE_DECREMENT = 1 << 5;
const MODE_AUTOINIT = 1 << 4;

export type DmaService = 'demand' | 'single' | 'block' | 'cascade';
export type DmaType = 'verify' | 'write' | 'read';
const SERVICES: readonly DmaService[] = ['demand', 'single', 'block', 'cascade'];
/** The fourth is called illegal; it moves nothing here. `write` writes memory. */
const TYPES: readonly DmaType[] = ['verify', 'write', 'read', 'verify'];

const ALL = 0xf;
const LAST_CHANNEL = 3;

export class Dma8237Chip implements Snapshotable {
  readonly address = new Int32Array(4);
  readonly count = new Int32Array(4);
  readonly baseAddress = new Int32Array(4);
  readonly baseCount = new Int32Array(4);
  private readonly modes = new Int32Array(4);
  private command = 0;
  /** Terminal counts since the status was read. */
  private terminal = 0;
  /** Software requests, masks, DREQ levels: one bit per channel. */
  private requests = 0;
  private masks = ALL;
  private lines = 0;
  private flipFlop: 0 | 1 = 0;
  /** The channel with the lowest priority; the next one has the highest. */
  private lowest = LAST_CHANNEL;

  service(channel: number): DmaService {
    return SERVICES[this.modes[channel]! >> 6]!;
  }
  type(channel: number): DmaType {
    return TYPES[(this.modes[channel]! >> 2) & 3]!;
  }
  step(channel: number): 1 | -1 {
    return (this.modes[channel]! & MODE_DECREMENT) !== 0 ? -1 : 1;
  }
  isAutoinit(channel: number): boolean {
    return (this.modes[channel]! & MODE_AUTOINIT) !== 0;
  }
  isMasked(channel: number): boolean {
    return (this.masks & (1 << channel)) !== 0;
  }
  isRequested(channel: number): boolean {
    return (this.requests & (1 << channel)) !== 0;
  }
  /** DREQ of the channel is high. */
  hasLine(channel: number): boolean {
    return (this.lines & (1 << channel)) !== 0;
  }
  get isEnabled(): boolean {
    return (this.command & COMMAND_DISABLE) === 0;
  }

  /** As the board leaves the second chip: its channel 0 passes the first chip's requests on. */
  openCascade(): void {
    this.modes[0] = SERVICES.indexOf('cascade') << 6;
    this.masks &= ~1;
  }

  /** Whether requests of the other chip pass through channel 0. */
  get passesCascade(): boolean {
    return this.isEnabled && !this.isMasked(0) && this.service(0) === 'cascade';
  }

  setLine(channel: number, level: 0 | 1): void {
    if (level === 1) this.lines |= 1 << channel;
    else this.lines &= ~(1 << channel);
  }

  /** Whether the channel would be served if the bus were free. Software requests want block mode (data sheet). */
  wantsService(channel: number): boolean {
    const service = this.service(channel);
    if (!this.isEnabled || service === 'cascade') return false;
    if (this.isRequested(channel) && service === 'block') return true;
    return this.hasLine(channel) && !this.isMasked(channel);
  }

  /** Channels from the highest priority to the lowest: the `rank`th, from 0. */
  byPriority(rank: number): number {
    return (this.lowest + 1 + rank) & LAST_CHANNEL;
  }

  /** After a service: with rotating priority the channel goes to the end of the queue. */
  served(channel: number): void {
    if ((this.command & COMMAND_ROTATE) !== 0) this.lowest = channel;
  }

  /** Counts `units` transfers, at most count + 1; true at terminal count. */
  advance(channel: number, units: number): boolean {
    this.address[channel] = (this.address[channel]! + units * this.step(channel)) & 0xffff;
    const left = this.count[channel]! - units;
    this.count[channel] = left & 0xffff;
    if (left >= 0) return false;
    const bit = 1 << channel;
    this.terminal |= bit;
    this.requests &= ~bit;
    if (this.isAutoinit(channel)) {
      this.address[channel] = this.baseAddress[channel]!;
      this.count[channel] = this.baseCount[channel]!;
    } else this.masks |= bit;
    return true;
  }

  read(register: number): number {
    if (register < 8) return this.readHalf(register);
    if (register === DmaReg.Command) {
      const status = ((this.lines | this.requests) << 4) | this.terminal;
      this.terminal = 0;
      return status;
    }
    if (register === DmaReg.AllMask) return this.masks;
    // No memory-to-memory transfer ever fills the temporary register; the others are write-only.
    return register === DmaReg.MasterClear ? 0 : 0xff;
  }

  /** Returns the channels, as bits, whose address, count or mode was written: their transfer is another one now. */
  write(register: number, value: number): number {
    const bit = 1 << (value & 3);
    const isSet = (value & BIT_SET) !== 0;
    switch (register) {
      case DmaReg.Command:
        this.command = value;
        if ((value & COMMAND_ROTATE) === 0) this.lowest = LAST_CHANNEL;
        return 0;
      case DmaReg.Request:
        this.requests = isSet ? this.requests | bit : this.requests & ~bit;
        return 0;
      case DmaReg.SingleMask:
        this.masks = isSet ? this.masks | bit : this.masks & ~bit;
        return 0;
      case DmaReg.Mode:
        this.modes[value & 3] = value & 0xfc;
        return bit;
      case DmaReg.ClearFlipFlop:
        this.flipFlop = 0;
        return 0;
      case DmaReg.MasterClear:
        this.masterClear();
        return 0;
      case DmaReg.ClearMask:
        this.masks = 0;
        return 0;
      case DmaReg.AllMask:
        this.masks = value & ALL;
        return 0;
      default:
        this.writeHalf(register, value);
        return 1 << (register >> 1);
    }
  }

  save(): PlainData {
    const { command, terminal, requests, masks, lines, flipFlop, lowest } = this;
    const counters = [this.address, this.count, this.baseAddress, this.baseCount, this.modes];
    return {
      state: { command, terminal, requests, masks, lines, flipFlop, lowest },
      counters: counters.map((c) => c.slice()),
    };
  }

  load(data: PlainData): void {
    const saved = data as unknown as { state: object; counters: readonly Int32Array[] };
    Object.assign(this, saved.state);
    const counters = [this.address, this.count, this.baseAddress, this.baseCount, this.modes];
    for (const [i, counter] of counters.entries()) counter.set(saved.counters[i]!);
  }

  /** Mode registers, addresses and counts stay as they are. */
  private masterClear(): void {
    this.command = this.terminal = this.requests = this.flipFlop = 0;
    this.masks = ALL;
    this.lowest = LAST_CHANNEL;
  }

  /** Address and count ports pass the low byte, then the high byte. */
  private readHalf(register: number): number {
    const word = (register & 1) === 0 ? this.address[register >> 1]! : this.count[register >> 1]!;
    const half = this.flipFlop === 0 ? word & 0xff : word >> 8;
    this.flipFlop = this.flipFlop === 0 ? 1 : 0;
    return half;
  }

  /** Writes go to the same half of the base and of the current register. */
  private writeHalf(register: number, value: number): void {
    const channel = register >> 1;
    const isAddress = (register & 1) === 0;
    const [base, current] = isAddress ? [this.baseAddress, this.address] : [this.baseCount, this.count];
    const [kept, shift] = this.flipFlop === 0 ? [0xff00, 0] : [0x00ff, 8];
    this.flipFlop = this.flipFlop === 0 ? 1 : 0;
    for (const words of [base, current]) words[channel] = (words[channel]! & kept) | (value << shift);
  }
}
