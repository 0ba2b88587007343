/**
 * The machine: cores, memory, board, engine and time line wired together. It knows no kernel and no memory server: a
 * kernel attaches through HostedKernel and gets what ring 3 traps. Address map: machine.md §1, facts in
 * emu/arch/address-map.ts; how the cores are interleaved: time-line.ts.
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
import type { DmaQuietListener, DmaTarget } from './dev/dma-ports.ts';
import type { IoProtection } from './dev/io-protection.ts';
import type { Lapic } from './dev/lapic.ts';
import type { HostedKernel } from './hosted-kernel.ts';
import { PortSpace } from './io-space.ts';
import { type MachineConfig, type MachineSettings, machineSettings } from './machine-config.ts';
import { Bus, createMemory, Mmu, type SharedMemory, Tlb } from './mem/index.ts';
import { RamPageStore } from './ram-pages.ts';
import { type Schedule, SeededSchedule } from './schedule.ts';
import { loadParts, type MachineParts, saveParts } from './snapshot.ts';
import { isFinal, type StopReason } from './stop-reason.ts';
import { attemptsOf, type SliceState, TimeLine } from './time-line.ts';
import { TimedRegion, timedIo } from './timed-access.ts';

export interface CoreView {
  /** Register block, indices of R. */
  readonly r: Int32Array;
  /** Counters of the same block, indices of CoreF. */
  readonly f: Float64Array;
}

/** Limits of one `run`, each counted from its start. Instructions (begun ones) are exact, cycles overshoot by at most a slice. */
export interface RunLimits {
  readonly maxInstructions?: number;
  readonly maxCycles?: number;
  /** Asked between slices; true ends the run. */
  readonly until?: () => boolean;
}

