/**
 * The microkernel (hosted mode, system.md §1): tasks, threads, address spaces, capabilities, synchronous IPC,
 * faults, time. It knows no memory policy: that is the memory server behind it.
 *
 * Life: `planMemory` says which frames are whose; `start` takes the cores over; `attachServer`; `createRootTask`,
 * `startRootThread`; `handOver` lets the first thread run. From then on the machine calls `trap` and `interrupt`.
 */
import type { BootInfo } from '../../emu/arch/boot-info.ts';
import type { PlainData } from '../../emu/arch/ports.ts';
import { KernelEv } from '../abi/events.ts';
import type { CapRef } from '../abi/server.ts';
import { assert } from './bug.ts';
import { insertAt, slotFromRef } from './capability.ts';
import { checkKernel } from './check.ts';
import { DEFAULT_KERNEL_CONFIG, type KernelConfig, type KernelFaults, NO_FAULTS } from './config.ts';
import { forgetFlight, type KernelContext, newContext, taskOf } from './context.ts';
import type { KernelCounters } from './counters.ts';
import * as inspect from './inspect.ts';
import type { MachinePort } from './machine-port.ts';
import { type MemoryPlan, planMemory } from './memory-plan.ts';
import type { MemoryServer } from './memory-server.ts';
import { isAtRest } from './operation.ts';
import { clonePlain } from './plain.ts';
import { ServerPort } from './port.ts';
import { deviceQuiet } from './server-tick.ts';
import type { KernelState } from './state.ts';
import { takeOver } from './take-over.ts';
import { createTask, createThread } from './task.ts';
import { enter, interrupt, leave, trap } from './trap.ts';

const ROOT_PRIORITY = 3;

export class Kernel {
  /** What the memory server gets (the shape of its KernelPort). */
  readonly port: ServerPort;
  private readonly k: KernelContext;

  constructor(machine: MachinePort, config: Partial<KernelConfig> = {}) {
    this.k = newContext(machine, { ...DEFAULT_KERNEL_CONFIG, ...config });
    this.port = new ServerPort(this.k);
  }

  attachServer(server: MemoryServer): void {
    this.k.server = server;
  }

  /** The memory map for the memory server and the kernel's own frames, or one sentence that says what is wrong. */
  planMemory(info: BootInfo, drivers: 'none' | 'some' = 'none'): MemoryPlan | string {
    return planMemory(info, drivers);
  }

  /** Builds the kernel's tables and takes all cores over; they are idle afterwards. */
  start(plan: MemoryPlan): void {
    takeOver(this.k, plan);
    const frames = plan.ranges.reduce((sum, range) => sum + (range.use === 'hole' ? 0 : range.count), 0);
    this.k.machine.emit(KernelEv.Boot, 0, this.k.state.cores.length, frames, 0, 0);
  }

  /** Creates the root task (number 1); the server then sponsors it. Its end ends the run. */
  createRootTask(kind: 'plain' | 'driver' = 'plain'): number {
    assert(this.k.state.rootTask === 0, 'there is a root task already');
    const task = createTask(this.k, 0);
    task.driver = kind === 'driver' ? 1 : 0;
    this.k.state.rootTask = task.number;
    return task.number;
  }

  /** Puts a capability of the memory server into a slot of a task at boot (SLOT_ROOT_CONTROL ...). */
  installCapability(task: number, index: number, cap: CapRef): number {
    return insertAt(taskOf(this.k, task).caps, index, slotFromRef(cap));
  }

  /** First thread of the root task, on core 0, without pager. Returns its number. */
  startRootThread(eip: number, esp: number): number {
    const task = taskOf(this.k, this.k.state.rootTask);
    assert(task.directory !== 0, 'the root task is not sponsored');
    return createThread(this.k, task, {
      eip,
      esp,
      pager: 0,
      pagerBadge: 0,
      core: 0,
      priority: ROOT_PRIORITY,
    }).number;
  }

  /** The firmware has handed over on `core`: what is ready there runs when this returns. */
  handOver(core = 0): void {
    leave(this.k, enter(this.k, core));
  }

  /** A trap of ring-3 code. EIP is the faulting instruction for faults, the next one for INT n. */
  trap(core: number, vector: number, errorCode: number): void {
    trap(this.k, core, vector, errorCode);
  }

  /** An external interrupt, acknowledged at the local APIC of `core`; the kernel gives the EOI. */
  interrupt(core: number, vector: number): void {
    interrupt(this.k, core, vector);
  }

  /** A device has stopped aiming at memory, or aims elsewhere from now on. May be called at any moment. */
  deviceQuiet(): void {
    deviceQuiet(this.k);
  }

  /** Whether a snapshot can be taken: no operation in flight, no shootdown without all its answers. */
  isQuiescent(): boolean {
    return isAtRest(this.k);
  }

  /** All state as plain data that shares nothing with the kernel. Only while quiescent. */
  save(): PlainData {
    assert(this.isQuiescent(), 'snapshot while an operation is in flight');
    return clonePlain(this.k.state as unknown as PlainData);
  }

  /** Takes over what `save` gave; the machine's own state (RAM, registers) is restored by the machine. */
  load(state: PlainData): void {
    this.k.state = clonePlain(state) as unknown as KernelState;
    forgetFlight(this.k);
  }

  /** Switches faults on and off from now on; those that are not given are off. */
  setFaults(faults: Partial<KernelFaults>): void {
    this.k.config = { ...this.k.config, faults: { ...NO_FAULTS, ...faults } };
  }

  /** Every broken rule of the kernel's own state (check.ts); empty when all is well. For tests and debug runs. */
  check(): string[] {
    return checkKernel(this.k);
  }

  /** Operations of the memory server that have begun and not ended. */
  get operationsInFlight(): number {
    return this.k.operations.size;
  }

  get counters(): Readonly<KernelCounters> {
    return this.k.state.counters;
  }

  /** Exit status of the root task; -1 while it lives. */
  get exitStatus(): number {
    return this.k.state.exitStatus;
  }

  describeTasks(): inspect.TaskInfo[] {
    return inspect.describeTasks(this.k);
  }

  describeThreads(): inspect.ThreadInfo[] {
    return inspect.describeThreads(this.k);
  }

  describeCores(): inspect.CoreInfo[] {
    return inspect.describeCores(this.k);
  }

  /** Shootdowns without all their answers. */
  describeShootdowns(): inspect.ShootdownInfo[] {
    return inspect.describeShootdowns(this.k);
  }

  describeSpace(task: number): inspect.SpaceRun[] {
    return inspect.describeSpace(this.k, task);
  }

  capTable(task: number): inspect.SlotInfo[] {
    return inspect.describeCaps(this.k, task);
  }
}
