/**
 * Keyboard controller 8042 with a keyboard (IBM PC/AT technical reference): command byte, output port with the
 * A20 gate and the reset line, keyboard commands that drivers send at start-up, keys from the host as scan codes.
 * System control port A (0x92) is here too: it drives the same two lines. The A20 gate is open at reset, so that
 * firmware need not care. No mouse.
 */
import { PORT_KBC_DATA, PORT_KBC_STATUS } from '../arch/address-map.ts';
import type { IrqLine, PlainData, PortRange, Snapshotable } from '../arch/ports.ts';

const PORT_SYSTEM_CONTROL = 0x92;
const STATUS_OUTPUT_FULL = 0x01;
const STATUS_SYSTEM = 0x04;
const STATUS_COMMAND = 0x08;
const COMMAND_IRQ1 = 0x01;
const COMMAND_KEYBOARD_OFF = 0x10;
const OUTPUT_RESET_OFF = 0x01;
const OUTPUT_A20 = 0x02;
const ACK = 0xfa;
/** Bytes that the controller keeps for a guest that does not read; later keys are dropped, as by a keyboard. */
const QUEUE_BYTES = 64;

/** The two lines that leave the controller for the processor. */
export interface KbcLines {
  reset(): void;
  a20(gate: 'open' | 'masked'): void;
}

export class Kbc8042 implements Snapshotable {
  readonly portRanges: readonly PortRange[];
  private readonly irq: IrqLine;
  private readonly lines: KbcLines;
  private queue: number[] = [];
  private commandByte = COMMAND_IRQ1 | 0x40;
  private outputPort = OUTPUT_RESET_OFF | OUTPUT_A20;
  /** Controller command whose data byte is awaited at port 0x60, 0 for none. */
  private controllerExpects = 0;
  /** Keyboard command whose argument is awaited, 0 for none. */
  private keyboardExpects = 0;
  private lastWasCommand = 0;

  constructor(irq: IrqLine, lines: KbcLines) {
    this.irq = irq;
    this.lines = lines;
    this.portRanges = [
      {
        name: 'kbc-data',
        first: PORT_KBC_DATA,
        last: PORT_KBC_DATA,
        read: () => this.readData(),
        write: (_port, _size, value) => this.writeData(value & 0xff),
      },
      {
        name: 'kbc-command',
        first: PORT_KBC_STATUS,
        last: PORT_KBC_STATUS,
        read: () => this.status(),
        write: (_port, _size, value) => this.writeCommand(value & 0xff),
      },
      {
        name: 'system-control-a',
        first: PORT_SYSTEM_CONTROL,
        last: PORT_SYSTEM_CONTROL,
        read: () => this.outputPort & OUTPUT_A20,
        write: (_port, _size, value) => this.writeSystemControl(value),
      },
    ];
  }

  /** Whether the guest has the A20 gate open. */
  get a20(): boolean {
    return (this.outputPort & OUTPUT_A20) !== 0;
  }

  /** Scan codes (set 1) of a key pressed or released at the host. */
  key(scanCodes: Iterable<number>): void {
    if ((this.commandByte & COMMAND_KEYBOARD_OFF) !== 0) return;
    for (const code of scanCodes) this.push(code & 0xff);
  }

  save(): PlainData {
    const { commandByte, outputPort, controllerExpects, keyboardExpects, lastWasCommand } = this;
    const registers = { commandByte, outputPort, controllerExpects, keyboardExpects, lastWasCommand };
    return { ...registers, queue: [...this.queue] };
  }

  load(data: PlainData): void {
    const state = data as { queue: number[] };
    Object.assign(this, state, { queue: [...state.queue] });
  }

  private status(): number {
    const full = this.queue.length > 0 ? STATUS_OUTPUT_FULL : 0;
    return full | STATUS_SYSTEM | (this.lastWasCommand !== 0 ? STATUS_COMMAND : 0) | 0x10;
  }

  private push(byte: number): void {
    if (this.queue.length < QUEUE_BYTES) this.queue.push(byte);
    this.updateIrq();
  }

  private readData(): number {
    const byte = this.queue.shift() ?? 0;
    // The next byte is a new edge.
    this.irq.set(0);
    this.updateIrq();
    return byte;
  }

  private updateIrq(): void {
    const enabled = (this.commandByte & COMMAND_IRQ1) !== 0;
    this.irq.set(enabled && this.queue.length > 0 ? 1 : 0);
  }

  private writeCommand(command: number): void {
    this.lastWasCommand = 1;
    switch (command) {
      case 0x20:
        this.push(this.commandByte);
        break;
      case 0x60:
      case 0xd1:
      case 0xd2:
        this.controllerExpects = command;
        break;
      case 0xaa:
        this.push(0x55);
        break;
      case 0xab:
        this.push(0x00);
        break;
      case 0xad:
        this.commandByte |= COMMAND_KEYBOARD_OFF;
        break;
      case 0xae:
        this.commandByte &= ~COMMAND_KEYBOARD_OFF;
        break;
      case 0xd0:
        this.push(this.outputPort);
        break;
      default:
        // 0xF0 .. 0xFF pulse the output lines whose bit is 0; line 0 is reset.
        if (command >= 0xf0 && (command & 1) === 0) this.lines.reset();
    }
  }

  private writeData(value: number): void {
    this.lastWasCommand = 0;
    const command = this.controllerExpects;
    this.controllerExpects = 0;
    if (command === 0x60) {
      this.commandByte = value;
      this.updateIrq();
    } else if (command === 0xd1) this.writeOutputPort(value);
    else if (command === 0xd2) this.push(value);
    else this.keyboardCommand(value);
  }

  private keyboardCommand(value: number): void {
    if (this.keyboardExpects !== 0) {
      this.keyboardExpects = 0;
      this.push(ACK);
      return;
    }
    switch (value) {
      case 0xed:
      case 0xf0:
      case 0xf3:
        this.keyboardExpects = value;
        this.push(ACK);
        break;
      case 0xee:
        this.push(0xee);
        break;
      case 0xf2:
        for (const byte of [ACK, 0xab, 0x83]) this.push(byte);
        break;
      case 0xff:
        for (const byte of [ACK, 0xaa]) this.push(byte);
        break;
      default:
        this.push(ACK);
    }
  }

  private writeOutputPort(value: number): void {
    this.outputPort = value;
    this.lines.a20(this.a20 ? 'open' : 'masked');
    if ((value & OUTPUT_RESET_OFF) === 0) this.lines.reset();
  }

  private writeSystemControl(value: number): void {
    this.outputPort = (this.outputPort & ~OUTPUT_A20) | (value & OUTPUT_A20);
    this.lines.a20(this.a20 ? 'open' : 'masked');
    if ((value & 1) !== 0) this.lines.reset();
  }
}
