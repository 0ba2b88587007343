/**
 * The world of case-layout.ts on an engine: one core in ring 3 with paging, hosted traps, a GDT and LDT as the host has
 * them. Runs a case and says what differs from the processor's outcome. One world is reused for all cases.
 */
import { R, RunState, Seg } from '../../emu/arch/core-layout.ts';
import { DEFAULT_COSTS } from '../../emu/arch/cost.ts';
import { type Engine, Exit } from '../../emu/arch/engine.ts';
import {
  CR0_AM,
  CR0_ET,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  PTE_A,
  PTE_D,
  PTE_P,
  PTE_U,
  PTE_W,
} from '../../emu/arch/paging.ts';
import { type EngineContext, Interpreter, resetCore } from '../../emu/cpu/index.ts';
import { Bus, createMemory, Mmu, Tlb } from '../../emu/mem/index.ts';
import {
  CODE_BASE,
  CODE_BYTES,
  DATA_BASE,
  DATA_BYTES,
  dataBackground,
  LDT,
  type Outcome,
  READ_ONLY_BYTES,
  type TestCase,
} from './case-layout.ts';
import type { Vector } from './vector-file.ts';

const RAM_BYTES = 8 << 20;
/** Supervisor part: page directory, tables, descriptor tables. Linear = physical + SYSTEM_LINEAR. */
const PAGE_DIRECTORY = 0x400000;
const LOW_TABLE = 0x401000;
const SYSTEM_TABLE = 0x402000;
const DESCRIPTORS = 0x403000;
const SYSTEM_LINEAR = 0xc0000000;
const GDT_ENTRIES = 16;
const LDT_OFFSET = 0x100;
const TSS_OFFSET = 0x200;
/** More than the longest REP of any case. */
const BUDGET = 100_000;
const STATUS_FLAGS = 0x00244ed5 | 0x202;
const ATTR_MASK = 0x00f0ff00;

/** Engine factory: the context is made here. */
export type EngineFactory = (context: EngineContext) => Engine;

/** High and low word of a segment descriptor. */
function descriptor(base: number, limit: number, access: number, flags: number): [number, number] {
  const low = ((base << 16) | (limit & 0xffff)) >>> 0;
  const high =
    (base & 0xff000000) | (flags << 20) | (limit & 0xf0000) | (access << 8) | ((base >>> 16) & 0xff);
  return [low, high >>> 0];
}

/** GDT of a Linux kernel as far as a 32-bit program can tell. */
function gdt(): [number, number][] {
  const entries: [number, number][] = Array.from({ length: GDT_ENTRIES }, () => [0, 0]);
  entries[1] = descriptor(0, 0xfffff, 0x9b, 12);
  entries[2] = descriptor(0, 0xfffff, 0x9b, 10);
  entries[3] = descriptor(0, 0xfffff, 0x93, 12);
  entries[4] = descriptor(0, 0xfffff, 0xfb, 12);
  entries[5] = descriptor(0, 0xfffff, 0xf3, 12);
  entries[8] = descriptor((SYSTEM_LINEAR + TSS_OFFSET) | 0, 0x67, 0x8b, 0);
  entries[10] = descriptor((SYSTEM_LINEAR + LDT_OFFSET) | 0, LDT.length * 8 - 1, 0x82, 0);
  return entries;
}

const ldt = (): [number, number][] =>
  LDT.map((e) => descriptor(e.base, e.limit, (e.present << 7) | 0x70 | e.type, e.flags));

export class EngineWorld {
  readonly engine: Engine;
  readonly context: EngineContext;
  private readonly r: Int32Array;
  private readonly data: Uint8Array;
  private readonly pristine = dataBackground();
  private readonly expected = dataBackground();
  private readonly tables = { gdt: gdt(), ldt: ldt() };
  private codeDirty: { at: number; length: number } = { at: 0, length: CODE_BYTES };

  /** `runs`: how often each case is run before it is compared, so that an engine that translates gets to it. */
  constructor(
    makeEngine: EngineFactory = (context) => new Interpreter(context),
    private readonly runs = 1,
  ) {
    const memory = createMemory({ ramBytes: RAM_BYTES, coreCount: 1 });
    const events = { sink: null };
    const bus = new Bus(memory, events);
    const tlb = new Tlb(memory, bus, events);
    const mmu = new Mmu(memory, bus, tlb, DEFAULT_COSTS, events);
    this.context = {
      ...{ memory, bus, tlb, mmu, events, costs: DEFAULT_COSTS, trapMode: 'hosted' },
      io: { read: () => 0xffffffff, write: () => {} },
      interrupts: { acknowledge: () => -1 },
    };
    this.engine = makeEngine(this.context);
    this.r = memory.r[0]!;
    this.data = memory.ram.subarray(DATA_BASE, DATA_BASE + DATA_BYTES);
    this.data.set(this.pristine);
    this.buildTables();
    this.setSystemState();
  }

