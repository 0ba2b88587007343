/** A booted kernel with a programmable memory server, and the few steps of guests that the tests need. */
import { CoreF, R, RunState } from '../../../emu/arch/core-layout.ts';
import {
  AREA_RECEIVED_CAPS,
  AREA_SEND_CAPS,
  AREA_WORDS,
  makeTag,
  Receive,
  SLOT_SELF_TASK,
  SYSCALL_VECTOR,
  TIMEOUT_NEVER,
} from '../../../src/abi/message.ts';
import { CapType } from '../../../src/abi/rights.ts';
import type {
  BootFault,
  CapRef,
  Operation,
  RpcReply,
  RpcRequest,
  ShootdownBatch,
} from '../../../src/abi/server.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import type { KernelConfig } from '../../../src/kernel/config.ts';
import { Kernel } from '../../../src/kernel/kernel.ts';
import type { MemoryServer } from '../../../src/kernel/memory-server.ts';
import { FakeMachine } from './fake-machine.ts';

export const OK_REPLY: RpcReply = { errno: 0, words: [], caps: [] };
export type Answer = (request: RpcRequest) => RpcReply | Operation;

/** A server that does what the test tells it, and writes down what it is told. */
export class FakeServer implements MemoryServer {
  answer: Answer = () => OK_REPLY;
  bootAnswer: (fault: BootFault) => RpcReply | Operation = () => OK_REPLY;
  death: (task: number) => Operation<void> | null = () => null;
  drop: (task: number, cap: CapRef) => Operation<void> | null = () => null;
  readonly requests: RpcRequest[] = [];
  readonly deaths: number[] = [];
  readonly drops: { task: number; cap: CapRef }[] = [];
  readonly late: ShootdownBatch[] = [];
  ticks = 0;
  onTick: () => Operation<void> | null = () => null;

  request(request: RpcRequest): RpcReply | Operation {
    this.requests.push({ ...request, words: [...Array.from(request.words)] });
    return this.answer(request);
  }

  bootFault(fault: BootFault): RpcReply | Operation {
    return this.bootAnswer(fault);
  }

  taskDied(task: number): Operation<void> | null {
    this.deaths.push(task);
    return this.death(task);
  }

  capDropped(task: number, cap: CapRef): Operation<void> | null {
    this.drops.push({ task, cap });
    return this.drop(task, cap);
  }

  tick(): Operation<void> | null {
    this.ticks += 1;
    return this.onTick();
  }

  lateAnswer(batch: ShootdownBatch): Operation<void> | null {
    this.late.push(batch);
    return null;
  }
}

export const CONTROL: CapRef = { type: CapType.CONTROL, object: 7, rights: 0xf };
export const CONTROL_SLOT = 3;

export interface SyscallResult {
  readonly eax: number;
  readonly ebx: number;
  readonly edx: number;
  readonly esi: number;
  readonly edi: number;
}

export class World {
  readonly machine: FakeMachine;
  readonly server = new FakeServer();
  readonly kernel: Kernel;
  readonly root: number;
  readonly rootThread: number;
  private nextFrame = 0x300;

  constructor(cores = 2, config: Partial<KernelConfig> = {}, kind: 'plain' | 'driver' = 'plain') {
    this.machine = new FakeMachine(cores);
    this.kernel = new Kernel(this.machine, config);
    this.kernel.attachServer(this.server);
    const bootInfo = {
      coreCount: cores,
      ramBytes: this.machine.ramBytes,
      firmwareEnd: 0x8000,
      e820: [
        { base: 0, length: 0xa0000, type: 1 },
        { base: 0x100000, length: this.machine.ramBytes - 0x100000, type: 1 },
      ],
      modules: [],
    };
    const plan = this.kernel.planMemory(bootInfo, kind === 'driver' ? 'some' : 'none');
    if (typeof plan === 'string') throw new Error(plan);
    this.kernel.start(plan);
    this.root = this.kernel.createRootTask(kind);
    this.sponsor(this.root);
    this.kernel.installCapability(this.root, CONTROL_SLOT, CONTROL);
    this.rootThread = this.kernel.startRootThread(0x400000, 0x3fcff0);
    this.kernel.handOver();
  }

  frame(): number {
    return this.nextFrame++;
  }

  sponsor(task: number): void {
    this.kernel.port.installSpace(task, this.frame(), this.frame(), this.frame());
  }

  registers(core: number): Int32Array {
    return this.machine.blocks[core]!;
  }

  /** Number of the thread that runs on a core, 0 = idle. */
  running(core: number): number {
    return this.kernel.describeCores()[core]!.thread;
  }

  isHalted(core: number): boolean {
    return this.registers(core)[R.RUN_STATE] === RunState.Halted;
  }

  stateOf(thread: number): string {
    return this.kernel.describeThreads().find((t) => t.thread === thread)?.state ?? 'gone';
  }

