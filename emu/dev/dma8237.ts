/**
 * The two 8237A controllers and the page registers of a PC/AT (data sheet; IBM PC/AT Technical Reference): channels
 * 0..3 move bytes, 5..7 words, 4 joins the chips. Up to BURST_BYTES of one channel move at one moment, `dmaTransfer`
 * cycles per transfer after the bus was free; between bursts the priorities are looked at anew. In block mode a
 * channel keeps the controllers to its terminal count, and waits for a device that is not ready. The cores are not
 * slowed down by the cycles that the controllers take.
 */
import {
  DMA_CASCADE,
  DMA_CHANNELS,
  DMA_PAGE_PORTS,
  dmaPageBytes,
  dmaUnitBytes,
  PORT_DMA_PAGES,
  PORT_DMA1,
  PORT_DMA2,
} from '../arch/dma.ts';
import { Ev } from '../arch/events.ts';
import type { Clock, DeviceTimer, EventPort, PlainData, PortRange, Snapshotable } from '../arch/ports.ts';
import type { DmaDevice, DmaQuietListener, DmaRequestLine, DmaTarget, MasterPort } from './dma-ports.ts';
import { Dma8237Chip, type DmaType } from './dma8237-chip.ts';

export const BURST_BYTES = 128;

export interface Dma8237Ports {
  readonly clock: Clock;
  readonly events: EventPort;
  /** Memory as each of the channels sees it. */
  readonly memory: readonly MasterPort[];
  /** Cycles of one transfer, a byte or a word. */
  readonly transferCycles: number;
  readonly quiet: DmaQuietListener;
}

/** A transfer that has moved its first byte and not its last. */
interface Running {
  readonly address: number;
  readonly movedBytes: number;
  /** As the mode register said when it began. */
  readonly type: DmaType;
}

const NONE = -1;
const PAGE_CELLS = 15;

export class Dma8237 implements DeviceTimer, Snapshotable {
  readonly name = 'dma8237';
  readonly portRanges: readonly PortRange[];
  private readonly ports: Dma8237Ports;
  private readonly chips = [new Dma8237Chip(), new Dma8237Chip()] as const;
  private readonly pages = new Uint8Array(PAGE_CELLS);
  private readonly devices: (DmaDevice | null)[] = new Array(DMA_CHANNELS).fill(null);
  private running: (Running | null)[] = new Array(DMA_CHANNELS).fill(null);
  /** Channel in block mode that keeps the controllers, or NONE. */
  private held = NONE;
  /** Whether a bus cycle is under way: the timer is armed. */
  private isBusy: 0 | 1 = 0;
  /** Channels, as bits, that aimed at memory when they were looked at last. */
  private aiming = 0;
  private readonly scratch = new Uint8Array(BURST_BYTES);

  constructor(ports: Dma8237Ports) {
    this.ports = ports;
    this.portRanges = [
      this.chipPorts(0, PORT_DMA1, 0),
      this.chipPorts(1, PORT_DMA2, 1),
      {
        name: 'dma-pages',
        first: PORT_DMA_PAGES,
        last: PORT_DMA_PAGES + PAGE_CELLS - 1,
        read: (port) => this.pages[port - PORT_DMA_PAGES]!,
        write: (port, _size, value) => {
          this.pages[port - PORT_DMA_PAGES] = value & 0xff;
          this.tellQuiet(1 << DMA_PAGE_PORTS.indexOf(port));
        },
      },
    ];
    // A PC's firmware has done this when a kernel starts.
    this.chips[1].openCascade();
  }

  /** Puts a device on a channel (0..3, 5..7); it drives the line that it gets. */
  connect(channel: number, device: DmaDevice): void {
    this.devices[channel] = device;
  }

  line(channel: number): DmaRequestLine {
    return {
      set: (level) => {
        this.chipOf(channel).setLine(channel & 3, level);
        this.goOn();
      },
    };
  }

  /** The bus cycles of a burst are over. */
  fire(): void {
    const channel = this.next();
    if (channel !== NONE) this.burst(channel);
    // Not before: the device's line falls during the burst.
    this.isBusy = 0;
    this.tellQuiet(0);
    this.goOn();
  }

  /** What the channels aim at: memory that will be touched as soon as the device asks. */
  targets(): DmaTarget[] {
    const all: DmaTarget[] = [];
    for (let channel = 0; channel < DMA_CHANNELS; channel++) {
      if (this.isAiming(channel)) all.push(...this.targetsOf(channel));
    }
    return all;
  }

  save(): PlainData {
    const { held, isBusy, aiming } = this;
    const running = this.running.map((transfer) => (transfer === null ? null : { ...transfer }));
    const chips = this.chips.map((chip) => chip.save());
    return { chips, pages: this.pages.slice(), running, held, isBusy, aiming };
  }

