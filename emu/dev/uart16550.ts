/**
 * UART 16550A at COM1 (National PC16550D data sheet): all registers, FIFOs, interrupts in and out, loop-back.
 * The host side is a byte stream both ways. Line speed is not modelled: a byte written is out at once, and the
 * receive FIFO is refilled from the host's stream whenever there is room. Errors and modem lines never occur.
 * The far end is polite: it sends nothing until the guest has left the line's settings alone for SETTLE_CYCLES, and
 * what the guest had not read before it changed them is sent again. So no input is lost to a driver that starts.
 * OUT2 does not gate the interrupt, unlike on a PC's serial card: QEMU does not either, and student kernels (xv6
 * among them) leave it at 0.
 */
import { PORT_COM1 } from '../arch/address-map.ts';
import { Ev } from '../arch/events.ts';
import type {
  AccessSize,
  Clock,
  DeviceTimer,
  EventPort,
  IrqLine,
  PlainData,
  PortRange,
  Snapshotable,
} from '../arch/ports.ts';

const FIFO_BYTES = 16;
/** About two characters at 115200 baud and 100 MHz; drivers finish their set-up in a few thousand cycles. */
const SETTLE_CYCLES = 20_000;

enum Ier {
  Received = 1,
  TransmitEmpty = 2,
  LineStatus = 4,
}
enum Lsr {
  DataReady = 0x01,
  Overrun = 0x02,
  TransmitEmpty = 0x60,
}
enum Iir {
  None = 1,
  TransmitEmpty = 2,
  Received = 4,
  LineStatus = 6,
  FifosOn = 0xc0,
}
const FCR_ENABLE = 1;
const FCR_CLEAR_RECEIVE = 2;
const LCR_DLAB = 0x80;
const MCR_LOOP = 0x10;
/** CTS, DSR and DCD on, as a terminal that is switched on gives them. */
const MSR_READY = 0xb0;

export interface UartPorts {
  readonly clock: Clock;
  readonly events: EventPort;
  readonly irq: IrqLine;
  /** Called with each byte that the guest sends. */
  transmit(byte: number): void;
}

export class Uart16550 implements PortRange, DeviceTimer, Snapshotable {
  readonly name = 'com1';
  readonly first = PORT_COM1;
  readonly last = PORT_COM1 + 7;
  private readonly ports: UartPorts;
  /** Bytes from the host that are not yet in the FIFO. */
  private input: number[] = [];
  private fifo: number[] = [];
  private ier = 0;
  private fcr = 0;
  private lcr = 0;
  private mcr = 0;
  private scratch = 0;
  private divisor = 12;
  private overrun = 0;
  /** 1 from the moment the transmitter runs empty until IIR is read or a byte is written. */
  private transmitEmptyWaits = 0;
  /** Time from which the far end trusts the line's settings. */
  private settledAt = SETTLE_CYCLES;

  constructor(ports: UartPorts) {
    this.ports = ports;
  }

  /** Bytes typed at the host's end. Nothing is lost: the stream waits for the FIFO. */
  receive(bytes: Iterable<number>): void {
    for (const byte of bytes) this.input.push(byte & 0xff);
    this.refill();
    this.updateIrq();
  }

  /** The line has settled. */
  fire(): void {
    this.refill();
    this.updateIrq();
  }

  read(port: number, size: AccessSize): number {
    if (size === 1) return this.readRegister(port - this.first);
    // A wide access is split into bytes by the ISA bridge.
    let value = 0;
    for (let i = 0; i < size && port + i <= this.last; i++) {
      value |= this.readRegister(port + i - this.first) << (8 * i);
    }
    return value >>> 0;
  }

