/**
 * A core with RAM for tests: flat 32-bit segments without GDT, paging off, no devices. Programs are bytes. They run on
 * the interpreter, or on the engine that PHYSMEM_TEST_ENGINE names: vitest.config.ts runs the tests of this folder once
 * for each.
 */
import { R, RunState, Seg } from '../../../emu/arch/core-layout.ts';
import { DEFAULT_COSTS } from '../../../emu/arch/cost.ts';
import type { Exit } from '../../../emu/arch/engine.ts';
import type { EventSink } from '../../../emu/arch/events.ts';
import { type EngineContext, Interpreter, resetCore, Translator } from '../../../emu/cpu/index.ts';
import { Bus, createMemory, Mmu, Tlb, type TlbGeometry } from '../../../emu/mem/index.ts';

export interface TestEvent {
  readonly kind: number;
  readonly core: number;
  readonly time: number;
  readonly args: readonly number[];
}

/** The translator translates whatever has been decoded once. */
const makeEngine = (context: EngineContext): Interpreter =>
  process.env['PHYSMEM_TEST_ENGINE'] === 'translator'
    ? new Translator(context, { threshold: 1, leastBudget: 1 })
    : new Interpreter(context);

export class TestMachine {
  readonly context: EngineContext;
  readonly engine: Interpreter;
  readonly r: Int32Array;
  readonly f: Float64Array;
  readonly ports: { port: number; size: number; value: number }[] = [];
  readonly events: TestEvent[] = [];
  /** Vectors that acknowledge() hands out. */
  readonly pendingVectors: number[] = [];
  portInput = 0;

  constructor(options: { ramBytes?: number; coreCount?: number; tlb?: TlbGeometry } = {}) {
    const memory = createMemory({
      ramBytes: options.ramBytes ?? 16 << 20,
      coreCount: options.coreCount ?? 1,
      ...(options.tlb === undefined ? {} : { tlb: options.tlb }),
    });
    const events = { sink: null as EventSink | null };
    const bus = new Bus(memory, events);
    const tlb = new Tlb(memory, bus, events);
    const mmu = new Mmu(memory, bus, tlb, DEFAULT_COSTS, events);
    this.context = {
      memory,
      bus,
      tlb,
      mmu,
      events,
      io: {
        read: () => this.portInput,
        write: (port, size, value) => this.ports.push({ port, size, value }),
      },
      interrupts: { acknowledge: () => this.pendingVectors.shift() ?? -1 },
      costs: DEFAULT_COSTS,
      trapMode: 'bare',
    };
    this.engine = makeEngine(this.context);
    this.r = memory.r[0];
    this.f = memory.f[0];
    for (let core = 0; core < memory.r.length; core++) this.flatten(core);
  }

  /** Flat 32-bit ring 0 with hidden parts set directly; EIP and registers 0. */
  flatten(core = 0): void {
    resetCore(this.context.memory, core, 'power-on', RunState.Running);
    const r = this.context.memory.r[core];
    r[R.CR0] = 0x11;
    r[R.EIP] = 0;
    r[R.EDX] = 0;
    for (let seg = Seg.ES; seg <= Seg.GS; seg++) {
      r[R.SEL + seg] = seg === Seg.CS ? 0x08 : 0x10;
      r[R.BASE + seg] = 0;
      r[R.LIMIT + seg] = -1;
      r[R.ATTR + seg] = seg === Seg.CS ? 0xc09b00 : 0xc09300;
    }
  }

  /** Ring 3 with the same flat segments. */
  enterUser(core = 0): void {
    const r = this.context.memory.r[core];
    r[R.CPL] = 3;
    for (let seg = Seg.ES; seg <= Seg.GS; seg++) {
      r[R.SEL + seg] = seg === Seg.CS ? 0x1b : 0x23;
      r[R.ATTR + seg] = seg === Seg.CS ? 0xc0fb00 : 0xc0f300;
    }
  }

  listen(): void {
    this.context.events.sink = {
      emit: (kind, core, time, a, b, c, d) => this.events.push({ kind, core, time, args: [a, b, c, d] }),
    };
  }

  load(pa: number, bytes: readonly number[] | Uint8Array): void {
    this.context.bus.writeBytes(pa, Uint8Array.from(bytes));
  }

  read32(pa: number): number {
    return this.context.bus.read32(pa);
  }

  write32(pa: number, value: number): void {
    this.context.bus.write32(pa, value);
  }

  run(budget: number, core = 0): Exit {
    return this.engine.run(core, budget);
  }

  /** Puts `bytes` at 0x1000 and runs `count` instructions of it. */
  execute(bytes: readonly number[], count: number): Exit {
    this.load(0x1000, bytes);
    this.r[R.EIP] = 0x1000;
    return this.run(count);
  }
}
