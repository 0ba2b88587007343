/**
 * A core in a world of noise: RAM full of random bytes and of instruction snippets, page tables and descriptor tables
 * that are half sensible, registers, debug registers and interrupts at random. Whatever it executes, the host must
 * not notice (random-code.ts). Everything follows from the seed.
 */
import { Attention, Flag, R, RunState, Seg } from '../../emu/arch/core-layout.ts';
import { DEFAULT_COSTS } from '../../emu/arch/cost.ts';
import type { Engine } from '../../emu/arch/engine.ts';
import { CR0_ET, CR0_NE, CR0_PE, CR0_PG, CR0_WP, CR4_DE, CR4_PGE, CR4_PSE } from '../../emu/arch/paging.ts';
import { type EngineContext, resetCore } from '../../emu/cpu/index.ts';
import { Bus, createMemory, Mmu, Tlb, type TlbGeometry, wasmMemory } from '../../emu/mem/index.ts';
import { Draft } from '../vectors/draft.ts';
import { FORM_GROUPS } from '../vectors/forms/index.ts';
import { Random } from '../vectors/random.ts';

export const RAM_BYTES = 4 << 20;
const PAGES = RAM_BYTES / 4096;
/** Bytes behind the buffer that nothing may change. */
const GUARD_BYTES = 1 << 16;
const GUARD = 0xa5;
const SNIPPETS = 3000;
const POOL_PAGES = 128;
const PAGE_DIRECTORY = 0x10000;
const FIRST_TABLE = 0x11000;
const TABLES = 8;
const GDT = 0x20000;
const GDT_ENTRIES = 64;
const IDT = 0x21000;
const STACK = 0x80000;

export type Ring = 0 | 3;

const GEOMETRIES: readonly TlbGeometry[] = [
  { data: { entries: 64, ways: 4 }, instr: { entries: 32, ways: 4 }, replacement: 'fifo', seed: 1 },
  { data: { entries: 4, ways: 2 }, instr: null, replacement: 'random', seed: 7 },
  { data: { entries: 16, ways: 16 }, instr: { entries: 8, ways: 1 }, replacement: 'lru', seed: 1 },
  { data: { entries: 256, ways: 1 }, instr: null, replacement: 'clock', seed: 1 },
];

/** Code bytes of every form, for RAM content in which execution gets somewhere. */
function snippets(random: Random): number[][] {
  const forms = Object.values(FORM_GROUPS).flatMap((forms) => forms());
  return Array.from({ length: SNIPPETS }, () => {
    const draft = new Draft(random, random.chance(90) ? 32 : 16);
    random.pick(forms).build(draft);
    return [...draft.finish().code];
  });
}

function noisePage(random: Random, code: readonly number[][]): Uint8Array {
  const page = new Uint8Array(4096);
  const kind = random.below(8);
  if (kind === 7) return page;
  for (let at = 0; at < page.length; ) {
    const bytes = kind < 6 && !random.chance(3) ? random.pick(code) : random.bytes(1 + random.below(8));
    page.set(bytes.slice(0, page.length - at), at);
    at += bytes.length;
  }
  return page;
}

export class RandomWorld {
  readonly random: Random;
  readonly engine: Engine;
  readonly context: EngineContext;
  readonly r: Int32Array;
  private readonly guard: Uint8Array;
  private readonly romCopy: Uint8Array;
  /** Accesses of I/O ports so far. */
  portAccesses = 0;

  constructor(
    seed: number,
    readonly ring: Ring,
    makeEngine: (context: EngineContext) => Engine,
  ) {
    this.random = new Random(seed);
    let guard = new Uint8Array(0);
    const provider = (totalBytes: number) => {
      const provided = wasmMemory(totalBytes + GUARD_BYTES);
      guard = new Uint8Array(provided.buffer, totalBytes).fill(GUARD);
      return provided;
    };
    const memory = createMemory({
      ramBytes: RAM_BYTES,
      coreCount: 1,
      tlb: this.random.pick(GEOMETRIES),
      provider,
    });
    this.guard = guard;
    const events = { sink: null };
    const bus = new Bus(memory, events);
    const tlb = new Tlb(memory, bus, events);
    const mmu = new Mmu(memory, bus, tlb, DEFAULT_COSTS, events);
    this.context = {
      ...{ memory, bus, tlb, mmu, events, costs: DEFAULT_COSTS },
      io: { read: () => this.portRead(), write: () => void this.portAccesses++ },
      interrupts: { acknowledge: () => (this.random.chance(90) ? 0x20 + this.random.below(0xe0) : -1) },
      trapMode: ring === 3 ? 'hosted' : 'bare',
    };
    this.r = memory.r[0]!;
    bus.addRom(0xffff0000, Uint8Array.from(this.random.bytes(0x10000)));
    this.romCopy = memory.u8.slice(memory.layout.rom, memory.layout.rom + 0x10000);
    this.fillRam();
    this.engine = makeEngine(this.context);
    this.restart();
  }

