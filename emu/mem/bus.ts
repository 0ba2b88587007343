/**
 * The one bus: every master (core, page walker, DMA, host) reads and writes physical memory here (machine.md §1).
 * A frame is RAM, ROM, MMIO or hole. A read of a hole gives all ones and a write to it or to ROM is dropped; both are
 * events. A write to a frame that holds decoded code is told to the engines first, whoever the master is.
 * The engines' flat tables go round the bus only for plain RAM that nobody wants to see.
 */
import { CoreF } from '../arch/core-layout.ts';
import { Ev } from '../arch/events.ts';
import type { AccessSize, DmaPort, EventPort, MmioRegion } from '../arch/ports.ts';
import { BusMap, FRAME_CODE, FRAME_KIND, FRAME_OBSERVED, KIND_MMIO, KIND_RAM, KIND_ROM } from './bus-map.ts';
import type { SharedMemory } from './memory.ts';

/** Told before bytes of a frame with decoded code change. `offset` and `length` lie inside the frame. */
export interface CodeListener {
  codeWritten(frame: number, offset: number, length: number): void;
}

/**
 * Sees every access to observed frames, by any master; never steers. `core` is HOST_MASTER for DMA and host. A fetch is
 * one per instruction (two when it crosses into another frame), with value 0: `size` bytes of it lie at `pa`.
 */
export interface BusObserver {
  access(pa: number, size: number, kind: 'read' | 'write' | 'fetch', value: number, core: number): void;
}

/** Told when a frame gains a flag that forbids direct access, so that flat tables forget it. */
export interface FrameFlagListener {
  frameFlagged(frame: number, flag: 'code' | 'observed'): void;
}

/** Core number of accesses that no core made. */
export const HOST_MASTER = -1;

const ONES = [0, 0xff, 0xffff, 0, 0xffffffff];

export class Bus {
  readonly map: BusMap;
  /** DMA view: RAM only (machine.md §5); bytes outside RAM read as ones and are dropped when written. */
  readonly dma: DmaPort;
  observer: BusObserver | null = null;
  private readonly codeListeners: CodeListener[] = [];
  private readonly flagListeners: FrameFlagListener[] = [];
  private readonly frames: Uint8Array;
  private readonly ramBase: number;

  constructor(
    private readonly memory: SharedMemory,
    private readonly events: EventPort,
  ) {
    this.map = new BusMap(memory);
    this.frames = this.map.frames;
    this.ramBase = memory.layout.ram;
    this.dma = {
      read: (pa, into) => this.readBytes(pa, into),
      write: (pa, from) => this.writeBytes(pa, from),
    };
  }

  /** See BusMap.addMmio. */
  addMmio(region: MmioRegion): void {
    this.map.addMmio(region);
  }

  /** See BusMap.addRom. */
  addRom(base: number, bytes: Uint8Array): void {
    this.map.addRom(base, bytes);
  }

  onCodeWrite(listener: CodeListener): void {
    this.codeListeners.push(listener);
  }

  onFrameFlag(listener: FrameFlagListener): void {
    this.flagListeners.push(listener);
  }

  /** An engine now holds decoded code of `frame`: until `unmarkCode`, writes to it are told. Idempotent. */
  markCode(frame: number): void {
    this.flag(frame, FRAME_CODE, 'code');
  }

  unmarkCode(frame: number): void {
    this.frames[frame] &= ~FRAME_CODE;
  }

  /** Shows every access to `frame`, fetches too, to `observer` from now on (watchpoints, provenance). */
  observe(frame: number): void {
    this.flag(frame, FRAME_OBSERVED, 'observed');
  }

  unobserve(frame: number): void {
    this.frames[frame] &= ~FRAME_OBSERVED;
  }

  private flag(frame: number, flag: number, name: 'code' | 'observed'): void {
    if ((this.frames[frame] & flag) !== 0) return;
    this.frames[frame] |= flag;
    for (const listener of this.flagListeners) listener.frameFlagged(frame, name);
  }

