/**
 * All state of the kernel as plain records that name each other by number, reachable from one root, so that a
 * snapshot is a copy of it (machine.md §4). Numbers of tasks, threads and operations are never reused. What is
 * suspended in mid-operation (src/kernel/context.ts) is not here: a snapshot waits until there is nothing such.
 */
import { THREADS_PER_TASK } from '../abi/message.ts';
import { IRQ_COUNT, IrqTrigger } from '../abi/syscalls.ts';
import { type CapTable, newCapTable } from './capability.ts';
import { type KernelCounters, newCounters, newTaskCounters, type TaskCounters } from './counters.ts';

export enum ThreadState {
  /** In the run queue of its core. */
  READY = 0,
  /** Loaded in the registers of its core. */
  RUNNING = 1,
  /** In the sender queue of `partner`. */
  SEND = 2,
  /** Waits for a message from anyone. */
  RECEIVE = 3,
  /** Waits for the reply of `partner`; `partner.replyTo` is this thread. */
  REPLY = 4,
  SLEEP = 5,
  /** Waits for `operation` of the memory server. */
  SERVER = 6,
  /** Its send is done and its receive half starts before the kernel is left. */
  TURN = 7,
  /** Will be killed before the kernel is left. */
  CONDEMNED = 8,
  /** Dead, but still loaded in another core, which was interrupted for it. */
  DOOMED = 9,
  /** Could run, but is suspended. */
  SUSPENDED = 10,
}

/** Words of a saved context: R.EAX .. R.EFLAGS, then the selectors of ES, SS, DS, FS, GS. */
export const CONTEXT_SELECTORS = 10;
export const CONTEXT_WORDS = 15;

export type Thread = {
  readonly number: number;
  readonly task: number;
  /** Which of the task's message areas it has. */
  readonly index: number;
  /** Linear and physical address of the message area. */
  readonly areaVa: number;
  readonly areaPa: number;
  core: number;
  priority: number;
  state: ThreadState;
  readonly context: Int32Array;
  /** Thread that gets its fault messages, 0 = none, and the badge that it sees. */
  pager: number;
  pagerBadge: number;
  partner: number;
  /** Badge that the receiver of the message on its way will see. */
  badge: number;
  /** Thread whose call was received last and not answered yet; 0 = none. */
  replyTo: number;
  /** Queue of threads that send to this one. */
  firstSender: number;
  lastSender: number;
  /** Neighbours in the queue in which this thread stands (run queue or sender queue). */
  next: number;
  previous: number;
  /** Time-out of the current wait on the clock of `core`; -1 = none. */
  deadline: number;
  operation: number;
  /** Label of the fault message for which the thread waits, 0 = it waits for its own message. */
  faultLabel: number;
  /** Word 0 of the fault message (address or vector) and its error code. */
  faultWord: number;
  faultError: number;
  /** The last message received wrote slot words into the message area. */
  capsShown: 0 | 1;
  /** thread_control: does not run until it is resumed; in SUSPENDED as soon as it waits for nothing else. */
  suspended: 0 | 1;
  /** Core to which it goes when it is put into a run queue next; -1 = it stays. */
  moveTo: number;
  /** Interrupt lines, one bit each, of which the thread is to be told when it receives from anyone. */
  linesToTell: number;
  /** Requests of the memory server that it has not been told yet, the oldest first (notices.ts). */
  notices: Notice[];
};

/** A request to give extra memory back. */
export type Notice = {
  /** Which of the thread's registrations it is about. */
  readonly badge: number;
  frames: number;
  /** Until they are taken by force, from the last request on. */
  cycles: number;
};

export enum TaskState {
  ALIVE = 0,
  DYING = 1,
}

export type Task = {
  readonly number: number;
  readonly parent: number;
  state: TaskState;
  status: number;
  /** Booted as a driver (physmem.md §2.6). */
  driver: 0 | 1;
  /** Base frames of the page directory, the system table and the message frame; 0 = not sponsored. */
  directory: number;
  systemTable: number;
  messageFrame: number;
  /** First base frame of the I/O permission bitmap; 0 = it has none, no port is open. */
  ioBitmap: number;
  /** Thread numbers by message area; 0 = free. */
  readonly threads: number[];
  threadCount: number;
  /** Operations in flight on behalf of the task's threads. */
  operations: number;
  /** The memory server was told of the death. */
  deathTold: 0 | 1;
  caps: CapTable;
  readonly counters: TaskCounters;
};

export enum DeadlineKind {
  THREAD = 0,
  OPERATION = 1,
  SHOOTDOWN = 2,
  /** Fault switch delayIpi: `id` is the core to which the IPI goes. */
  DELAYED_IPI = 3,
  /** Fault switch stallCore: the core answers again. */
  STALL = 4,
  /** The memory server's alarm (server-tick.ts). */
  ALARM = 5,
}

export type Deadline = { readonly at: number; readonly kind: DeadlineKind; readonly id: number };

