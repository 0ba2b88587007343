import { describe, expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import { Errno } from '../../../src/abi/errno.ts';
import {
  CAP_MOVE,
  makeTag,
  REPLY_SLOT,
  Receive,
  slotIndex,
  tagLabel,
  tagWords,
} from '../../../src/abi/message.ts';
import { CapType, ControlRight, ThreadRight } from '../../../src/abi/rights.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import { CONTROL_SLOT, World } from './world.ts';

/** Root runs on core 0; a second thread of the root task waits for a message on core 1. */
function withServerThread(): { w: World; slot: number; thread: number } {
  const w = new World();
  const { slot, thread } = w.createThread(0, { core: 1 });
  w.ipc(1, 0, Receive.ANY);
  expect(w.stateOf(thread)).toBe('receiving');
  return { w, slot, thread };
}

describe('message transfer', () => {
  it('carries label, register words, memory words and badge to a waiting receiver', () => {
    const { w, slot, thread } = withServerThread();
    const minted = w.syscall(0, Sys.THREAD_MINT, slot, 0xbad6e);
    expect(minted.eax).toBe(0);
    const words = Array.from({ length: 60 }, (_, i) => i * 0x01010101);
    expect(w.ipc(0, minted.ebx, Receive.NONE, { label: 0x1234, words }).eax).toBe(0);
    w.deliver();
    const got = w.results(1);
    expect(got).toMatchObject({ eax: 0, ebx: 0xbad6e, edx: makeTag(0x1234, 60, 0), esi: 0, edi: 0x01010101 });
    expect(words.map((_, i) => w.word(thread, i))).toEqual(words.map((word) => word >>> 0));
  });

  it('answers a call with reply-and-wait on the same core without a trip through the scheduler of another', () => {
    const w = new World(1);
    const server = w.createThread(0, { core: 0 });
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).toBe(server.thread);
    w.ipc(0, 0, Receive.ANY);
    expect(w.running(0)).toBe(w.rootThread);
    for (let round = 0; round < 3; round++) {
      w.ipc(0, server.slot, Receive.REPLY, { label: round, words: [round, 2] });
      expect(w.running(0)).toBe(server.thread);
      expect(w.results(0)).toMatchObject({ eax: 0, edx: makeTag(round, 2, 0), esi: round });
      w.ipc(0, REPLY_SLOT, Receive.ANY, { label: 9, words: [round + 100] });
      expect(w.running(0)).toBe(w.rootThread);
      expect(w.results(0)).toMatchObject({ eax: 0, edx: makeTag(9, 1, 0), esi: round + 100 });
    }
    expect(w.kernel.counters.reschedules).toBe(0);
    expect(w.kernel.counters.ipcs).toBe(6);
  });

  it('queues senders in order and gives each message once', () => {
    const w = new World(1);
    const server = w.createThread(0, { core: 0, priority: 2 });
    const second = w.createThread(0, { core: 0 });
    w.ipc(0, server.slot, Receive.NONE, { words: [1] });
    expect(w.running(0)).toBe(second.thread);
    w.ipc(0, server.slot, Receive.NONE, { words: [2] });
    expect(w.running(0)).toBe(server.thread);
    for (const [sender, word] of [
      [w.rootThread, 1],
      [second.thread, 2],
    ]) {
      w.ipc(0, 0, Receive.ANY);
      // The woken sender is more urgent and preempts the receiver.
      expect(w.running(0)).toBe(sender);
      w.syscall(0, Sys.SLEEP, 1_000_000);
      expect(w.running(0)).toBe(server.thread);
      expect(w.results(0)).toMatchObject({ eax: 0, esi: word });
    }
    expect(w.ipc(0, 0, Receive.ANY, { timeout: 0 }).eax).toBe(Errno.ETIMEDOUT);
  });

  it('runs the receive half of a sender that was blocked in its send half', () => {
    const w = new World(1);
    const a = w.createThread(0, { core: 0 });
    w.ipc(0, a.slot, Receive.ANY, { words: [5] });
    expect(w.stateOf(w.rootThread)).toBe('sending');
    expect(w.ipc(0, 0, Receive.ANY).esi).toBe(5);
    expect(w.stateOf(w.rootThread)).toBe('receiving');
    expect(w.running(0)).toBe(a.thread);
  });
});

