/**
 * Every system call of the microkernel, as data: from this the dispatch table, the guest header, the monitor's
 * decoding and docs/abi.md are made. Trap: `int 0x30`, number in EAX; arguments in EBX ECX EDX ESI EDI EBP in the
 * order given; EAX returns an errno, further results in the registers named in `returns`. Other registers keep
 * their values.
 */
export interface ArgumentDef {
  readonly name: string;
  readonly meaning: string;
}
export interface SyscallDef {
  readonly number: number;
  readonly name: string;
  readonly summary: string;
  readonly args: readonly ArgumentDef[];
  /** Results, in EBX, EDX, ESI, EDI in that order. */
  readonly returns: readonly ArgumentDef[];
  readonly errors: readonly string[];
}

export enum Sys {
  IPC = 0,
  YIELD = 1,
  TASK_EXIT = 2,
  TASK_CREATE = 3,
  TASK_DESTROY = 4,
  THREAD_CREATE = 5,
  THREAD_EXIT = 6,
  THREAD_SET_PAGER = 7,
  CAP_COPY = 8,
  CAP_DELETE = 9,
  CAP_INFO = 10,
  CAP_GRANT = 11,
  CLOCK = 12,
  SLEEP = 13,
  CONSOLE_WRITE = 14,
  THREAD_MINT = 15,
  THREAD_CONTROL = 16,
  TASK_SET_DRIVER = 17,
  IRQ_BIND = 18,
  IRQ_ACK = 19,
  IOPORT_BIND = 20,
}

/** What thread_control does. */
export enum ThreadControl {
  SUSPEND = 0,
  RESUME = 1,
  /** To the core in `value`. */
  MOVE = 2,
  /** To the priority in `value`. */
  PRIORITY = 3,
}

/** How an interrupt line is wired: ISA devices make edges, shared lines have a level. */
export enum IrqTrigger {
  EDGE = 0,
  LEVEL = 1,
}
/** Interrupt lines 0 .. 23, the inputs of the I/O APIC. */
export const IRQ_COUNT = 24;
/** Ports 0 .. 0xfff7 can be bound: the permission bitmap ends there, so that it fits two pages. */
export const IOPORT_COUNT = 0xfff8;

const a = (name: string, meaning: string): ArgumentDef => ({ name, meaning });

