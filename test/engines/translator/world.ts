/**
 * A core with page tables, a device, a small TLB and a random program (program.ts) in ring 3, hosted: what traps comes
 * back to the test. Two of them with the same seed and other engines must go the same way.
 */
import { Attention, Flag, R, RunState, Seg } from '../../../emu/arch/core-layout.ts';
import { DEFAULT_COSTS } from '../../../emu/arch/cost.ts';
import { type Engine, Exit } from '../../../emu/arch/engine.ts';
import type { EventSink } from '../../../emu/arch/events.ts';
import { CR0_ET, CR0_PE, CR0_PG, CR0_WP, PTE_P, PTE_U, PTE_W } from '../../../emu/arch/paging.ts';
import type { EventPort } from '../../../emu/arch/ports.ts';
import { type EngineContext, resetCore } from '../../../emu/cpu/index.ts';
import { Bus, createMemory, Mmu, Tlb, type TlbGeometry } from '../../../emu/mem/index.ts';
import { Random } from '../../../tools/vectors/random.ts';
import {
  ABSENT,
  CODE,
  CODE_ALIAS,
  CODE_BYTES,
  DATA,
  DATA_PAGES,
  DEVICE,
  ProgramWriter,
  READ_ONLY,
  STACK,
  STACK_TOP,
  type Temper,
} from './program.ts';

const RAM_BYTES = 4 << 20;
const DIRECTORY = 0x1000;
const TABLE = 0x2000;
const CODE_PA = 0x10000;
const DATA_PA = 0x20000;
const STACK_PA = 0x40000;
const DEVICE_PA = 0xfd000000;
const USER = PTE_P | PTE_U;

export const GEOMETRIES: readonly TlbGeometry[] = [
  { data: { entries: 64, ways: 4 }, instr: { entries: 32, ways: 4 }, replacement: 'fifo', seed: 1 },
  { data: { entries: 8, ways: 2 }, instr: null, replacement: 'random', seed: 7 },
  { data: { entries: 4, ways: 1 }, instr: { entries: 2, ways: 2 }, replacement: 'fifo', seed: 1 },
  { data: { entries: 4, ways: 4 }, instr: null, replacement: 'fifo', seed: 1 },
];

export type MakeEngine = (context: EngineContext) => Engine;

export class ProgramWorld {
  readonly context: EngineContext;
  readonly engine: Engine;
  readonly r: Int32Array;
  readonly events: number[] = [];
  private readonly random: Random;
  private readonly starts: readonly number[];
  private deviceCount = 0;
  private slices = 0;
  private readonly listener: EventSink = {
    emit: (kind, _core, time, a, b, c) => {
      this.events.push(kind, time, a, b, c);
    },
  };

  constructor(
    seed: number,
    makeEngine: MakeEngine,
    private readonly temper: Temper = 'wild',
  ) {
    this.random = new Random(seed);
    // A long run with a small TLB is hardly anything but TLB fills.
    const tlbShape = GEOMETRIES[temper === 'steady' ? 0 : seed % GEOMETRIES.length]!;
    const memory = createMemory({ ramBytes: RAM_BYTES, coreCount: 1, tlb: tlbShape });
    const events: EventPort = { sink: this.listener };
    const bus = new Bus(memory, events);
    const tlb = new Tlb(memory, bus, events);
    const mmu = new Mmu(memory, bus, tlb, DEFAULT_COSTS, events);
    this.context = {
      ...{ memory, bus, tlb, mmu, events, costs: DEFAULT_COSTS, trapMode: 'hosted' },
      io: { read: () => 0xffffffff, write: () => {} },
      interrupts: { acknowledge: () => -1 },
    };
    this.r = memory.r[0]!;
    this.addDevice();
    this.engine = makeEngine(this.context);
    this.map();
    const program = new ProgramWriter(this.random, temper).write();
    bus.writeBytes(CODE_PA, program.code);
    this.starts = program.starts;
    bus.writeBytes(DATA_PA, Uint8Array.from(this.random.bytes(DATA_PAGES * 4096)));
    resetCore(memory, 0, 'power-on', RunState.Running);
    this.restart();
  }

  /** Reads count, writes now and then stop the slice or raise an interrupt. */
  private addDevice(): void {
    this.context.bus.addMmio({
      name: 'counter',
      base: DEVICE_PA,
      sizeBytes: 4096,
      read: () => this.deviceCount++,
      write: (_pa, _size, value) => {
        if ((value & 3) === 0) this.r[R.ATTENTION]! |= Attention.Stop;
        if ((value & 3) === 1) this.r[R.ATTENTION]! |= Attention.Interrupt;
      },
    });
  }

  private setEntry(linear: number, value: number): void {
    this.context.bus.write32(TABLE + ((linear >>> 12) & 1023) * 4, value);
  }