  write(port: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size && port + i <= this.last; i++) {
      this.writeRegister(port + i - this.first, (value >>> (8 * i)) & 0xff);
    }
  }

  save(): PlainData {
    const { ier, fcr, lcr, mcr, scratch, divisor, overrun, transmitEmptyWaits, settledAt } = this;
    const registers = { ier, fcr, lcr, mcr, scratch, divisor, overrun, transmitEmptyWaits, settledAt };
    return { ...registers, input: [...this.input], fifo: [...this.fifo] };
  }

  load(data: PlainData): void {
    const state = data as { input: number[]; fifo: number[] };
    Object.assign(this, state, { input: [...state.input], fifo: [...state.fifo] });
  }

  private get divisorSelected(): boolean {
    return (this.lcr & LCR_DLAB) !== 0;
  }

  private get fifoBytes(): number {
    return (this.fcr & FCR_ENABLE) !== 0 ? FIFO_BYTES : 1;
  }

  /** Bytes in the FIFO at which the receive interrupt comes: 1, 4, 8 or 14. */
  private get triggerLevel(): number {
    return (this.fcr & FCR_ENABLE) !== 0 ? [1, 4, 8, 14][this.fcr >> 6]! : 1;
  }

  private readRegister(offset: number): number {
    switch (offset) {
      case 0:
        return this.divisorSelected ? this.divisor & 0xff : this.readData();
      case 1:
        return this.divisorSelected ? this.divisor >> 8 : this.ier;
      case 2:
        return this.readInterruptId();
      case 3:
        return this.lcr;
      case 4:
        return this.mcr;
      case 5:
        return this.readLineStatus();
      case 6:
        return this.readModemStatus();
      default:
        return this.scratch;
    }
  }

  private writeRegister(offset: number, value: number): void {
    switch (offset) {
      case 0:
        if (this.divisorSelected) this.divisor = (this.divisor & 0xff00) | value;
        else this.writeData(value);
        break;
      case 1:
        this.writeInterruptEnable(value);
        break;
      case 2:
        this.writeFifoControl(value);
        break;
      case 3:
        this.takeBack();
        this.lcr = value;
        this.refill();
        break;
      case 4:
        this.writeModemControl(value);
        break;
      case 7:
        this.scratch = value;
        break;
    }
    this.updateIrq();
  }

  private readData(): number {
    const byte = this.fifo.shift() ?? 0;
    this.refill();
    this.updateIrq();
    return byte;
  }

  private writeData(byte: number): void {
    if (!this.isLooped) this.ports.transmit(byte);
    else if (this.fifo.length < this.fifoBytes) this.fifo.push(byte);
    else this.overrun = 1;
    this.transmitEmptyWaits = 1;
  }

  private writeInterruptEnable(value: number): void {
    if (this.divisorSelected) {
      this.divisor = (this.divisor & 0x00ff) | (value << 8);
      return;
    }
    const newly = value & ~this.ier;
    this.ier = value & 0x0f;
    // Enabling the interrupt while the transmitter is empty raises it at once (data sheet, table of IIR).
    if ((newly & Ier.TransmitEmpty) !== 0) this.transmitEmptyWaits = 1;
  }

  private writeFifoControl(value: number): void {
    const switched = ((value ^ this.fcr) & FCR_ENABLE) !== 0;
    this.takeBack();
    this.fcr = value & 0xc9;
    if (switched || (value & FCR_CLEAR_RECEIVE) !== 0) this.fifo = [];
    this.refill();
  }

  /** Looped bytes go when the loop opens. */
  private writeModemControl(value: number): void {
    this.takeBack();
    const wasLooped = this.isLooped;
    this.mcr = value & 0x1f;
    if (wasLooped && !this.isLooped) this.fifo = [];
    this.refill();
  }

  /** The highest interrupt that waits; reading takes the transmitter's one back. */
  private readInterruptId(): number {
    const id = this.interruptId();
    if (id === Iir.TransmitEmpty) this.transmitEmptyWaits = 0;
    this.updateIrq();
    return id | ((this.fcr & FCR_ENABLE) !== 0 ? Iir.FifosOn : 0);
  }

  private interruptId(): number {
    if ((this.ier & Ier.LineStatus) !== 0 && this.overrun !== 0) return Iir.LineStatus;
    // Without a line speed the character time-out is over as soon as a byte is there: a non-empty FIFO below
    // the trigger level gives the time-out identification (0xC).
    if ((this.ier & Ier.Received) !== 0 && this.fifo.length > 0) {
      return this.fifo.length >= this.triggerLevel ? Iir.Received : Iir.Received | 8;
    }
    if ((this.ier & Ier.TransmitEmpty) !== 0 && this.transmitEmptyWaits !== 0) return Iir.TransmitEmpty;
    return Iir.None;
  }

  private readLineStatus(): number {
    const overrun = this.overrun !== 0 ? Lsr.Overrun : 0;
    this.overrun = 0;
    this.updateIrq();
    return Lsr.TransmitEmpty | (this.fifo.length > 0 ? Lsr.DataReady : 0) | overrun;
  }

  private readModemStatus(): number {
    if (!this.isLooped) return MSR_READY;
    // Loop-back: RTS, DTR, OUT1, OUT2 appear as CTS, DSR, RI, DCD.
    return ((this.mcr & 2) << 3) | ((this.mcr & 1) << 5) | ((this.mcr & 0xc) << 4);
  }

  private get isLooped(): boolean {
    return (this.mcr & MCR_LOOP) !== 0;
  }

  /** The settings change: the far end waits, and sends again what was not read. */
  private takeBack(): void {
    if (this.isLooped) return;
    this.input.unshift(...this.fifo);
    this.fifo = [];
    this.settledAt = this.ports.clock.now() + SETTLE_CYCLES;
  }

  private refill(): void {
    if (this.isLooped || this.input.length === 0) return;
    const { clock, events } = this.ports;
    const now = clock.now();
    if (now < this.settledAt) {
      clock.arm(this, this.settledAt);
      return;
    }
    while (this.input.length > 0 && this.fifo.length < this.fifoBytes) {
      const byte = this.input.shift()!;
      events.sink?.emit(Ev.ConsoleInput, -1, now, byte, PORT_COM1, 0, 0);
      this.fifo.push(byte);
    }
  }

  /** Loop-back takes the interrupt off the bus. */
  private updateIrq(): void {
    this.ports.irq.set(!this.isLooped && this.interruptId() !== Iir.None ? 1 : 0);
  }
}