  load(data: PlainData): void {
    const saved = data as unknown as {
      chips: readonly PlainData[];
      pages: Uint8Array;
      running: (Running | null)[];
      held: number;
      isBusy: 0 | 1;
      aiming: number;
    };
    for (const [i, chip] of this.chips.entries()) chip.load(saved.chips[i]);
    this.pages.set(saved.pages);
    this.running = [...saved.running];
    this.held = saved.held;
    this.isBusy = saved.isBusy;
    this.aiming = saved.aiming;
  }

  private chipOf(channel: number): Dma8237Chip {
    return this.chips[channel < DMA_CASCADE ? 0 : 1];
  }

  /** Registers are `1 << shift` ports apart: the second chip hangs on the address lines from A1 up. */
  private chipPorts(index: 0 | 1, first: number, shift: number): PortRange {
    return {
      name: `dma${index + 1}`,
      first,
      last: first + (16 << shift) - 1,
      read: (port) => this.chips[index].read((port - first) >> shift),
      write: (port, _size, value) => this.write(index, (port - first) >> shift, value & 0xff),
    };
  }

  private write(index: 0 | 1, register: number, value: number): void {
    const changed = this.chips[index].write(register, value) << (index * DMA_CASCADE);
    for (let channel = 0; channel < DMA_CHANNELS; channel++) {
      const isOther = (changed & (1 << channel)) !== 0;
      if (this.running[channel] !== null && (isOther || !this.isOpen(channel))) this.end(channel);
    }
    if (this.held !== NONE && !this.isOpen(this.held)) this.held = NONE;
    this.tellQuiet(changed);
    this.goOn();
  }

  /** Neither masked nor without a software request. */
  private isOpen(channel: number): boolean {
    const chip = this.chipOf(channel);
    return !chip.isMasked(channel & 3) || chip.isRequested(channel & 3);
  }

  /** Whether a request would move bytes of memory. A channel without a device moves them on a software request only. */
  private isAiming(channel: number): boolean {
    const chip = this.chipOf(channel);
    const i = channel & 3;
    if (chip.service(i) === 'cascade' || chip.type(i) === 'verify') return false;
    return chip.isRequested(i) || (this.devices[channel] !== null && !chip.isMasked(i));
  }

  /** Tells of channels that aim at nothing any more, or, of those in `changed` (bits), at something else. */
  private tellQuiet(changed: number): void {
    let now = 0;
    for (let channel = 0; channel < DMA_CHANNELS; channel++) if (this.isAiming(channel)) now |= 1 << channel;
    const ended = this.aiming & (~now | changed);
    this.aiming = now;
    if (ended === 0) return;
    for (let channel = 0; channel < DMA_CHANNELS; channel++) {
      if ((ended & (1 << channel)) !== 0) this.ports.quiet(channel);
    }
  }

  /** Starts the bus cycles of the next burst, if nothing is under way and somebody asks. */
  private goOn(): void {
    if (this.isBusy !== 0) return;
    const channel = this.next();
    if (channel === NONE) return;
    this.isBusy = 1;
    const { clock, transferCycles } = this.ports;
    // At least one: a channel that reloads itself for ever would otherwise stop the time.
    clock.arm(this, clock.now() + Math.max(1, this.burstUnits(channel) * transferCycles));
  }

  /** The channel to serve next, NONE when nobody asks. */
  private next(): number {
    if (this.held !== NONE) return this.wantsService(this.held) ? this.held : NONE;
    const [first, second] = this.chips;
    for (let rank = 0; rank < 4; rank++) {
      const i = second.byPriority(rank);
      if (i !== 0) {
        if (second.wantsService(i)) return DMA_CASCADE + i;
        continue;
      }
      for (let inner = 0; inner < 4 && second.passesCascade; inner++) {
        const channel = first.byPriority(inner);
        if (first.wantsService(channel)) return channel;
      }
    }
    return NONE;
  }

  private wantsService(channel: number): boolean {
    if (channel < DMA_CASCADE && !this.chips[1].passesCascade) return false;
    return this.chipOf(channel).wantsService(channel & 3);
  }

  /** The device that asks; null when the request is software's: then nobody drives the bus, and it reads as ones. */
  private askingDevice(channel: number): DmaDevice | null {
    return this.chipOf(channel).hasLine(channel & 3) ? this.devices[channel]! : null;
  }

  private burstUnits(channel: number): number {
    const unitBytes = dmaUnitBytes(channel);
    const ready = Math.min(BURST_BYTES, this.askingDevice(channel)?.readyBytes ?? BURST_BYTES);
    return Math.max(1, Math.min(Math.floor(ready / unitBytes), this.chipOf(channel).count[channel & 3]! + 1));
  }

