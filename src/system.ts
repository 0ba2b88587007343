/**
 * A whole system: machine, kernel and physmem, composed from plain configuration. The one door for the command line,
 * the page, tests and library. It boots by running the firmware; physmem exists from the hand-over on.
 */

import { DMA_ZONE_END } from '../emu/arch/address-map.ts';
import type { BootInfo } from '../emu/arch/boot-info.ts';
import type { CostModel } from '../emu/arch/cost.ts';
import { DEFAULT_COSTS } from '../emu/arch/cost.ts';
import type { IoProtectionMode } from '../emu/arch/dma.ts';
import type { PlainData } from '../emu/arch/ports.ts';
import { Machine, type RunLimits } from '../emu/machine.ts';
import type { MachineConfig } from '../emu/machine-config.ts';
import { CodecError, decode, encode } from '../emu/plain-data-codec.ts';
import type { StopReason as MachineStop } from '../emu/stop-reason.ts';
import { firmwareRom } from '../firmware/image.ts';
import { SLOT_BOOT_CONTAINER, SLOT_ROOT_CONTROL } from './abi/message.ts';
import { readBootInfo } from './boot-info-reader.ts';
import { type KernelConfig, type KernelFaults, NO_FAULTS } from './kernel/config.ts';
import { Kernel } from './kernel/kernel.ts';
import type { MemoryPlan } from './kernel/memory-plan.ts';
import { bindMachine } from './machine-binding.ts';
import { TraceRing } from './observe/trace.ts';
import type { Policy } from './physmem/compact/policy.ts';
import type { PhysmemFaults } from './physmem/faults.ts';
import { Physmem } from './physmem/physmem.ts';
import type { PhysmemBoot } from './physmem/port.ts';
import type { PhysmemOptions } from './physmem/store.ts';
import { loadRootTask, type RootProgram, rootProgramError } from './root-task.ts';
import { HostError } from './scenario/host-error.ts';
import { speculative } from './speculation.ts';

export interface SystemConfig {
  readonly root: RootProgram;
  /** A driver may take interrupt lines and I/O ports, and is told physical addresses. */
  readonly rootKind?: 'plain' | 'driver';
  readonly modules?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly cores?: number;
  readonly ramBytes?: number;
  readonly seed?: number;
  /** Mean length of a core's turn in the interleaving. */
  readonly quantumInstructions?: number;
  /** Longest time that a thread keeps its core while others are ready. */
  readonly timeSliceCycles?: number;
  readonly tlb?: NonNullable<MachineConfig['tlb']>;
  readonly costs?: Partial<CostModel>;
  /** Cores cache translations again unasked, as soon as the page tables allow it (src/speculation.ts). */
  readonly speculation?: 'on' | 'off';
  /** A disk on the 8237, one that is a bus master, and page protection for both (docs/dma.md). */
  readonly dmaDisk?: MachineConfig['dmaDisk'];
  readonly busMaster?: MachineConfig['busMaster'];
  /** Default: `report` when the root task is a driver, as then somebody can program a device. */
  readonly ioProtection?: IoProtectionMode;
  readonly faults?: Partial<KernelFaults & PhysmemFaults>;
  /** When and how memory is moved to make large blocks; never, when left out (docs/moving.md). */
  readonly policy?: Policy;
  /** Free frames carry a pattern that is checked when they are handed out (I11). */
  readonly poison?: 'on' | 'off';
  /** How cores learn that translations must go; by default `interrupt` (src/kernel/config.ts). */
  readonly shootdownBy?: KernelConfig['shootdownBy'];
  /** Read-only translations may be left in TLBs after a deallocation, while that is safe (physmem.md §6.6). */
  readonly deferredUnmap?: 'on' | 'off';
  /** Newest events that are kept. */
  readonly traceCapacity?: number;
  readonly engine?: MachineConfig['engine'];
  readonly schedule?: MachineConfig['schedule'];
}

export type StopReason =
  | Exclude<MachineStop, { readonly kind: 'exit-port' }>
  /** The root task ended, or the firmware wrote the exit port. */
  | { readonly kind: 'exit'; readonly status: number };

