import { describe, expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import { Errno } from '../../../src/abi/errno.ts';
import { KernelEv } from '../../../src/abi/events.ts';
import { Receive, SLOT_PHYSMEM, SLOT_SELF_TASK } from '../../../src/abi/message.ts';
import { CapType, TaskRight, ThreadRight } from '../../../src/abi/rights.ts';
import { SYSCALLS, Sys } from '../../../src/abi/syscalls.ts';
import { CONTROL_SLOT, World } from './world.ts';

const ANY = 0xffffffff;

describe('the system call table', () => {
  it('gives ENOSYS for every number that is not in it', () => {
    const w = new World();
    expect(SYSCALLS.map((call) => call.number)).toEqual(SYSCALLS.map((_, i) => i));
    for (const number of [SYSCALLS.length, 0x7fffffff, -1, -2147483648]) {
      expect(w.syscall(0, number, 1, 2, 3).eax).toBe(Errno.ENOSYS);
    }
  });

  it('never answers with an errno that the ABI does not list', () => {
    const w = new World(2, { maxTasks: 6 });
    const values = [0, 1, 2, 3, 4, 0xffff, 0x1003, 1 << 31, -1];
    for (const call of SYSCALLS) {
      if ([Sys.TASK_EXIT, Sys.THREAD_EXIT, Sys.SLEEP, Sys.TASK_DESTROY].includes(call.number)) continue;
      for (const a of values) {
        for (const b of values) {
          const eax = w.syscall(0, call.number, a, b, b, a, b, 0).eax;
          if (w.running(0) !== w.rootThread) w.deliver();
          if (eax !== 0) expect([call.name, ...call.errors]).toContain(Errno[eax]);
          w.deliver();
        }
      }
    }
  });
});

describe('task_create', () => {
  it('gives a task with its two slots and no memory', () => {
    const w = new World();
    const { slot, task } = w.createTask(0);
    expect(w.syscall(0, Sys.CAP_INFO, slot)).toMatchObject({ eax: 0, ebx: CapType.TASK, edx: 7 });
    expect(w.kernel.capTable(task).map((s) => [s.word, s.type])).toEqual([
      [SLOT_SELF_TASK, 'task'],
      [SLOT_PHYSMEM, 'physmem'],
    ]);
  });

  it('gives EAGAIN at the bound and ENOSPC without room', () => {
    const w = new World(1, { maxTasks: 2 });
    expect(w.syscall(0, Sys.TASK_CREATE).eax).toBe(0);
    expect(w.syscall(0, Sys.TASK_CREATE).eax).toBe(Errno.EAGAIN);
    while (w.syscall(0, Sys.CAP_COPY, 1, 0).eax === 0);
    expect(w.syscall(0, Sys.TASK_CREATE).eax).toBe(Errno.ENOSPC);
  });
});

describe('thread_create', () => {
  const create = (w: World, ...args: number[]) => w.syscall(0, Sys.THREAD_CREATE, ...args).eax;

  it('starts a thread with its context on the core that was asked for', () => {
    const w = new World();
    w.syscall(0, Sys.THREAD_CREATE, SLOT_SELF_TASK, 0x401234, 0x3f0008, 0, 1, 3);
    expect(w.isHalted(1)).toBe(true);
    w.deliver();
    const r = w.registers(1);
    expect([r[R.EIP], r[R.ESP], r[R.EFLAGS], r[R.CPL]]).toEqual([0x401234, 0x3f0008, 0x202, 3]);
    const area = w.area(w.running(1));
    expect(w.machine.read32(area)).toBe(r[R.BASE + 5]! >>> 0);
    expect([1, 2, 3].map((i) => w.machine.read32(area + i * 4))).toEqual([w.running(1), w.root, 1]);
  });

  it('takes the core with the fewest threads when any will do', () => {
    const w = new World(3);
    const cores = [0, 1, 2].map(() => {
      w.syscall(0, Sys.THREAD_CREATE, SLOT_SELF_TASK, 0x401000, 0, 0, ANY, 0);
      return w.kernel.describeThreads().at(-1)!.core;
    });
    expect(cores).toEqual([1, 2, 0]);
  });

  it('refuses with each errno', () => {
    const w = new World();
    const unsponsored = w.syscall(0, Sys.TASK_CREATE).ebx;
    const weak = w.syscall(0, Sys.CAP_COPY, SLOT_SELF_TASK, TaskRight.MAP).ebx;
    const thread = w.createThread(0, { core: 1 });
    const mute = w.syscall(0, Sys.CAP_COPY, thread.slot, ThreadRight.CONTROL).ebx;
    const dead = w.createTask(0);
    w.syscall(0, Sys.TASK_DESTROY, dead.slot);
    expect(create(w, 999, 0x401000, 0, 0, 0, 0)).toBe(Errno.EBADF);
    expect(create(w, CONTROL_SLOT, 0x401000, 0, 0, 0, 0)).toBe(Errno.EBADF);
    expect(create(w, 1, 0x401000, 0, CONTROL_SLOT, 0, 0)).toBe(Errno.EBADF);
    expect(create(w, 1, 0x401000, 0, mute, 0, 0)).toBe(Errno.EPERM);
    expect(create(w, weak, 0x401000, 0, 0, 0, 0)).toBe(Errno.EPERM);
    expect(create(w, 1, 0xffc00000, 0, 0, 0, 0)).toBe(Errno.EINVAL);
    expect(create(w, 1, 0x401000, 0, 0, 2, 0)).toBe(Errno.EINVAL);
    expect(create(w, 1, 0x401000, 0, 0, 0, 8)).toBe(Errno.EINVAL);
    expect(create(w, dead.slot, 0x401000, 0, 0, 0, 0)).toBe(Errno.ESRCH);
    expect(create(w, unsponsored, 0x401000, 0, 0, 0, 0)).toBe(Errno.ENOMEM);
    for (let i = 2; i < 8; i++) expect(create(w, 1, 0x401000, 0, 0, 0, 0)).toBe(0);
    expect(create(w, 1, 0x401000, 0, 0, 0, 0)).toBe(Errno.ENOMEM);
    const other = w.createTask(0);
    while (w.syscall(0, Sys.CAP_COPY, 1, 0).eax === 0);
    expect(create(w, other.slot, 0x401000, 0, 0, 0, 0)).toBe(Errno.ENOSPC);
  });
});

describe('capabilities', () => {
  it('copies never have more rights than the original', () => {
    const w = new World();
    const weak = w.syscall(0, Sys.CAP_COPY, CONTROL_SLOT, 2).ebx;
    const again = w.syscall(0, Sys.CAP_COPY, weak, ANY).ebx;
    expect(w.syscall(0, Sys.CAP_INFO, again)).toMatchObject({ ebx: CapType.CONTROL, edx: 2 });
    expect(w.syscall(0, Sys.CAP_COPY, 0, ANY).eax).toBe(Errno.EBADF);
    expect(w.syscall(0, Sys.CAP_INFO, 0).eax).toBe(Errno.EBADF);
    expect(w.syscall(0, Sys.CAP_DELETE, 0).eax).toBe(Errno.EBADF);
  });

  it('take the lowest free slot, and an emptied slot has a new word', () => {
    const w = new World();
    const first = w.syscall(0, Sys.CAP_COPY, 1, 0).ebx;
    const second = w.syscall(0, Sys.CAP_COPY, 1, 0).ebx;
    expect([first, second]).toEqual([4, 5]);
    w.syscall(0, Sys.CAP_DELETE, first);
    const third = w.syscall(0, Sys.CAP_COPY, 1, 0).ebx;
    expect(third).toBe((1 << 12) | 4);
    expect(w.syscall(0, Sys.CAP_INFO, first).eax).toBe(Errno.EBADF);
    expect(w.syscall(0, Sys.CAP_INFO, third).eax).toBe(0);
  });

  it('are granted into the table of another task, weakened, with MANAGE only', () => {
    const w = new World();
    const child = w.createTask(0);
    expect(w.syscall(0, Sys.CAP_GRANT, child.slot, CONTROL_SLOT, 3)).toMatchObject({ eax: 0, ebx: 3 });
    expect(w.kernel.capTable(child.task)[2]).toMatchObject({ word: 3, object: 7, rights: 3 });
    const weak = w.syscall(0, Sys.CAP_COPY, child.slot, TaskRight.DESTROY).ebx;
    expect(w.syscall(0, Sys.CAP_GRANT, weak, CONTROL_SLOT, 3).eax).toBe(Errno.EPERM);
    expect(w.syscall(0, Sys.CAP_GRANT, CONTROL_SLOT, CONTROL_SLOT, 3).eax).toBe(Errno.EBADF);
    expect(w.syscall(0, Sys.CAP_GRANT, child.slot, 99, 3).eax).toBe(Errno.EBADF);
  });

  it('to threads are minted with a badge for threads of the own task only', () => {
    const w = new World();
    const child = w.createTask(0);
    const foreign = w.createThread(0, { task: child.slot, core: 1 });
    const own = w.createThread(0, { core: 1 });
    const minted = w.syscall(0, Sys.THREAD_MINT, own.slot, 5);
    expect(minted.eax).toBe(0);
    expect(w.syscall(0, Sys.CAP_INFO, minted.ebx).edx).toBe(ThreadRight.SEND);
    expect(w.syscall(0, Sys.THREAD_MINT, minted.ebx, 5).eax).toBe(Errno.EPERM);
    expect(w.syscall(0, Sys.THREAD_MINT, foreign.slot, 5).eax).toBe(Errno.EPERM);
    expect(w.syscall(0, Sys.THREAD_MINT, CONTROL_SLOT, 5).eax).toBe(Errno.EBADF);
    while (w.syscall(0, Sys.CAP_COPY, 1, 0).eax === 0);
    expect(w.syscall(0, Sys.THREAD_MINT, own.slot, 5).eax).toBe(Errno.ENOSPC);
    expect(w.syscall(0, Sys.CAP_COPY, own.slot, 5).eax).toBe(Errno.ENOSPC);
  });
});

describe('task_destroy and thread_set_pager', () => {
  it('need their rights and the right type', () => {
    const w = new World();
    const child = w.createTask(0);
    const weak = w.syscall(0, Sys.CAP_COPY, child.slot, TaskRight.MANAGE).ebx;
    expect(w.syscall(0, Sys.TASK_DESTROY, weak).eax).toBe(Errno.EPERM);
    expect(w.syscall(0, Sys.TASK_DESTROY, CONTROL_SLOT).eax).toBe(Errno.EBADF);
    const { slot } = w.createThread(0, { core: 1 });
    const mute = w.syscall(0, Sys.CAP_COPY, slot, ThreadRight.CONTROL).ebx;
    const sendOnly = w.syscall(0, Sys.CAP_COPY, slot, ThreadRight.SEND).ebx;
    expect(w.syscall(0, Sys.THREAD_SET_PAGER, sendOnly, 0).eax).toBe(Errno.EPERM);
    expect(w.syscall(0, Sys.THREAD_SET_PAGER, slot, mute).eax).toBe(Errno.EPERM);
    expect(w.syscall(0, Sys.THREAD_SET_PAGER, slot, CONTROL_SLOT).eax).toBe(Errno.EBADF);
    expect(w.syscall(0, Sys.THREAD_SET_PAGER, CONTROL_SLOT, 0).eax).toBe(Errno.EBADF);
    expect(w.syscall(0, Sys.THREAD_SET_PAGER, slot, sendOnly).eax).toBe(0);
  });
});

describe('time and console', () => {
  it('clock tells the cycles of the core in two words', () => {
    const w = new World();
    w.machine.advance(0, 5 * 2 ** 32);
    const { ebx, edx } = w.syscall(0, Sys.CLOCK);
    expect(edx).toBe(5);
    expect(edx * 2 ** 32 + ebx).toBeLessThanOrEqual(w.machine.time(0));
    expect(edx * 2 ** 32 + ebx).toBeGreaterThan(w.machine.time(0) - 1000);
  });

  it('sleep waits at least the time and idles the core', () => {
    const w = new World(1);
    const before = w.machine.time(0);
    w.syscall(0, Sys.SLEEP, 12_345);
    expect(w.isHalted(0)).toBe(true);
    w.fireTimer(0);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.results(0).eax).toBe(0);
    expect(w.machine.time(0)).toBeGreaterThanOrEqual(before + 12_345);
    w.syscall(0, Sys.SLEEP, 0);
    expect(w.running(0)).toBe(w.rootThread);
  });

  it('console_write takes bytes from the message words, at most 240', () => {
    const w = new World();
    w.machine.writeBytes(w.area(w.rootThread) + 32, new TextEncoder().encode('hello'));
    expect(w.syscall(0, Sys.CONSOLE_WRITE, 5).eax).toBe(0);
    expect(w.machine.console).toBe('hello');
    expect(w.syscall(0, Sys.CONSOLE_WRITE, 241).eax).toBe(Errno.EMSGSIZE);
  });
});

