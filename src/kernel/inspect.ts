/** What the kernel shows of itself: plain data for the command line, the monitor and the tests. Observes only. */

import { R } from '../../emu/arch/core-layout.ts';
import { PDE_PS, PTE_A, PTE_D, PTE_P, PTE_U, PTE_W } from '../../emu/arch/paging.ts';
import { slotWord } from '../abi/message.ts';
import { CAP_TYPE_NAMES } from '../abi/rights.ts';
import { type KernelContext, OperationWait, registersOf, Stage } from './context.ts';
import type { TaskCounters } from './counters.ts';
import { TaskState, ThreadState } from './state.ts';

export interface TaskInfo {
  readonly task: number;
  readonly parent: number;
  readonly state: 'alive' | 'dying';
  readonly threads: readonly number[];
  readonly slots: number;
  /** Base frames of directory, system table and message frame; 0 = not sponsored. */
  readonly directory: number;
  readonly systemTable: number;
  readonly messageFrame: number;
  readonly driver: boolean;
  readonly operations: number;
  readonly counters: Readonly<TaskCounters>;
}

export interface ThreadInfo {
  readonly thread: number;
  readonly task: number;
  readonly core: number;
  readonly priority: number;
  readonly state: string;
  /** Thread for which it waits, 0 = none. */
  readonly partner: number;
  readonly pager: number;
  /** Operation of the memory server for which it waits, 0 = none. */
  readonly operation: number;
  readonly eip: number;
  readonly esp: number;
}

export interface CoreInfo {
  readonly core: number;
  /** Running thread, 0 = idle. */
  readonly thread: number;
  /** Task whose directory is loaded, 0 = the kernel's. */
  readonly space: number;
  /** Idle with that directory still loaded: not interrupted for shootdowns. */
  readonly lazy: boolean;
  /** The TLB may hold what was shot down; it is flushed before user code runs. */
  readonly flushPending: boolean;
  readonly ready: number;
  readonly mailbox: number;
  /** Declared dead: it runs no user code before it has answered. */
  readonly dead: boolean;
}

export interface ShootdownInfo {
  readonly id: number;
  /** Cores that have not answered, one bit each. */
  readonly missingMask: number;
  /** Its bound is over and was reported. */
  readonly overdue: boolean;
  /** Its operation has refused, because the missing cores do not even enter the kernel. */
  readonly gaveUp: boolean;
  /** Its operation goes on when the last answer has come. */
  readonly isWaitedFor: boolean;
  readonly pages: number;
}

/** A run of pages with consecutive frames and equal bits. */
export interface SpaceRun {
  readonly page: number;
  readonly count: number;
  readonly frame: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly large: boolean;
  readonly accessed: boolean;
  readonly dirty: boolean;
}

export interface SlotInfo {
  readonly word: number;
  readonly type: string;
  readonly object: number;
  readonly rights: number;
  readonly badge: number;
}

const THREAD_STATES: Readonly<Record<ThreadState, string>> = {
  [ThreadState.READY]: 'ready',
  [ThreadState.RUNNING]: 'running',
  [ThreadState.SEND]: 'sending',
  [ThreadState.RECEIVE]: 'receiving',
  [ThreadState.REPLY]: 'awaiting reply',
  [ThreadState.SLEEP]: 'sleeping',
  [ThreadState.SERVER]: 'in server',
  [ThreadState.TURN]: 'turning',
  [ThreadState.CONDEMNED]: 'condemned',
  [ThreadState.DOOMED]: 'doomed',
  [ThreadState.SUSPENDED]: 'suspended',
};

export const describeTasks = (k: KernelContext): TaskInfo[] =>
  [...k.state.tasks.values()].map((task) => ({
    task: task.number,
    parent: task.parent,
    state: task.state === TaskState.ALIVE ? 'alive' : 'dying',
    threads: task.threads.filter((number) => number !== 0),
    slots: task.caps.slots.filter((slot) => slot !== null).length,
    directory: task.directory,
    systemTable: task.systemTable,
    messageFrame: task.messageFrame,
    driver: task.driver !== 0,
    operations: task.operations,
    counters: { ...task.counters },
  }));