  /** The running thread of `core` makes a system call with arguments in EBX ECX EDX ESI EDI EBP. */
  syscall(core: number, number: number, ...args: number[]): SyscallResult {
    const r = this.registers(core);
    const order = [R.EBX, R.ECX, R.EDX, R.ESI, R.EDI, R.EBP];
    r[R.EAX] = number;
    order.forEach((register, i) => {
      r[register] = args[i] ?? 0;
    });
    r[R.EXIT_SOFT] = 1;
    this.kernel.trap(core, SYSCALL_VECTOR, 0);
    return this.results(core);
  }

  /** Result registers of the thread that runs on a core now. */
  results(core: number): SyscallResult {
    const r = this.registers(core);
    return {
      eax: r[R.EAX]!,
      ebx: r[R.EBX]! >>> 0,
      edx: r[R.EDX]! >>> 0,
      esi: r[R.ESI]! >>> 0,
      edi: r[R.EDI]! >>> 0,
    };
  }

  ipc(
    core: number,
    dest: number,
    receive: Receive,
    message: { label?: number; words?: number[]; caps?: [number, number][]; timeout?: number } = {},
  ): SyscallResult {
    const words = message.words ?? [];
    const caps = message.caps ?? [];
    const area = this.area(this.running(core));
    words.forEach((word, i) => {
      if (i >= 2) this.machine.write32(area + (AREA_WORDS + i) * 4, word);
    });
    caps.forEach(([slot, rights], i) => {
      this.machine.write32(area + (AREA_SEND_CAPS + 2 * i) * 4, slot);
      this.machine.write32(area + (AREA_SEND_CAPS + 2 * i + 1) * 4, rights);
    });
    const tag = makeTag(message.label ?? 0, words.length, caps.length);
    const timeout = message.timeout ?? TIMEOUT_NEVER;
    return this.syscall(core, Sys.IPC, dest, receive, tag, words[0] ?? 0, words[1] ?? 0, timeout);
  }

  /** Call on the control in CONTROL_SLOT. */
  rpc(core: number, label: number, words: number[] = [], timeout = TIMEOUT_NEVER): SyscallResult {
    return this.ipc(core, CONTROL_SLOT, Receive.REPLY, { label, words, timeout });
  }

  /** Physical address of a thread's message area. */
  area(thread: number): number {
    const info = this.kernel.describeThreads().find((t) => t.thread === thread)!;
    const task = this.kernel.describeTasks().find((t) => t.task === info.task)!;
    for (let index = 0; index < 8; index++) {
      const at = task.messageFrame * 4096 + index * 512;
      if (this.machine.read32(at + 4) === thread) return at;
    }
    throw new Error('no area');
  }

  word(thread: number, index: number): number {
    return this.machine.read32(this.area(thread) + (AREA_WORDS + index) * 4);
  }

  receivedCap(thread: number, index: number): number {
    return this.machine.read32(this.area(thread) + (AREA_RECEIVED_CAPS + index) * 4);
  }

  /** Creates a thread by system call of the thread that runs on `core`. */
  createThread(
    core: number,
    on: { task?: number; core?: number; pager?: number; priority?: number } = {},
  ): { slot: number; thread: number } {
    const result = this.syscall(
      core,
      Sys.THREAD_CREATE,
      on.task ?? SLOT_SELF_TASK,
      0x401000,
      0x3f0000,
      on.pager ?? 0,
      on.core ?? 1,
      on.priority ?? 3,
    );
    if (result.eax !== 0) throw new Error(`thread_create: ${result.eax}`);
    this.deliver();
    return { slot: result.ebx, thread: Math.max(...this.kernel.describeThreads().map((t) => t.thread)) };
  }

  /** Creates and sponsors a task; returns its slot and its number. */
  createTask(core: number): { slot: number; task: number } {
    const slot = this.syscall(core, Sys.TASK_CREATE).ebx;
    const task = Math.max(...this.kernel.describeTasks().map((t) => t.task));
    this.sponsor(task);
    return { slot, task };
  }

  /** Delivers every IPI that is on its way, and those that follow from them. */
  deliver(): void {
    for (let ipi = this.machine.ipis.shift(); ipi !== undefined; ipi = this.machine.ipis.shift()) {
      this.kernel.interrupt(ipi.to, ipi.vector);
    }
  }

  /** Lets the timer of a core fire at its time. */
  fireTimer(core: number): void {
    const at = this.machine.timers[core]!;
    if (at < 0) throw new Error(`timer of core ${core} is not armed`);
    this.machine.timers[core] = -1;
    const clock = this.machine.counters(core);
    clock[CoreF.CYCLES] = Math.max(clock[CoreF.CYCLES]!, at);
    this.kernel.interrupt(core, this.machine.timerVectors[core]!);
  }

  /** A page fault of the running thread of a core. */
  fault(core: number, va: number, errorCode: number): void {
    const r = this.registers(core);
    r[R.CR2] = va;
    r[R.EXIT_SOFT] = 0;
    this.kernel.trap(core, 14, errorCode);
  }
}
