import { describe, expect, it } from 'vitest';
import { Errno } from '../../../src/abi/errno.ts';
import { makeTag, Receive, SLOT_PHYSMEM, tagLabel } from '../../../src/abi/message.ts';
import { CapType } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { RpcReply, WaitResult } from '../../../src/abi/server.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import { CONTROL, CONTROL_SLOT, OK_REPLY, World } from './world.ts';

const CHILD: RpcReply = {
  errno: 0,
  words: [],
  caps: [{ type: CapType.CONTROL, object: 8, rights: 0xf }],
};

describe('a request', () => {
  it('reaches the server with exactly its words, its capabilities as references, and no more', () => {
    const w = new World();
    w.server.answer = () => ({ errno: Errno.ENOMEM, words: [11, 22, 33], caps: [] });
    const result = w.ipc(0, CONTROL_SLOT, Receive.REPLY, {
      label: Op.CONTROL_SPONSOR,
      words: [-1, 2, 3],
      caps: [[1, 2]],
    });
    expect(w.server.requests[0]).toEqual({
      op: Op.CONTROL_SPONSOR,
      task: w.root,
      thread: w.rootThread,
      target: { ...CONTROL, badge: 0 },
      words: [0xffffffff, 2, 3],
      wordCount: 3,
      caps: [{ type: CapType.TASK, object: w.root, rights: 2, badge: 0 }],
      driver: false,
    });
    expect(result).toMatchObject({ eax: 0, ebx: 0, edx: makeTag(Errno.ENOMEM, 3, 0), esi: 11, edi: 22 });
    expect(w.word(w.rootThread, 2)).toBe(33);
  });

  it('puts returned capabilities into fresh slots', () => {
    const w = new World();
    w.server.answer = () => CHILD;
    w.rpc(0, Op.CONTROL_SPLIT, [10]);
    const word = w.receivedCap(w.rootThread, 0);
    expect(w.kernel.capTable(w.root).find((s) => s.word === word)).toMatchObject({ object: 8, rights: 15 });
    expect(w.ipc(0, word, Receive.REPLY, { label: 3 }).eax).toBe(0);
    expect(w.server.requests[1]!.target.object).toBe(8);
  });

  it('is refused with ENOSPC before the server sees it, when it returns a capability and there is no room', () => {
    const w = new World();
    while (w.syscall(0, Sys.CAP_COPY, 1, 0).eax === 0);
    expect(w.rpc(0, Op.CONTROL_SPLIT, [1]).eax).toBe(Errno.ENOSPC);
    expect(w.server.requests).toHaveLength(0);
    expect(w.rpc(0, Op.CONTROL_QUERY).eax).toBe(0);
  });

  it('keeps its promise of a slot while the operation runs', () => {
    const w = new World();
    const thief = w.createThread(0, { core: 0 });
    while (w.syscall(0, Sys.CAP_COPY, 1, 0).eax === 0);
    w.syscall(0, Sys.CAP_DELETE, 100);
    w.server.answer = function* () {
      yield { kind: 'event', key: 1, deadlineCycles: Infinity };
      return CHILD;
    };
    w.rpc(0, Op.CONTROL_SPLIT, [1]);
    expect(w.running(0)).toBe(thief.thread);
    expect(w.syscall(0, Sys.CAP_COPY, 1, 0).eax).toBe(Errno.ENOSPC);
    w.kernel.port.wake(1);
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.receivedCap(w.rootThread, 0) & 0xfff).toBe(100);
  });

  it('refuses to move a capability to the server', () => {
    const w = new World();
    const result = w.ipc(0, SLOT_PHYSMEM, Receive.REPLY, { caps: [[CONTROL_SLOT, -1]] });
    expect(result.eax).toBe(Errno.EINVAL);
    expect(w.server.requests).toHaveLength(0);
  });
});

