/**
 * The reference engine (machine.md §2): slices, faults, interrupts, traps; the inner loop is in loop.ts.
 * Budget: each completed instruction, each REP iteration and each instruction that faults uses one; the latter count
 * in FAULTED, not in INSTRUCTIONS. The base cost of an instruction is charged when it starts.
 */
import { Attention, CoreF, Flag, R, RunState, Seg, SHADOW_DEBUG } from '../arch/core-layout.ts';
import { type Engine, Exit } from '../arch/engine.ts';
import { Ev } from '../arch/events.ts';
import { VEC_DB, VEC_NMI } from '../arch/vectors.ts';
import { CURRENT_EIP, PEND, PEND_EXIT, PEND_FAULT, PEND_MODE } from '../mem/memory-layout.ts';
import { CodeCache } from './code-cache.ts';
import type { EngineContext } from './context.ts';
import { CpuCore } from './cpu-core.ts';
import { instructionHits } from './debug-registers.ts';
import { materialise } from './flags.ts';
import { deliver, reportException } from './interrupts.ts';
import { execute } from './loop.ts';

/** DR6.BS: single step. */
const DR6_STEP = 1 << 14;
/** DR7.GD: accesses of debug registers raise #DB; every #DB clears it. */
const DR7_GD = 1 << 13;
/** Result of a part of a slice that does not end it. */
const GO_ON = -1;

export class Interpreter implements Engine {
  readonly name: string = 'interpreter';
  protected readonly cache: CodeCache;
  protected readonly cores: readonly CpuCore[];

  constructor(readonly context: EngineContext) {
    this.cache = new CodeCache(context.memory, context.bus);
    this.cores = context.memory.r.map((_, id) => new CpuCore(id, context, this.cache.ops));
  }

  invalidateCode(frameNo: number): void {
    this.cache.codeWritten(frameNo, 0, 4096);
  }

  reset(): void {
    this.cache.reset();
  }

  run(core: number, budget: number): Exit {
    const c = this.cores[core];
    const r = c.r;
    if (r[R.RUN_STATE] === RunState.Halted && c.woken()) r[R.RUN_STATE] = RunState.Running;
    if (r[R.RUN_STATE] !== RunState.Running) return this.idle(r);
    r[PEND] = 0;
    c.left = budget;
    c.mark = budget;
    c.debugHits = r[R.DEBUG_PENDING];
    c.refreshMode();
    const exit = this.slice(c);
    c.sync();
    materialise(r);
    r[R.DEBUG_PENDING] = c.debugHits;
    r[PEND] = 0;
    r[CURRENT_EIP] = 0;
    return exit;
  }

  /** Exit of a core that does not run: Stop is taken in any state. */
  private idle(r: Int32Array): Exit {
    if ((r[R.ATTENTION] & (Attention.Stop | Attention.Init)) !== 0) {
      r[R.ATTENTION] &= ~Attention.Stop;
      return Exit.Stop;
    }
    return r[R.RUN_STATE] === RunState.Shutdown ? Exit.Shutdown : Exit.Halt;
  }

  /** Until budget or exit: interrupts, then a stretch of instructions, then what came of them. */
  private slice(c: CpuCore): Exit {
    const r = c.r;
    while (c.left > 0) {
      if (r[R.ATTENTION] !== 0) {
        const exit = this.attend(c);
        if (exit !== GO_ON) return exit;
      }
      if (c.watching && this.breaksHere(c)) {
        const exit = this.fault(c);
        if (exit !== GO_ON) return exit;
        continue;
      }
      const stepping = r[R.EFLAGS] & Flag.TF;
      c.stop = stepping !== 0 || r[R.SHADOW] !== 0 || c.watching ? c.left - 1 : 0;
      r[R.SHADOW] = 0;
      r[R.EFLAGS] &= ~Flag.RF;
      r[PEND] = 0;
      c.stepHeld = false;
      this.stretch(c);
      const exit = this.after(c, stepping);
      if (exit !== GO_ON) return exit;
    }
    return Exit.Budget;
  }

  /** Instructions from R.EIP until `c.left` is `c.stop` or r[PEND] says that something must be looked at. */
  protected stretch(c: CpuCore): void {
    execute(c, this.cache);
  }

  /** Takes what R.ATTENTION asks for; GO_ON = nothing ends the slice with instructions. */
  private attend(c: CpuCore): Exit | typeof GO_ON {
    const r = c.r;
    const wanted = r[R.ATTENTION];
    if ((wanted & (Attention.Stop | Attention.Init)) !== 0) {
      r[R.ATTENTION] &= ~Attention.Stop;
      return Exit.Stop;
    }
    const nmi = (wanted & Attention.Nmi) !== 0 && r[R.NMI_BLOCKED] === 0;
    const interrupt = (wanted & Attention.Interrupt) !== 0 && (r[R.EFLAGS] & Flag.IF) !== 0;
    if (r[R.SHADOW] !== 0 || (!nmi && !interrupt)) return GO_ON;
    if (this.isHosted(c)) return Exit.Interrupt;
    c.sync();
    let vector = VEC_NMI as number;
    if (nmi) {
      r[R.ATTENTION] &= ~Attention.Nmi;
      r[R.NMI_BLOCKED] = 1;
    } else vector = this.context.interrupts.acknowledge(c.id);
    return vector < 0 ? GO_ON : this.enter(c, vector, 0, 'external');
  }