describe('scheduling', () => {
  it('rotates threads of one priority at the end of the quantum', () => {
    const w = new World(1, { quantumCycles: 9000 });
    const other = w.createThread(0, { core: 0 });
    expect(w.running(0)).toBe(w.rootThread);
    w.fireTimer(0);
    expect(w.running(0)).toBe(other.thread);
    w.fireTimer(0);
    expect(w.running(0)).toBe(w.rootThread);
  });

  it('lets a thread go on when nobody of its priority is ready', () => {
    const w = new World(1);
    w.createThread(0, { core: 0, priority: 2 });
    const switches = w.kernel.counters.contextSwitches;
    w.fireTimer(0);
    w.fireTimer(0);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.kernel.counters.contextSwitches).toBe(switches);
    expect(w.machine.timers[0]).toBeGreaterThan(w.machine.time(0));
  });

  it('traces every switch with where it comes from, and idleness as thread 0', () => {
    const w = new World(1);
    const other = w.createThread(0, { core: 0 });
    w.syscall(0, Sys.YIELD);
    w.syscall(0, Sys.SLEEP, 1000);
    w.syscall(0, Sys.SLEEP, 1000);
    w.fireTimer(0);
    const [root, second] = [w.rootThread, other.thread];
    expect(w.machine.eventsOf(KernelEv.ContextSwitch).map((event) => event.args.slice(0, 3))).toEqual([
      [0, root, w.root],
      [root, second, w.root],
      [second, root, w.root],
      [root, 0, 0],
      [0, second, w.root],
    ]);
    expect(w.kernel.counters.contextSwitches).toBe(4);
  });

  it('preempts for a more urgent thread, here and on another core', () => {
    const w = new World(2);
    const here = w.createThread(0, { core: 0, priority: 5 });
    expect(w.running(0)).toBe(here.thread);
    w.ipc(0, 0, Receive.ANY);
    expect(w.running(0)).toBe(w.rootThread);
    const low = w.createThread(0, { core: 1, priority: 1 });
    expect(w.running(1)).toBe(low.thread);
    const high = w.createThread(0, { core: 1, priority: 6 });
    expect(w.running(1)).toBe(high.thread);
    expect(w.stateOf(low.thread)).toBe('ready');
  });

  it('does not let a pair that plays ping-pong by IPC keep others from the core', () => {
    const w = new World(1);
    const partner = w.createThread(0, { core: 0 });
    const third = w.createThread(0, { core: 0 });
    w.ipc(0, partner.slot, Receive.REPLY);
    w.ipc(0, 0, Receive.ANY);
    let rounds = 0;
    while (w.running(0) !== third.thread && rounds < 1000) {
      rounds++;
      w.machine.advance(0, 500);
      if (w.running(0) === partner.thread) w.ipc(0, 0xffffffff, Receive.ANY);
      else w.ipc(0, partner.slot, Receive.REPLY);
      if (w.machine.timers[0]! <= w.machine.time(0)) w.fireTimer(0);
    }
    expect(w.running(0)).toBe(third.thread);
  });
});
