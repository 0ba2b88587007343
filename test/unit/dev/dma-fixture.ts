/** A memory, a clock, a log of events, and what programs an 8237 by its ports. */
import { DMA_CASCADE, DMA_PAGE_PORTS, PORT_DMA1, PORT_DMA2 } from '../../../emu/arch/dma.ts';
import { MACHINE_EVENTS } from '../../../emu/arch/events.ts';
import type { EventPort, PortRange } from '../../../emu/arch/ports.ts';
import type { DmaDevice, MasterPort } from '../../../emu/dev/dma-ports.ts';
import { Dma8237 } from '../../../emu/dev/dma8237.ts';
import { DmaReg } from '../../../emu/dev/dma8237-chip.ts';
import { FakeClock } from './fixtures.ts';

/** Cycles of one transfer in these tests. */
export const TRANSFER_CYCLES = 2;
const MEMORY_BYTES = 16 << 20;

export interface DmaWorld {
  readonly clock: FakeClock;
  readonly memory: Uint8Array;
  /** Memory itself, without a protection unit. Tests may replace its methods. */
  readonly port: { read: MasterPort['read']; write: MasterPort['write'] };
  readonly events: EventPort;
  /** `name a b c d` of each event, numbers in hexadecimal. */
  readonly log: string[];
}

export function makeWorld(memoryBytes = MEMORY_BYTES): DmaWorld {
  const memory = new Uint8Array(memoryBytes);
  const log: string[] = [];
  const port: DmaWorld['port'] = {
    read: (pa, into) => {
      into.set(memory.subarray(pa, pa + into.length));
      return 'done';
    },
    write: (pa, from) => {
      memory.set(from, pa);
      return 'done';
    },
  };
  const emit = (kind: number, _core: number, _time: number, ...args: number[]) => {
    const name = MACHINE_EVENTS.find((def) => def.kind === kind)!.name;
    log.push([name, ...args.map((n) => n.toString(16))].join(' '));
  };
  return { clock: new FakeClock(), memory, port, events: { sink: { emit } }, log };
}

/** Reads and writes by port number over some port ranges; nobody else's port may be touched. */
export class Ports {
  private readonly ranges: readonly PortRange[];

  constructor(ranges: readonly PortRange[]) {
    this.ranges = ranges;
  }

  out(port: number, value: number, size: 1 | 2 | 4 = 1): void {
    this.at(port).write(port, size, value, 0);
  }

  in(port: number, size: 1 | 2 | 4 = 1): number {
    return this.at(port).read(port, size, 0);
  }

  private at(port: number): PortRange {
    return this.ranges.find(({ first, last }) => port >= first && port <= last)!;
  }
}

/** Port of a register of the controller that `channel` is on. */
export const dmaPort = (channel: number, register: number): number =>
  channel < DMA_CASCADE ? PORT_DMA1 + register : PORT_DMA2 + 2 * register;

export const MODE_SINGLE = 0x40;
export const MODE_BLOCK = 0x80;
export const MODE_CASCADE = 0xc0;
export const MODE_DECREMENT = 0x20;
export const MODE_AUTOINIT = 0x10;
/** Device to memory, memory to device, neither. */
export const TYPE_WRITE = 0x04;
export const TYPE_READ = 0x08;
export const TYPE_VERIFY = 0x00;

export interface DmaProgram {
  readonly channel: number;
  readonly address: number;
  /** Bytes. */
  readonly length: number;
  /** Bits of the mode register without the channel. */
  readonly mode: number;
}

/** The sequence that every driver writes: mask, mode, address, page, count, unmask. */
export function program(ports: Pick<Ports, 'out'>, { channel, address, length, mode }: DmaProgram): void {
  const out = (register: number, value: number) => ports.out(dmaPort(channel, register), value);
  const unit = channel < DMA_CASCADE ? 1 : 2;
  const counter = Math.floor(address / unit) & 0xffff;
  const count = length / unit - 1;
  const i = channel & 3;
  out(DmaReg.SingleMask, 4 | i);
  out(DmaReg.ClearFlipFlop, 0);
  out(DmaReg.Mode, mode | i);
  out(2 * i, counter & 0xff);
  out(2 * i, counter >> 8);
  ports.out(DMA_PAGE_PORTS[channel]!, address >>> 16);
  out(2 * i + 1, count & 0xff);
  out(2 * i + 1, count >> 8);
  out(DmaReg.SingleMask, i);
}

/** A device that gives 1, 2, 3 ... and keeps what it takes. */
export class Counter implements DmaDevice {
  readyBytes = 128;
  given = 0;
  readonly taken: number[] = [];
  terminalCounts = 0;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
  give(into: Uint8Array): void {
    for (let i = 0; i < into.length; i++) into[i] = ++this.given;
  }
  take(from: Uint8Array): void {
    this.taken.push(...from);
  }
  terminalCount(): void {
    this.terminalCounts++;
  }
}

/** The 8237 pair alone, its ports, and devices for its channels. */
export function makeController(transferCycles = TRANSFER_CYCLES) {
  const world = makeWorld();
  const quiet: number[] = [];
  const dma = new Dma8237({
    clock: world.clock,
    events: world.events,
    memory: new Array(8).fill(world.port),
    transferCycles,
    quiet: (channel) => void quiet.push(channel),
  });
  const ports = new Ports(dma.portRanges);
  const attach = (channel: number) => {
    const device = new Counter(`device ${channel}`);
    dma.connect(channel, device);
    return { device, line: dma.line(channel) };
  };
  const at = (pa: number, count: number) => [...world.memory.subarray(pa, pa + count)];
  return { ...world, dma, ports, quiet, attach, at };
}
