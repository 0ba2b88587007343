/**
 * Whole-state checker of the kernel: everything that is written down twice must agree. For tests and debug runs,
 * between two entries of the kernel. Rules are numbered K1.. and cited in the sentences.
 *
 *   K1 queues: a READY thread stands once in the queue of its core and priority, nobody else does
 *   K2 cores: the running thread is RUNNING (or DOOMED) on that core, and its task's directory is loaded
 *   K3 IPC: a SEND thread stands once in the queue of its partner; REPLY and `replyTo` are the same relation
 *   K4 deadlines: each thread and operation that has one stands once in the list of its core, the lists are sorted
 *   K5 counts: threads per task and core, operations per task
 *   K6 capability tables: free and held counts are what the slots say
 *   K7 waits: a SERVER thread has its operation in flight; no chore is left
 *   K8 shootdown: unanswered requests are in the mailbox of the core that owes the answer
 *   K9 thread_control: a suspended thread is in no run queue, a ready one does not want to move
 *   K10 drivers: a line belongs to a live thread of a driver task, and what is to be told stands with that thread;
 *       a bitmap belongs to one task or is free
 *   K11 no operation reports success while a core may still use what it took away; only a dead core is given up
 */
import { SLOT_COUNT } from '../abi/message.ts';
import { type CapTable, objectKey } from './capability.ts';
import { type KernelContext, OperationWait, Stage } from './context.ts';
import { type Core, DeadlineKind, PRIORITIES, TaskState, type Thread, ThreadState } from './state.ts';

/** Every broken rule, one sentence each; empty when all is well. */
export function checkKernel(k: KernelContext): string[] {
  const broken: string[] = [];
  for (const core of k.state.cores) {
    checkQueues(k, core, broken);
    checkRunning(k, core, broken);
    checkDeadlines(k, core, broken);
  }
  for (const thread of k.state.threads.values()) checkThread(k, thread, broken);
  checkCounts(k, broken);
  for (const task of k.state.tasks.values()) checkCaps(task.number, task.caps, broken);
  checkFlight(k, broken);
  checkLines(k, broken);
  return broken;
}

function checkQueues(k: KernelContext, core: Core, broken: string[]): void {
  const found = new Set<number>();
  for (let priority = 0; priority < PRIORITIES; priority++) {
    let previous = 0;
    for (let number = core.firstReady[priority]!; number !== 0; ) {
      const thread = k.state.threads.get(number);
      if (thread === undefined || found.has(number)) {
        broken.push(`K1: core ${core.number} queues thread ${number}, which is dead or queued twice`);
        return;
      }
      found.add(number);
      const right =
        thread.state === ThreadState.READY &&
        thread.core === core.number &&
        thread.priority === priority &&
        thread.previous === previous;
      if (!right)
        broken.push(`K1: thread ${number} does not belong into queue ${priority} of core ${core.number}`);
      previous = number;
      number = thread.next;
    }
    if (core.lastReady[priority] !== previous)
      broken.push(`K1: tail of queue ${priority} of core ${core.number}`);
    if (((core.readyMask >>> priority) & 1) !== (previous === 0 ? 0 : 1)) {
      broken.push(`K1: mask of core ${core.number}, priority ${priority}`);
    }
  }
  for (const thread of k.state.threads.values()) {
    if (thread.state === ThreadState.READY && thread.core === core.number && !found.has(thread.number)) {
      broken.push(`K1: ready thread ${thread.number} is in no queue`);
    }
  }
}

function checkRunning(k: KernelContext, core: Core, broken: string[]): void {
  if (core.current === 0) return;
  const thread = k.state.threads.get(core.current);
  if (thread === undefined || thread.core !== core.number || core.space !== thread.task) {
    broken.push(`K2: core ${core.number} runs thread ${core.current} in space ${core.space}`);
  }
  if (core.flushPending !== 0) broken.push(`K2: core ${core.number} runs with a flush pending`);
}