  private buildTables(): void {
    const { bus } = this.context;
    const userPage = PTE_P | PTE_U | PTE_A | PTE_D;
    bus.write32(PAGE_DIRECTORY, LOW_TABLE | userPage | PTE_W);
    bus.write32(PAGE_DIRECTORY + 4 * (SYSTEM_LINEAR >>> 22), SYSTEM_TABLE | PTE_P | PTE_W | PTE_A);
    const mapLow = (from: number, bytes: number, bits: number): void => {
      for (let page = from; page < from + bytes; page += 4096)
        bus.write32(LOW_TABLE + 4 * (page >>> 12), page | bits);
    };
    mapLow(CODE_BASE, CODE_BYTES, userPage | PTE_W);
    mapLow(DATA_BASE, READ_ONLY_BYTES, userPage);
    mapLow(DATA_BASE + READ_ONLY_BYTES, DATA_BYTES - READ_ONLY_BYTES, userPage | PTE_W);
    bus.write32(SYSTEM_TABLE, DESCRIPTORS | PTE_P | PTE_W | PTE_A | PTE_D);
    const put = (at: number, entries: readonly [number, number][]): void =>
      entries.forEach(([low, high], i) => {
        bus.write32(at + 8 * i, low);
        bus.write32(at + 8 * i + 4, high);
      });
    put(DESCRIPTORS, this.tables.gdt);
    put(DESCRIPTORS + LDT_OFFSET, this.tables.ldt);
    bus.write32(DESCRIPTORS + TSS_OFFSET + 0x64, 0x00680000);
  }

  private setSystemState(): void {
    const { r } = this;
    resetCore(this.context.memory, 0, 'power-on', RunState.Running);
    r[R.CR0] = CR0_PE | CR0_PG | CR0_WP | CR0_AM | CR0_ET;
    r[R.CR3] = PAGE_DIRECTORY;
    r[R.GDT_BASE] = SYSTEM_LINEAR;
    r[R.GDT_LIMIT] = GDT_ENTRIES * 8 - 1;
    r[R.IDT_LIMIT] = 0;
    r[R.CPL] = 3;
    this.loadSegment(Seg.LDTR, 10 << 3);
    this.loadSegment(Seg.TR, 8 << 3);
    this.context.tlb.flushAll(0);
  }

  /** Sets a segment register with its hidden part from the tables. */
  private loadSegment(seg: number, selector: number): void {
    const { r } = this;
    const table = (selector & 4) !== 0 ? this.tables.ldt : this.tables.gdt;
    const [low, high] = (selector & ~3) === 0 ? [0, 0] : table[selector >>> 3]!;
    const raw = (low & 0xffff) | (high & 0xf0000);
    r[R.SEL + seg] = selector;
    r[R.BASE + seg] = (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000);
    r[R.LIMIT + seg] = (high & 0x00800000) !== 0 ? (raw << 12) | 0xfff : raw;
    r[R.ATTR + seg] = high & ATTR_MASK;
  }

  private placeCode(c: TestCase): void {
    const { bus } = this.context;
    const { at, length } = this.codeDirty;
    bus.dma.write(CODE_BASE + at, new Uint8Array(length).fill(0xcc));
    const offset = c.eip & (CODE_BYTES - 1);
    const code = Uint8Array.from(c.code.slice(0, CODE_BYTES - offset));
    bus.dma.write(CODE_BASE + offset, code);
    this.codeDirty = { at: offset, length: code.length };
  }

  private prepare(c: TestCase): void {
    const { r, data, pristine } = this;
    data.set(pristine);
    for (const poke of c.pokes) {
      poke.bytes.forEach((byte, i) => {
        const at = poke.offset + i;
        if (at >= READ_ONLY_BYTES && at < DATA_BYTES) data[at] = byte;
      });
    }
    this.expected.set(data);
    for (let i = 0; i < 8; i++) r[i] = c.regs[i]!;
    r[R.EIP] = c.eip;
    r[R.EFLAGS] = c.eflags;
    r[R.RUN_STATE] = RunState.Running;
    r[R.SHADOW] = 0;
    r[R.CPL] = 3;
    for (let seg = 0; seg < 6; seg++) this.loadSegment(seg, c.segs[seg]!);
  }