describe('refusals', () => {
  it('gives EBADF for forged, stale and foreign slots and changes nothing', () => {
    const { w, slot } = withServerThread();
    w.syscall(0, Sys.CAP_DELETE, slot);
    for (const word of [slot, 0xabc, (1 << 12) | CONTROL_SLOT, 0xfffffffe, 1]) {
      expect(w.ipc(0, word, Receive.NONE).eax).toBe(Errno.EBADF);
    }
    expect(w.server.requests).toHaveLength(0);
  });

  it('gives EBADF for a bad capability item, before anything is sent', () => {
    const { w, slot, thread } = withServerThread();
    expect(w.ipc(0, slot, Receive.NONE, { caps: [[0x777, -1]] }).eax).toBe(Errno.EBADF);
    expect(w.stateOf(thread)).toBe('receiving');
    expect(w.ipc(0, CONTROL_SLOT, Receive.REPLY, { caps: [[0x777, -1]] }).eax).toBe(Errno.EBADF);
    expect(w.server.requests).toHaveLength(0);
  });

  it('gives EPERM without SEND, EMSGSIZE for too much, EINVAL for nonsense, ESRCH for the dead', () => {
    const { w, slot } = withServerThread();
    const weak = w.syscall(0, Sys.CAP_COPY, slot, ThreadRight.CONTROL).ebx;
    expect(w.ipc(0, weak, Receive.NONE).eax).toBe(Errno.EPERM);
    expect(w.syscall(0, Sys.IPC, slot, 0, 61).eax).toBe(Errno.EMSGSIZE);
    expect(w.syscall(0, Sys.IPC, slot, 0, 5 << 8).eax).toBe(Errno.EMSGSIZE);
    expect(w.syscall(0, Sys.IPC, slot, 0, 1 << 7).eax).toBe(Errno.EINVAL);
    expect(w.syscall(0, Sys.IPC, slot, 3, 0).eax).toBe(Errno.EINVAL);
    expect(w.ipc(0, 0, Receive.NONE).eax).toBe(Errno.EINVAL);
    expect(w.ipc(0, 0, Receive.REPLY).eax).toBe(Errno.EINVAL);
    expect(w.ipc(0, REPLY_SLOT, Receive.REPLY).eax).toBe(Errno.EINVAL);
    expect(w.ipc(0, REPLY_SLOT, Receive.NONE).eax).toBe(Errno.ESRCH);
    expect(w.ipc(0, CONTROL_SLOT, Receive.NONE).eax).toBe(Errno.EINVAL);
    w.ipc(0, slot, Receive.NONE);
    w.deliver();
    w.syscall(1, Sys.THREAD_EXIT);
    expect(w.ipc(0, slot, Receive.NONE).eax).toBe(Errno.ESRCH);
  });
});

