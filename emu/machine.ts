/**
 * The machine: cores, memory, board and engine wired together, and the loop that interleaves the cores on one
 * emulated time line (machine.md §4). It knows no kernel and no memory server: a kernel attaches through
 * HostedKernel and gets what rings 3 traps. Address map: machine.md §1, facts in emu/arch/address-map.ts.
 *
 * One step: timers whose time has come fire; the schedule picks the core that is furthest behind; the engine runs
 * it for a slice that ends at the quantum or at the next timer, whichever is first. A slice that the caller's
 * budget cuts short is continued by the next step, so that where a caller pauses never changes what happens.
 */
import { PORT_COM1, PORT_DEBUG_CONSOLE, ROM_BASE, ROM_SIZE } from './arch/address-map.ts';
import { Attention, CoreF, R, RunState } from './arch/core-layout.ts';
import { type Engine, Exit } from './arch/engine.ts';
import { Ev } from './arch/events.ts';
import type { EventPort, PlainData } from './arch/ports.ts';
import { VEC_NMI } from './arch/vectors.ts';
import { Board } from './board.ts';
import { EmulatedClock } from './clock.ts';
import { CorePins } from './core-signals.ts';
import { type EngineContext, resetCore } from './cpu/index.ts';
import type { Lapic } from './dev/lapic.ts';
import type { HostedKernel } from './hosted-kernel.ts';
import { PortSpace } from './io-space.ts';
import { type MachineConfig, type MachineSettings, machineSettings } from './machine-config.ts';
import { Bus, createMemory, Mmu, type SharedMemory, Tlb } from './mem/index.ts';
import { RamPageStore } from './ram-pages.ts';
import { type Schedule, SeededSchedule } from './schedule.ts';
import { loadParts, type MachineParts, saveParts } from './snapshot.ts';
import { isFinal, type StopReason } from './stop-reason.ts';
import { TimedRegion, timedIo } from './timed-access.ts';

export interface CoreView {
  /** Register block, indices of R. */
  readonly r: Int32Array;
  /** Counters of the same block, indices of CoreF. */
  readonly f: Float64Array;
}

/** Limits of one `run`, each counted from its start. Instructions are exact, cycles overshoot by at most a slice. */
export interface RunLimits {
  readonly maxInstructions?: number;
  readonly maxCycles?: number;
  /** Asked between slices; true ends the run. */
  readonly until?: () => boolean;
}

/** A byte that the guest sent to the serial line (port 0x3F8) or the debug console (port 0xE9). */
export type ConsoleListener = (byte: number, port: number) => void;

const NO_CORE = -1;

export class Machine {
  readonly settings: MachineSettings;
  readonly memory: SharedMemory;
  readonly events: EventPort = { sink: null };
  readonly cores: readonly CoreView[];
  readonly bus: Bus;
  readonly tlb: Tlb;
  readonly mmu: Mmu;
  readonly io = new PortSpace();
  readonly clock: EmulatedClock;
  readonly board: Board;
  readonly engine: Engine;
  console: ConsoleListener | null = null;
  private readonly context: EngineContext;
  private readonly pins: CorePins;
  private readonly schedule: Schedule;
  private readonly parts: MachineParts;
  private readonly times: Float64Array;
  private kernel: HostedKernel | null = null;
  /** Core whose slice is in progress or was cut short, and the instructions that are left of it. */
  private sliceCore = NO_CORE;
  private sliceLeft = 0;
  /** Instructions of the last step. */
  private sliceUsed = 0;
  /** Core that the engine is running right now. */
  private running = NO_CORE;
  /** A device wants the slice to end: a deadline came up that it was not sized for, or a port was written. */
  private endSlice = false;
  private handOverPending = false;
  private stopRequested = false;
  private final: StopReason | null = null;
  private lastStop: StopReason = { kind: 'idle' };