  private map(): void {
    this.context.bus.write32(DIRECTORY + (CODE >>> 22) * 4, TABLE | USER | PTE_W);
    for (let at = 0; at < CODE_BYTES; at += 4096) this.setEntry(CODE + at, (CODE_PA + at) | USER | PTE_W);
    for (let n = 0; n < DATA_PAGES; n++) this.setEntry(DATA + n * 4096, (DATA_PA + n * 4096) | USER | PTE_W);
    for (let at = 0; at < 0x4000; at += 4096) this.setEntry(STACK + at, (STACK_PA + at) | USER | PTE_W);
    this.setEntry(READ_ONLY, DATA_PA | USER);
    this.setEntry(ABSENT, 0);
    this.setEntry(DEVICE, DEVICE_PA | USER | PTE_W);
    this.setEntry(CODE_ALIAS, CODE_PA | USER | PTE_W);
  }

  /** Fresh registers at the start of some function; the stack ends in a trap. */
  restart(): void {
    const { r, random } = this;
    r[R.RUN_STATE] = RunState.Running;
    r[R.CR0] = CR0_PE | CR0_PG | CR0_WP | CR0_ET;
    r[R.CR3] = DIRECTORY;
    r[R.CPL] = 3;
    for (let seg = Seg.ES; seg <= Seg.GS; seg++) {
      r[R.SEL + seg] = seg === Seg.CS ? 0x1b : 0x23;
      r[R.BASE + seg] = seg === Seg.GS ? 0x1000 : 0;
      r[R.LIMIT + seg] = -1;
      r[R.ATTR + seg] = seg === Seg.CS ? 0xc0fb00 : 0xc0f300;
    }
    for (let n = 0; n < 8; n++) r[n] = random.operand(32);
    for (const n of [3, 6, 7]) r[n] = DATA + random.below(DATA_PAGES * 4096 - 4096);
    r[R.ESP] = STACK_TOP;
    r[R.EFLAGS] = (random.u32() & 0x8d5) | Flag.IF | Flag.ONE;
    r[R.EIP] = CODE + random.pick(this.starts);
  }

  /** One slice, and what the host does about how it ended. Returns the exit. */
  step(): Exit {
    const { random, r } = this;
    const longest = this.temper === 'steady' ? 100_000 : 1000;
    const budget = random.chance(20) ? 1 + random.below(12) : 1 + random.below(longest);
    // Where nobody listens, walks and faults take short ways.
    this.context.events.sink = this.slices++ % 2 === 0 ? this.listener : null;
    const exit = this.engine.run(0, budget);
    if (exit === Exit.Interrupt) r[R.ATTENTION] = 0;
    if (exit === Exit.Trap || exit === Exit.Halt) this.afterTrap();
    if (random.chance(4)) this.disturb();
    if (random.chance(15)) this.restart();
    if (random.chance(3)) r[R.ATTENTION]! |= Attention.Interrupt;
    return exit;
  }

  /** System calls go on; everything else starts elsewhere, and now and then the absent page comes or goes. */
  private afterTrap(): void {
    const { r, random } = this;
    r[R.RUN_STATE] = RunState.Running;
    if (r[R.EXIT_SOFT] === 1 && r[R.EXIT_VECTOR] === 0x80) return;
    if (random.chance(30)) this.setEntry(ABSENT, random.chance(50) ? 0 : DATA_PA | USER | PTE_W);
    this.restart();
  }

  /** What other masters and the kernel do between slices. */
  private disturb(): void {
    const { random, context } = this;
    const page = DATA + random.below(DATA_PAGES) * 4096;
    switch (random.below(7)) {
      case 0:
        context.tlb.invalidatePage(0, page);
        break;
      case 1:
        context.tlb.flushNonGlobal(0);
        break;
      case 2:
        context.tlb.invalidatePage(0, CODE + random.below(4) * 4096);
        break;
      case 3:
        this.setEntry(page, (DATA_PA + random.below(DATA_PAGES) * 4096) | USER | PTE_W);
        break;
      case 4:
        context.bus.writeBytes(CODE_PA + random.below(CODE_BYTES), Uint8Array.of(0x90));
        break;
      case 5:
        this.swapCodePages();
        break;
      default:
        this.engine.invalidateCode((CODE_PA >>> 12) + random.below(4));
    }
  }

  /** Code moves to other frames under the same addresses. */
  private swapCodePages(): void {
    const { bus, tlb } = this.context;
    const entry = TABLE + ((CODE >>> 12) & 1023) * 4;
    const [first, second] = [bus.read32(entry), bus.read32(entry + 4)];
    bus.copyFrame(0x80, first >>> 12);
    bus.copyFrame(first >>> 12, second >>> 12);
    bus.copyFrame(second >>> 12, 0x80);
    bus.write32(entry, second);
    bus.write32(entry + 4, first);
    tlb.invalidatePage(0, CODE);
    tlb.invalidatePage(0, CODE + 4096);
  }
}