describe('capability transfer', () => {
  it('gives a copy with the rights of the mask at most', () => {
    const w = new World();
    const child = w.createTask(0);
    const { slot, thread } = w.createThread(0, { task: child.slot, core: 1 });
    w.ipc(1, 0, Receive.ANY);
    const rights = ControlRight.CREATE | ControlRight.QUERY;
    expect(w.ipc(0, slot, Receive.NONE, { caps: [[CONTROL_SLOT, rights]] }).eax).toBe(0);
    w.deliver();
    const word = w.receivedCap(thread, 0);
    expect(w.kernel.capTable(child.task).find((s) => s.word === word)).toMatchObject({
      type: 'control',
      object: 7,
      rights,
    });
    expect(w.kernel.capTable(w.root).some((s) => s.object === 7 && s.rights === 0xf)).toBe(true);
    expect(w.syscall(1, Sys.CAP_COPY, word, 0xffff).eax).toBe(0);
    expect(w.kernel.capTable(child.task).at(-1)?.rights).toBe(rights);
  });

  it('empties the slot of the sender when the item is moved, and tells the server', () => {
    const w = new World();
    const child = w.createTask(0);
    const { slot } = w.createThread(0, { task: child.slot, core: 1 });
    w.ipc(1, 0, Receive.ANY);
    w.ipc(0, slot, Receive.NONE, { caps: [[CONTROL_SLOT, CAP_MOVE | 0xffff]] });
    expect(w.rpc(0, 3).eax).toBe(Errno.EBADF);
    expect(w.server.drops).toEqual([
      { task: w.root, cap: { type: CapType.CONTROL, object: 7, rights: 0xf } },
    ]);
  });

  it('clears the received-caps words when a later message has none', () => {
    const { w, slot, thread } = withServerThread();
    w.ipc(0, slot, Receive.NONE, { caps: [[CONTROL_SLOT, 1]] });
    w.deliver();
    expect(w.receivedCap(thread, 0)).not.toBe(0);
    w.ipc(1, 0, Receive.ANY);
    w.ipc(0, slot, Receive.NONE);
    expect(w.receivedCap(thread, 0)).toBe(0);
  });

  it('gives the sender ENOSPC when the receiver has no room; the receiver goes on waiting', () => {
    const w = new World();
    const child = w.createTask(0);
    const { slot, thread } = w.createThread(0, { task: child.slot, core: 1 });
    while (w.syscall(1, Sys.CAP_COPY, 1, 0).eax === 0);
    expect(w.syscall(1, Sys.CAP_COPY, 1, 0).eax).toBe(Errno.ENOSPC);
    w.ipc(1, 0, Receive.ANY);
    expect(w.ipc(0, slot, Receive.NONE, { caps: [[CONTROL_SLOT, 1]] }).eax).toBe(Errno.ENOSPC);
    expect(w.stateOf(thread)).toBe('receiving');
    expect(w.syscall(0, Sys.CAP_GRANT, child.slot, CONTROL_SLOT, 1).eax).toBe(Errno.ENOSPC);
  });

  it('checks items again when the message moves, because slots may have gone meanwhile', () => {
    const w = new World(1);
    const receiver = w.createThread(0, { core: 0 });
    const copy = w.syscall(0, Sys.CAP_COPY, CONTROL_SLOT, 1).ebx;
    w.ipc(0, receiver.slot, Receive.NONE, { caps: [[copy, 1]] });
    expect(w.running(0)).toBe(receiver.thread);
    w.syscall(0, Sys.CAP_DELETE, copy);
    w.ipc(0, 0, Receive.ANY);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.results(0).eax).toBe(Errno.EBADF);
    expect(w.stateOf(receiver.thread)).toBe('receiving');
  });
});