  private isHosted(c: CpuCore): boolean {
    return this.context.trapMode === 'hosted' && c.r[R.CPL] === 3;
  }

  /** Delivers through the guest's IDT; Exit.Shutdown after a triple fault. */
  private enter(
    c: CpuCore,
    vector: number,
    error: number,
    source: 'fault' | 'trap' | 'external',
  ): Exit | typeof GO_ON {
    c.r[PEND] = 0;
    if (!deliver(c, vector, error, source)) return Exit.Shutdown;
    // Through flat segments into flat segments (flat-gate.ts) there is nothing to take anew.
    if ((c.r[PEND] & PEND_MODE) !== 0) c.refreshMode();
    return GO_ON;
  }

  /** True if an instruction breakpoint is at EIP and neither RF nor MOV SS hides it; then #DB is pending. */
  private breaksHere(c: CpuCore): boolean {
    const r = c.r;
    if ((r[R.EFLAGS] & Flag.RF) !== 0 || (r[R.SHADOW] & SHADOW_DEBUG) !== 0) return false;
    const hits = instructionHits(c, (r[R.BASE + Seg.CS] + r[R.EIP]) | 0);
    if (hits === 0) return false;
    r[R.DR6] |= hits;
    r[PEND] = 0;
    c.left--;
    c.raise(VEC_DB, 0);
    return true;
  }

  /** Faults, exits and debug traps of the stretch that just ended; GO_ON = nothing ends the slice. */
  private after(c: CpuCore, stepping: number): Exit | typeof GO_ON {
    const pend = c.r[PEND];
    if ((pend & PEND_MODE) !== 0) c.refreshMode();
    if ((pend & PEND_FAULT) !== 0) return this.fault(c);
    const isTrapped = stepping !== 0 || c.debugHits !== 0;
    if ((pend & PEND_EXIT) !== 0) {
      // A debug trap of HLT itself ends it.
      if (c.r[R.RUN_STATE] !== RunState.Halted || !isTrapped) return this.exitOf(c);
      c.r[R.RUN_STATE] = RunState.Running;
    }
    if (!isTrapped || (c.r[R.SHADOW] & SHADOW_DEBUG) !== 0) return GO_ON;
    // A stretch that executed nothing (a page was looked up) is no step.
    const step = stepping !== 0 && !c.stepHeld && c.left === c.stop ? DR6_STEP : 0;
    const hits = (c.debugHits & 15) | step;
    const isInt1 = c.debugHits >= 16;
    c.debugHits = 0;
    if (hits === 0 && !isInt1) return GO_ON;
    c.r[R.DR6] |= hits;
    c.r[R.DR7] &= ~DR7_GD;
    c.sync();
    return this.isHosted(c) ? this.hostedTrap(c, VEC_DB, 0) : this.enter(c, VEC_DB, 0, 'trap');
  }

  private exitOf(c: CpuCore): Exit {
    const state = c.r[R.RUN_STATE];
    c.debugHits = 0;
    if (state === RunState.Halted) {
      const sink = this.context.events.sink;
      c.sync();
      if (sink !== null) sink.emit(Ev.CoreHalt, c.id, c.f[CoreF.CYCLES], c.r[R.EIP] >>> 0, 0, 0, 0);
      return Exit.Halt;
    }
    return state === RunState.Shutdown ? Exit.Shutdown : Exit.Trap;
  }

  /** Delivers the pending fault of the instruction at EIP. */
  private fault(c: CpuCore): Exit | typeof GO_ON {
    const r = c.r;
    c.sync();
    c.f[CoreF.INSTRUCTIONS] -= 1;
    c.f[CoreF.FAULTED] += 1;
    c.debugHits = 0;
    r[PEND] &= ~PEND_FAULT;
    r[R.FAULT_EIP] = r[R.EIP];
    const vector = r[R.FAULT_VECTOR];
    const error = r[R.FAULT_ERROR];
    if (vector === VEC_DB) r[R.DR7] &= ~DR7_GD;
    if (!this.isHosted(c)) return this.enter(c, vector, error, 'fault');
    // As in the image that a delivery pushes: the retry passes an instruction breakpoint.
    if (vector !== VEC_DB) r[R.EFLAGS] |= Flag.RF;
    return this.hostedTrap(c, vector, error);
  }

  /** Leaves to the attached kernel with vector and error code in the block; stack, CPL and segments untouched. */
  private hostedTrap(c: CpuCore, vector: number, error: number): Exit {
    const r = c.r;
    r[R.EXIT_VECTOR] = vector;
    r[R.EXIT_SOFT] = 0;
    r[R.FAULT_ERROR] = error;
    c.f[CoreF.TRAPS]++;
    c.f[CoreF.CYCLES] += this.context.costs.trapEntry;
    if (this.context.events.sink !== null) reportException(c, vector, error);
    return Exit.Trap;
  }
}