export const describeThreads = (k: KernelContext): ThreadInfo[] =>
  [...k.state.threads.values()].map((thread) => {
    const r = registersOf(k, thread);
    return {
      thread: thread.number,
      task: thread.task,
      core: thread.core,
      priority: thread.priority,
      state: THREAD_STATES[thread.state],
      partner: thread.partner,
      pager: thread.pager,
      operation: thread.operation,
      eip: r[R.EIP]! >>> 0,
      esp: r[R.ESP]! >>> 0,
    };
  });

export const describeCores = (k: KernelContext): CoreInfo[] =>
  k.state.cores.map((core) => ({
    core: core.number,
    thread: core.current,
    space: core.space,
    lazy: core.current === 0 && core.space !== 0,
    flushPending: core.flushPending !== 0,
    ready: [...k.state.threads.values()].filter(
      (thread) => thread.core === core.number && thread.state === ThreadState.READY,
    ).length,
    mailbox: core.mailbox.length,
    dead: core.dead !== 0,
  }));

export const describeShootdowns = (k: KernelContext): ShootdownInfo[] =>
  [...k.transactions.values()].map(({ id, operation, pendingMask, stage, batch }) => ({
    id,
    missingMask: pendingMask,
    overdue: stage >= Stage.REPORTED,
    gaveUp: stage === Stage.GIVEN_UP,
    isWaitedFor: stage !== Stage.GIVEN_UP && k.operations.get(operation)?.wait === OperationWait.SHOOTDOWN,
    pages: batch.pageCount,
  }));

/** Every present translation of a task, from the tables in RAM, in the order of addresses. */
export function describeSpace(k: KernelContext, taskNumber: number): SpaceRun[] {
  const directory = k.state.tasks.get(taskNumber)?.directory ?? 0;
  const runs: SpaceRun[] = [];
  if (directory === 0) return runs;
  for (let pde = 0; pde < 1024; pde++) {
    const entry = k.machine.read32(directory * 4096 + pde * 4) >>> 0;
    if ((entry & PTE_P) === 0) continue;
    if ((entry & PDE_PS) !== 0) {
      addRun(runs, pde * 1024, 1024, entry);
      continue;
    }
    const table = (entry & ~0xfff) >>> 0;
    for (let i = 0; i < 1024; i++) {
      const pte = k.machine.read32(table + i * 4) >>> 0;
      if ((pte & PTE_P) !== 0) addRun(runs, pde * 1024 + i, 1, pte);
    }
  }
  return runs;
}

export function describeCaps(k: KernelContext, taskNumber: number): SlotInfo[] {
  const caps = k.state.tasks.get(taskNumber)?.caps;
  if (caps === undefined) return [];
  return caps.slots.flatMap((slot, index) =>
    slot === null
      ? []
      : [
          {
            word: slotWord(index, caps.generations[index]!),
            type: CAP_TYPE_NAMES[slot.type] ?? String(slot.type),
            object: slot.object,
            rights: slot.rights,
            badge: slot.badge,
          },
        ],
  );
}

function addRun(runs: SpaceRun[], page: number, count: number, entry: number): void {
  const run: SpaceRun = {
    page,
    count,
    frame: entry >>> 12,
    writable: (entry & PTE_W) !== 0,
    user: (entry & PTE_U) !== 0,
    large: count === 1024,
    accessed: (entry & PTE_A) !== 0,
    dirty: (entry & PTE_D) !== 0,
  };
  const last = runs.at(-1);
  if (last !== undefined && continues(last, run))
    runs[runs.length - 1] = { ...last, count: last.count + count };
  else runs.push(run);
}

const continues = (last: SpaceRun, next: SpaceRun): boolean =>
  last.page + last.count === next.page &&
  last.frame + last.count === next.frame &&
  last.writable === next.writable &&
  last.user === next.user &&
  last.large === next.large &&
  last.accessed === next.accessed &&
  last.dirty === next.dirty;
