/** Birth of tasks and threads: records, first slots, message area, first context. Ends are in death.ts. */
import { Flag, R } from '../../emu/arch/core-layout.ts';
import { KernelEv } from '../abi/events.ts';
import {
  AREA_CORE,
  AREA_SELF,
  AREA_TASK,
  AREA_THREAD,
  MESSAGE_AREA_BYTES,
  MESSAGE_FRAME_VA,
  SLOT_PHYSMEM,
  SLOT_SELF_TASK,
} from '../abi/message.ts';
import { ALL_RIGHTS, CapType, TaskRight } from '../abi/rights.ts';
import { insertAt, makeSlot } from './capability.ts';
import { coreOf, emit, type KernelContext } from './context.ts';
import { makeReady } from './scheduler.ts';
import { initialSelectors } from './segments.ts';
import { CONTEXT_WORDS, newTask, type Task, type Thread, ThreadState } from './state.ts';

export const ALL_TASK_RIGHTS = TaskRight.MANAGE | TaskRight.MAP | TaskRight.DESTROY;

/** A task without memory and threads; it has the slots that every task has from birth. */
export function createTask(k: KernelContext, parent: number): Task {
  const task = newTask(k.state.nextTask++, parent);
  k.state.tasks.set(task.number, task);
  insertAt(task.caps, SLOT_SELF_TASK, makeSlot(CapType.TASK, task.number, ALL_TASK_RIGHTS, 0));
  insertAt(task.caps, SLOT_PHYSMEM, makeSlot(CapType.PHYSMEM, 0, ALL_RIGHTS, 0));
  emit(k, KernelEv.TaskCreate, task.number, parent, 0, 0);
  return task;
}

export interface ThreadSpec {
  readonly eip: number;
  readonly esp: number;
  readonly pager: number;
  readonly pagerBadge: number;
  readonly core: number;
  readonly priority: number;
}

/** A new ready thread. The task has an address space and a free message area. */
export function createThread(k: KernelContext, task: Task, spec: ThreadSpec): Thread {
  const index = task.threads.indexOf(0);
  const thread = newThread(k.state.nextThread++, task, index, spec);
  k.state.threads.set(thread.number, thread);
  task.threads[index] = thread.number;
  task.threadCount++;
  coreOf(k, spec.core).threadCount++;
  initArea(k, thread);
  emit(k, KernelEv.ThreadCreate, task.number, thread.number, spec.core, spec.eip);
  makeReady(k, thread, 'back');
  return thread;
}

/** The core with the fewest threads; the lowest number among equals. */
export function leastLoadedCore(k: KernelContext): number {
  let best = 0;
  for (const core of k.state.cores) {
    if (core.threadCount < coreOf(k, best).threadCount) best = core.number;
  }
  return best;
}

function newThread(number: number, task: Task, index: number, spec: ThreadSpec): Thread {
  const context = new Int32Array(CONTEXT_WORDS);
  context[R.EIP] = spec.eip;
  context[R.ESP] = spec.esp;
  context[R.EFLAGS] = Flag.ONE | Flag.IF;
  initialSelectors(context);
  return {
    number,
    task: task.number,
    index,
    areaVa: MESSAGE_FRAME_VA + index * MESSAGE_AREA_BYTES,
    areaPa: task.messageFrame * 4096 + index * MESSAGE_AREA_BYTES,
    core: spec.core,
    priority: spec.priority,
    state: ThreadState.READY,
    context,
    pager: spec.pager,
    pagerBadge: spec.pagerBadge,
    partner: 0,
    badge: 0,
    replyTo: 0,
    firstSender: 0,
    lastSender: 0,
    next: 0,
    previous: 0,
    deadline: -1,
    operation: 0,
    faultLabel: 0,
    faultWord: 0,
    faultError: 0,
    capsShown: 0,
    suspended: 0,
    moveTo: -1,
    linesToTell: 0,
    notices: [],
  };
}

/** The area may have been another thread's: everything but the kernel's four words is zero. */
function initArea(k: KernelContext, thread: Thread): void {
  k.machine.writeBytes(thread.areaPa, new Uint8Array(MESSAGE_AREA_BYTES));
  k.machine.write32(thread.areaPa + AREA_SELF * 4, thread.areaVa);
  k.machine.write32(thread.areaPa + AREA_THREAD * 4, thread.number);
  k.machine.write32(thread.areaPa + AREA_TASK * 4, thread.task);
  k.machine.write32(thread.areaPa + AREA_CORE * 4, thread.core);
}
