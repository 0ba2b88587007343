import { describe, expect, it } from 'vitest';
import { Errno } from '../../../src/abi/errno.ts';
import { KernelEv } from '../../../src/abi/events.ts';
import { LABEL_INTERRUPT, makeTag, REPLY_SLOT, Receive, SLOT_SELF_TASK } from '../../../src/abi/message.ts';
import { TaskRight, ThreadRight } from '../../../src/abi/rights.ts';
import { IrqTrigger, Sys } from '../../../src/abi/syscalls.ts';
import { CONTROL_SLOT, World } from './world.ts';

const LINE = 14;
const VECTOR = 0x40 + LINE;
const BADGE = 0xbad9e;
const TAG = makeTag(LABEL_INTERRUPT, 2, 0);

interface Driver {
  readonly w: World;
  readonly slot: number;
  readonly thread: number;
}

/** A driver task with a thread on core 1 that has the line. */
function driver(trigger = IrqTrigger.EDGE): Driver {
  const w = new World(2, {}, 'driver');
  const { slot, thread } = w.createThread(0, { core: 1 });
  expect(w.syscall(0, Sys.IRQ_BIND, LINE, slot, BADGE, trigger).eax).toBe(0);
  return { w, slot, thread };
}

const receive = (w: World, core = 1) => w.ipc(core, 0, Receive.ANY);

