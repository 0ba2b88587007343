/** A machine without CPU for tests of the kernel: RAM, register blocks, a TLB that remembers what was touched. */
import { CORE_BLOCK_WORDS, CoreF } from '../../../emu/arch/core-layout.ts';
import { DEFAULT_COSTS } from '../../../emu/arch/cost.ts';
import type { MachinePort } from '../../../src/kernel/machine-port.ts';

export interface SentIpi {
  readonly from: number;
  readonly to: number;
  readonly vector: number;
}

export interface EmittedEvent {
  readonly kind: number;
  readonly core: number;
  readonly args: readonly number[];
}

export class FakeMachine implements MachinePort {
  readonly coreCount: number;
  readonly ramBytes: number;
  readonly costs = DEFAULT_COSTS;
  readonly ram: Uint8Array;
  readonly blocks: Int32Array[];
  readonly ipis: SentIpi[] = [];
  /** Armed time of each core's timer, -1 = disarmed. */
  readonly timers: number[];
  readonly timerVectors: number[];
  /** Per core: page → entry that was walked when the page was touched. */
  readonly tlbs: Map<number, number>[];
  readonly cr3: number[];
  readonly events: EmittedEvent[] = [];
  console = '';
  exitStatus = -1;
  endsOfInterrupt = 0;
  /** What was done to the lines of the I/O APIC, in order. */
  readonly lines: string[] = [];
  private readonly view: DataView;

  constructor(coreCount: number, ramBytes = 1 << 22) {
    this.coreCount = coreCount;
    this.ramBytes = ramBytes;
    this.ram = new Uint8Array(ramBytes);
    this.view = new DataView(this.ram.buffer);
    this.blocks = Array.from({ length: coreCount }, () => new Int32Array(CORE_BLOCK_WORDS));
    this.timers = new Array<number>(coreCount).fill(-1);
    this.timerVectors = new Array<number>(coreCount).fill(0);
    this.tlbs = this.blocks.map(() => new Map());
    this.cr3 = new Array<number>(coreCount).fill(0);
  }

  registers(core: number): Int32Array {
    return this.blocks[core]!;
  }

  counters(core: number): Float64Array {
    return new Float64Array(this.blocks[core]!.buffer);
  }

  registersChanged(): void {}

  read32(pa: number): number {
    return this.view.getUint32(pa >>> 0, true);
  }

  write32(pa: number, value: number): void {
    this.view.setUint32(pa >>> 0, value, true);
  }

  readBytes(pa: number, into: Uint8Array): void {
    into.set(this.ram.subarray(pa, pa + into.length));
  }

  writeBytes(pa: number, from: Uint8Array): void {
    this.ram.set(from, pa);
  }

  zeroFrames(frame: number, count: number): void {
    this.ram.fill(0, frame * 4096, (frame + count) * 4096);
  }

  copyFrames(from: number, to: number, count: number): void {
    this.ram.copyWithin(to * 4096, from * 4096, (from + count) * 4096);
  }

  invalidatePage(core: number, va: number): void {
    this.tlbs[core]!.delete(va >>> 12);
  }

  flushTlb(core: number): void {
    this.tlbs[core]!.clear();
  }

  loadCr3(core: number, pa: number): void {
    this.cr3[core] = pa;
    this.tlbs[core]!.clear();
  }

  sendIpi(from: number, to: number, vector: number): void {
    this.ipis.push({ from, to, vector });
  }

  endOfInterrupt(): void {
    this.endsOfInterrupt++;
  }

  armTimer(core: number, atCycles: number, vector: number): void {
    this.timers[core] = atCycles;
    this.timerVectors[core] = vector;
  }

  disarmTimer(core: number): void {
    this.timers[core] = -1;
  }

  routeLine(line: number, core: number, vector: number, trigger: 'edge' | 'level'): void {
    this.lines.push(`route ${line} to core ${core} as ${vector.toString(16)}, ${trigger}`);
  }

  maskLine(line: number): void {
    this.lines.push(`mask ${line}`);
  }

  unmaskLine(line: number): void {
    this.lines.push(`unmask ${line}`);
  }

  /** Base frames that a device aims at, and what devices may do with which. */
  readonly dmaTargets = new Set<number>();
  readonly deviceAccess = new Map<number, number>();

  isDmaReachable(frame: number, count: number): boolean {
    for (let i = 0; i < count; i++) if (this.dmaTargets.has(frame + i)) return true;
    return false;
  }

  allowDevices(frame: number, count: number, access: number): void {
    for (let i = 0; i < count; i++) {
      this.deviceAccess.set(frame + i, (this.deviceAccess.get(frame + i) ?? 0) | access);
    }
  }

  denyDevices(frame: number, count: number): void {
    for (let i = 0; i < count; i++) this.deviceAccess.delete(frame + i);
  }

  consoleWrite(bytes: Uint8Array): void {
    this.console += String.fromCharCode(...bytes);
  }

  emit(kind: number, core: number, a: number, b: number, c: number, d: number): void {
    this.events.push({ kind, core, args: [a, b, c, d] });
  }

  exit(status: number): void {
    this.exitStatus = status;
  }

  /** Walks the tables as the core would and fills its TLB; returns the entry, 0 when there is none. */
  touch(core: number, va: number): number {
    const held = this.tlbs[core]!.get(va >>> 12);
    if (held !== undefined) return held;
    const pde = this.read32(this.cr3[core]! + (va >>> 22) * 4);
    if ((pde & 1) === 0) return 0;
    const entry = (pde & 0x80) !== 0 ? pde : this.read32((pde & ~0xfff) + ((va >>> 12) & 1023) * 4);
    if ((entry & 1) !== 0) this.tlbs[core]!.set(va >>> 12, entry);
    return entry;
  }

  /** Lets time pass on a core. */
  advance(core: number, cycles: number): void {
    this.counters(core)[CoreF.CYCLES]! += cycles;
  }

  time(core: number): number {
    return this.counters(core)[CoreF.CYCLES]!;
  }

  eventsOf(kind: number): EmittedEvent[] {
    return this.events.filter((event) => event.kind === kind);
  }
}
