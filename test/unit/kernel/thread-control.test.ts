import { describe, expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import { Errno } from '../../../src/abi/errno.ts';
import { Receive, tagLabel } from '../../../src/abi/message.ts';
import { ThreadRight } from '../../../src/abi/rights.ts';
import { Sys, ThreadControl } from '../../../src/abi/syscalls.ts';
import { CONTROL_SLOT, OK_REPLY, World } from './world.ts';

const { SUSPEND, RESUME, MOVE, PRIORITY } = ThreadControl;

const control = (w: World, slot: number, what: number, value = 0, core = 0): number =>
  w.syscall(core, Sys.THREAD_CONTROL, slot, what, value).eax;

const coreOfThread = (w: World, thread: number): number =>
  w.kernel.describeThreads().find((info) => info.thread === thread)!.core;

function twoThreads(): { w: World; slot: number; thread: number } {
  const w = new World();
  return { w, ...w.createThread(0, { core: 1 }) };
}

describe('suspend', () => {
  it('stops a thread that runs on another core by interrupt, and resume lets it go on where it was', () => {
    const { w, slot, thread } = twoThreads();
    w.registers(1)[R.EIP] = 0x401234;
    expect(control(w, slot, SUSPEND)).toBe(0);
    expect(w.running(1)).toBe(thread);
    expect(w.kernel.check()).toEqual([]);
    w.deliver();
    expect(w.isHalted(1)).toBe(true);
    expect(w.stateOf(thread)).toBe('suspended');
    expect(w.kernel.check()).toEqual([]);
    expect(control(w, slot, RESUME)).toBe(0);
    w.deliver();
    expect(w.running(1)).toBe(thread);
    expect(w.registers(1)[R.EIP]).toBe(0x401234);
  });

  it('taken back before the interrupt came stops nothing', () => {
    const { w, slot, thread } = twoThreads();
    control(w, slot, SUSPEND);
    control(w, slot, RESUME);
    w.deliver();
    expect(w.running(1)).toBe(thread);
  });

  it('takes a ready thread out of its queue', () => {
    const w = new World(1);
    const other = w.createThread(0, { core: 0 });
    control(w, other.slot, SUSPEND);
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.kernel.check()).toEqual([]);
    control(w, other.slot, RESUME);
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).toBe(other.thread);
  });

  it('of the caller itself stops it, with its result, until another thread resumes it', () => {
    const { w, slot, thread } = twoThreads();
    w.ipc(1, 0, Receive.ANY);
    w.ipc(0, slot, Receive.NONE, { caps: [[slot, 3]] });
    w.deliver();
    const own = w.receivedCap(thread, 0);
    control(w, own, SUSPEND, 0, 1);
    expect(w.stateOf(thread)).toBe('suspended');
    control(w, slot, RESUME);
    w.deliver();
    expect(w.running(1)).toBe(thread);
    expect(w.results(1).eax).toBe(0);
  });

  it('lets a wait go on: a message comes, and is seen after resume', () => {
    const { w, slot, thread } = twoThreads();
    w.ipc(1, 0, Receive.ANY);
    control(w, slot, SUSPEND);
    expect(w.stateOf(thread)).toBe('receiving');
    expect(w.ipc(0, slot, Receive.NONE, { label: 9 }).eax).toBe(0);
    w.deliver();
    expect(w.stateOf(thread)).toBe('suspended');
    control(w, slot, RESUME);
    w.deliver();
    expect(tagLabel(w.results(1).edx)).toBe(9);
  });

  it('lets an operation of the server end; its caller has the reply after resume', () => {
    const { w, slot, thread } = twoThreads();
    w.server.answer = function* () {
      yield { kind: 'event', key: 5, deadlineCycles: Infinity };
      return { errno: 0, words: [42], caps: [] };
    };
    w.rpc(1, 100);
    expect(w.stateOf(thread)).toBe('in server');
    control(w, slot, SUSPEND);
    w.server.answer = () => {
      w.kernel.port.wake(5);
      return OK_REPLY;
    };
    w.rpc(0, 1);
    w.deliver();
    expect(w.stateOf(thread)).toBe('suspended');
    expect(w.kernel.isQuiescent()).toBe(true);
    control(w, slot, RESUME);
    w.deliver();
    expect(w.results(1).esi).toBe(42);
  });

  it('does not hinder death', () => {
    const w = new World();
    const child = w.createTask(0);
    const { slot, thread } = w.createThread(0, { task: child.slot, core: 1 });
    control(w, slot, SUSPEND);
    w.deliver();
    expect(w.stateOf(thread)).toBe('suspended');
    w.syscall(0, Sys.TASK_DESTROY, child.slot);
    expect(w.stateOf(thread)).toBe('gone');
    expect(w.server.deaths).toEqual([child.task]);
    expect(control(w, slot, RESUME)).toBe(Errno.ESRCH);
  });
});