describe('an interrupt line', () => {
  it('is routed to the core of the thread that takes it', () => {
    const { w, thread } = driver(IrqTrigger.LEVEL);
    expect(w.machine.lines).toEqual([`route ${LINE} to core 1 as ${VECTOR.toString(16)}, level`]);
    expect(w.machine.eventsOf(KernelEv.IrqBind).at(-1)!.args).toEqual([w.root, LINE, thread, 1]);
    expect(w.kernel.check()).toEqual([]);
  });

  it('becomes a message to a thread that waits', () => {
    const { w, thread } = driver();
    receive(w);
    expect(w.isHalted(1)).toBe(true);
    w.kernel.interrupt(1, VECTOR);
    expect(w.running(1)).toBe(thread);
    expect(w.results(1)).toMatchObject({ eax: 0, ebx: BADGE, edx: TAG, esi: LINE, edi: 1 });
    expect([w.word(thread, 0), w.word(thread, 1)]).toEqual([LINE, 1]);
    expect(w.kernel.counters.deviceInterrupts).toBe(1);
    expect(w.machine.endsOfInterrupt).toBeGreaterThan(0);
  });

  it('is told at the next receive to a thread that was busy, before messages of other threads', () => {
    const { w, slot, thread } = driver();
    w.ipc(0, slot, Receive.NONE, { label: 7, timeout: 1_000_000 });
    w.kernel.interrupt(1, VECTOR);
    expect(w.running(1)).toBe(thread);
    expect(receive(w)).toMatchObject({ eax: 0, edx: TAG });
    expect(w.kernel.check()).toEqual([]);
    expect(receive(w)).toMatchObject({ eax: 0, edx: makeTag(7, 0, 0) });
  });

  it('wakes no thread that waits for the reply to a call', () => {
    const { w, thread } = driver();
    const other = w.createThread(0, { core: 0 });
    w.ipc(1, other.slot, Receive.REPLY);
    expect(w.stateOf(thread)).toBe('sending');
    w.kernel.interrupt(1, VECTOR);
    expect(w.stateOf(thread)).toBe('sending');
    expect(w.kernel.check()).toEqual([]);
  });

  it('does not touch the reply that the driver owes', () => {
    const { w, slot, thread } = driver();
    receive(w);
    w.ipc(0, slot, Receive.REPLY);
    w.deliver();
    w.kernel.interrupt(1, VECTOR);
    expect(receive(w)).toMatchObject({ edx: TAG });
    expect(w.ipc(1, REPLY_SLOT, Receive.NONE).eax).toBe(0);
    expect(w.stateOf(thread)).toBe('running');
  });

  it('with an edge stays open, and edges before the acknowledgement are counted and told after it', () => {
    const { w } = driver(IrqTrigger.EDGE);
    receive(w);
    for (let i = 0; i < 4; i++) w.kernel.interrupt(1, VECTOR);
    expect(w.results(1).edi).toBe(1);
    expect(w.machine.lines).toHaveLength(1);
    receive(w);
    expect(w.isHalted(1)).toBe(true);
    w.syscall(0, Sys.IRQ_ACK, LINE);
    w.deliver();
    expect(w.results(1)).toMatchObject({ edx: TAG, edi: 3 });
    w.syscall(1, Sys.IRQ_ACK, LINE);
    receive(w);
    expect(w.isHalted(1)).toBe(true);
  });

  it('with a level is masked before the EOI and until the acknowledgement', () => {
    const { w } = driver(IrqTrigger.LEVEL);
    receive(w);
    w.kernel.interrupt(1, VECTOR);
    expect(w.machine.lines.slice(1)).toEqual([`mask ${LINE}`]);
    expect(w.syscall(1, Sys.IRQ_ACK, LINE).eax).toBe(0);
    expect(w.machine.lines.slice(2)).toEqual([`unmask ${LINE}`]);
    expect(w.syscall(1, Sys.IRQ_ACK, LINE).eax).toBe(0);
    expect(w.machine.lines.slice(3)).toEqual([]);
  });

  it('that is given back is masked, and an interrupt that was on its way is spurious', () => {
    const { w } = driver();
    w.kernel.interrupt(1, VECTOR);
    expect(w.syscall(1, Sys.IRQ_BIND, LINE, 0).eax).toBe(0);
    expect(w.machine.lines.at(-1)).toBe(`mask ${LINE}`);
    w.kernel.interrupt(1, VECTOR);
    expect(w.kernel.counters.spuriousInterrupts).toBe(1);
    receive(w);
    expect(w.isHalted(1)).toBe(true);
    expect(w.kernel.check()).toEqual([]);
  });

  it('taken again by its own task begins anew', () => {
    const { w, slot } = driver();
    w.kernel.interrupt(1, VECTOR);
    expect(w.syscall(1, Sys.IRQ_BIND, LINE, slot, BADGE + 1, IrqTrigger.LEVEL).eax).toBe(0);
    receive(w);
    expect(w.isHalted(1)).toBe(true);
    w.kernel.interrupt(1, VECTOR);
    expect(w.results(1)).toMatchObject({ ebx: BADGE + 1, edi: 1 });
  });

  it('is freed, masked, by the end of its thread', () => {
    const { w } = driver();
    w.kernel.interrupt(1, VECTOR);
    w.syscall(1, Sys.THREAD_EXIT);
    expect(w.machine.lines.at(-1)).toBe(`mask ${LINE}`);
    expect(w.kernel.check()).toEqual([]);
    expect(w.syscall(0, Sys.IRQ_ACK, LINE).eax).toBe(Errno.ENOENT);
    w.kernel.interrupt(1, VECTOR);
    expect(w.kernel.counters.spuriousInterrupts).toBe(1);
  });

  it('is free for others after the death of a driver that ran on another core', () => {
    const w = new World(2, {}, 'driver');
    const child = w.createTask(0);
    w.createThread(0, { task: child.slot, core: 1 });
    w.syscall(0, Sys.TASK_SET_DRIVER, child.slot);
    const own = w.createThread(0, { core: 0 });
    const selfSlot = w.syscall(1, Sys.THREAD_CREATE, SLOT_SELF_TASK, 0x401000, 0, 0, 1, 3).ebx;
    expect(w.syscall(1, Sys.IRQ_BIND, LINE, selfSlot, 1, 0).eax).toBe(0);
    expect(w.syscall(0, Sys.IRQ_BIND, LINE, own.slot, 1, 0).eax).toBe(Errno.EBUSY);
    expect(w.syscall(0, Sys.IRQ_ACK, LINE).eax).toBe(Errno.ENOENT);
    expect(w.syscall(0, Sys.IRQ_BIND, LINE, 0).eax).toBe(Errno.ENOENT);
    w.kernel.interrupt(1, VECTOR);
    w.syscall(0, Sys.TASK_DESTROY, child.slot);
    w.deliver();
    expect(w.syscall(0, Sys.IRQ_BIND, LINE, own.slot, 1, 0).eax).toBe(0);
    expect(w.kernel.check()).toEqual([]);
  });
});