describe('an operation', () => {
  it('that pauses lets another thread run between its slices, and takes its turn at the end of the quantum', () => {
    const w = new World(1);
    const other = w.createThread(0, { core: 0 });
    const slices: number[] = [];
    w.server.answer = function* () {
      for (let i = 0; i < 3; i++) {
        slices.push(i);
        yield { kind: 'pause' };
      }
      return OK_REPLY;
    };
    w.rpc(0, 1);
    expect(w.running(0)).toBe(other.thread);
    for (const done of [1, 2]) {
      expect(slices).toHaveLength(done);
      w.fireTimer(0);
      expect(w.running(0)).toBe(other.thread);
    }
    expect(slices).toEqual([0, 1, 2]);
    w.fireTimer(0);
    expect(w.kernel.isQuiescent()).toBe(true);
    w.fireTimer(0);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.results(0).eax).toBe(0);
  });

  it('that pauses on an idle core goes back to the machine between slices, by the timer', () => {
    const w = new World(1);
    let slices = 0;
    w.server.answer = function* () {
      while (slices < 5) {
        slices++;
        yield { kind: 'pause' };
      }
      return OK_REPLY;
    };
    w.rpc(0, 1);
    let entries = 0;
    while (w.isHalted(0)) {
      expect(w.machine.timers[0]).toBeLessThanOrEqual(w.machine.time(0));
      w.fireTimer(0);
      entries++;
    }
    expect(entries).toBeGreaterThanOrEqual(4);
    expect(w.results(0).eax).toBe(0);
  });

  it('waits for an event of its key, or for the deadline', () => {
    const w = new World(1);
    const results: WaitResult[] = [];
    w.server.answer = function* () {
      results.push(yield { kind: 'event', key: 5, deadlineCycles: Infinity });
      results.push(yield { kind: 'event', key: 5, deadlineCycles: w.kernel.port.now() + 7000 });
      results.push(yield { kind: 'event', key: 5, deadlineCycles: 0 });
      return OK_REPLY;
    };
    w.rpc(0, 1);
    w.kernel.port.wake(6);
    w.kernel.handOver();
    expect(results).toEqual([]);
    w.kernel.port.wake(5);
    w.kernel.handOver();
    expect(results).toEqual(['done']);
    w.fireTimer(0);
    w.fireTimer(0);
    expect(results).toEqual(['done', 'timeout', 'timeout']);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.kernel.isQuiescent()).toBe(true);
  });

  it('goes on where it began when the event comes from another core', () => {
    const w = new World(2);
    w.createThread(0, { core: 1 });
    const cores: number[] = [];
    w.server.answer = function* (request) {
      if (request.op === 2) {
        w.kernel.port.wake(5);
        return OK_REPLY;
      }
      yield { kind: 'event', key: 5, deadlineCycles: Infinity };
      cores.push(w.machine.time(0));
      w.kernel.port.charge(1000);
      cores.push(w.machine.time(0));
      return OK_REPLY;
    };
    w.rpc(0, 1);
    w.rpc(1, 2);
    expect(cores).toEqual([]);
    expect(w.machine.ipis).toMatchObject([{ from: 1, to: 0 }]);
    w.deliver();
    expect(cores[1]! - cores[0]!).toBe(1000 * w.machine.costs.serverStep);
    expect(w.running(0)).toBe(w.rootThread);
  });

  it('whose caller runs out of time gets timeout from its event wait, and its reply still arrives', () => {
    const w = new World(1);
    w.server.answer = function* () {
      const result = yield { kind: 'event', key: 5, deadlineCycles: Infinity };
      return { errno: result === 'timeout' ? Errno.EBUSY : 0, words: [], caps: [] };
    };
    w.rpc(0, 1, [], 10_000);
    w.fireTimer(0);
    expect(w.results(0).eax).toBe(0);
    expect(tagLabel(w.results(0).edx)).toBe(Errno.EBUSY);
  });
});

describe('slots that go', () => {
  it('tell the server which rights went with them, each right once', () => {
    const w = new World();
    const readOnly = w.syscall(0, Sys.CAP_COPY, CONTROL_SLOT, 8).ebx;
    const twin = w.syscall(0, Sys.CAP_COPY, CONTROL_SLOT, 8).ebx;
    w.syscall(0, Sys.CAP_DELETE, twin);
    expect(w.server.drops).toEqual([]);
    w.syscall(0, Sys.CAP_DELETE, CONTROL_SLOT);
    expect(w.server.drops.map((drop) => drop.cap.rights)).toEqual([7]);
    w.syscall(0, Sys.CAP_DELETE, readOnly);
    expect(w.server.drops.map((drop) => drop.cap.rights)).toEqual([7, 8]);
    w.syscall(0, Sys.CAP_DELETE, 1);
    expect(w.server.drops).toHaveLength(2);
  });

  it('keep the caller waiting until the server has removed what went with them', () => {
    const w = new World(1);
    let removed = false;
    w.server.drop = function* () {
      yield { kind: 'pause' };
      yield { kind: 'pause' };
      removed = true;
    };
    w.syscall(0, Sys.CAP_DELETE, CONTROL_SLOT);
    expect(w.isHalted(0)).toBe(true);
    w.fireTimer(0);
    w.fireTimer(0);
    expect(removed).toBe(true);
    expect(w.results(0).eax).toBe(0);
  });

  it('are emptied in every task when the server revokes the object', () => {
    const w = new World();
    const child = w.createTask(0);
    const granted = w.syscall(0, Sys.CAP_GRANT, child.slot, CONTROL_SLOT, 1);
    expect(granted.eax).toBe(0);
    w.server.answer = () => {
      w.kernel.port.revokeObject(CapType.CONTROL, CONTROL.object);
      return OK_REPLY;
    };
    w.rpc(0, 1);
    expect(w.rpc(0, 1).eax).toBe(Errno.EBADF);
    expect(w.kernel.capTable(child.task).map((s) => s.type)).toEqual(['task', 'physmem']);
    expect(w.server.drops).toEqual([]);
  });
});
