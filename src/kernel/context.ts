/**
 * What every part of the kernel works on: the machine, the configuration, the plain state, and the things in
 * flight that no snapshot contains (operations, shootdown transactions, chores to do before the kernel is left).
 */
import { CoreF } from '../../emu/arch/core-layout.ts';
import type { CostModel } from '../../emu/arch/cost.ts';
import { MESSAGE_WORDS_MAX } from '../abi/message.ts';
import type { Operation, RpcReply, ShootdownBatch, WaitResult } from '../abi/server.ts';
import type { Batch } from './batch.ts';
import { bug } from './bug.ts';
import type { KernelConfig } from './config.ts';
import type { MachinePort } from './machine-port.ts';
import type { MemoryServer } from './memory-server.ts';
import { type Core, type KernelState, newState, type Task, type Thread, ThreadState } from './state.ts';

export enum OperationWait {
  READY = 0,
  SHOOTDOWN = 1,
  PAUSE = 2,
  EVENT = 3,
}

/** An operation of the memory server that the kernel drives. */
export interface OperationRecord {
  readonly id: number;
  /** Core on which its steps run; only work in the background goes to another one, when it pauses. */
  home: number;
  /** Somebody asked for it, or it is the server's own work (KernelPort.spawn). */
  readonly kind: 'call' | 'background';
  /** Task and thread for which it works; 0 = the kernel's own. */
  readonly task: number;
  readonly thread: number;
  readonly label: number;
  // biome-ignore lint/suspicious/noConfusingVoidType: operations of the kernel itself have no result
  readonly generator: Operation<RpcReply | void>;
  /** Called once with the result, on the home core. */
  readonly finish: (k: KernelContext, operation: OperationRecord, reply: RpcReply | null) => void;
  wait: OperationWait;
  result: WaitResult;
  eventKey: number;
  deadline: number;
  /** The caller died or its time-out is over: waits for events end at once with 'timeout'. */
  cancelled: boolean;
}

/** How far a shootdown has got without its answers (docs/adr/0012). */
export enum Stage {
  ASKED = 0,
  /** The bound is over: the missing cores were reported and interrupted once more. */
  REPORTED = 1,
  /** They were declared dead: they answer at their next entry of the kernel, before they run user code again. */
  DEAD = 2,
  /** The operation went on with 'limbo', and refuses. */
  GIVEN_UP = 3,
}

/** A shootdown on its way (physmem.md §6.2). */
export interface Transaction {
  readonly id: number;
  readonly operation: number;
  readonly home: number;
  readonly batch: Batch;
  readonly startedAt: number;
  /** Cores that have not answered, one bit each, and the generation that each was asked with. */
  pendingMask: number;
  readonly generations: number[];
  readonly ipis: number;
  /** When the present stage ends. */
  deadline: number;
  stage: Stage;
  /** Its operation reported success although this was given up (K11). */
  isDenied: boolean;
}

export interface KernelContext {
  readonly machine: MachinePort;
  readonly costs: CostModel;
  config: KernelConfig;
  server: MemoryServer | null;
  state: KernelState;
  /** Core that executes kernel code now. */
  core: number;
  readonly registers: Int32Array[];
  readonly clocks: Float64Array[];
  readonly operations: Map<number, OperationRecord>;
  readonly transactions: Map<number, Transaction>;
  /** Views of lengths 0 .. 60 on one buffer: a request sees exactly its words and nothing is allocated for it. */
  readonly requestWords: readonly Uint32Array[];
  /** Event key → operations that wait for it. */
  readonly events: Map<number, number[]>;
  /** Slices of paused operations that this entry of the kernel may still run. */
  slices: number;
  /** Chores, done before the kernel is left: */
  chores: boolean;
  readonly turns: number[];
  readonly condemned: { readonly thread: number; readonly status: number }[];
  readonly deaths: number[];
  readonly lateBatches: ShootdownBatch[];
  /** Task → event key to wake when its last thread is gone (stopTask). */
  readonly stops: Map<number, number>;
}

function newRequestWords(): Uint32Array[] {
  const words = new Uint32Array(MESSAGE_WORDS_MAX);
  return Array.from({ length: MESSAGE_WORDS_MAX + 1 }, (_, count) => words.subarray(0, count));
}

export const newContext = (machine: MachinePort, config: KernelConfig): KernelContext => ({
  machine,
  costs: machine.costs,
  config,
  server: null,
  state: newState(machine.coreCount),
  core: 0,
  registers: Array.from({ length: machine.coreCount }, (_, core) => machine.registers(core)),
  clocks: Array.from({ length: machine.coreCount }, (_, core) => machine.counters(core)),
  operations: new Map(),
  transactions: new Map(),
  requestWords: newRequestWords(),
  events: new Map(),
  slices: 0,
  chores: false,
  turns: [],
  condemned: [],
  deaths: [],
  lateBatches: [],
  stops: new Map(),
});

/** Empties what is in flight: the state that goes on was taken at a moment without any. */
export function forgetFlight(k: KernelContext): void {
  for (const map of [k.operations, k.transactions, k.events, k.stops]) map.clear();
  for (const list of [k.turns, k.condemned, k.deaths, k.lateBatches]) list.length = 0;
  k.chores = false;
}

export const charge = (k: KernelContext, cycles: number): void => {
  k.clocks[k.core]![CoreF.CYCLES]! += cycles;
};

/** Time of a core in cycles. */
export const timeOf = (k: KernelContext, core: number): number => k.clocks[core]![CoreF.CYCLES]!;

export const emit = (k: KernelContext, kind: number, a: number, b: number, c: number, d: number): void =>
  k.machine.emit(kind, k.core, a, b, c, d);

/** Registers R.EAX .. R.EFLAGS of a thread, wherever they are now. */
export const registersOf = (k: KernelContext, thread: Thread): Int32Array =>
  thread.state === ThreadState.RUNNING ? k.registers[thread.core]! : thread.context;

export const coreOf = (k: KernelContext, core: number): Core => k.state.cores[core]!;

/** A thread that must exist. */
export const threadOf = (k: KernelContext, number: number): Thread =>
  k.state.threads.get(number) ?? bug(`thread ${number} does not exist`);

/** A task that must exist. */
export const taskOf = (k: KernelContext, number: number): Task =>
  k.state.tasks.get(number) ?? bug(`task ${number} does not exist`);

export const serverOf = (k: KernelContext): MemoryServer => k.server ?? bug('no memory server is attached');

/** Has a thread killed before the kernel is left; it must stand in no queue any more. */
export function condemn(k: KernelContext, thread: Thread, status: number): void {
  thread.state = ThreadState.CONDEMNED;
  k.condemned.push({ thread: thread.number, status });
  k.chores = true;
}