  /** One byte for the instruction decoder: as `read`, but told to an observer by noteFetch and not here. */
  fetchByte(pa: number, core: number): number {
    const kind = this.frames[pa >>> 12] & FRAME_KIND;
    return kind === KIND_RAM ? this.memory.u8[this.ramBase + pa] : this.readSlow(pa, 1, core, 'untold');
  }

  /** `core` fetched an instruction, `size` bytes of which lie at `pa` in one frame. */
  noteFetch(pa: number, size: number, core: number): void {
    if ((this.frames[pa >>> 12] & FRAME_OBSERVED) !== 0) this.observer?.access(pa, size, 'fetch', 0, core);
  }

  /** Reads 1, 2 or 4 bytes, any alignment, as an unsigned number. `core`: the master, for devices and events. */
  read(pa: number, size: AccessSize, core: number): number {
    const frame = this.frames[pa >>> 12];
    if (((pa & 4095) + size > 4096 && size > 1) || (frame & FRAME_KIND) !== KIND_RAM) {
      return this.readSlow(pa, size, core);
    }
    const at = this.ramBase + pa;
    const view = this.memory.view;
    const value =
      size === 4 ? view.getUint32(at, true) : size === 2 ? view.getUint16(at, true) : this.memory.u8[at];
    if ((frame & FRAME_OBSERVED) !== 0) this.observer?.access(pa, size, 'read', value, core);
    return value;
  }

  /** Writes the low 1, 2 or 4 bytes of `value`, any alignment. */
  write(pa: number, size: AccessSize, value: number, core: number): void {
    const frame = this.frames[pa >>> 12];
    if (((pa & 4095) + size > 4096 && size > 1) || (frame & FRAME_KIND) !== KIND_RAM) {
      this.writeSlow(pa, size, value, core);
      return;
    }
    if (frame > FRAME_KIND) this.tellWrite(pa, size, value, core);
    const at = this.ramBase + pa;
    if (size === 4) this.memory.view.setInt32(at, value, true);
    else if (size === 2) this.memory.view.setInt16(at, value, true);
    else this.memory.u8[at] = value;
  }

  /** Word access by the host or a walker at a multiple of 4: the kernel's page-table writes come here. */
  read32(pa: number): number {
    return this.read(pa, 4, HOST_MASTER);
  }

  write32(pa: number, value: number): void {
    this.write(pa, 4, value, HOST_MASTER);
  }

  private tellWrite(pa: number, size: number, value: number, core: number): void {
    const frame = pa >>> 12;
    if ((this.frames[frame] & FRAME_CODE) !== 0) {
      for (const listener of this.codeListeners) listener.codeWritten(frame, pa & 4095, size);
    }
    if ((this.frames[frame] & FRAME_OBSERVED) !== 0) this.observer?.access(pa, size, 'write', value, core);
  }

  private readSlow(pa: number, size: AccessSize, core: number, telling: 'told' | 'untold' = 'told'): number {
    if ((pa & 4095) + size > 4096) {
      let value = 0;
      for (let i = 0; i < size; i++) value |= this.read((pa + i) >>> 0, 1, core) << (8 * i);
      return value >>> 0;
    }
    const frame = this.frames[pa >>> 12];
    let value = ONES[size];
    if ((frame & FRAME_KIND) === KIND_MMIO) {
      const region = this.map.regionAt(pa);
      if (region !== null) value = region.read(pa, size, core) >>> 0;
    } else if ((frame & FRAME_KIND) === KIND_ROM) {
      value = 0;
      for (let i = 0; i < size; i++) value |= this.map.romByte(pa + i) << (8 * i);
    } else if (this.events.sink !== null) {
      this.events.sink.emit(Ev.HoleRead, core, this.timeOf(core), pa, size, 0, 0);
    }
    if ((frame & FRAME_OBSERVED) !== 0 && telling === 'told') {
      this.observer?.access(pa, size, 'read', value, core);
    }
    return value >>> 0;
  }

