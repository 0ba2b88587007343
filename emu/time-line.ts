/**
 * The interleaving of the cores on one emulated time line (machine.md §4). One step: timers whose time has come
 * fire; the schedule picks a core, normally the one that is furthest behind; the engine runs it for a slice that
 * ends at the quantum or at the next timer, whichever is first. A slice that the caller's budget or a breakpoint cuts
 * short is continued by the next step, so that where a caller pauses never changes what happens.
 */
import { Attention, CoreF, R, RunState } from './arch/core-layout.ts';
import { type Engine, Exit, type TrapMode } from './arch/engine.ts';
import type { EmulatedClock } from './clock.ts';
import type { CorePins } from './core-signals.ts';
import type { Schedule } from './schedule.ts';

export interface TimeLinePorts {
  /** Register blocks of all cores and the Float64 views of the same. */
  readonly r: readonly Int32Array[];
  readonly f: readonly Float64Array[];
  readonly clock: EmulatedClock;
  readonly pins: CorePins;
  readonly schedule: Schedule;
  readonly engine: Engine;
  /** Cycles of an instruction without extras. */
  readonly instructionCycles: number;
  trapMode(): TrapMode;
  /** The engine left a slice. The core is still the current one. */
  sliceEnded(core: number, exit: Exit): void;
  /** In hosted mode a halted core has an interrupt: no instruction of it runs. */
  wokenByInterrupt(core: number): void;
}

/** State of a slice that was cut, for a snapshot. */
export interface SliceState {
  readonly core: number;
  readonly left: number;
}

const NO_CORE = -1;
/** Timers that fire one after the other while every core sleeps on, before the machine counts as idle. */
const IDLE_EVENTS_MAX = 10_000;

/** Instructions that were begun: a guest whose every instruction faults completes none, but its slices end. */
export const attemptsOf = (f: Float64Array): number => f[CoreF.INSTRUCTIONS]! + f[CoreF.FAULTED]!;

export class TimeLine {
  private readonly ports: TimeLinePorts;
  private readonly times: Float64Array;
  /** Core whose slice is in progress or was cut short, and the instructions that are left of it. */
  private core = NO_CORE;
  private left = 0;
  private used = 0;
  /** Core that the engine is running right now. */
  private running = NO_CORE;
  /** A device wants the slice to end: a deadline came up that it was not sized for, or a port was written. */
  private isCut = false;

  constructor(ports: TimeLinePorts) {
    this.ports = ports;
    this.times = new Float64Array(ports.r.length);
  }

  /** The core that is running, -1 between slices. */
  get current(): number {
    return this.running;
  }

  /** Instructions that the last step began. */
  get lastStepAttempts(): number {
    return this.used;
  }

  /** Local time of the running core. */
  now(): number {
    return this.running === NO_CORE ? 0 : this.timeOf(this.running);
  }

  /** Runs one slice, or the rest of one. False when no core can run and no timer can wake one. */
  step(maxInstructions: number): boolean {
    this.used = 0;
    if (this.left === 0 && !this.beginSlice()) return false;
    this.runSlice(maxInstructions);
    return true;
  }

  /** Ends the slice in progress, if any, after the current instruction. */
  cut(): void {
    if (this.running === NO_CORE) return;
    this.isCut = true;
    this.pause();
  }

  /** Ends the step in progress, if any, after the current instruction; the next step continues the slice. */
  pause(): void {
    if (this.running !== NO_CORE) this.ports.r[this.running]![R.ATTENTION]! |= Attention.Stop;
  }

  /** After a device access: ends the slice if it has taken so long that a timer has come due. */
  afterDeviceAccess(core: number): void {
    if (core === NO_CORE || core !== this.running) return;
    if (this.timeOf(core) >= this.ports.clock.nextDeadline()) this.cut();
  }

  save(): SliceState {
    return { core: this.core, left: this.left };
  }

  load(state: SliceState): void {
    this.core = state.core;
    this.left = state.left;
    this.isCut = false;
  }

  private timeOf(core: number): number {
    return this.ports.f[core]![CoreF.CYCLES]!;
  }

  private beginSlice(): boolean {
    if (this.fireDueTimers() === Number.POSITIVE_INFINITY) return false;
    const { schedule, clock, instructionCycles } = this.ports;
    const core = schedule.next(this.times);
    const untilTimer = Math.ceil((clock.nextDeadline() - this.timeOf(core)) / instructionCycles);
    this.core = core;
    this.left = Math.max(1, Math.min(schedule.sliceInstructions(core), untilTimer));
    this.isCut = false;
    return true;
  }

  /**
   * Fires what is due before the core that is furthest behind; when all are halted, until one wakes. Returns the time
   * of the earliest runnable core, Infinity when there is none: a timer that wakes nobody (masked, or IF is 0) may
   * be periodic, so that is given up after some events.
   */
  private fireDueTimers(): number {
    let earliest = this.earliestRunnable();
    for (let inVain = 0; inVain < IDLE_EVENTS_MAX && this.ports.clock.fireNext(earliest); ) {
      earliest = this.earliestRunnable();
      inVain = earliest === Number.POSITIVE_INFINITY ? inVain + 1 : 0;
    }
    return earliest;
  }

  private earliestRunnable(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (let core = 0; core < this.times.length; core++) {
      const time = this.ports.pins.canRun(core) ? this.timeOf(core) : Number.POSITIVE_INFINITY;
      this.times[core] = time;
      if (time < earliest) earliest = time;
    }
    return earliest;
  }

  private runSlice(maxInstructions: number): void {
    const { core } = this;
    this.running = core;
    this.ports.clock.resume();
    if (this.ports.r[core]![R.RUN_STATE] === RunState.Halted && this.ports.trapMode() === 'hosted') {
      this.left = 0;
      this.ports.wokenByInterrupt(core);
    } else this.runEngine(core, Math.min(this.left, maxInstructions));
    const now = this.timeOf(core);
    this.running = NO_CORE;
    this.ports.clock.pause(now);
  }

  private runEngine(core: number, budget: number): void {
    const r = this.ports.r[core]!;
    const f = this.ports.f[core]!;
    r[R.RUN_STATE] = RunState.Running;
    r[R.ATTENTION]! &= ~Attention.Stop;
    const before = attemptsOf(f);
    const exit = this.ports.engine.run(core, budget);
    this.used = attemptsOf(f) - before;
    this.left = Math.max(0, this.left - this.used);
    this.ports.sliceEnded(core, exit);
    // What the host cut (budget, pause) is continued; every other end is an end.
    const isPaused = exit === Exit.Budget || exit === Exit.Stop;
    if (!isPaused || this.isCut) this.left = 0;
  }
}
