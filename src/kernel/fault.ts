/**
 * Page faults and exceptions of ring 3 (physmem.md §6.3; system.md §1). A fault on an access that the tables in
 * RAM allow was a stale narrower TLB entry: it is refreshed and the instruction runs again. Other faults become a
 * message to the thread's pager; the thread waits for the reply. Without a pager a thread of the root task is
 * served by the memory server (boot map), any other thread dies.
 */
import { R } from '../../emu/arch/core-layout.ts';
import { PF_RESERVED, PF_WRITE } from '../../emu/arch/paging.ts';
import { VEC_BP, VEC_GP, VEC_OF, VEC_PF } from '../../emu/arch/vectors.ts';
import { Errno } from '../abi/errno.ts';
import { KernelEv } from '../abi/events.ts';
import { LABEL_EXCEPTION, LABEL_PAGE_FAULT } from '../abi/message.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import {
  charge,
  condemn,
  emit,
  type KernelContext,
  type OperationRecord,
  serverOf,
  taskOf,
} from './context.ts';
import { send } from './ipc.ts';
import { startOperation } from './operation.ts';
import { isOperation, waitForServer } from './rpc.ts';
import { block, makeReady } from './scheduler.ts';
import { allows } from './space.ts';
import { type Thread, ThreadState } from './state.ts';

/** Label of boot faults in the trace of operations. */
export const BOOT_FAULT_LABEL = -2;
/** Exit status of what dies of vector v: STATUS_KILLED + v. */
export const STATUS_KILLED = 128;

/** A page fault of the running thread at CR2. */
export function pageFault(k: KernelContext, thread: Thread, errorCode: number): void {
  const r = k.registers[k.core]!;
  const va = r[R.CR2]! >>> 0;
  const task = taskOf(k, thread.task);
  if ((errorCode & PF_RESERVED) === 0) {
    const access = (errorCode & PF_WRITE) !== 0 ? 'write' : 'read';
    if (allows(k, task.directory, va, access)) {
      k.machine.invalidatePage(k.core, va);
      charge(k, k.costs.invlpg);
      k.state.counters.spuriousFaults++;
      return;
    }
  }
  task.counters.pageFaults++;
  k.state.counters.pageFaults++;
  emit(k, KernelEv.PageFault, thread.task, va, r[R.EIP]!, errorCode);
  if (thread.pager === 0 && thread.task === k.state.rootTask) {
    bootFault(k, thread, va, errorCode);
    return;
  }
  toPager(k, thread, LABEL_PAGE_FAULT, va, errorCode, VEC_PF);
}

/**
 * An exception, or INT n by the program. INT3 and INTO are exceptions of their own; for every other n the gate's
 * DPL is 0, so INT n is #GP with the selector error code of the gate (SDM vol. 3 §6.12.1.1, §6.13) and EIP goes
 * back to the instruction.
 */
export function exception(k: KernelContext, thread: Thread, vector: number, errorCode: number): void {
  const r = k.registers[k.core]!;
  k.state.counters.exceptions++;
  if (r[R.EXIT_SOFT] === 1 && vector !== VEC_BP && vector !== VEC_OF) {
    r[R.EIP]! -= 2;
    toPager(k, thread, LABEL_EXCEPTION, VEC_GP, (vector << 3) | 2, VEC_GP);
    return;
  }
  toPager(k, thread, LABEL_EXCEPTION, vector, errorCode, vector);
}

function toPager(
  k: KernelContext,
  thread: Thread,
  label: number,
  word: number,
  errorCode: number,
  vector: number,
): void {
  const pager = thread.pager === thread.number ? undefined : k.state.threads.get(thread.pager);
  if (pager === undefined || pager.state === ThreadState.DOOMED) {
    killByFault(k, thread, vector);
    return;
  }
  thread.faultLabel = label;
  thread.faultWord = word;
  thread.faultError = errorCode;
  thread.badge = thread.pagerBadge;
  send(k, thread, pager);
}

function bootFault(k: KernelContext, thread: Thread, address: number, errorCode: number): void {
  charge(k, k.costs.serverRequest);
  const answer = serverOf(k).bootFault({
    task: thread.task,
    thread: thread.number,
    address,
    errorCode,
  });
  if (!isOperation(answer)) {
    if (answer.errno !== Errno.OK) killByFault(k, thread, VEC_PF);
    return;
  }
  startBootFault(k, thread, address, answer);
}

function startBootFault(k: KernelContext, thread: Thread, address: number, generator: Operation): void {
  const operation = startOperation(k, {
    task: thread.task,
    thread: thread.number,
    label: BOOT_FAULT_LABEL,
    object: address,
    generator,
    finish: endBootFault,
  });
  if (k.operations.has(operation.id)) waitForServer(k, thread, operation, 'none');
}

function endBootFault(k: KernelContext, operation: OperationRecord, reply: RpcReply | null): void {
  const thread = k.state.threads.get(operation.thread);
  if (thread === undefined) return;
  const failed = reply === null || reply.errno !== Errno.OK;
  if (thread.state === ThreadState.RUNNING) {
    if (failed) killByFault(k, thread, VEC_PF);
  } else if (thread.state === ThreadState.SERVER && thread.operation === operation.id) {
    thread.operation = 0;
    if (failed) killByFault(k, thread, VEC_PF);
    else makeReady(k, thread, 'back');
  }
}

function killByFault(k: KernelContext, thread: Thread, vector: number): void {
  if (thread.state === ThreadState.RUNNING) block(k, thread, ThreadState.CONDEMNED);
  k.state.counters.faultKills++;
  emit(k, KernelEv.FaultKilled, thread.task, thread.number, vector, thread.context[R.EIP]!);
  condemn(k, thread, STATUS_KILLED + vector);
}