export enum Reschedule {
  NO = 0,
  /** Somebody more urgent is ready; the current thread keeps its place at the front. */
  PREEMPT = 1,
  /** The current thread goes to the end of its queue. */
  ROTATE = 2,
}

/** A request to invalidate, as a target core finds it; valid for this transaction and generation only. */
export type Mail = { readonly transaction: number; readonly generation: number };

export const PRIORITIES = 8;

export type Core = {
  readonly number: number;
  /** Running thread, 0 = idle. */
  current: number;
  /** Thread that ran last, 0 = idle since: what the next context switch comes from. */
  previous: number;
  /** Task whose page directory is loaded (also while idle: the core is lazy), 0 = the kernel's own. */
  space: number;
  /** The TSS points at the I/O permission bitmap of `space`. */
  ioMap: 0 | 1;
  /** The TLB must be flushed before user code of `space` runs here again. */
  flushPending: 0 | 1;
  reschedule: Reschedule;
  /** A reschedule IPI is on its way. */
  kicked: 0 | 1;
  readonly firstReady: number[];
  readonly lastReady: number[];
  readyMask: number;
  /** Threads assigned to the core. */
  threadCount: number;
  quantumEnd: number;
  /** Thread that goes on with the rest of the quantum of the thread that woke it; 0 = none. */
  donated: number;
  /** Time for which the local APIC timer is armed; -1 = not. */
  timerAt: number;
  /** Sorted by time, then by age. */
  readonly deadlines: Deadline[];
  readonly mailbox: Mail[];
  /** Sequence number of the last request in the mailbox. */
  mailGeneration: number;
  /** Declared dead: runs no user code before it has answered every request in its mailbox. */
  dead: 0 | 1;
  /** Fault switch stallCore: time from which requests are served again; -1 = none has come yet. */
  stalledUntil: number;
  /** Operations that can go on now, and those that ended a slice. */
  readonly work: number[];
  readonly paused: number[];
};

/** An input of the I/O APIC. */
export type InterruptLine = {
  /** Who has it; 0 = nobody, and it is masked. */
  task: number;
  thread: number;
  badge: number;
  trigger: IrqTrigger;
  /** Interrupts that no message has told yet. */
  arrived: number;
  /** A message was delivered that has not been acknowledged. */
  told: 0 | 1;
};

export type KernelState = {
  readonly cores: Core[];
  readonly tasks: Map<number, Task>;
  readonly threads: Map<number, Thread>;
  readonly counters: KernelCounters;
  readonly lines: InterruptLine[];
  /** First base frames of the bitmaps that no task has. */
  readonly freeIoBitmaps: number[];
  nextTask: number;
  nextThread: number;
  nextOperation: number;
  nextTransaction: number;
  rootTask: number;
  /** Base frames of the kernel page and of the page directory of cores without a task. */
  kernelFrame: number;
  idleDirectory: number;
  /** When, on the clock of `core`, the memory server wants to be called; -1 = never. */
  readonly alarm: { at: number; core: number };
  /** The memory server waits for a device to let memory go. */
  quietWanted: 0 | 1;
  /** Exit status of the root task; -1 while it lives. */
  exitStatus: number;
};

const newCore = (number: number): Core => ({
  number,
  current: 0,
  previous: 0,
  space: 0,
  ioMap: 0,
  flushPending: 0,
  reschedule: Reschedule.NO,
  kicked: 0,
  firstReady: new Array<number>(PRIORITIES).fill(0),
  lastReady: new Array<number>(PRIORITIES).fill(0),
  readyMask: 0,
  threadCount: 0,
  quantumEnd: 0,
  donated: 0,
  timerAt: -1,
  deadlines: [],
  mailbox: [],
  mailGeneration: 0,
  dead: 0,
  stalledUntil: -1,
  work: [],
  paused: [],
});

const newLine = (): InterruptLine => ({
  task: 0,
  thread: 0,
  badge: 0,
  trigger: IrqTrigger.EDGE,
  arrived: 0,
  told: 0,
});

export const newState = (coreCount: number): KernelState => ({
  cores: Array.from({ length: coreCount }, (_, core) => newCore(core)),
  tasks: new Map(),
  threads: new Map(),
  counters: newCounters(),
  lines: Array.from({ length: IRQ_COUNT }, newLine),
  freeIoBitmaps: [],
  nextTask: 1,
  nextThread: 1,
  nextOperation: 1,
  nextTransaction: 1,
  rootTask: 0,
  kernelFrame: 0,
  idleDirectory: 0,
  alarm: { at: -1, core: 0 },
  quietWanted: 0,
  exitStatus: -1,
});

export const newTask = (number: number, parent: number): Task => ({
  number,
  parent,
  state: TaskState.ALIVE,
  status: 0,
  driver: 0,
  directory: 0,
  systemTable: 0,
  messageFrame: 0,
  ioBitmap: 0,
  threads: new Array<number>(THREADS_PER_TASK).fill(0),
  threadCount: 0,
  operations: 0,
  deathTold: 0,
  caps: newCapTable(),
  counters: newTaskCounters(),
});
