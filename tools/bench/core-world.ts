/**
 * Cores with RAM and nothing else, for benches of one thing at a time: flat segments, all of RAM mapped to itself by
 * 4 KiB pages with user rights, page tables at 1 MiB, programs as bytes at CODE.
 */
import { CoreF, R, RunState, Seg } from '../../emu/arch/core-layout.ts';
import { DEFAULT_COSTS } from '../../emu/arch/cost.ts';
import type { Engine, OwnEngineName, TrapMode } from '../../emu/arch/engine.ts';
import { CR0_PG, CR0_WP, PTE_P, PTE_U, PTE_W } from '../../emu/arch/paging.ts';
import { type EngineContext, resetCore } from '../../emu/cpu/index.ts';
import { engineNamed } from '../../emu/engine-choice.ts';
import { Bus, createMemory, Mmu, Tlb, type TlbGeometry } from '../../emu/mem/index.ts';

export const CODE = 0x10000;
export const STACK = 0x80000;
const DIRECTORY = 0x100000;
const TABLES = DIRECTORY + 4096;
const RAM_BYTES = 64 << 20;
const PRESENT = PTE_P | PTE_W | PTE_U;

export interface CoreWorldOptions {
  readonly ring?: 0 | 3;
  readonly trapMode?: TrapMode;
  readonly tlb?: TlbGeometry;
  readonly engine?: OwnEngineName;
}

export class CoreWorld {
  readonly context: EngineContext;
  readonly engine: Engine;
  readonly r: Int32Array;
  readonly f: Float64Array;

  constructor(code: readonly number[], options: CoreWorldOptions = {}) {
    const tlbOption = options.tlb === undefined ? {} : { tlb: options.tlb };
    const memory = createMemory({ ramBytes: RAM_BYTES, coreCount: 1, ...tlbOption });
    const events = { sink: null };
    const bus = new Bus(memory, events);
    const tlb = new Tlb(memory, bus, events);
    const mmu = new Mmu(memory, bus, tlb, DEFAULT_COSTS, events);
    const io = { read: () => 0, write: () => {} };
    const interrupts = { acknowledge: () => -1 };
    const trapMode = options.trapMode ?? 'bare';
    this.context = { memory, bus, tlb, mmu, events, io, interrupts, costs: DEFAULT_COSTS, trapMode };
    this.engine = engineNamed(options.engine ?? 'interpreter')(this.context);
    this.r = memory.r[0]!;
    this.f = memory.f[0]!;
    for (let frame = 0; frame < RAM_BYTES >>> 12; frame++) this.map(frame * 4096, frame * 4096);
    for (let table = 0; table < RAM_BYTES >>> 22; table++) {
      bus.write32(DIRECTORY + table * 4, (TABLES + table * 4096) | PRESENT);
    }
    bus.writeBytes(CODE, Uint8Array.from(code));
    this.start(options.ring ?? 0);
  }

  /** Maps the page at `va` to the frame at `pa`; `pa` -1 makes it not present. No TLB is told. */
  map(va: number, pa: number): void {
    this.context.bus.write32(TABLES + (va >>> 12) * 4, pa < 0 ? 0 : pa | PRESENT);
  }

  private start(ring: 0 | 3): void {
    const { r } = this;
    resetCore(this.context.memory, 0, 'power-on', RunState.Running);
    r[R.CR0] = 0x11 | CR0_PG | CR0_WP;
    r[R.CR3] = DIRECTORY;
    r[R.EIP] = CODE;
    r[R.ESP] = STACK;
    r[R.CPL] = ring;
    for (let seg = Seg.ES; seg <= Seg.GS; seg++) {
      r[R.SEL + seg] = (seg === Seg.CS ? 0x08 : 0x10) + (ring === 3 ? 0x13 : 0);
      r[R.BASE + seg] = 0;
      r[R.LIMIT + seg] = -1;
      r[R.ATTR + seg] = (seg === Seg.CS ? 0xc09b00 : 0xc09300) | (ring << 13);
    }
  }

  get instructions(): number {
    return this.f[CoreF.INSTRUCTIONS]!;
  }
}
