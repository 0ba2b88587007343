/**
 * Synchronous IPC between threads: send, receive, call, reply-and-wait, with one time-out for the whole system
 * call. Nothing is buffered: a message moves when both threads are there. Fault messages use the same road with
 * the faulting thread as the caller (fault.ts). Requests to the memory server are in rpc.ts.
 *
 * A receiver that takes a second call before it answered the first gives the first one up: that caller gets
 * ECANCELED (a faulting thread runs its instruction again). So no caller is ever lost.
 */
import { R } from '../../emu/arch/core-layout.ts';
import { Errno } from '../abi/errno.ts';
import { KernelEv } from '../abi/events.ts';
import {
  FAULT_RESUME,
  MESSAGE_CAPS_MAX,
  MESSAGE_WORDS_MAX,
  REPLY_SLOT,
  Receive,
  TIMEOUT_NEVER,
  tagCaps,
  tagLabel,
  tagWords,
} from '../abi/message.ts';
import { CapType, isServerType, ThreadRight } from '../abi/rights.ts';
import { Sys } from '../abi/syscalls.ts';
import { lookUp } from './capability.ts';
import { condemn, emit, type KernelContext, registersOf, taskOf, threadOf, timeOf } from './context.ts';
import { tellInterrupt } from './interrupt-lines.ts';
import { resolveItems, transfer } from './message.ts';
import { tellNotice } from './notices.ts';
import { callServer } from './rpc.ts';
import { block, clearDeadline, makeReady, setDeadline } from './scheduler.ts';
import { type Thread, ThreadState } from './state.ts';

const TAG_RESERVED = 0x0000f8c0;
/** Exit status of a thread that its pager killed. */
export const STATUS_PAGER_KILLED = 139;

/** System call `ipc`. The thread runs; afterwards it runs with its results, or waits. */
export function ipc(k: KernelContext, thread: Thread, r: Int32Array): void {
  const errno = decode(k, thread, r);
  if (errno !== Errno.OK) {
    r[R.EAX] = errno;
    emit(k, KernelEv.SyscallDone, thread.task, thread.number, Sys.IPC, errno);
  }
}

function decode(k: KernelContext, thread: Thread, r: Int32Array): Errno {
  const dest = r[R.EBX]! >>> 0;
  const receive = r[R.ECX]! >>> 0;
  const tag = r[R.EDX]! >>> 0;
  if (receive > Receive.REPLY || (tag & TAG_RESERVED) !== 0) return Errno.EINVAL;
  if (tagWords(tag) > MESSAGE_WORDS_MAX || tagCaps(tag) > MESSAGE_CAPS_MAX) return Errno.EMSGSIZE;
  if (dest === 0) {
    if (receive !== Receive.ANY) return Errno.EINVAL;
    receiveAny(k, thread);
    return Errno.OK;
  }
  const caps = taskOf(k, thread.task).caps;
  if (dest === REPLY_SLOT) {
    if (receive === Receive.REPLY) return Errno.EINVAL;
    if (resolveItems(k, thread, caps, tagCaps(tag)) === null) return Errno.EBADF;
    return reply(k, thread, receive, tag);
  }
  const slot = lookUp(caps, dest);
  if (slot === null) return Errno.EBADF;
  if (isServerType(slot.type)) {
    return receive === Receive.REPLY ? callServer(k, thread, slot, tag, r) : Errno.EINVAL;
  }
  if (slot.type !== CapType.THREAD) return Errno.EBADF;
  if ((slot.rights & ThreadRight.SEND) === 0) return Errno.EPERM;
  if (resolveItems(k, thread, caps, tagCaps(tag)) === null) return Errno.EBADF;
  const target = k.state.threads.get(slot.object);
  if (target === undefined || target.state === ThreadState.DOOMED) return Errno.ESRCH;
  thread.badge = slot.badge;
  return send(k, thread, target);
}