describe('time-outs and given-up calls', () => {
  it('ends a send, a receive and a call at the deadline with ETIMEDOUT', () => {
    const w = new World(1);
    const other = w.createThread(0, { core: 0, priority: 0 });
    w.ipc(0, other.slot, Receive.NONE, { timeout: 10_000 });
    expect(w.stateOf(w.rootThread)).toBe('sending');
    w.fireTimer(0);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.results(0).eax).toBe(Errno.ETIMEDOUT);
    w.ipc(0, 0, Receive.ANY, { timeout: 10_000 });
    w.fireTimer(0);
    expect(w.results(0).eax).toBe(Errno.ETIMEDOUT);
    w.syscall(0, Sys.SLEEP, 100_000);
    expect(w.running(0)).toBe(other.thread);
    w.ipc(0, 0, Receive.ANY);
    w.fireTimer(0);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.results(0).eax).toBe(0);
    w.ipc(0, other.slot, Receive.REPLY, { timeout: 10_000 });
    expect(w.running(0)).toBe(other.thread);
    w.fireTimer(0);
    expect(w.results(0).eax).toBe(Errno.ETIMEDOUT);
    w.syscall(0, Sys.SLEEP, 100_000);
    expect(w.running(0)).toBe(other.thread);
    expect(w.ipc(0, REPLY_SLOT, Receive.NONE).eax).toBe(Errno.ESRCH);
  });

  it('does not wait at all with time-out 0', () => {
    const { w, slot, thread } = withServerThread();
    expect(w.ipc(0, 0, Receive.ANY, { timeout: 0 }).eax).toBe(Errno.ETIMEDOUT);
    expect(w.ipc(0, slot, Receive.REPLY, { timeout: 0 }).eax).toBe(Errno.ETIMEDOUT);
    w.deliver();
    expect(w.running(1)).toBe(thread);
    expect(w.ipc(1, REPLY_SLOT, Receive.NONE).eax).toBe(Errno.ESRCH);
    expect(w.ipc(0, slot, Receive.NONE, { timeout: 0 }).eax).toBe(Errno.ETIMEDOUT);
  });

  it('gives a caller up with ECANCELED when its server takes another call first', () => {
    const w = new World(1);
    const server = w.createThread(0, { core: 0 });
    const second = w.createThread(0, { core: 0 });
    w.ipc(0, server.slot, Receive.REPLY, { words: [1] });
    expect(w.ipc(0, 0, Receive.ANY)).toMatchObject({ eax: 0, esi: 1 });
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).toBe(second.thread);
    w.ipc(0, server.slot, Receive.REPLY, { words: [2] });
    expect(w.running(0)).toBe(server.thread);
    expect(w.stateOf(w.rootThread)).toBe('awaiting reply');
    expect(w.ipc(0, 0, Receive.ANY)).toMatchObject({ eax: 0, esi: 2 });
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.results(0).eax).toBe(Errno.ECANCELED);
    w.syscall(0, Sys.YIELD);
    expect(w.ipc(0, REPLY_SLOT, Receive.NONE, { label: 3 }).eax).toBe(0);
    w.syscall(0, Sys.SLEEP, 1000);
    w.syscall(0, Sys.SLEEP, 1000);
    expect(w.running(0)).toBe(second.thread);
    expect(tagLabel(w.results(0).edx)).toBe(3);
  });
});

describe('the context of a thread', () => {
  it('survives a switch: registers, flags and segment selectors', () => {
    const w = new World(1);
    w.createThread(0, { core: 0 });
    const r = w.registers(0);
    r[R.ESP] = 0x1234;
    r[R.EFLAGS] = 0x202 | 0x801;
    r[R.SEL + 4] = 0;
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).not.toBe(w.rootThread);
    expect(r[R.ESP]! >>> 0).toBe(0x3f0000);
    expect(r[R.SEL + 4]).toBe(0x23);
    const gsOther = r[R.BASE + 5]! >>> 0;
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).toBe(w.rootThread);
    expect(r[R.ESP]).toBe(0x1234);
    expect(r[R.EFLAGS]).toBe(0x202 | 0x801);
    expect(r[R.SEL + 4]).toBe(0);
    expect(r[R.ATTR + 4]).toBe(0);
    expect(r[R.BASE + 5]! >>> 0).not.toBe(gsOther);
    expect(w.machine.read32(w.area(w.rootThread))).toBe(r[R.BASE + 5]! >>> 0);
  });

  it('keeps registers that a system call does not return', () => {
    const w = new World();
    const r = w.registers(0);
    w.syscall(0, Sys.CAP_INFO, 1, 2, 3, 4, 5, 6);
    expect([r[R.EAX], r[R.EBX], r[R.ECX], r[R.EDX], r[R.ESI], r[R.EDI], r[R.EBP]]).toEqual([
      0, 1, 2, 7, 4, 5, 6,
    ]);
    expect(tagWords(0)).toBe(0);
    expect(slotIndex(1)).toBe(1);
  });
});