  private portRead(): number {
    this.portAccesses++;
    return this.random.u32();
  }

  /** Every page is one of a pool: noise, snippets, both, or zero. */
  private fillRam(): void {
    const { random } = this;
    const { ram } = this.context.memory;
    const code = snippets(random);
    const pool = Array.from({ length: POOL_PAGES }, () => noisePage(random, code));
    for (let page = 0; page < PAGES; page++) ram.set(random.pick(pool), page * 4096);
  }

  /** New page tables, descriptor tables and registers; RAM is what the guest made of it. */
  restart(): void {
    resetCore(this.context.memory, 0, 'init', RunState.Running);
    this.r[R.A20_MASK] = -1;
    this.buildPageTables();
    this.buildDescriptors();
    this.buildIdt();
    this.setState();
    this.context.tlb.flushAll(0);
    this.engine.reset();
  }

  private buildPageTables(): void {
    const { random } = this;
    const { bus } = this.context;
    for (let i = 0; i < 1024; i++) {
      const table = FIRST_TABLE + 4096 * random.below(TABLES);
      let entry = (table | 0x67) >>> 0;
      if (random.chance(15)) entry = (random.below(2) * 0x400000) | 0x1e7;
      if (random.chance(5)) entry = random.u32();
      if (random.chance(10)) entry &= ~random.pick([1, 2, 4]);
      bus.write32(PAGE_DIRECTORY + 4 * i, entry);
    }
    bus.write32(PAGE_DIRECTORY, FIRST_TABLE | 0x67);
    for (let i = 0; i < 1024 * TABLES; i++) {
      let entry = (random.below(PAGES + 8) << 12) | 0x7 | (random.u32() & 0x160);
      if (random.chance(3)) entry = random.u32();
      if (random.chance(12)) entry &= ~random.pick([1, 2, 4]);
      bus.write32(FIRST_TABLE + 4 * i, entry);
    }
    for (let page = 0; page < 0x100; page++) bus.write32(FIRST_TABLE + 4 * page, (page << 12) | 0x7);
  }

  private buildDescriptors(): void {
    const { random } = this;
    const { bus } = this.context;
    const put = (index: number, low: number, high: number): void => {
      bus.write32(GDT + 8 * index, low);
      bus.write32(GDT + 8 * index + 4, high);
    };
    for (let i = 0; i < GDT_ENTRIES; i++) {
      const access = random.pick([
        0x9b,
        0x93,
        0xfb,
        0xf3,
        0x9f,
        0x97,
        0xe2,
        0x89,
        0x82,
        0x8c,
        0xec,
        0xe4,
        0x85,
        random.below(256),
      ]);
      const base = random.chance(60) ? 0 : random.below(RAM_BYTES);
      const high =
        (access << 8) | ((base >>> 16) & 0xff) | (random.chance(70) ? 0x00cf0000 : random.u32() & 0xfff00000);
      put(i, random.chance(70) ? 0xffff | (base << 16) : random.u32(), high);
    }
    put(1, 0xffff, 0x00cf9b00);
    put(2, 0xffff, 0x00cf9300);
    put(3, 0xffff, 0x00cffb00);
    put(4, 0xffff, 0x00cff300);
    put(5, 0x0067 | (0x3000 << 16), 0x00008b02);
    for (let i = 0; i < 26; i++)
      bus.write32(0x23000 + 4 * i, i === 1 ? STACK : i === 2 ? 0x10 : random.u32());
    bus.write32(0x23000 + 100, 0x00680000);
  }