  /** Builds and resets a machine. Throws RangeError when the configuration describes none. */
  constructor(config: MachineConfig) {
    const settings = machineSettings(config);
    this.settings = settings;
    this.memory = createMemory({
      ramBytes: settings.ramBytes,
      coreCount: settings.cores,
      tlb: settings.tlb,
      provider: settings.memory,
    });
    const { memory, events } = this;
    this.cores = memory.r.map((r, i) => ({ r, f: memory.f[i]! }));
    this.bus = new Bus(memory, events);
    this.tlb = new Tlb(memory, this.bus, events);
    this.mmu = new Mmu(memory, this.bus, this.tlb, settings.costs, events);
    this.schedule = settings.schedule ?? new SeededSchedule(settings.seed, settings.quantum);
    this.times = new Float64Array(settings.cores);
    this.clock = new EmulatedClock(
      () => this.timeOf(this.running),
      () => this.cutSlice(),
    );
    this.context = this.makeContext();
    const trapMode = () => this.context.trapMode;
    this.pins = new CorePins({ memory, tlb: this.tlb, clock: this.clock, events, trapMode });
    this.board = this.makeBoard();
    this.engine = settings.engine(this.context);
    this.bus.addRom(ROM_BASE + ROM_SIZE - settings.rom.length, settings.rom);
    for (const region of this.board.mmioRegions) {
      this.bus.addMmio(new TimedRegion(region, (core) => this.afterDeviceAccess(core)));
    }
    for (const range of this.board.portRanges) this.io.add(range);
    const pages = new RamPageStore(memory.ram);
    const { tlb, board, clock, engine, schedule, context } = this;
    this.parts = { memory, tlb, pages, board, clock, engine, schedule, context };
    for (const timer of this.board.timers) this.clock.register(timer);
    this.powerOn();
  }

  get lapics(): readonly Lapic[] {
    return this.board.apicBus.lapics;
  }

  /** Instructions of all cores since power-on. */
  get instructions(): number {
    return this.cores.reduce((sum, core) => sum + core.f[CoreF.INSTRUCTIONS]!, 0);
  }

  /** Time of the core that is furthest ahead. */
  get cycles(): number {
    return this.cores.reduce((most, core) => Math.max(most, core.f[CoreF.CYCLES]!), 0);
  }

  /** Why the last `step` or `run` ended. */
  get stopReason(): StopReason {
    return this.lastStop;
  }

  /** Attaches the kernel to which the firmware's hand-over and, from then on, all traps of ring 3 go. */
  attach(kernel: HostedKernel | null): void {
    this.kernel = kernel;
  }

  /** Runs one slice. False when the machine cannot go on: see `stopReason`. */
  step(): boolean {
    return this.stepAtMost(Number.POSITIVE_INFINITY);
  }

  /** Runs until something ends it. Pausing never changes what the machine does. */
  run(limits: RunLimits = {}): StopReason {
    this.stopRequested = false;
    const endCycles = this.cycles + (limits.maxCycles ?? Number.POSITIVE_INFINITY);
    let left = limits.maxInstructions ?? Number.POSITIVE_INFINITY;
    while (left > 0 && this.cycles < endCycles) {
      if (limits.until?.()) break;
      if (!this.stepAtMost(left)) return this.lastStop;
      if (this.stopRequested) return (this.lastStop = { kind: 'stopped' });
      left -= this.sliceUsed;
    }
    return (this.lastStop = { kind: 'budget' });
  }

  /** Ends the current `run` after the current instruction. For breakpoints and the host; may be called at any time. */
  stop(): void {
    this.stopRequested = true;
    if (this.running !== NO_CORE) this.cores[this.running]!.r[R.ATTENTION]! |= Attention.Stop;
  }

  /** Ends the run for good, as a write of the exit port does; `status` is the run's status itself. */
  exit(core: number, status: number): void {
    this.end({ kind: 'exit-port', core, status });
  }

  /** Sends a fixed interrupt through the local APIC of `from`; it arrives after the cost model's latency. */
  sendIpi(from: number, to: number, vector: number): void {
    this.board.apicBus.sendFixed(from, to, vector);
  }

  /** Arms the local APIC timer of `core`, one-shot, for an absolute time of its clock; replaces what was armed. */
  armCoreTimer(core: number, deadlineCycles: number, vector: number): void {
    this.lapics[core]!.armTimer(deadlineCycles, vector);
  }

  disarmCoreTimer(core: number): void {
    this.lapics[core]!.timer.start(0);
  }

  /** Ends the service of the highest vector in service on `core`. */
  eoi(core: number): void {
    this.lapics[core]!.endOfInterrupt();
  }

