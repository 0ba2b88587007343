/**
 * The pins of the cores, as the interrupt controllers drive them: INTR and NMI become bits of R.ATTENTION, INIT and
 * SIPI change the run state. A halted core does not advance; what wakes it sets its clock to the time of the wake.
 */

import { Attention, CoreF, Flag, R, RunState } from './arch/core-layout.ts';
import type { TrapMode } from './arch/engine.ts';
import { Ev } from './arch/events.ts';
import type { Clock, EventPort } from './arch/ports.ts';
import { resetCore, startCore } from './cpu/index.ts';
import type { CoreSignals } from './dev/interrupt-ports.ts';
import type { SharedMemory, Tlb } from './mem/index.ts';

export interface CorePinPorts {
  readonly memory: SharedMemory;
  readonly tlb: Tlb;
  readonly clock: Clock;
  readonly events: EventPort;
  trapMode(): TrapMode;
}

export class CorePins implements CoreSignals {
  private readonly ports: CorePinPorts;

  constructor(ports: CorePinPorts) {
    this.ports = ports;
  }

  setIntr(core: number, level: 0 | 1): void {
    const r = this.ports.memory.r[core]!;
    if (level === 0) r[R.ATTENTION]! &= ~Attention.Interrupt;
    else if ((r[R.ATTENTION]! & Attention.Interrupt) === 0) {
      r[R.ATTENTION]! |= Attention.Interrupt;
      this.passTimeAsleep(core);
    }
  }

  nmi(core: number): void {
    this.ports.memory.r[core]![R.ATTENTION]! |= Attention.Nmi;
    this.passTimeAsleep(core);
  }

  /** The bootstrap processor starts at the reset vector again, an application processor waits for its SIPI. */
  init(core: number): void {
    const { memory, tlb } = this.ports;
    resetCore(memory, core, 'init', core === 0 ? RunState.Running : RunState.WaitSipi);
    tlb.flushAll(core);
  }

  startup(core: number, page: number): void {
    const { memory, clock, events } = this.ports;
    if (memory.r[core]![R.RUN_STATE] !== RunState.WaitSipi) return;
    startCore(memory, core, page);
    this.advanceTo(core, clock.now());
    events.sink?.emit(Ev.CoreStart, core, clock.now(), page << 12, 0, 0, 0);
  }

  /**
   * Whether the core can run now: it is running, or halted with an interrupt that it would take. In hosted mode a
   * halted core is the kernel's idle core, and takes interrupts whatever its IF says.
   */
  canRun(core: number): boolean {
    const r = this.ports.memory.r[core]!;
    const state = r[R.RUN_STATE];
    if (state === RunState.Running) return true;
    return state === RunState.Halted && this.wakes(r);
  }

  /** Moves a core's clock forward to `atCycles`; never back. */
  advanceTo(core: number, atCycles: number): void {
    const f = this.ports.memory.f[core]!;
    f[CoreF.CYCLES] = Math.max(f[CoreF.CYCLES]!, atCycles);
  }

  private wakes(r: Int32Array): boolean {
    const attention = r[R.ATTENTION]!;
    if ((attention & Attention.Nmi) !== 0 && r[R.NMI_BLOCKED] === 0) return true;
    const open = this.ports.trapMode() === 'hosted' || (r[R.EFLAGS]! & Flag.IF) !== 0;
    return open && (attention & Attention.Interrupt) !== 0;
  }

  private passTimeAsleep(core: number): void {
    const r = this.ports.memory.r[core]!;
    if (r[R.RUN_STATE] === RunState.Halted && this.wakes(r)) this.advanceTo(core, this.ports.clock.now());
  }
}
