import { describe, expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import { Errno } from '../../../src/abi/errno.ts';
import { KernelEv } from '../../../src/abi/events.ts';
import { LABEL_EXCEPTION, LABEL_PAGE_FAULT, makeTag, REPLY_SLOT, Receive } from '../../../src/abi/message.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import { OK_REPLY, World } from './world.ts';

const VA = 0x12345678;

/** Core 1 has a pager thread that waits, and a thread whose faults it serves. */
function withPager(): { w: World; pager: number; faulter: number; faulterSlot: number; pagerSlot: number } {
  const w = new World();
  const pager = w.createThread(0, { core: 1 });
  const minted = w.syscall(0, Sys.THREAD_MINT, pager.slot, 77).ebx;
  const faulter = w.createThread(0, { core: 1, pager: minted });
  w.ipc(1, 0, Receive.ANY);
  expect(w.running(1)).toBe(faulter.thread);
  return {
    w,
    pager: pager.thread,
    faulter: faulter.thread,
    faulterSlot: faulter.slot,
    pagerSlot: pager.slot,
  };
}

describe('a page fault', () => {
  it('becomes a message to the pager with its badge, and the reply 0 resumes the same instruction', () => {
    const { w, pager, faulter } = withPager();
    const r = w.registers(1);
    r[R.EIP] = 0x401234;
    r[R.EAX] = 0x55;
    w.fault(1, VA, 6);
    expect(w.running(1)).toBe(pager);
    expect(w.results(1)).toEqual({
      eax: 0,
      ebx: 77,
      edx: makeTag(LABEL_PAGE_FAULT, 5, 0),
      esi: VA,
      edi: 0x401234,
    });
    expect([0, 1, 2, 3, 4].map((i) => w.word(pager, i))).toEqual([VA, 0x401234, 6, faulter, w.root]);
    w.ipc(1, REPLY_SLOT, Receive.ANY);
    expect(w.running(1)).toBe(faulter);
    expect(r[R.EIP]).toBe(0x401234);
    expect(r[R.EAX]).toBe(0x55);
    expect(w.stateOf(pager)).toBe('receiving');
  });

  it('kills the thread when the pager answers with another label', () => {
    const { w, faulter } = withPager();
    w.fault(1, VA, 4);
    w.ipc(1, REPLY_SLOT, Receive.ANY, { label: 1 });
    expect(w.stateOf(faulter)).toBe('gone');
    expect(w.isHalted(1)).toBe(true);
  });

  it('waits in the queue of a busy pager', () => {
    const { w, pager, faulter, faulterSlot, pagerSlot } = withPager();
    w.ipc(0, pagerSlot, Receive.NONE);
    w.deliver();
    w.fault(1, VA, 4);
    expect(w.stateOf(faulter)).toBe('sending');
    expect(w.running(1)).toBe(pager);
    expect(w.ipc(1, 0, Receive.ANY).edx).toBe(makeTag(LABEL_PAGE_FAULT, 5, 0));
    expect(w.syscall(0, Sys.THREAD_SET_PAGER, faulterSlot, 0).eax).toBe(0);
  });

  it('without pager kills a thread, and the task with its last thread: status 128 + vector', () => {
    const w = new World();
    const child = w.createTask(0);
    const { thread } = w.createThread(0, { task: child.slot, core: 1 });
    w.registers(1)[R.EIP] = 0xdead;
    w.fault(1, VA, 4);
    expect(w.machine.eventsOf(KernelEv.FaultKilled)[0]!.args).toEqual([child.task, thread, 14, 0xdead]);
    expect(w.machine.eventsOf(KernelEv.TaskExit)[0]!.args.slice(0, 2)).toEqual([child.task, 142]);
    expect(w.server.deaths).toEqual([child.task]);
    expect(w.running(0)).toBe(w.rootThread);
  });

  it('of a thread that is its own pager kills it', () => {
    const w = new World();
    const { slot, thread } = w.createThread(0, { core: 1 });
    expect(w.syscall(0, Sys.THREAD_SET_PAGER, slot, slot).eax).toBe(0);
    w.fault(1, VA, 4);
    expect(w.stateOf(thread)).toBe('gone');
  });

  it('after the death of the pager kills the thread', () => {
    const { w, pager, faulter } = withPager();
    w.syscall(1, Sys.YIELD);
    w.fault(1, VA, 4);
    expect(w.running(1)).toBe(pager);
    w.ipc(1, REPLY_SLOT, Receive.NONE);
    w.syscall(1, Sys.THREAD_EXIT);
    expect(w.running(1)).toBe(faulter);
    w.fault(1, VA, 4);
    expect(w.stateOf(faulter)).toBe('gone');
  });

  it('whose pager takes another message first runs the instruction again', () => {
    const { w, pager, faulter } = withPager();
    w.fault(1, VA, 4);
    w.createThread(0, { core: 0 });
    w.ipc(0, w.kernel.capTable(w.root).find((s) => s.object === pager)!.word, Receive.REPLY);
    w.ipc(1, 0, Receive.ANY);
    expect(w.stateOf(faulter)).toBe('ready');
  });

  it('of the root task without pager goes to the memory server', () => {
    const w = new World();
    const faults: unknown[] = [];
    w.server.bootAnswer = (fault) => {
      faults.push(fault);
      return OK_REPLY;
    };
    w.fault(0, VA, 4);
    expect(faults).toEqual([{ task: w.root, thread: w.rootThread, address: VA, errorCode: 4 }]);
    expect(w.running(0)).toBe(w.rootThread);
    w.server.bootAnswer = function* () {
      yield { kind: 'pause' };
      return OK_REPLY;
    };
    w.registers(0)[R.EAX] = 0x77;
    w.fault(0, VA, 4);
    expect(w.stateOf(w.rootThread)).toBe('in server');
    w.fireTimer(0);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.registers(0)[R.EAX]).toBe(0x77);
    w.server.bootAnswer = function* () {
      yield { kind: 'pause' };
      return { errno: Errno.ENOENT, words: [], caps: [] };
    };
    w.fault(0, VA, 4);
    w.fireTimer(0);
    expect(w.machine.exitStatus).toBe(142);
  });
});