  private burst(channel: number): void {
    const chip = this.chipOf(channel);
    const i = channel & 3;
    const units = this.burstUnits(channel);
    const device = this.askingDevice(channel);
    if (this.running[channel] === null) this.begin(channel);
    const transfer = this.running[channel]!;
    const bytes = this.scratch.subarray(0, units * dmaUnitBytes(channel));
    const counter = chip.address[i]!;
    this.move(channel, device, bytes);
    this.running[channel] = { ...transfer, movedBytes: transfer.movedBytes + bytes.length };
    const step = chip.step(i);
    const isTerminal = chip.advance(i, units);
    this.tellWrap(channel, counter + step * units, isTerminal);
    chip.served(i);
    if (channel < DMA_CASCADE) this.chips[1].served(0);
    this.held = chip.service(i) === 'block' && !isTerminal ? channel : NONE;
    if (!isTerminal) return;
    this.end(channel);
    device?.terminalCount();
  }

  private begin(channel: number): void {
    const chip = this.chipOf(channel);
    const address = this.addressOf(channel, chip.address[channel & 3]!);
    this.running[channel] = { address, movedBytes: 0, type: chip.type(channel & 3) };
    this.report(Ev.DmaStart, channel, address, (chip.count[channel & 3]! + 1) * dmaUnitBytes(channel));
  }

  private end(channel: number): void {
    const { address, movedBytes } = this.running[channel]!;
    this.report(Ev.DmaDone, channel, address, movedBytes);
    this.running[channel] = null;
  }

  /** A verify touches no memory and is nobody's news. */
  private report(kind: Ev.DmaStart | Ev.DmaDone | Ev.DmaWrap, channel: number, b: number, c: number): void {
    const { events, clock } = this.ports;
    const { type } = this.running[channel]!;
    if (type === 'verify') return;
    events.sink?.emit(kind, -1, clock.now(), channel, b, c, type === 'write' ? 1 : 0);
  }

  /** `counter` is where an address counter with more bits would stand. */
  private tellWrap(channel: number, counter: number, isTerminal: boolean): void {
    // A transfer that ends exactly at the edge has not gone round.
    const isPast = counter > 0x10000 || counter < -1;
    const isAtEdge = (counter === 0x10000 || counter === -1) && !isTerminal;
    if (!isPast && !isAtEdge) return;
    const edge = counter < 0 ? 0xffff : 0;
    const beyond = this.addressOf(channel, edge) + dmaPageBytes(channel) * (counter < 0 ? -1 : 1);
    this.report(Ev.DmaWrap, channel, beyond >>> 0, this.addressOf(channel, edge));
  }

  /** Physical address of a unit. */
  private addressOf(channel: number, counter: number): number {
    const page = this.pages[DMA_PAGE_PORTS[channel]! - PORT_DMA_PAGES]!;
    return channel < DMA_CASCADE ? (page << 16) | counter : ((page & 0xfe) << 16) | (counter << 1);
  }

  private move(channel: number, device: DmaDevice | null, bytes: Uint8Array): void {
    const type = this.chipOf(channel).type(channel & 3);
    if (type === 'read') {
      this.passMemory(channel, bytes, 'read');
      device?.take(bytes);
      return;
    }
    if (device === null) bytes.fill(0xff);
    else device.give(bytes);
    if (type === 'write') this.passMemory(channel, bytes, 'write');
  }

  /** In one piece where the addresses rise without a wrap, else unit by unit. */
  private passMemory(channel: number, bytes: Uint8Array, direction: 'read' | 'write'): void {
    const chip = this.chipOf(channel);
    const i = channel & 3;
    const unitBytes = dmaUnitBytes(channel);
    const counter = chip.address[i]!;
    const step = chip.step(i);
    const units = bytes.length / unitBytes;
    const memory = this.ports.memory[channel]!;
    if (step === 1 && counter + units <= 0x10000) {
      memory[direction](this.addressOf(channel, counter), bytes);
      return;
    }
    for (let unit = 0; unit < units; unit++) {
      const pa = this.addressOf(channel, (counter + step * unit) & 0xffff);
      memory[direction](pa, bytes.subarray(unit * unitBytes, (unit + 1) * unitBytes));
    }
  }

  private targetsOf(channel: number): DmaTarget[] {
    const chip = this.chipOf(channel);
    const i = channel & 3;
    const [address, count] = chip.isAutoinit(i)
      ? [chip.baseAddress[i]!, chip.baseCount[i]!]
      : [chip.address[i]!, chip.count[i]!];
    const first = chip.step(i) === 1 ? address : (address - count) & 0xffff;
    const target = (counter: number, units: number): DmaTarget => ({
      device: this.devices[channel]?.name ?? 'software request',
      channel,
      address: this.addressOf(channel, counter),
      sizeBytes: units * dmaUnitBytes(channel),
      direction: chip.type(i) === 'write' ? 'to-memory' : 'from-memory',
      state: this.running[channel] === null ? 'programmed' : 'running',
    });
    const beforeEdge = Math.min(count + 1, 0x10000 - first);
    const rest = count + 1 - beforeEdge;
    return rest === 0 ? [target(first, beforeEdge)] : [target(first, beforeEdge), target(0, rest)];
  }
}