  /** Runs `c`; the state is then in the core block and in `data`. Returns the trap: 1 for a step that went well. */
  private execute(c: TestCase): number {
    const exit = this.engine.run(0, c.mode === 'step' ? 1 : BUDGET);
    if (exit === Exit.Trap) return this.r[R.EXIT_VECTOR]!;
    return exit === Exit.Budget && c.mode === 'step' ? 1 : -1 - exit;
  }

  /** Differences between `vector.after` and what the engine does; empty when it agrees. */
  check(vector: Vector): string[] {
    const { before, after } = vector;
    this.placeCode(before);
    let trap = 0;
    for (let run = 0; run < this.runs; run++) {
      this.prepare(before);
      trap = this.execute(before);
    }
    for (const change of after.changes) this.expected.set(change.bytes, change.offset);
    const differences = this.compareRegisters(vector, trap);
    if (Buffer.compare(this.data, this.expected) !== 0) differences.push(...this.compareData());
    return differences;
  }

  private compareRegisters({ before, after, undefinedFlags }: Vector, trap: number): string[] {
    const { r } = this;
    const found: string[] = [];
    const expect = (what: string, got: number, want: number): void => {
      if (got !== want) found.push(`${what} ${hex(got)}, want ${hex(want)}`);
    };
    expect('trap', trap, after.trap);
    REGISTER_NAMES.forEach((name, i) => {
      expect(name, r[i]! >>> 0, after.regs[i]!);
    });
    // A soft trap leaves EIP after the instruction; the vectors name INT3 itself.
    const softLength = trap === 3 && after.trap === 3 ? 1 : 0;
    expect('eip', (r[R.EIP]! - softLength) >>> 0, after.eip);
    const mask = STATUS_FLAGS & ~undefinedFlags;
    expect('eflags', r[R.EFLAGS]! & mask, after.eflags & mask);
    SEGMENT_NAMES.forEach((name, i) => {
      expect(name, r[R.SEL + i]! & 0xffff, after.segs[i]!);
    });
    if (ERROR_CODES.has(after.trap) && trap === after.trap) expect('error', r[R.FAULT_ERROR]!, after.error);
    if (after.trap === 14 && trap === 14) expect('cr2', r[R.CR2]! >>> 0, after.cr2);
    if (before.mode === 'run' && trap < 0) found.push('does not end');
    return found;
  }

  private compareData(): string[] {
    const found: string[] = [];
    for (let i = 0; i < DATA_BYTES && found.length < 8; i++) {
      if (this.data[i] !== this.expected[i]) {
        found.push(`byte ${hex(DATA_BASE + i)} ${hex(this.data[i]!)}, want ${hex(this.expected[i]!)}`);
      }
    }
    return found;
  }
}

const REGISTER_NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const ERROR_CODES: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);
const hex = (n: number): string => (n < 0 ? `${n}` : `0x${n.toString(16)}`);

/** One case in words: form, bytes, state before, and the outcome on the processor. */
export function describeVector({ form, before, after }: Vector): string {
  const bytes = before.code.map((b) => b.toString(16).padStart(2, '0')).join(' ');
  const regs = (values: readonly number[]): string =>
    values.map((value, i) => `${REGISTER_NAMES[i]}=${value.toString(16)}`).join(' ');
  const pokes = before.pokes.map(
    (p) => `[${hex(DATA_BASE + p.offset)}]=${p.bytes.map((b) => b.toString(16)).join(' ')}`,
  );
  const end = (o: Outcome): string =>
    `trap ${o.trap} error ${hex(o.error)} eip ${hex(o.eip)} eflags ${hex(o.eflags)}`;
  return [
    `${form.name} (${form.codeBits}-bit code, ${before.mode}): ${bytes}`,
    `  before: ${regs(before.regs)} eip=${hex(before.eip)} eflags=${hex(before.eflags)} segs=${before.segs.map((s) => s.toString(16)).join(' ')} ${pokes.join(' ')}`,
    `  after:  ${end(after)} ${regs(after.regs)}`,
  ].join('\n');
}