function checkThread(k: KernelContext, thread: Thread, broken: string[]): void {
  const name = `thread ${thread.number}`;
  const loaded = k.state.cores[thread.core]!.current === thread.number;
  if (loaded !== (thread.state === ThreadState.RUNNING || thread.state === ThreadState.DOOMED)) {
    broken.push(`K2: ${name} is in state ${thread.state}, loaded ${loaded}`);
  }
  if (thread.state === ThreadState.TURN || thread.state === ThreadState.CONDEMNED) {
    broken.push(`K7: ${name} was left in state ${thread.state}`);
  }
  if (thread.state === ThreadState.SUSPENDED && thread.suspended === 0) {
    broken.push(`K9: ${name} is in no queue and was not suspended`);
  }
  if (thread.state === ThreadState.READY && (thread.suspended !== 0 || thread.moveTo >= 0)) {
    broken.push(`K9: ${name} is ready, suspended ${thread.suspended}, to move to ${thread.moveTo}`);
  }
  const partner = k.state.threads.get(thread.partner);
  if (thread.state === ThreadState.SEND && !(partner && sendersOf(k, partner).includes(thread.number))) {
    broken.push(`K3: ${name} sends to ${thread.partner}, which does not know`);
  }
  if (thread.state === ThreadState.REPLY && partner?.replyTo !== thread.number) {
    broken.push(`K3: ${name} waits for a reply of ${thread.partner}, which does not know`);
  }
  const caller = k.state.threads.get(thread.replyTo);
  if (thread.replyTo !== 0 && !(caller?.state === ThreadState.REPLY && caller.partner === thread.number)) {
    broken.push(`K3: ${name} owes ${thread.replyTo} a reply, which does not wait for it`);
  }
  for (const sender of sendersOf(k, thread)) {
    const waiting = k.state.threads.get(sender);
    if (!(waiting?.state === ThreadState.SEND && waiting.partner === thread.number)) {
      broken.push(`K3: ${sender} stands in the queue of ${name} and does not send to it`);
    }
  }
  if (thread.state === ThreadState.SERVER && k.operations.get(thread.operation)?.thread !== thread.number) {
    broken.push(`K7: ${name} waits for operation ${thread.operation}, which is not for it`);
  }
}

/** The sender queue of a thread; cut off when it is longer than there are threads. */
function sendersOf(k: KernelContext, thread: Thread): number[] {
  const senders: number[] = [];
  for (let number = thread.firstSender; number !== 0 && senders.length <= k.state.threads.size; ) {
    senders.push(number);
    number = k.state.threads.get(number)?.next ?? 0;
  }
  return senders;
}

function checkDeadlines(k: KernelContext, core: Core, broken: string[]): void {
  let last = -1;
  const threads = new Set<number>();
  for (const { at, kind, id } of core.deadlines) {
    if (at < last) broken.push(`K4: deadlines of core ${core.number} are not sorted`);
    last = at;
    if (deadlineOf(k, kind, id, core) !== at)
      broken.push(`K4: deadline ${at} of core ${core.number}, kind ${kind}, is not that of ${id}`);
    if (kind === DeadlineKind.THREAD) threads.add(id);
  }
  for (const thread of k.state.threads.values()) {
    if (thread.core === core.number && thread.deadline >= 0 && !threads.has(thread.number)) {
      broken.push(`K4: the deadline of thread ${thread.number} is in no list`);
    }
  }
}

/** The time that the owner of a deadline knows; that of a delayed IPI is written down in the list alone. */
function deadlineOf(k: KernelContext, kind: DeadlineKind, id: number, core: Core): number | undefined {
  switch (kind) {
    case DeadlineKind.THREAD:
      return k.state.threads.get(id)?.deadline;
    case DeadlineKind.OPERATION:
      return k.operations.get(id)?.deadline;
    case DeadlineKind.SHOOTDOWN:
      return k.transactions.get(id)?.deadline;
    case DeadlineKind.STALL:
      return core.stalledUntil;
    case DeadlineKind.ALARM:
      return k.state.alarm.core === core.number ? k.state.alarm.at : undefined;
    case DeadlineKind.DELAYED_IPI:
      return core.deadlines.find((deadline) => deadline.kind === kind && deadline.id === id)?.at;
  }
}

function checkCounts(k: KernelContext, broken: string[]): void {
  const threads = [...k.state.threads.values()];
  for (const core of k.state.cores) {
    const count = threads.filter((thread) => thread.core === core.number).length;
    if (count !== core.threadCount)
      broken.push(`K5: core ${core.number} counts ${core.threadCount} threads of ${count}`);
  }
  for (const task of k.state.tasks.values()) {
    const own = threads.filter((thread) => thread.task === task.number);
    const listed = task.threads.filter((number) => number !== 0).length;
    if (own.length !== task.threadCount || listed !== task.threadCount) {
      broken.push(
        `K5: task ${task.number} counts ${task.threadCount} threads of ${own.length}, lists ${listed}`,
      );
    }
    const flying = [...k.operations.values()].filter((operation) => operation.task === task.number).length;
    if (flying !== task.operations) {
      broken.push(`K5: task ${task.number} counts ${task.operations} operations of ${flying}`);
    }
    if (
      task.state === TaskState.DYING &&
      flying === 0 &&
      own.length === 0 &&
      task.number !== k.state.rootTask
    ) {
      broken.push(`K5: task ${task.number} is dead and still there`);
    }
  }
  for (const thread of threads) {
    if (!k.state.tasks.has(thread.task)) broken.push(`K5: thread ${thread.number} has no task`);
  }
}