  /** Makes a halted core run from now on; its clock moves to the present. */
  wake(core: number): void {
    this.cores[core]!.r[R.RUN_STATE] = RunState.Running;
    this.pins.advanceTo(core, this.clock.now());
  }

  /** The whole state as plain data; RAM pages are shared with earlier snapshots. Only between steps. */
  save(): PlainData {
    const { sliceCore, sliceLeft, final } = this;
    return { ...saveParts(this.parts), loop: { sliceCore, sliceLeft, final: final as PlainData } };
  }

  /** Restores a snapshot of a machine of the same shape. Throws RangeError when it is of another one. */
  load(data: PlainData): void {
    loadParts(this.parts, data);
    const { loop } = data as unknown as { loop: LoopState };
    this.sliceCore = loop.sliceCore;
    this.sliceLeft = loop.sliceLeft;
    this.final = loop.final;
    this.endSlice = this.handOverPending = this.stopRequested = false;
  }

  private timeOf(core: number): number {
    return core === NO_CORE ? 0 : this.cores[core]!.f[CoreF.CYCLES]!;
  }

  private makeContext(): EngineContext {
    const { memory, bus, tlb, mmu, events } = this;
    const io = timedIo(this.io, (core) => this.afterDeviceAccess(core));
    const interrupts = { acknowledge: (core: number) => this.board.apicBus.acknowledge(core) };
    return { memory, bus, tlb, mmu, io, interrupts, events, costs: this.settings.costs, trapMode: 'bare' };
  }

  private makeBoard(): Board {
    const { costs } = this.settings;
    return new Board(this.settings, {
      clock: this.clock,
      events: this.events,
      signals: this.pins,
      debug: {
        post: (core, code) => this.events.sink?.emit(Ev.Post, core, this.clock.now(), code, 0, 0, 0),
        consoleByte: (core, byte) => this.consoleByte(core, byte, PORT_DEBUG_CONSOLE),
        exit: (core, value) => this.exitPort(core, value),
        handOver: () => this.requestHandOver(),
      },
      kbcLines: {
        reset: () => this.end({ kind: 'reset' }),
        a20: (gate) => this.mmu.setA20(gate),
      },
      chargeIpiSend: (core) => {
        this.cores[core]!.f[CoreF.CYCLES]! += costs.ipiSend;
      },
      serialByte: (byte) => this.consoleByte(this.running, byte, PORT_COM1),
    });
  }

  private powerOn(): void {
    for (let core = 0; core < this.cores.length; core++) {
      resetCore(this.memory, core, 'power-on', core === 0 ? RunState.Running : RunState.WaitSipi);
      this.tlb.flushAll(core);
    }
  }

  private stepAtMost(maxInstructions: number): boolean {
    if (this.final !== null) {
      this.lastStop = this.final;
      return false;
    }
    if (this.sliceLeft === 0 && !this.beginSlice()) {
      this.lastStop = { kind: 'idle' };
      return false;
    }
    this.runSlice(maxInstructions);
    if (this.final === null) return true;
    this.lastStop = this.final;
    return false;
  }

  /** Fires what is due and picks a core; false when no core can run and no timer is armed. */
  private beginSlice(): boolean {
    let earliest = this.earliestRunnable();
    while (this.clock.fireNext(earliest)) earliest = this.earliestRunnable();
    if (earliest === Number.POSITIVE_INFINITY) return false;
    const core = this.schedule.next(this.times);
    const untilTimer = (this.clock.nextDeadline() - this.timeOf(core)) / this.settings.costs.instruction;
    this.sliceCore = core;
    this.sliceLeft = Math.max(1, Math.min(this.schedule.sliceInstructions(core), Math.ceil(untilTimer)));
    this.endSlice = false;
    return true;
  }

  private earliestRunnable(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (let core = 0; core < this.times.length; core++) {
      const time = this.pins.canRun(core) ? this.timeOf(core) : Number.POSITIVE_INFINITY;
      this.times[core] = time;
      if (time < earliest) earliest = time;
    }
    return earliest;
  }