/** Where a console byte came from: the firmware's serial line, the debug port, or a guest's console_write. */
export type ConsoleSource = 'serial' | 'debug' | 'guest';

const PORT_DEBUG = 0xe9;
const PAGE_BYTES = 4096;
/** The kernel's first task. */
const ROOT_TASK = 1;
const SNAPSHOT_FORMAT = 1;

export class System {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly trace: TraceRing;
  /** Gets what guests and firmware print, in order. */
  onConsole: ((bytes: Uint8Array, source: ConsoleSource) => void) | null = null;
  private server: Physmem | null = null;
  private readonly config: SystemConfig;

  /** Builds the system at power-on. @throws HostError when the root program or the configuration is impossible */
  constructor(config: SystemConfig) {
    const error = rootProgramError(config.root);
    if (error !== null) throw new HostError(error);
    this.config = config;
    this.machine = new Machine(machineConfig(config));
    this.trace = new TraceRing(config.traceCapacity);
    this.machine.events.sink = this.trace;
    this.machine.console = (byte, port) =>
      this.onConsole?.(Uint8Array.of(byte), port === PORT_DEBUG ? 'debug' : 'serial');
    const port = bindMachine(this.machine, (bytes) => this.onConsole?.(bytes, 'guest'));
    this.kernel = new Kernel(
      config.speculation === 'on' ? speculative(port, this.machine) : port,
      kernelConfig(config),
    );
    this.machine.onDmaQuiet = () => this.kernel.deviceQuiet();
    this.machine.attach({
      handOver: () => this.boot(),
      trap: (core, vector, errorCode) => this.kernel.trap(core, vector, errorCode),
      interrupt: (core, vector) => this.kernel.interrupt(core, vector),
    });
  }

  /** The memory server; null until the firmware has handed over. */
  get physmem(): Physmem | null {
    return this.server;
  }

  get instructions(): number {
    return this.machine.instructions;
  }

  /** Time of the core that is furthest ahead. */
  get cycles(): number {
    return this.machine.cycles;
  }

  /** Runs until something ends it; where a caller pauses never changes what happens. */
  run(limits: RunLimits = {}): StopReason {
    return stopReason(this.machine.run(limits));
  }

  /** Runs one slice of one core; false when the system cannot go on. */
  step(): boolean {
    return this.machine.step();
  }

  private get physmemOptions(): PhysmemOptions {
    const { faults = {}, policy, deferredUnmap: mode = 'off' } = this.config;
    return { faults, deferral: { mode }, ...(policy !== undefined && { policy }) };
  }

  /** Whether a snapshot can be taken now: no server operation and no shootdown is in flight. */
  get isQuiescent(): boolean {
    return this.server === null || this.kernel.isQuiescent();
  }

  /** Goes on to the next moment at which a snapshot can be taken; false when the run ended before one came. */
  runUntilQuiescent(): boolean {
    while (!this.isQuiescent) if (!this.step()) return this.isQuiescent;
    return true;
  }

  /** The whole state as plain data; RAM pages are shared with earlier snapshots of this system. @throws when not quiescent */
  snapshot(): PlainData {
    if (!this.isQuiescent) throw new Error('a snapshot was asked for while a server operation is in flight');
    return {
      format: SNAPSHOT_FORMAT,
      machine: this.machine.save(),
      kernel: this.kernel.save(),
      physmem: this.server === null ? null : this.server.save(),
      trace: this.trace.save(),
    };
  }

  /** Goes to the moment of a snapshot of a system with the same configuration. */
  restore(data: PlainData): void {
    const state = data as unknown as SystemState;
    if (state?.format !== SNAPSHOT_FORMAT) {
      throw new HostError(`the snapshot has format ${state?.format}, this program reads ${SNAPSHOT_FORMAT}`);
    }
    this.machine.load(state.machine);
    this.kernel.load(state.kernel);
    this.server = null;
    if (state.physmem !== null) {
      const { boot } = this.bootPlan();
      this.server = new Physmem(this.kernel.port, boot, this.physmemOptions);
      this.server.load(state.physmem);
      this.kernel.attachServer(this.server);
      // A server that begins fills free memory with its pattern; what was restored comes back.
      if (boot.poison === 'on') this.machine.load(state.machine);
    }
    this.trace.load(state.trace);
  }

