/**
 * CMOS memory and real-time clock (Motorola MC146818A data sheet; memory size bytes as PC firmware keeps them).
 * The time is a configured epoch plus emulated cycles: no wall clock. BCD and binary, 12 and 24 hours, the
 * update-in-progress bit. Not modelled: alarm, periodic and update interrupts, the square wave.
 *
 *   00 s  02 min  04 h  06 weekday  07 day  08 month  09 year  32 century  0A..0D status
 *   15/16 KiB below 640 K   17/18 and 30/31 KiB above 1 MiB (at most 65535)   34/35 64 KiB units above 16 MiB
 *   5F cores - 1
 */
import { PORT_CMOS_DATA, PORT_CMOS_INDEX } from '../arch/address-map.ts';
import type { Clock, PlainData, PortRange, Snapshotable } from '../arch/ports.ts';
import { civilFromSeconds, secondsFromCivil } from './civil-time.ts';

export interface CmosConfig {
  readonly ramBytes: number;
  readonly coreCount: number;
  /** Seconds since 1970-01-01 00:00:00 UTC at cycle 0. */
  readonly epochSeconds: number;
  readonly cyclesPerSecond: number;
}

const STATUS_A = 0x0a;
const STATUS_B = 0x0b;
const STATUS_C = 0x0c;
const STATUS_D = 0x0d;
const CENTURY = 0x32;
const B_SET = 0x80;
const B_BINARY = 0x04;
const B_24H = 0x02;
const A_UPDATE_IN_PROGRESS = 0x80;
/** The bit is up for this part of a second before the time changes (244 us in the data sheet). */
const UPDATE_FRACTION = 244e-6;
const TIME_REGISTERS = [0x00, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09, CENTURY];

export class Cmos implements PortRange, Snapshotable {
  readonly name = 'cmos';
  readonly first = PORT_CMOS_INDEX;
  readonly last = PORT_CMOS_DATA;
  private readonly clock: Clock;
  private readonly cyclesPerSecond: number;
  private readonly memory = new Uint8Array(128);
  private index = 0;
  /** Seconds of the calendar at cycle 0, moved when the guest sets the time. */
  private epochSeconds: number;

  constructor(config: CmosConfig, clock: Clock) {
    this.clock = clock;
    this.cyclesPerSecond = config.cyclesPerSecond;
    this.epochSeconds = config.epochSeconds;
    this.memory[STATUS_A] = 0x26;
    this.memory[STATUS_B] = B_24H;
    this.memory[STATUS_D] = 0x80;
    this.memory[0x5f] = config.coreCount - 1;
    const kibAbove1M = Math.min(0xffff, (config.ramBytes - (1 << 20)) >>> 10);
    const unitsAbove16M = Math.max(0, Math.min(0xffff, (config.ramBytes - (16 << 20)) / 65536));
    this.word(0x15, 640);
    this.word(0x17, kibAbove1M);
    this.word(0x30, kibAbove1M);
    this.word(0x34, unitsAbove16M);
  }

  read(port: number): number {
    if (port === this.first) return 0xff;
    if (TIME_REGISTERS.includes(this.index)) return this.readTime(this.index);
    const value = this.memory[this.index]!;
    return this.index === STATUS_A ? value | this.updateInProgress() : value;
  }

  write(port: number, _size: number, value: number): void {
    if (port === this.first) this.index = value & 0x7f;
    else this.writeRegister(this.index, value & 0xff);
  }

  save(): PlainData {
    return { memory: this.memory.slice(), index: this.index, epochSeconds: this.epochSeconds };
  }

  load(data: PlainData): void {
    const state = data as { memory: Uint8Array; index: number; epochSeconds: number };
    this.memory.set(state.memory);
    this.index = state.index;
    this.epochSeconds = state.epochSeconds;
  }

  private get seconds(): number {
    return this.epochSeconds + Math.floor(this.clock.now() / this.cyclesPerSecond);
  }

  /** While SET is up the registers are plain memory and the calendar stands. */
  private get isSetting(): boolean {
    return (this.memory[STATUS_B]! & B_SET) !== 0;
  }

  private updateInProgress(): number {
    const into = (this.clock.now() % this.cyclesPerSecond) / this.cyclesPerSecond;
    return !this.isSetting && into >= 1 - UPDATE_FRACTION ? A_UPDATE_IN_PROGRESS : 0;
  }

  private readTime(register: number): number {
    if (!this.isSetting) this.latchTime();
    return this.memory[register]!;
  }

  /** Writes the calendar into the registers in the format that status B asks for. */
  private latchTime(): void {
    const time = civilFromSeconds(this.seconds);
    const put = (register: number, value: number) => {
      this.memory[register] = this.encode(value);
    };
    put(0x00, time.second);
    put(0x02, time.minute);
    put(0x04, time.hour);
    if ((this.memory[STATUS_B]! & B_24H) === 0) {
      this.memory[0x04] = this.encode(((time.hour + 11) % 12) + 1) | (time.hour >= 12 ? 0x80 : 0);
    }
    put(0x06, time.weekday + 1);
    put(0x07, time.day);
    put(0x08, time.month);
    put(0x09, time.year % 100);
    put(CENTURY, Math.floor(time.year / 100));
  }

  private writeRegister(register: number, value: number): void {
    if (register === STATUS_C || register === STATUS_D) return;
    if (register === STATUS_A) this.memory[STATUS_A] = value & 0x7f;
    else if (register === STATUS_B) this.writeStatusB(value);
    else if (TIME_REGISTERS.includes(register)) {
      if (!this.isSetting) this.latchTime();
      this.memory[register] = value;
      if (!this.isSetting) this.adoptTime();
    } else this.memory[register] = value;
  }

  private writeStatusB(value: number): void {
    const wasSetting = this.isSetting;
    if (!wasSetting) this.latchTime();
    this.memory[STATUS_B] = value;
    if (wasSetting && !this.isSetting) this.adoptTime();
  }

  /** Takes what stands in the registers as the present time. */
  private adoptTime(): void {
    const get = (register: number) => this.decode(this.memory[register]!);
    const rawHour = this.memory[0x04]!;
    let hour = this.decode(rawHour & 0x7f);
    if ((this.memory[STATUS_B]! & B_24H) === 0) hour = (hour % 12) + ((rawHour & 0x80) !== 0 ? 12 : 0);
    const wanted = secondsFromCivil({
      year: get(CENTURY) * 100 + get(0x09),
      month: get(0x08),
      day: get(0x07),
      hour,
      minute: get(0x02),
      second: get(0x00),
    });
    this.epochSeconds += wanted - this.seconds;
  }

  private encode(value: number): number {
    if ((this.memory[STATUS_B]! & B_BINARY) !== 0) return value;
    return (Math.floor(value / 10) << 4) | (value % 10);
  }

  private decode(value: number): number {
    return (this.memory[STATUS_B]! & B_BINARY) !== 0 ? value : (value >> 4) * 10 + (value & 0xf);
  }

  private word(register: number, value: number): void {
    this.memory[register] = value & 0xff;
    this.memory[register + 1] = value >>> 8;
  }
}