/** What the thread does after its send half, from the ECX of its system call. */
const receiveOf = (k: KernelContext, thread: Thread): number =>
  thread.faultLabel !== 0 ? Receive.REPLY : registersOf(k, thread)[R.ECX]!;

/**
 * Sends the message of a running thread (or its fault) to `target`, or queues it there.
 * @returns the errno with which the system call ends now, or OK when the road from here sets the results.
 */
export function send(k: KernelContext, thread: Thread, target: Thread): Errno {
  if (target.state !== ThreadState.RECEIVE) {
    const at = deadlineOf(k, thread);
    if (at >= 0 && at <= timeOf(k, thread.core)) return Errno.ETIMEDOUT;
    waitInQueue(k, thread, target, at);
    return Errno.OK;
  }
  const errno = transfer(k, thread, target);
  if (errno !== Errno.OK) return errno;
  const receive = receiveOf(k, thread);
  if (receive === Receive.REPLY) {
    const at = deadlineOf(k, thread);
    if (at >= 0 && at <= timeOf(k, thread.core)) {
      giveUpCaller(k, target);
      makeReady(k, target, 'back');
      return Errno.ETIMEDOUT;
    }
    block(k, thread, ThreadState.REPLY);
    if (at >= 0) setDeadline(k, thread, at);
    expectReply(k, thread, target);
    makeReady(k, target, placeFor(thread, target));
    return Errno.OK;
  }
  makeReady(k, target, receive === Receive.ANY ? placeFor(thread, target) : 'back');
  if (receive === Receive.ANY) receiveAny(k, thread);
  else registersOf(k, thread)[R.EAX] = Errno.OK;
  return Errno.OK;
}

/** Answers the thread whose call was received last, then receives when asked to. */
function reply(k: KernelContext, thread: Thread, receive: number, tag: number): Errno {
  if (thread.replyTo === 0) return Errno.ESRCH;
  const caller = threadOf(k, thread.replyTo);
  if (caller.faultLabel !== 0) {
    thread.replyTo = 0;
    endFault(k, thread, caller, tagLabel(tag));
  } else {
    thread.badge = 0;
    const errno = transfer(k, thread, caller);
    if (errno !== Errno.OK) return errno;
    thread.replyTo = 0;
    caller.partner = 0;
    makeReady(k, caller, receive === Receive.ANY ? placeFor(thread, caller) : 'back');
  }
  if (receive === Receive.ANY) receiveAny(k, thread);
  else registersOf(k, thread)[R.EAX] = Errno.OK;
  return Errno.OK;
}

function endFault(k: KernelContext, pager: Thread, faulter: Thread, label: number): void {
  faulter.partner = 0;
  faulter.faultLabel = 0;
  if (label === FAULT_RESUME) makeReady(k, faulter, placeFor(pager, faulter));
  else condemn(k, faulter, STATUS_PAGER_KILLED);
}

/**
 * The receive half of a system call: takes an interrupt, a notice or the message of the first sender in the queue, or waits. The
 * thread is RUNNING, or in TURN when its send half ended while it was blocked.
 */
export function receiveAny(k: KernelContext, thread: Thread): void {
  if (thread.linesToTell !== 0) {
    tellInterrupt(k, thread);
    if (thread.state === ThreadState.TURN) makeReady(k, thread, 'back');
    return;
  }
  if (thread.notices.length > 0) {
    tellNotice(k, thread);
    if (thread.state === ThreadState.TURN) makeReady(k, thread, 'back');
    return;
  }
  while (thread.firstSender !== 0) {
    const sender = threadOf(k, thread.firstSender);
    leaveQueue(k, sender);
    const errno = transfer(k, sender, thread);
    if (errno === Errno.OK) {
      sent(k, sender, thread);
      if (thread.state === ThreadState.TURN) makeReady(k, thread, 'back');
      return;
    }
    wakeWith(k, sender, errno);
  }
  const at = deadlineOf(k, thread);
  if (at >= 0 && at <= timeOf(k, thread.core)) {
    wakeWith(k, thread, Errno.ETIMEDOUT);
    return;
  }
  if (thread.state === ThreadState.RUNNING) block(k, thread, ThreadState.RECEIVE);
  else thread.state = ThreadState.RECEIVE;
  if (at >= 0 && thread.deadline < 0) setDeadline(k, thread, at);
}