describe('move', () => {
  it('takes a running thread to another core, with its registers and its area', () => {
    const { w, slot, thread } = twoThreads();
    w.registers(1)[R.ESI] = 77;
    const area = w.area(thread);
    expect(control(w, slot, MOVE, 0)).toBe(0);
    w.deliver();
    expect(w.isHalted(1)).toBe(true);
    expect(coreOfThread(w, thread)).toBe(0);
    expect(w.machine.read32(area + 12)).toBe(0);
    expect(w.kernel.check()).toEqual([]);
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).toBe(thread);
    expect(w.registers(0)[R.ESI]).toBe(77);
  });

  it('takes a ready thread at once, and wakes the core', () => {
    const w = new World();
    const { slot, thread } = w.createThread(0, { core: 0 });
    control(w, slot, MOVE, 1);
    w.deliver();
    expect(w.running(1)).toBe(thread);
  });

  it('takes a waiting thread when it wakes; its time-out stays what it was', () => {
    const { w, slot, thread } = twoThreads();
    w.ipc(1, 0, Receive.ANY, { timeout: 5000 });
    control(w, slot, MOVE, 0);
    expect(coreOfThread(w, thread)).toBe(1);
    expect(w.kernel.check()).toEqual([]);
    w.fireTimer(1);
    expect(coreOfThread(w, thread)).toBe(0);
    expect(w.kernel.check()).toEqual([]);
    w.deliver();
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).toBe(thread);
    expect(w.results(0).eax).toBe(Errno.ETIMEDOUT);
  });

  it('takes a suspended thread when it is resumed', () => {
    const { w, slot, thread } = twoThreads();
    control(w, slot, SUSPEND);
    w.deliver();
    control(w, slot, MOVE, 0);
    control(w, slot, RESUME);
    expect(coreOfThread(w, thread)).toBe(0);
    expect(w.stateOf(thread)).toBe('ready');
  });

  it('to its own core does nothing, and takes back a move that was not made yet', () => {
    const { w, slot, thread } = twoThreads();
    control(w, slot, MOVE, 0);
    control(w, slot, MOVE, 1);
    w.deliver();
    expect(w.running(1)).toBe(thread);
  });
});

describe('priority', () => {
  it('of a ready thread above the caller preempts the caller', () => {
    const w = new World(1);
    const { slot, thread } = w.createThread(0, { core: 0 });
    control(w, slot, PRIORITY, 7);
    expect(w.running(0)).toBe(thread);
    expect(w.kernel.check()).toEqual([]);
  });

  it('of a running thread below a ready one lets that one run', () => {
    const { w, slot, thread } = twoThreads();
    const second = w.createThread(0, { core: 1 });
    control(w, slot, PRIORITY, 1);
    w.deliver();
    expect(w.running(1)).toBe(second.thread);
    expect(w.stateOf(thread)).toBe('ready');
    expect(w.kernel.check()).toEqual([]);
  });

  it('of a waiting thread counts when it wakes', () => {
    const w = new World(1);
    const { slot, thread } = w.createThread(0, { core: 0 });
    w.syscall(0, Sys.YIELD);
    w.ipc(0, 0, Receive.ANY);
    control(w, slot, PRIORITY, 5);
    w.ipc(0, slot, Receive.NONE);
    expect(w.running(0)).toBe(thread);
  });
});

describe('thread_control', () => {
  it('refuses with each errno and changes nothing', () => {
    const { w, slot } = twoThreads();
    const weak = w.syscall(0, Sys.CAP_COPY, slot, ThreadRight.SEND).ebx;
    const gone = w.createThread(0, { core: 1, priority: 7 });
    w.syscall(1, Sys.THREAD_EXIT);
    expect(control(w, 0, SUSPEND)).toBe(Errno.EBADF);
    expect(control(w, -1, SUSPEND)).toBe(Errno.EBADF);
    expect(control(w, CONTROL_SLOT, SUSPEND)).toBe(Errno.EBADF);
    expect(control(w, weak, SUSPEND)).toBe(Errno.EPERM);
    expect(control(w, gone.slot, SUSPEND)).toBe(Errno.ESRCH);
    for (const [what, value] of [
      [4, 0],
      [-1, 0],
      [SUSPEND, 1],
      [RESUME, 1],
      [MOVE, 2],
      [MOVE, -1],
      [PRIORITY, 8],
      [PRIORITY, 1 << 31],
    ] as const) {
      expect(control(w, slot, what, value), `${what} ${value}`).toBe(Errno.EINVAL);
    }
    expect(w.stateOf(w.running(1))).toBe('running');
  });
});