  private buildIdt(): void {
    const { random } = this;
    const { bus } = this.context;
    for (let vector = 0; vector < 256; vector++) {
      const offset = random.below(0x60000) + 0x30000;
      const selector = random.chance(90) ? 8 : random.below(GDT_ENTRIES) << 3;
      const type = random.pick([
        0x8e,
        0x8f,
        0xee,
        0xef,
        0x86,
        0xe7,
        random.chance(20) ? 0x85 : 0x8e,
        random.below(256),
      ]);
      bus.write32(IDT + 8 * vector, (selector << 16) | (offset & 0xffff));
      bus.write32(
        IDT + 8 * vector + 4,
        (offset & 0xffff0000) | ((random.chance(90) ? type : random.below(256)) << 8),
      );
    }
  }

  private setState(): void {
    const { r, random, ring } = this;
    const paging = ring === 3 || random.chance(85) ? CR0_PG : 0;
    r[R.CR0] = CR0_PE | CR0_ET | CR0_NE | paging | (random.chance(50) ? CR0_WP : 0);
    r[R.CR3] = PAGE_DIRECTORY;
    r[R.CR4] = CR4_PSE | (random.u32() & (CR4_PGE | CR4_DE));
    r[R.GDT_BASE] = GDT;
    r[R.GDT_LIMIT] = GDT_ENTRIES * 8 - 1;
    r[R.IDT_BASE] = IDT;
    r[R.IDT_LIMIT] = 0x7ff;
    r[R.CPL] = ring;
    const flat = (seg: Seg, selector: number, attr: number): void => {
      r[R.SEL + seg] = selector | ring;
      r[R.BASE + seg] = 0;
      r[R.LIMIT + seg] = -1;
      r[R.ATTR + seg] = attr;
    };
    flat(Seg.CS, ring === 0 ? 8 : 0x18, ring === 0 ? 0x00c09b00 : 0x00c0fb00);
    for (const seg of [Seg.ES, Seg.SS, Seg.DS, Seg.FS, Seg.GS]) {
      flat(seg, ring === 0 ? 0x10 : 0x20, ring === 0 ? 0x00c09300 : 0x00c0f300);
    }
    r[R.SEL + Seg.TR] = 5 << 3;
    r[R.BASE + Seg.TR] = 0x23000;
    r[R.LIMIT + Seg.TR] = 0x67;
    r[R.ATTR + Seg.TR] = 0x8b00;
    this.scatter();
  }

  /** New general registers, flags and EIP; the rest stays. */
  scatter(): void {
    const { r, random } = this;
    for (let i = 0; i < 8; i++) r[i] = random.chance(70) ? random.below(RAM_BYTES) : random.u32();
    r[R.ESP] = STACK - 4 * random.below(64);
    r[R.EIP] = 0x30000 + random.below(0x40000);
    r[R.EFLAGS] = (random.u32() & 0xed5) | 2;
    if (random.chance(5)) r[R.EFLAGS]! |= Flag.TF;
    if (random.chance(3)) r[R.DR7] = random.u32() & 0xffff03ff;
    for (const n of [R.DR0, R.DR1, R.DR2, R.DR3]) r[n] = 0x30000 + random.below(0x40000);
    r[R.RUN_STATE] = RunState.Running;
    if (random.chance(30))
      r[R.ATTENTION]! |= random.pick([Attention.Interrupt, Attention.Nmi, Attention.Stop]);
  }

  /** The first thing outside RAM that has changed, or a flat-table word that would let it; null when all is well. */
  damage(): string | null {
    const { memory } = this.context;
    if (this.guard.some((byte) => byte !== GUARD)) return 'bytes behind the end of RAM were written';
    const rom = memory.u8.subarray(memory.layout.rom, memory.layout.rom + 0x10000);
    if (Buffer.compare(rom, this.romCopy) !== 0) return 'the ROM was written';
    return strayWord(memory.flatData[0]!, memory.layout) ?? strayWord(memory.flatInstr[0]!, memory.layout);
  }
}

/** A word of a flat table that leads outside RAM, or with a right to write outside it. */
function strayWord(flat: Int32Array, layout: { ram: number; rom: number }): string | null {
  for (let page = 0; page < flat.length; page++) {
    const word = flat[page]!;
    if (word === 0) continue;
    const host = ((word ^ (page << 12)) & ~4095) >>> 0;
    const inRam = host >= layout.ram && host < layout.ram + RAM_BYTES;
    const inRom = host >= layout.rom && host < layout.rom + 0x10000 && (word & 0xa) === 0;
    if (!inRam && !inRom)
      return `flat word ${(word >>> 0).toString(16)} of page ${page.toString(16)} leads outside RAM`;
  }
  return null;
}