/** A byte that the guest sent to the serial line (port 0x3F8) or the debug console (port 0xE9). */
export type ConsoleListener = (byte: number, port: number) => void;

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
  private readonly timeLine: TimeLine;
  private readonly parts: MachineParts;
  private kernel: HostedKernel | null = null;
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
    this.clock = new EmulatedClock(
      () => this.timeLine.now(),
      () => this.timeLine.cut(),
    );
    this.context = this.makeContext();
    const trapMode = () => this.context.trapMode;
    this.pins = new CorePins({ memory, tlb: this.tlb, clock: this.clock, events, trapMode });
    this.board = this.makeBoard();
    this.engine = settings.engine(this.context);
    this.bus.addRom(ROM_BASE + ROM_SIZE - settings.rom.length, settings.rom);
    for (const region of this.board.mmioRegions) {
      this.bus.addMmio(new TimedRegion(region, (core) => this.timeLine.afterDeviceAccess(core)));
    }
    for (const range of this.board.portRanges) this.io.add(range);
    const pages = new RamPageStore(memory.ram);
    const schedule = settings.schedule ?? new SeededSchedule(settings.seed, settings.quantum);
    const { tlb, board, clock, engine, context } = this;
    this.parts = { memory, tlb, pages, board, clock, engine, schedule, context };
    this.timeLine = this.makeTimeLine(schedule);
    for (const timer of this.board.timers) this.clock.register(timer);
    this.powerOn();
  }

  get lapics(): readonly Lapic[] {
    return this.board.apicBus.lapics;
  }

  /** What devices may do with which frames: the privileged side's table. */
  get ioProtection(): IoProtection {
    return this.board.dma.protection;
  }

  /** The ranges that devices will touch: programmed channels, transfers under way. Frames in none are quiet. */
  dmaActivity(): DmaTarget[] {
    return this.board.dma.activity();
  }

  /** Whether a device will touch one of `count` base frames from `frame` on. */
  isDmaTarget(frame: number, count: number): boolean {
    return this.board.dma.isTarget(frame, count);
  }

  /** Whether a device will touch one of these frames, and the protection unit does not hold it back. */
  isDmaReachable(frame: number, count: number): boolean {
    return this.board.dma.isReachable(frame, count);
  }

  /** Tells one listener (null for none) that a channel has stopped aiming at its memory, or is aimed elsewhere. */
  set onDmaQuiet(listener: DmaQuietListener | null) {
    this.board.dma.onQuiet = listener;
  }

  /** Instructions of all cores since power-on. */
  get instructions(): number {
    return this.cores.reduce((sum, core) => sum + core.f[CoreF.INSTRUCTIONS]!, 0);
  }

  /** Instructions that all cores have begun: completed ones and those that raised an exception instead. Limits count these. */
  get attempts(): number {
    return this.cores.reduce((sum, core) => sum + attemptsOf(core.f), 0);
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
      left -= this.timeLine.lastStepAttempts;
    }
    return (this.lastStop = { kind: 'budget' });
  }

  /** Ends the current `run` after the current instruction. For breakpoints and the host; may be called at any time. */
  stop(): void {
    this.stopRequested = true;
    this.timeLine.pause();
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
    const loop: PlainData = { slice: { ...this.timeLine.save() }, final: this.final as PlainData };
    return { ...saveParts(this.parts), loop };
  }

  /** Restores a snapshot of a machine of the same shape. Throws RangeError when it is of another one. */
  load(data: PlainData): void {
    loadParts(this.parts, data);
    const { loop } = data as unknown as { loop: LoopState };
    this.timeLine.load(loop.slice);
    this.final = loop.final;
    this.handOverPending = this.stopRequested = false;
  }

  private makeContext(): EngineContext {
    const { memory, bus, tlb, mmu, events } = this;
    const io = timedIo(this.io, (core) => this.timeLine.afterDeviceAccess(core));
    const interrupts = { acknowledge: (core: number) => this.board.apicBus.acknowledge(core) };
    return { memory, bus, tlb, mmu, io, interrupts, events, costs: this.settings.costs, trapMode: 'bare' };
  }

  private makeBoard(): Board {
    const { costs } = this.settings;
    return new Board(this.settings, {
      clock: this.clock,
      events: this.events,
      dmaMemory: this.bus.dma,
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
      serialByte: (byte) => this.consoleByte(this.timeLine.current, byte, PORT_COM1),
    });
  }

  private makeTimeLine(schedule: Schedule): TimeLine {
    const { clock, pins, engine, memory } = this;
    return new TimeLine({
      r: memory.r,
      f: memory.f,
      clock,
      pins,
      schedule,
      engine,
      instructionCycles: this.settings.costs.instruction,
      trapMode: () => this.context.trapMode,
      sliceEnded: (core, exit) => this.sliceEnded(core, exit),
      wokenByInterrupt: (core) => this.deliverToKernel(core),
    });
  }

  private powerOn(): void {
    for (let core = 0; core < this.cores.length; core++) {
      resetCore(this.memory, core, 'power-on', core === 0 ? RunState.Running : RunState.WaitSipi);
      this.tlb.flushAll(core);
    }
  }

  private stepAtMost(maxInstructions: number): boolean {
    if (this.final === null && this.timeLine.step(maxInstructions) && this.final === null) return true;
    this.lastStop = this.final ?? { kind: 'idle' };
    return false;
  }

  private sliceEnded(core: number, exit: Exit): void {
    if (this.handOverPending) this.handOver(core);
    else if (exit === Exit.Trap) {
      const { r } = this.cores[core]!;
      this.kernel?.trap(core, r[R.EXIT_VECTOR]!, r[R.FAULT_ERROR]!);
    } else if (exit === Exit.Interrupt) this.deliverToKernel(core);
    else if (exit === Exit.Shutdown) this.shutDown(core);
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
    this.events.sink?.emit(Ev.HandOver, core, this.clock.now(), 0, 0, 0, 0);
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

  private end(reason: StopReason): void {
    if (this.final === null && isFinal(reason)) this.final = reason;
    this.timeLine.cut();
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
    if (this.kernel === null || this.context.trapMode === 'hosted') return;
    this.handOverPending = true;
    this.timeLine.cut();
  }
}

interface LoopState {
  readonly slice: SliceState;
  readonly final: StopReason | null;
}