  private runSlice(maxInstructions: number): void {
    const core = this.sliceCore;
    const { r, f } = this.cores[core]!;
    this.running = core;
    this.clock.resume();
    this.sliceUsed = 0;
    if (r[R.RUN_STATE] === RunState.Halted && this.context.trapMode === 'hosted') {
      this.sliceLeft = 0;
      this.deliverToKernel(core);
    } else {
      r[R.RUN_STATE] = RunState.Running;
      r[R.ATTENTION]! &= ~Attention.Stop;
      const before = f[CoreF.INSTRUCTIONS]!;
      const budget = Math.min(this.sliceLeft, maxInstructions);
      const exit = this.engine.run(core, budget);
      const done = f[CoreF.INSTRUCTIONS]! - before;
      // A guest whose every instruction faults completes none; its slices must end all the same.
      this.sliceUsed = done === 0 && exit === Exit.Budget ? budget : done;
      this.sliceLeft = Math.max(0, this.sliceLeft - this.sliceUsed);
      this.afterSlice(core, exit);
    }
    const now = this.timeOf(core);
    this.running = NO_CORE;
    this.clock.pause(now);
  }

  private afterSlice(core: number, exit: Exit): void {
    if (this.handOverPending) this.handOver(core);
    else if (exit === Exit.Trap) {
      const { r } = this.cores[core]!;
      this.kernel?.trap(core, r[R.EXIT_VECTOR]!, r[R.FAULT_ERROR]!);
    } else if (exit === Exit.Interrupt) this.deliverToKernel(core);
    else if (exit === Exit.Shutdown) this.shutDown(core);
    // A slice that the host cut (budget, stop) is continued; every other end is an end.
    const cutByHost = exit === Exit.Budget || (exit === Exit.Stop && !this.endSlice);
    if (!cutByHost || this.endSlice) this.sliceLeft = 0;
  }

  /** An NMI needs no acknowledgement by the local APIC; everything else does. */
  private deliverToKernel(core: number): void {
    const { r, f } = this.cores[core]!;
    const isNmi = (r[R.ATTENTION]! & Attention.Nmi) !== 0;
    if (isNmi) r[R.ATTENTION]! &= ~Attention.Nmi;
    const vector = isNmi ? VEC_NMI : this.board.apicBus.acknowledge(core);
    if (vector < 0) return;
    f[CoreF.INTERRUPTS]! += 1;
    this.kernel?.interrupt(core, vector);
  }

  private handOver(core: number): void {
    this.handOverPending = false;
    this.context.trapMode = 'hosted';
    this.events.sink?.emit(Ev.HandOver, core, this.timeOf(core), 0, 0, 0, 0);
    this.kernel?.handOver();
  }

  private shutDown(core: number): void {
    const { r } = this.cores[core]!;
    const fault = {
      vector: r[R.FAULT_VECTOR]!,
      errorCode: r[R.FAULT_ERROR]!,
      eip: r[R.FAULT_EIP]! >>> 0,
      cr2: r[R.CR2]! >>> 0,
    };
    this.end({ kind: 'shutdown', core, fault });
  }

  private afterDeviceAccess(core: number): void {
    if (core === this.running && this.timeOf(core) >= this.clock.nextDeadline()) this.cutSlice();
  }

  /** Ends the slice in progress after the current instruction. */
  private cutSlice(): void {
    if (this.running === NO_CORE) return;
    this.endSlice = true;
    this.cores[this.running]!.r[R.ATTENTION]! |= Attention.Stop;
  }

  private end(reason: StopReason): void {
    if (this.final === null && isFinal(reason)) this.final = reason;
    this.cutSlice();
  }

  private consoleByte(core: number, byte: number, port: number): void {
    this.events.sink?.emit(Ev.ConsoleByte, core, this.clock.now(), byte, port, 0, 0);
    this.console?.(byte, port);
  }

  /** Status as QEMU's isa-debug-exit makes it. */
  private exitPort(core: number, value: number): void {
    this.events.sink?.emit(Ev.ExitPort, core, this.clock.now(), value, 0, 0, 0);
    this.exit(core, ((value << 1) | 1) >>> 0);
  }

  private requestHandOver(): void {
    if (this.kernel === null) return;
    this.handOverPending = true;
    this.cutSlice();
  }
}

interface LoopState {
  readonly sliceCore: number;
  readonly sliceLeft: number;
  readonly final: StopReason | null;
}
