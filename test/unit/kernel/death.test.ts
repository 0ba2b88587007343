import { describe, expect, it } from 'vitest';
import { Errno } from '../../../src/abi/errno.ts';
import { KernelEv } from '../../../src/abi/events.ts';
import { Receive, SLOT_SELF_TASK } from '../../../src/abi/message.ts';
import { CapType } from '../../../src/abi/rights.ts';
import type { Operation } from '../../../src/abi/server.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import { CONTROL_SLOT, OK_REPLY, World } from './world.ts';

/** Root on core 0; a child task with one thread on core 1. */
function withChild(cores = 2): { w: World; slot: number; task: number; thread: number; threadSlot: number } {
  const w = new World(cores);
  const child = w.createTask(0);
  const created = w.createThread(0, { task: child.slot, core: 1 });
  return { w, ...child, thread: created.thread, threadSlot: created.slot };
}

const destroy = (w: World, slot: number): void => {
  expect(w.syscall(0, Sys.TASK_DESTROY, slot).eax).toBe(0);
  w.deliver();
};

const taskIsGone = (w: World, task: number): boolean =>
  !w.kernel.describeTasks().some((info) => info.task === task);

describe('the death of a task', () => {
  it('waits until no core runs it: the running thread is taken off by an IPI', () => {
    const { w, slot, task, thread } = withChild();
    expect(w.syscall(0, Sys.TASK_DESTROY, slot).eax).toBe(0);
    expect(w.stateOf(thread)).toBe('doomed');
    expect(w.server.deaths).toEqual([]);
    w.deliver();
    expect(w.server.deaths).toEqual([task]);
    expect(w.isHalted(1)).toBe(true);
    expect(taskIsGone(w, task)).toBe(true);
    expect(w.machine.eventsOf(KernelEv.TaskExit)[0]!.args.slice(0, 2)).toEqual([task, 137]);
  });

  it('does not serve a system call that a doomed thread makes before the IPI comes', () => {
    const { w, slot, task } = withChild();
    w.syscall(0, Sys.TASK_DESTROY, slot);
    w.syscall(1, Sys.CONSOLE_WRITE, 4);
    expect(w.machine.console).toBe('');
    expect(w.server.deaths).toEqual([task]);
    w.deliver();
    expect(w.server.deaths).toEqual([task]);
  });

  it.each([
    [
      'ready',
      (w: World, c: ReturnType<typeof withChild>) => {
        w.createThread(0, { task: c.slot, core: 1 });
      },
    ],
    ['receiving', (w: World) => void w.ipc(1, 0, Receive.ANY)],
    ['receiving with a time-out', (w: World) => void w.ipc(1, 0, Receive.ANY, { timeout: 99_999 })],
    ['sleeping', (w: World) => void w.syscall(1, Sys.SLEEP, 5000)],
    [
      'sending',
      (w: World, c: ReturnType<typeof withChild>) => {
        grantRootThread(w, c);
        w.ipc(1, 3, Receive.NONE, { timeout: 50_000 });
      },
    ],
    [
      'awaiting a reply',
      (w: World, c: ReturnType<typeof withChild>) => {
        grantRootThread(w, c);
        w.ipc(1, 3, Receive.REPLY);
        expect(w.ipc(0, 0, Receive.ANY).eax).toBe(0);
      },
    ],
    [
      'in the server',
      (w: World, c: ReturnType<typeof withChild>) => {
        w.syscall(0, Sys.CAP_GRANT, c.slot, CONTROL_SLOT, 0xf);
        w.server.answer = function* (): Operation {
          yield { kind: 'event', key: 1, deadlineCycles: Infinity };
          return OK_REPLY;
        };
        w.ipc(1, 3, Receive.REPLY);
      },
    ],
  ])('is clean while a thread of it is %s', (_, arrange) => {
    const { w, ...child } = withChild();
    arrange(w, { w, ...child });
    destroy(w, child.slot);
    expect(w.server.deaths).toEqual([child.task]);
    expect(taskIsGone(w, child.task)).toBe(true);
    expect(w.kernel.describeThreads().map((t) => t.thread)).toEqual([w.rootThread]);
    expect(w.kernel.isQuiescent()).toBe(true);
    if (w.machine.timers[1]! >= 0) w.fireTimer(1);
    expect(w.machine.timers[1]).toBe(-1);
    // Nothing of it is left behind in the root's queues.
    expect(w.ipc(0, 0, Receive.ANY, { timeout: 0 }).eax).toBe(Errno.ETIMEDOUT);
    expect(w.ipc(0, 0xffffffff, Receive.NONE).eax).toBe(Errno.ESRCH);
    expect(w.ipc(0, child.threadSlot, Receive.NONE).eax).toBe(Errno.ESRCH);
    expect(w.syscall(0, Sys.TASK_DESTROY, child.slot).eax).toBe(0);
    expect(w.syscall(0, Sys.CAP_GRANT, child.slot, CONTROL_SLOT, 1).eax).toBe(Errno.ESRCH);
  });

  it('ends the waits of its partners with ECANCELED', () => {
    const w = new World(3);
    const child = w.createTask(0);
    const server = w.createThread(0, { task: child.slot, core: 1 });
    const second = w.createThread(0, { core: 2 });
    w.ipc(1, 0, Receive.ANY);
    w.ipc(2, server.slot, Receive.REPLY);
    w.deliver();
    expect(w.stateOf(second.thread)).toBe('awaiting reply');
    w.ipc(0, server.slot, Receive.NONE);
    expect(w.stateOf(w.rootThread)).toBe('sending');
    w.syscall(1, Sys.TASK_EXIT, 5);
    w.deliver();
    expect(w.results(0).eax).toBe(Errno.ECANCELED);
    expect(w.results(2).eax).toBe(Errno.ECANCELED);
    expect(w.server.deaths).toEqual([child.task]);
  });

  it('waits for its operation in flight; the reply is dropped and its capabilities are told as dropped', () => {
    const { w, slot, task } = withChild();
    w.syscall(0, Sys.CAP_GRANT, slot, CONTROL_SLOT, 0xf);
    const made = { type: CapType.CONTROL, object: 99, rights: 0xf };
    w.server.answer = function* () {
      yield { kind: 'pause' };
      yield { kind: 'pause' };
      return { errno: 0, words: [], caps: [made] };
    };
    w.ipc(1, 3, Receive.REPLY, { label: 1 });
    destroy(w, slot);
    expect(w.server.deaths).toEqual([]);
    w.fireTimer(1);
    w.fireTimer(1);
    expect(w.server.drops).toEqual([{ task, cap: made }]);
    expect(w.server.deaths).toEqual([task]);
    expect(w.kernel.isQuiescent()).toBe(true);
  });

  it('is over when the operation of the server is', () => {
    const { w, slot, task } = withChild();
    w.server.death = function* () {
      const batch = w.kernel.port.newBatch();
      w.kernel.port.removeSpace(task, batch);
      yield { kind: 'shootdown', batch };
      yield { kind: 'pause' };
    };
    destroy(w, slot);
    expect(taskIsGone(w, task)).toBe(false);
    expect(w.kernel.port.hasSpace(task)).toBe(false);
    expect(w.kernel.describeCores()[1]!.space).not.toBe(task);
    while (!w.kernel.isQuiescent()) w.fireTimer(1);
    expect(taskIsGone(w, task)).toBe(true);
  });

  it('comes with its last thread, and with the status 0 when that thread exits by itself', () => {
    const { w, slot, task } = withChild();
    w.createThread(0, { task: slot, core: 1 });
    w.syscall(1, Sys.THREAD_EXIT);
    expect(w.server.deaths).toEqual([]);
    w.syscall(1, Sys.THREAD_EXIT);
    expect(w.server.deaths).toEqual([task]);
    expect(w.machine.eventsOf(KernelEv.TaskExit)[0]!.args.slice(0, 2)).toEqual([task, 0]);
  });

  it('by its own hand ends the calling thread too', () => {
    const { w, task } = withChild();
    w.syscall(1, Sys.TASK_DESTROY, SLOT_SELF_TASK);
    expect(w.isHalted(1)).toBe(true);
    expect(w.server.deaths).toEqual([task]);
  });

  it('of the root task ends the run with its status; nothing runs afterwards', () => {
    const w = new World();
    w.createThread(0, { core: 1 });
    w.syscall(0, Sys.TASK_EXIT, 42);
    expect(w.machine.exitStatus).toBe(42);
    expect(w.isHalted(0)).toBe(true);
    w.syscall(1, Sys.CONSOLE_WRITE, 4);
    expect(w.machine.console).toBe('');
    expect(w.isHalted(1)).toBe(true);
    expect(w.server.deaths).toEqual([]);
  });

  it('kills a thread whose faults it served', () => {
    const w = new World();
    const child = w.createTask(0);
    const pager = w.createThread(0, { task: child.slot, core: 1 });
    const faulter = w.createThread(0, { core: 1, pager: pager.slot });
    w.ipc(1, 0, Receive.ANY);
    expect(w.running(1)).toBe(faulter.thread);
    w.fault(1, 0x700000, 4);
    expect(w.running(1)).toBe(pager.thread);
    w.syscall(1, Sys.TASK_EXIT, 0);
    expect(w.stateOf(faulter.thread)).toBe('gone');
    expect(w.kernel.counters.faultKills).toBe(1);
    expect(w.running(0)).toBe(w.rootThread);
  });
});

/** Gives the child slot 3: the root thread. */
function grantRootThread(w: World, child: { slot: number }): void {
  w.kernel.installCapability(w.root, 200, { type: CapType.THREAD, object: w.rootThread, rights: 1 });
  expect(w.syscall(0, Sys.CAP_GRANT, child.slot, 200, 1).ebx).toBe(3);
}

describe('the port of the memory server', () => {
  it('tells whether a task lives: a capability outlives it', () => {
    const { w, slot, task } = withChild();
    expect(w.kernel.port.taskLives(task)).toBe(true);
    w.syscall(0, Sys.TASK_DESTROY, slot);
    expect(w.stateOf(w.running(1))).toBe('doomed');
    expect(w.kernel.port.taskLives(task)).toBe(false);
    w.deliver();
    expect(w.kernel.port.taskLives(task)).toBe(false);
    expect(w.kernel.port.taskLives(99)).toBe(false);
  });
});