  private writeSlow(pa: number, size: AccessSize, value: number, core: number): void {
    if ((pa & 4095) + size > 4096) {
      for (let i = 0; i < size; i++) this.write((pa + i) >>> 0, 1, (value >>> (8 * i)) & 0xff, core);
      return;
    }
    const frame = this.frames[pa >>> 12];
    const bits = (value & ONES[size]) >>> 0;
    if ((frame & FRAME_OBSERVED) !== 0) this.observer?.access(pa, size, 'write', bits, core);
    const region = (frame & FRAME_KIND) === KIND_MMIO ? this.map.regionAt(pa) : null;
    if (region !== null) {
      region.write(pa, size, bits, core);
    } else if (this.events.sink !== null) {
      this.events.sink.emit(Ev.HoleWrite, core, this.timeOf(core), pa, size, bits, 0);
    }
  }

  private timeOf(core: number): number {
    return core >= 0 ? this.memory.f[core][CoreF.CYCLES] : 0;
  }

  /** Fills `into` from physical memory. Devices are not read: bytes outside RAM and ROM are 0xff. */
  readBytes(pa: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const at = pa + done;
      const count = Math.min(4096 - (at & 4095), into.length - done);
      const host = at < 0x100000000 ? this.map.hostOffset(at) : -1;
      if (host >= 0) into.set(this.memory.u8.subarray(host, host + count), done);
      else for (let i = 0; i < count; i++) into[done + i] = this.peek(at + i);
      this.observeBytes(at, count, 'read');
      done += count;
    }
  }

  private peek(pa: number): number {
    return pa < 0x100000000 && (this.frames[pa >>> 12] & FRAME_KIND) === KIND_ROM
      ? this.map.romByte(pa)
      : 0xff;
  }

  /** Writes `from` to physical memory; bytes outside RAM are dropped. Decoded code is invalidated. */
  writeBytes(pa: number, from: Uint8Array): void {
    for (let done = 0; done < from.length; ) {
      const at = pa + done;
      const count = Math.min(4096 - (at & 4095), from.length - done);
      if (this.prepareWrite(at, count))
        this.memory.u8.set(from.subarray(done, done + count), this.ramBase + at);
      done += count;
    }
  }

  /** Copies frame `source` to frame `destination` (both RAM; otherwise as readBytes/writeBytes say). */
  copyFrame(destination: number, source: number): void {
    const to = destination * 4096;
    const from = source * 4096;
    if ((this.frames[source] & FRAME_KIND) === KIND_RAM && this.prepareWrite(to, 4096)) {
      this.observeBytes(from, 4096, 'read');
      this.memory.u8.copyWithin(this.ramBase + to, this.ramBase + from, this.ramBase + from + 4096);
    }
  }

  zeroFrame(frame: number): void {
    const at = frame * 4096;
    if (this.prepareWrite(at, 4096)) this.memory.u8.fill(0, this.ramBase + at, this.ramBase + at + 4096);
  }

  /** True if [pa, pa+count) (within one frame) is RAM; tells listeners that it will be written. */
  private prepareWrite(pa: number, count: number): boolean {
    if (pa >= 0x100000000) return false;
    const frame = pa >>> 12;
    const bits = this.frames[frame];
    if ((bits & FRAME_KIND) !== KIND_RAM) return false;
    if ((bits & FRAME_CODE) !== 0) {
      for (const listener of this.codeListeners) listener.codeWritten(frame, pa & 4095, count);
    }
    this.observeBytes(pa, count, 'write');
    return true;
  }

  private observeBytes(pa: number, count: number, kind: 'read' | 'write'): void {
    if (this.observer === null || pa >= 0x100000000) return;
    if ((this.frames[pa >>> 12] & FRAME_OBSERVED) !== 0)
      this.observer.access(pa, count, kind, 0, HOST_MASTER);
  }
}