export const SYSCALLS: readonly SyscallDef[] = [
  {
    number: Sys.IPC,
    name: 'ipc',
    summary: 'Sends the message described by the tag, then receives, as one step; each half may be left out.',
    args: [
      a(
        'dest',
        'slot of the destination, 0 for none, REPLY_SLOT for the thread whose call was received last',
      ),
      a('receive', '0 nothing, 1 from anyone, 2 the reply to this call'),
      a('tag', 'label, word count, capability count'),
      a('mr0', 'message word 0'),
      a('mr1', 'message word 1'),
      a('timeout', 'cycles to wait in all; 0xffffffff for ever'),
    ],
    returns: [
      a('badge', 'badge of the capability that the sender used'),
      a('tag', 'tag of the received message'),
      a('mr0', 'message word 0'),
      a('mr1', 'message word 1'),
    ],
    errors: ['EBADF', 'EPERM', 'EMSGSIZE', 'ENOSPC', 'ETIMEDOUT', 'ECANCELED', 'ESRCH', 'EINVAL'],
  },
  {
    number: Sys.YIELD,
    name: 'yield',
    summary: 'Lets another ready thread of this core run.',
    args: [],
    returns: [],
    errors: [],
  },
  {
    number: Sys.TASK_EXIT,
    name: 'task_exit',
    summary: 'Ends the calling task with a status.',
    args: [a('status', 'exit status; the status of the root task ends the run')],
    returns: [],
    errors: [],
  },
  {
    number: Sys.TASK_CREATE,
    name: 'task_create',
    summary:
      'Creates a task without memory; a control must sponsor it (control_sponsor) before it can have threads.',
    args: [],
    returns: [a('task', 'slot of the new task, all rights')],
    errors: ['ENOSPC', 'EAGAIN'],
  },
  {
    number: Sys.TASK_DESTROY,
    name: 'task_destroy',
    summary: 'Ends a task and all its threads.',
    args: [a('task', 'slot of the task; needs DESTROY')],
    returns: [],
    errors: ['EBADF', 'EPERM'],
  },
  {
    number: Sys.THREAD_CREATE,
    name: 'thread_create',
    summary: 'Creates a thread in a task and makes it ready.',
    args: [
      a('task', 'slot of the task; needs MANAGE'),
      a('eip', 'first instruction'),
      a('esp', 'initial stack pointer'),
      a('pager', 'slot of the thread that gets its fault messages; 0 for none'),
      a('core', 'core to run on, 0xffffffff for any'),
      a('priority', '0 (lowest) to 7'),
    ],
    returns: [a('thread', 'slot of the new thread, all rights')],
    errors: ['EBADF', 'EPERM', 'EINVAL', 'ENOSPC', 'ENOMEM', 'ESRCH'],
  },
  {
    number: Sys.THREAD_EXIT,
    name: 'thread_exit',
    summary: 'Ends the calling thread; the last one ends the task with status 0.',
    args: [],
    returns: [],
    errors: [],
  },
  {
    number: Sys.THREAD_SET_PAGER,
    name: 'thread_set_pager',
    summary: "Changes a thread's pager.",
    args: [
      a('thread', 'slot of the thread; needs CONTROL'),
      a('pager', 'slot of the pager thread, 0 for none'),
    ],
    returns: [],
    errors: ['EBADF', 'EPERM'],
  },
  {
    number: Sys.CAP_COPY,
    name: 'cap_copy',
    summary: 'Makes a second slot for the same object with at most the given rights.',
    args: [a('slot', 'slot to copy'), a('rights', 'mask of rights to keep')],
    returns: [a('slot', 'the new slot')],
    errors: ['EBADF', 'ENOSPC'],
  },
  {
    number: Sys.CAP_DELETE,
    name: 'cap_delete',
    summary: 'Empties a slot. Maps made through it go, unless another slot still allows them.',
    args: [a('slot', 'slot to empty')],
    returns: [],
    errors: ['EBADF'],
  },
  {
    number: Sys.CAP_INFO,
    name: 'cap_info',
    summary: 'Tells type and rights of a slot.',
    args: [a('slot', 'slot to look at')],
    returns: [a('type', 'capability type'), a('rights', 'rights bits')],
    errors: ['EBADF'],
  },
  {
    number: Sys.CAP_GRANT,
    name: 'cap_grant',
    summary: "Puts a copy of a capability into another task's table, in its lowest free slot.",
    args: [
      a('task', 'slot of the task; needs MANAGE'),
      a('slot', 'slot to copy'),
      a('rights', 'mask of rights to keep'),
    ],
    returns: [a('slot', "slot word in the other task's table")],
    errors: ['EBADF', 'EPERM', 'ENOSPC', 'ESRCH'],
  },
  {
    number: Sys.CLOCK,
    name: 'clock',
    summary: 'Tells the time of this core in cycles since reset.',
    args: [],
    returns: [a('low', 'bits 0..31'), a('high', 'bits 32..52')],
    errors: [],
  },
  {
    number: Sys.SLEEP,
    name: 'sleep',
    summary: 'Waits at least the given number of cycles.',
    args: [a('cycles', 'how long')],
    returns: [],
    errors: [],
  },
  {
    number: Sys.CONSOLE_WRITE,
    name: 'console_write',
    summary: 'Writes bytes from the message words of the own message area to the console.',
    args: [a('length', 'bytes, at most 240')],
    returns: [],
    errors: ['EMSGSIZE'],
  },
  {
    number: Sys.THREAD_MINT,
    name: 'thread_mint',
    summary: 'Makes a SEND-only capability to a thread of the own task that carries a badge.',
    args: [
      a('thread', 'slot of the thread; needs CONTROL'),
      a('badge', 'the word that its receiver will see'),
    ],
    returns: [a('slot', 'the new slot')],
    errors: ['EBADF', 'EPERM', 'ENOSPC'],
  },
  {
    number: Sys.THREAD_CONTROL,
    name: 'thread_control',
    summary:
      'Suspends or resumes a thread, or changes its core or its priority. A thread that runs on another core is stopped by an interrupt: soon, but not before this returns.',
    args: [
      a('thread', 'slot of the thread; needs CONTROL'),
      a('what', 'ThreadControl: 0 suspend, 1 resume, 2 move, 3 priority'),
      a('value', 'core or priority; else 0'),
    ],
    returns: [],
    errors: ['EBADF', 'EPERM', 'EINVAL', 'ESRCH'],
  },
  {
    number: Sys.TASK_SET_DRIVER,
    name: 'task_set_driver',
    summary: 'Gives a task the rights of a driver, which the caller must have itself.',
    args: [a('task', 'slot of the task; needs MANAGE')],
    returns: [],
    errors: ['EBADF', 'EPERM', 'ESRCH'],
  },
  {
    number: Sys.IRQ_BIND,
    name: 'irq_bind',
    summary:
      'Takes an interrupt line for a thread of the own task, or gives it back. Each interrupt becomes a message to that thread (LABEL_INTERRUPT), the next one only after irq_ack. For drivers only.',
    args: [
      a('irq', 'line, 0 to 23'),
      a('thread', 'slot of the thread, which needs CONTROL; 0 to give the line back'),
      a('badge', 'the word that the thread will see as the badge of the messages'),
      a('trigger', 'IrqTrigger: 0 edge, 1 level'),
    ],
    returns: [],
    errors: ['EPERM', 'EINVAL', 'EBADF', 'EBUSY', 'ENOENT'],
  },
  {
    number: Sys.IRQ_ACK,
    name: 'irq_ack',
    summary:
      'Says that the device has been served: the line may interrupt again. What came meanwhile on an edge-triggered line is told at once.',
    args: [a('irq', 'line, bound by the own task')],
    returns: [],
    errors: ['EPERM', 'EINVAL', 'ENOENT'],
  },
  {
    number: Sys.IOPORT_BIND,
    name: 'ioport_bind',
    summary:
      'Opens a range of I/O ports to the instructions IN and OUT of the own task, or closes it. A port belongs to one task at a time. For drivers only.',
    args: [
      a('first', 'first port'),
      a('count', 'ports, at least 1'),
      a('take', '1 to open the range, 0 to close it'),
    ],
    returns: [],
    errors: ['EPERM', 'EINVAL', 'EBUSY', 'ENOMEM'],
  },
];