describe('an exception', () => {
  it('goes to the pager with vector and error code', () => {
    const { w, pager } = withPager();
    w.registers(1)[R.EXIT_SOFT] = 0;
    w.kernel.trap(1, 13, 0x18);
    expect(w.results(1)).toMatchObject({ edx: makeTag(LABEL_EXCEPTION, 5, 0), esi: 13 });
    expect(w.word(pager, 2)).toBe(0x18);
  });

  it.each([0x80, 14, 0, 255])('is #GP of the gate for INT %i by the program', (vector) => {
    const { w, pager } = withPager();
    const r = w.registers(1);
    r[R.EXIT_SOFT] = 1;
    r[R.EIP] = 0x401002;
    r[R.CR2] = 0;
    w.kernel.trap(1, vector, 0);
    expect(w.running(1)).toBe(pager);
    expect(w.results(1)).toMatchObject({ esi: 13, edi: 0x401000 });
    expect(w.word(pager, 2)).toBe(vector * 8 + 2);
  });

  it('of INT3 is a breakpoint after the instruction', () => {
    const { w } = withPager();
    w.registers(1)[R.EXIT_SOFT] = 1;
    w.registers(1)[R.EIP] = 0x401001;
    w.kernel.trap(1, 3, 0);
    expect(w.results(1)).toMatchObject({ esi: 3, edi: 0x401001 });
  });

  it('without pager kills', () => {
    const w = new World();
    const { thread } = w.createThread(0, { core: 1 });
    w.registers(1)[R.EXIT_SOFT] = 0;
    w.kernel.trap(1, 6, 0);
    expect(w.stateOf(thread)).toBe('gone');
    expect(w.machine.exitStatus).toBe(-1);
    w.registers(0)[R.EXIT_SOFT] = 0;
    w.kernel.trap(0, 0, 0);
    expect(w.machine.exitStatus).toBe(128);
  });
});