/** The send half of a queued sender is done: what comes next for it. */
function sent(k: KernelContext, sender: Thread, receiver: Thread): void {
  const receive = receiveOf(k, sender);
  if (receive === Receive.REPLY) {
    sender.state = ThreadState.REPLY;
    expectReply(k, sender, receiver);
  } else if (receive === Receive.ANY) {
    sender.state = ThreadState.TURN;
    k.turns.push(sender.number);
    k.chores = true;
  } else {
    wakeWith(k, sender, Errno.OK);
  }
}

function expectReply(k: KernelContext, caller: Thread, server: Thread): void {
  giveUpCaller(k, server);
  server.replyTo = caller.number;
  caller.partner = server.number;
}

/** The server took another call without answering the one before. */
function giveUpCaller(k: KernelContext, server: Thread): void {
  if (server.replyTo === 0) return;
  const caller = threadOf(k, server.replyTo);
  server.replyTo = 0;
  caller.partner = 0;
  if (caller.faultLabel !== 0) {
    caller.faultLabel = 0;
    makeReady(k, caller, 'back');
  } else {
    wakeWith(k, caller, Errno.ECANCELED);
  }
}

function waitInQueue(k: KernelContext, thread: Thread, target: Thread, deadline: number): void {
  block(k, thread, ThreadState.SEND);
  thread.partner = target.number;
  thread.previous = target.lastSender;
  thread.next = 0;
  if (target.lastSender === 0) target.firstSender = thread.number;
  else threadOf(k, target.lastSender).next = thread.number;
  target.lastSender = thread.number;
  if (deadline >= 0) setDeadline(k, thread, deadline);
}

function leaveQueue(k: KernelContext, sender: Thread): void {
  const target = threadOf(k, sender.partner);
  if (sender.previous === 0) target.firstSender = sender.next;
  else threadOf(k, sender.previous).next = sender.next;
  if (sender.next === 0) target.lastSender = sender.previous;
  else threadOf(k, sender.next).previous = sender.previous;
  sender.next = 0;
  sender.previous = 0;
  sender.partner = 0;
}

/** Takes a thread out of whatever IPC it waits in; its partner forgets it. */
export function leaveIpc(k: KernelContext, thread: Thread): void {
  if (thread.state === ThreadState.SEND) leaveQueue(k, thread);
  if (thread.state === ThreadState.REPLY && thread.partner !== 0) {
    threadOf(k, thread.partner).replyTo = 0;
    thread.partner = 0;
  }
  clearDeadline(k, thread);
}

/** Ends the wait of a thread with an errno. */
export function wakeWith(k: KernelContext, thread: Thread, errno: Errno): void {
  registersOf(k, thread)[R.EAX] = errno;
  if (errno !== Errno.OK) emit(k, KernelEv.SyscallDone, thread.task, thread.number, Sys.IPC, errno);
  if (thread.state !== ThreadState.RUNNING) makeReady(k, thread, 'back');
}

/** The deadline of the running system call: what it set when it blocked first, or now plus its time-out; -1 = none. */
function deadlineOf(k: KernelContext, thread: Thread): number {
  if (thread.deadline >= 0) return thread.deadline;
  if (thread.faultLabel !== 0) return -1;
  const timeout = registersOf(k, thread)[R.EBP]! >>> 0;
  return timeout === TIMEOUT_NEVER ? -1 : timeOf(k, thread.core) + timeout;
}

/** A partner on the same core, at least as urgent, goes on with the rest of the quantum of one that now waits. */
const placeFor = (from: Thread, to: Thread): 'front' | 'back' =>
  from.core === to.core && to.priority >= from.priority ? 'front' : 'back';
