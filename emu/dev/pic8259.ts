/**
 * Pair of 8259A interrupt controllers, the second on input 2 of the first (Intel 8259A data sheet): ICW1-4,
 * OCW1-3, fixed and rotating priority, special mask off, automatic and specific EOI, spurious IRQ 7/15. All
 * inputs are masked at reset, so that a kernel which uses the APICs never sees it. Not modelled: MCS-80 mode,
 * special fully nested mode, special mask mode, poll command.
 */
import { PORT_PIC1, PORT_PIC2 } from '../arch/address-map.ts';
import type { IrqLine, PlainData, PortRange, Snapshotable } from '../arch/ports.ts';

const ICW1_INIT = 0x10;
const ICW1_SINGLE = 0x02;
const ICW1_NEED_ICW4 = 0x01;
const ICW1_LEVEL = 0x08;
const ICW4_AUTO_EOI = 0x02;
const OCW3 = 0x08;
const CASCADE = 2;
const SPURIOUS = 7;

/** One chip. */
class Pic {
  irr = 0;
  isr = 0;
  mask = 0xff;
  /** Input levels, for edge detection and level mode. */
  lines = 0;
  vectorBase = 0;
  /** The input with the lowest priority; the next one has the highest. */
  lowest = 7;
  autoEoi = 0;
  levelMode = 0;
  rotateOnAutoEoi = 0;
  readsIsr = 0;
  /** Next initialisation word expected at the data port: 2, 3, 4, or 0 when initialised. */
  expects = 0;
  needsIcw4 = 0;
  single = 0;

  setLine(input: number, level: 0 | 1): void {
    const bit = 1 << input;
    if (level === 1) {
      if ((this.lines & bit) === 0 || this.levelMode !== 0) this.irr |= bit;
      this.lines |= bit;
    } else {
      this.lines &= ~bit;
      // A request that goes away before its INTA cycle gives the spurious vector.
      this.irr &= ~bit;
    }
  }

  /** The input to serve next, -1 when none has a higher priority than what is in service. */
  pending(): number {
    const requests = this.irr & ~this.mask;
    for (let k = 1; k <= 8; k++) {
      const input = (this.lowest + k) & 7;
      if ((this.isr & (1 << input)) !== 0) return -1;
      if ((requests & (1 << input)) !== 0) return input;
    }
    return -1;
  }

  /** INTA cycle for `input`. */
  take(input: number): void {
    const bit = 1 << input;
    if (this.levelMode === 0) this.irr &= ~bit;
    if (this.autoEoi !== 0) {
      if (this.rotateOnAutoEoi !== 0) this.lowest = input;
    } else this.isr |= bit;
  }

  writeCommand(value: number): void {
    if ((value & ICW1_INIT) !== 0) this.initialise(value);
    else if ((value & OCW3) !== 0) {
      if ((value & 2) !== 0) this.readsIsr = value & 1;
    } else this.endOfInterrupt(value >> 5, value & 7);
  }

  writeData(value: number): void {
    switch (this.expects) {
      case 2:
        this.vectorBase = value & 0xf8;
        this.expects = this.single !== 0 ? (this.needsIcw4 !== 0 ? 4 : 0) : 3;
        break;
      case 3:
        this.expects = this.needsIcw4 !== 0 ? 4 : 0;
        break;
      case 4:
        this.autoEoi = (value & ICW4_AUTO_EOI) !== 0 ? 1 : 0;
        this.expects = 0;
        break;
      default:
        this.mask = value;
    }
  }

  private initialise(icw1: number): void {
    this.irr = this.isr = this.mask = this.readsIsr = this.autoEoi = this.rotateOnAutoEoi = 0;
    this.lowest = 7;
    this.levelMode = (icw1 & ICW1_LEVEL) !== 0 ? 1 : 0;
    this.single = (icw1 & ICW1_SINGLE) !== 0 ? 1 : 0;
    this.needsIcw4 = (icw1 & ICW1_NEED_ICW4) !== 0 ? 1 : 0;
    this.expects = 2;
  }

  /** OCW2: bits rotate, specific, EOI. */
  private endOfInterrupt(command: number, level: number): void {
    const rotate = (command & 4) !== 0;
    const specific = (command & 2) !== 0;
    if ((command & 1) === 0) {
      if (specific) this.lowest = rotate ? level : this.lowest;
      else this.rotateOnAutoEoi = rotate ? 1 : 0;
      return;
    }
    const input = specific ? level : this.highestInService();
    if (input < 0) return;
    this.isr &= ~(1 << input);
    if (rotate) this.lowest = input;
  }

  private highestInService(): number {
    for (let k = 1; k <= 8; k++) {
      const input = (this.lowest + k) & 7;
      if ((this.isr & (1 << input)) !== 0) return input;
    }
    return -1;
  }
}

export class PicPair implements Snapshotable {
  readonly portRanges: readonly PortRange[];
  private readonly chips = [new Pic(), new Pic()] as const;
  private readonly output: (level: 0 | 1) => void;

  /** `output` is the INTR line of the pair; it is called with the level after every change. */
  constructor(output: (level: 0 | 1) => void) {
    this.output = output;
    this.portRanges = [this.chipPorts(0, PORT_PIC1), this.chipPorts(1, PORT_PIC2)];
  }

  /** The line of IRQ 0 .. 15 (2 is taken by the cascade), for a device to hold. */
  line(irq: number): IrqLine {
    return {
      set: (level) => this.setLine(irq, level),
      pulse: () => {
        this.setLine(irq, 1);
        // The chip latches the edge; the level may go away.
        this.chips[irq >> 3]!.lines &= ~(1 << (irq & 7));
      },
    };
  }

  /** INTA cycles: the vector, now in service. */
  acknowledge(): number {
    const [first, second] = this.chips;
    const input = first.pending();
    if (input < 0) return first.vectorBase + SPURIOUS;
    first.take(input);
    let vector = first.vectorBase + input;
    if (input === CASCADE) {
      const inner = second.pending();
      if (inner >= 0) second.take(inner);
      vector = second.vectorBase + (inner >= 0 ? inner : SPURIOUS);
      // The INTA cycle drops the second chip's output, so that its next request is a new edge.
      first.lines &= ~(1 << CASCADE);
    }
    this.update();
    return vector;
  }

  save(): PlainData {
    return this.chips.map((chip) => ({ ...chip }));
  }

  load(data: PlainData): void {
    for (const [i, state] of (data as object[]).entries()) Object.assign(this.chips[i]!, state);
  }

  private setLine(irq: number, level: 0 | 1): void {
    this.chips[irq >> 3]!.setLine(irq & 7, level);
    this.update();
  }

  private update(): void {
    const [first, second] = this.chips;
    first.setLine(CASCADE, second.pending() >= 0 ? 1 : 0);
    this.output(first.pending() >= 0 ? 1 : 0);
  }

  private chipPorts(index: 0 | 1, base: number): PortRange {
    const chip = this.chips[index];
    return {
      name: `pic${index + 1}`,
      first: base,
      last: base + 1,
      read: (port) => (port === base ? (chip.readsIsr !== 0 ? chip.isr : chip.irr) : chip.mask),
      write: (port, _size, value) => {
        if (port === base) chip.writeCommand(value & 0xff);
        else chip.writeData(value & 0xff);
        this.update();
      },
    };
  }
}