describe('the right of a driver', () => {
  it('is not born with a task: every call of drivers is refused, whatever its arguments', () => {
    const w = new World();
    for (const args of [
      [0, 0, 0, 0],
      [LINE, 1, 2, 0],
      [-1, -1, -1, -1],
    ]) {
      for (const call of [Sys.TASK_SET_DRIVER, Sys.IRQ_BIND, Sys.IRQ_ACK, Sys.IOPORT_BIND]) {
        expect(w.syscall(0, call, ...args).eax).toBe(Errno.EPERM);
      }
    }
    expect(w.machine.lines).toEqual([]);
  });

  it('is given by a driver to a task that it manages, and told to the memory server', () => {
    const w = new World(2, {}, 'driver');
    const child = w.createTask(0);
    w.createThread(0, { task: child.slot, core: 1 });
    expect(w.syscall(1, Sys.IRQ_ACK, 0).eax).toBe(Errno.EPERM);
    expect(w.syscall(1, Sys.TASK_SET_DRIVER, SLOT_SELF_TASK).eax).toBe(Errno.EPERM);
    const weak = w.syscall(0, Sys.CAP_COPY, child.slot, TaskRight.MAP | TaskRight.DESTROY).ebx;
    expect(w.syscall(0, Sys.TASK_SET_DRIVER, weak).eax).toBe(Errno.EPERM);
    expect(w.syscall(0, Sys.TASK_SET_DRIVER, CONTROL_SLOT).eax).toBe(Errno.EBADF);
    expect(w.syscall(0, Sys.TASK_SET_DRIVER, 0).eax).toBe(Errno.EBADF);
    expect(w.syscall(0, Sys.TASK_SET_DRIVER, child.slot).eax).toBe(0);
    expect(w.syscall(1, Sys.IRQ_ACK, 0).eax).toBe(Errno.ENOENT);
    expect(w.kernel.describeTasks().map((task) => task.driver)).toEqual([true, true]);
    w.syscall(0, Sys.CAP_GRANT, child.slot, CONTROL_SLOT, 0xf);
    w.rpc(1, 1);
    expect(w.server.requests.at(-1)).toMatchObject({ task: child.task, driver: true });
    w.syscall(0, Sys.TASK_DESTROY, child.slot);
    w.deliver();
    expect(w.syscall(0, Sys.TASK_SET_DRIVER, child.slot).eax).toBe(Errno.ESRCH);
  });
});

describe('irq_bind', () => {
  it('refuses with each errno and changes nothing', () => {
    const { w, slot, thread } = driver();
    const lines = w.machine.lines.length;
    const child = w.createTask(0);
    const foreign = w.createThread(0, { task: child.slot, core: 0 });
    const weak = w.syscall(0, Sys.CAP_COPY, slot, ThreadRight.SEND).ebx;
    const gone = w.createThread(0, { core: 1, priority: 7 });
    w.syscall(1, Sys.THREAD_EXIT);
    expect(w.running(1)).toBe(thread);
    const bind = (...args: number[]) => w.syscall(0, Sys.IRQ_BIND, ...args).eax;
    expect(bind(24, slot, 0, 0)).toBe(Errno.EINVAL);
    expect(bind(-1, slot, 0, 0)).toBe(Errno.EINVAL);
    expect(bind(5, slot, 0, 2)).toBe(Errno.EINVAL);
    expect(bind(5, slot, 0, -1)).toBe(Errno.EINVAL);
    expect(bind(5, 0, 0, 0)).toBe(Errno.ENOENT);
    expect(bind(5, 999, 0, 0)).toBe(Errno.EBADF);
    expect(bind(5, CONTROL_SLOT, 0, 0)).toBe(Errno.EBADF);
    expect(bind(5, REPLY_SLOT, 0, 0)).toBe(Errno.EBADF);
    expect(bind(5, gone.slot, 0, 0)).toBe(Errno.EBADF);
    expect(bind(5, weak, 0, 0)).toBe(Errno.EPERM);
    expect(bind(5, foreign.slot, 0, 0)).toBe(Errno.EPERM);
    expect(w.syscall(0, Sys.IRQ_ACK, 24).eax).toBe(Errno.EINVAL);
    expect(w.syscall(0, Sys.IRQ_ACK, 5).eax).toBe(Errno.ENOENT);
    expect(w.machine.lines).toHaveLength(lines);
    expect(w.kernel.check()).toEqual([]);
  });
});