function checkCaps(task: number, caps: CapTable, broken: string[]): void {
  const holds = new Map<number, number>();
  let occupied = -1;
  for (let word of caps.occupied) for (; word !== 0; word &= word - 1) occupied++;
  caps.slots.forEach((slot, index) => {
    if (slot === null) return;
    const key = objectKey(slot.type, slot.object);
    holds.set(key, (holds.get(key) ?? 0) + 1);
    if (((caps.occupied[index >>> 5]! >>> (index & 31)) & 1) === 0) {
      broken.push(`K6: slot ${index} of task ${task} is in use and marked free`);
    }
  });
  if (caps.free !== SLOT_COUNT - 1 - occupied) broken.push(`K6: free count of task ${task}`);
  if (caps.reserved < 0 || caps.reserved > caps.free) broken.push(`K6: reserved count of task ${task}`);
  const same =
    holds.size === caps.holds.size && [...holds].every(([key, count]) => caps.holds.get(key) === count);
  if (!same) broken.push(`K6: held counts of task ${task}`);
}

function checkFlight(k: KernelContext, broken: string[]): void {
  if (k.chores || k.turns.length + k.condemned.length + k.deaths.length + k.lateBatches.length > 0) {
    broken.push('K7: chores were left when the kernel was left');
  }
  for (const operation of k.operations.values()) {
    const home = k.state.cores[operation.home]!;
    const places =
      (home.work.includes(operation.id) ? 1 : 0) +
      (home.paused.includes(operation.id) ? 1 : 0) +
      (operation.wait === OperationWait.EVENT && k.events.get(operation.eventKey)?.includes(operation.id)
        ? 1
        : 0) +
      ([...k.transactions.values()].some((t) => t.operation === operation.id && t.stage !== Stage.GIVEN_UP)
        ? 1
        : 0);
    if (places !== 1) broken.push(`K7: operation ${operation.id} waits in ${places} places`);
  }
  for (const transaction of k.transactions.values()) {
    if (transaction.isDenied) {
      broken.push(
        `K11: operation ${transaction.operation} reported success, shootdown ${transaction.id} is open`,
      );
    }
    for (const core of k.state.cores) {
      const owes = (transaction.pendingMask & (1 << core.number)) !== 0;
      const asked = core.mailbox.some((mail) => mail.transaction === transaction.id);
      if (owes !== asked)
        broken.push(`K8: core ${core.number} owes ${owes}, was asked ${asked}: shootdown ${transaction.id}`);
      if (owes && transaction.stage >= Stage.DEAD && core.dead === 0)
        broken.push(`K11: core ${core.number} was given up and may run: shootdown ${transaction.id}`);
    }
  }
}

function checkLines(k: KernelContext, broken: string[]): void {
  for (const [number, line] of k.state.lines.entries()) {
    if (line.thread === 0) continue;
    const thread = k.state.threads.get(line.thread);
    const task = k.state.tasks.get(line.task);
    if (thread?.task !== line.task || task?.driver !== 1) {
      broken.push(`K10: line ${number} belongs to thread ${line.thread} of task ${line.task}`);
      continue;
    }
    const waits = ((thread.linesToTell >>> number) & 1) === 1;
    if (waits !== (line.arrived > 0 && line.told === 0)) {
      broken.push(`K10: line ${number}: ${line.arrived} arrived, told ${line.told}, waits ${waits}`);
    }
  }
  for (const thread of k.state.threads.values()) {
    for (let left = thread.linesToTell; left !== 0; left &= left - 1) {
      const number = 31 - Math.clz32(left & -left);
      if (k.state.lines[number]!.thread !== thread.number)
        broken.push(`K10: thread ${thread.number} is to be told of line ${number}`);
    }
  }
  const bitmaps = [...k.state.tasks.values()].map((task) => task.ioBitmap).filter((frame) => frame !== 0);
  bitmaps.push(...k.state.freeIoBitmaps);
  if (new Set(bitmaps).size !== bitmaps.length) broken.push('K10: an I/O bitmap has two owners');
}
