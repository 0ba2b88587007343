/**
 * The system call dispatch: one handler per row of SYSCALLS (src/abi/syscalls.ts). A handler reads and checks all
 * its arguments, then commits what can not fail, and returns the errno; a handler that blocks the thread, or sets
 * EAX itself, returns null.
 */
import { R } from '../../emu/arch/core-layout.ts';
import { Errno } from '../abi/errno.ts';
import { KernelEv } from '../abi/events.ts';
import { SYSCALLS, Sys } from '../abi/syscalls.ts';
import { capCopy, capDelete, capGrant, capInfo, threadMint } from './capability-syscalls.ts';
import { charge, emit, type KernelContext, taskOf } from './context.ts';
import { clock, consoleWrite, sleep, yieldCore } from './core-syscalls.ts';
import { ioportBind, irqAck, irqBind, taskSetDriver } from './driver-syscalls.ts';
import { ipc } from './ipc.ts';
import type { Thread } from './state.ts';
import {
  taskCreate,
  taskDestroy,
  taskExit,
  threadCreate,
  threadExit,
  threadSetPager,
} from './task-syscalls.ts';
import { threadControl } from './thread-control.ts';

/** `r` are the live registers of the core on which the thread runs. */
export type SyscallHandler = (k: KernelContext, thread: Thread, r: Int32Array) => Errno | null;

const HANDLERS: Readonly<Record<Sys, SyscallHandler>> = {
  [Sys.IPC]: (k, thread, r) => {
    ipc(k, thread, r);
    return null;
  },
  [Sys.YIELD]: yieldCore,
  [Sys.TASK_EXIT]: taskExit,
  [Sys.TASK_CREATE]: taskCreate,
  [Sys.TASK_DESTROY]: taskDestroy,
  [Sys.THREAD_CREATE]: threadCreate,
  [Sys.THREAD_EXIT]: threadExit,
  [Sys.THREAD_SET_PAGER]: threadSetPager,
  [Sys.CAP_COPY]: capCopy,
  [Sys.CAP_DELETE]: capDelete,
  [Sys.CAP_INFO]: capInfo,
  [Sys.CAP_GRANT]: capGrant,
  [Sys.CLOCK]: clock,
  [Sys.SLEEP]: sleep,
  [Sys.CONSOLE_WRITE]: consoleWrite,
  [Sys.THREAD_MINT]: threadMint,
  [Sys.THREAD_CONTROL]: threadControl,
  [Sys.TASK_SET_DRIVER]: taskSetDriver,
  [Sys.IRQ_BIND]: irqBind,
  [Sys.IRQ_ACK]: irqAck,
  [Sys.IOPORT_BIND]: ioportBind,
};

/** Handlers by number, in the order of the table of the ABI. */
const TABLE: readonly SyscallHandler[] = SYSCALLS.map((call) => HANDLERS[call.number as Sys]);

/** Serves the system call in the registers of the running thread. An unknown number gives ENOSYS. */
export function dispatchSyscall(k: KernelContext, thread: Thread): void {
  const r = k.registers[k.core]!;
  const number = r[R.EAX]! >>> 0;
  charge(k, k.costs.syscall);
  k.state.counters.syscalls++;
  taskOf(k, thread.task).counters.syscalls++;
  emit(k, KernelEv.Syscall, thread.task, thread.number, number, r[R.EIP]!);
  const handler = number < TABLE.length ? TABLE[number]! : undefined;
  const errno = handler === undefined ? Errno.ENOSYS : handler(k, thread, r);
  if (errno === null) return;
  r[R.EAX] = errno;
  emit(k, KernelEv.SyscallDone, thread.task, thread.number, number, errno);
}