  /** A snapshot as bytes of a file. */
  save(): Uint8Array {
    return encode(this.snapshot());
  }

  /** A new system at the moment of `bytes`, which `save` of a system with the same configuration made. @throws HostError for damaged bytes */
  static restore(config: SystemConfig, bytes: Uint8Array): System {
    const system = new System(config);
    try {
      system.restore(decode(bytes));
    } catch (error) {
      if (error instanceof CodecError || error instanceof RangeError) throw new HostError(error.message);
      throw error;
    }
    return system;
  }

  /** The firmware handed over: memory goes to physmem, the root task gets its image, its first thread starts. */
  private boot(): void {
    const { info, plan, boot } = this.bootPlan();
    this.kernel.start(plan);
    const rootTask = this.kernel.createRootTask(this.config.rootKind ?? 'plain');
    const server = new Physmem(this.kernel.port, boot, this.physmemOptions);
    this.server = server;
    this.kernel.attachServer(server);
    this.kernel.installCapability(rootTask, SLOT_ROOT_CONTROL, server.rootControl);
    this.kernel.installCapability(rootTask, SLOT_BOOT_CONTAINER, server.bootContainer);
    server.bootRootSpace();
    const start = loadRootTask(this.config.root, info.coreCount, server, (pa, bytes) =>
      this.machine.bus.writeBytes(pa, bytes),
    );
    this.kernel.startRootThread(start.eip, start.esp);
    this.kernel.handOver();
  }

  /** What the firmware found, and whose each base frame is. */
  private bootPlan(): BootPlan {
    const info = readBootInfo((pa, into) => this.machine.bus.readBytes(pa, into));
    const plan = this.kernel.planMemory(info, this.config.rootKind === 'driver' ? 'some' : 'none');
    if (typeof plan === 'string') throw new HostError(plan);
    const boot: PhysmemBoot = {
      memory: plan.ranges,
      modules: info.modules.map(({ name, start, end }) => ({
        name,
        frame: start / PAGE_BYTES,
        count: Math.ceil((end - start) / PAGE_BYTES),
      })),
      dmaZoneEnd: DMA_ZONE_END / PAGE_BYTES,
      rootTask: ROOT_TASK,
      poison: this.config.poison ?? 'off',
    };
    return { info, plan, boot };
  }
}

interface BootPlan {
  readonly info: BootInfo;
  readonly plan: MemoryPlan;
  readonly boot: PhysmemBoot;
}

interface SystemState {
  readonly format: number;
  readonly machine: PlainData;
  readonly kernel: PlainData;
  readonly physmem: PlainData;
  readonly trace: PlainData;
}

function machineConfig(config: SystemConfig): MachineConfig {
  return {
    rom: firmwareRom(),
    cores: config.cores ?? 2,
    ramBytes: config.ramBytes ?? 32 << 20,
    seed: config.seed ?? 1,
    costs: { ...DEFAULT_COSTS, ...config.costs },
    modules: config.modules ?? [],
    dmaDisk: config.dmaDisk ?? null,
    busMaster: config.busMaster ?? null,
    ioProtection: config.ioProtection ?? (config.rootKind === 'driver' ? 'report' : 'off'),
    ...(config.quantumInstructions === undefined ? {} : { quantum: config.quantumInstructions }),
    ...(config.tlb === undefined ? {} : { tlb: config.tlb }),
    ...(config.engine === undefined ? {} : { engine: config.engine }),
    ...(config.schedule === undefined ? {} : { schedule: config.schedule }),
  };
}

function kernelConfig(config: SystemConfig): Partial<KernelConfig> {
  return {
    faults: { ...NO_FAULTS, ...config.faults },
    ...(config.timeSliceCycles === undefined ? {} : { quantumCycles: config.timeSliceCycles }),
    ...(config.shootdownBy === undefined ? {} : { shootdownBy: config.shootdownBy }),
  };
}

const stopReason = (stop: MachineStop): StopReason =>
  stop.kind === 'exit-port' ? { kind: 'exit', status: stop.status } : stop;
