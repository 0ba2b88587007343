/** One of two machines that must go the same way: a core with RAM and the engine that it is given. */
import { R, RunState } from '../../emu/arch/core-layout.ts';
import type { Engine, Exit } from '../../emu/arch/engine.ts';
import { CR0_ET, CR0_PE, CR0_PG, CR0_WP } from '../../emu/arch/paging.ts';
import type { TlbGeometry } from '../../emu/mem/index.ts';
import { TestMachine } from '../unit/cpu/test-machine.ts';

export const PAGED = CR0_PE | CR0_PG | CR0_WP | CR0_ET;
/** Present, writable, user. */
export const USUAL = 7;
const DIRECTORY = 0x20000;
const TABLE = 0x21000;
/** Words of the core block that are architectural. */
const BLOCK_WORDS = 128;

export type MakeEngine = (m: TestMachine) => Engine;

export class Twin {
  readonly m: TestMachine;
  readonly r: Int32Array;
  readonly engine: Engine;

  constructor(make: MakeEngine, tlb?: TlbGeometry) {
    this.m = new TestMachine({ ramBytes: 4 << 20, ...(tlb === undefined ? {} : { tlb }) });
    this.r = this.m.r;
    this.m.listen();
    this.engine = make(this.m);
  }

  /** Paging on, linear = physical for the first 32 pages. */
  page(): void {
    this.m.write32(DIRECTORY, TABLE | USUAL);
    for (let n = 0; n < 32; n++) this.setEntry(n, (n * 4096) | USUAL);
    this.r[R.CR3] = DIRECTORY;
    this.r[R.CR0] = PAGED;
  }

  setEntry(page: number, value: number): void {
    this.m.write32(TABLE + page * 4, value);
  }

  /** A task above a kernel: ring 3, traps come back. */
  host(): void {
    this.m.context.trapMode = 'hosted';
    this.m.enterUser();
  }

  go(eip: number, budget: number): Exit {
    this.r[R.EIP] = eip;
    this.r[R.RUN_STATE] = RunState.Running;
    return this.engine.run(0, budget);
  }

  /** What can be seen: registers, counters, TLB, and the events since the last time. */
  state(): unknown {
    const { context, f } = this.m;
    return {
      block: [...this.r.subarray(0, BLOCK_WORDS)],
      counters: [...f.subarray(48, 56)],
      tlb: [...context.memory.tlb[0]!],
      events: this.m.events.splice(0),
    };
  }
}
