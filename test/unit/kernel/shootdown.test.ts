import { describe, expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import { Errno } from '../../../src/abi/errno.ts';
import { KernelEv } from '../../../src/abi/events.ts';
import { Receive, tagLabel } from '../../../src/abi/message.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import { acknowledge } from '../../../src/kernel/shootdown.ts';
import { mapAndServe, PAGE, READ_WRITE, twoCores, UNMAP, VA } from './shootdown-world.ts';
import { OK_REPLY, World } from './world.ts';

describe('a shootdown', () => {
  it('lets the operation go on only after the other core has invalidated and answered', () => {
    const { w, traced } = twoCores();
    w.rpc(0, UNMAP);
    expect(w.stateOf(w.rootThread)).toBe('in server');
    expect(w.machine.tlbs[0]!.has(PAGE)).toBe(false);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
    expect(traced.steps).toEqual(['unmapped 3', 'remote']);
    expect(w.machine.ipis).toHaveLength(1);
    expect(w.kernel.isQuiescent()).toBe(false);
    w.deliver();
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
    expect(traced.steps).toEqual(['unmapped 3', 'remote', 'done']);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.results(0).eax).toBe(0);
    expect(w.kernel.isQuiescent()).toBe(true);
    expect(w.kernel.counters).toMatchObject({
      shootdowns: 1,
      shootdownIpis: 1,
      acks: 1,
      pagesInvalidated: 2,
    });
    expect(w.machine.eventsOf(KernelEv.ShootdownDone)).toHaveLength(1);
  });

  it('invalidates up to the ceiling page by page, and flushes above it', () => {
    const at = twoCores(33);
    at.w.rpc(0, UNMAP);
    at.w.deliver();
    expect(at.w.kernel.counters).toMatchObject({ pagesInvalidated: 66, fullFlushes: 0 });
    const above = twoCores(34);
    above.w.rpc(0, UNMAP);
    above.w.deliver();
    expect(above.w.kernel.counters).toMatchObject({ pagesInvalidated: 0, fullFlushes: 2 });
    expect(above.w.machine.tlbs[1]!.size).toBe(0);
  });

  it('does not interrupt a lazy core, which flushes before it runs user code of that space', () => {
    const { w, traced, thread } = twoCores();
    w.ipc(1, 0, Receive.ANY);
    expect(w.isHalted(1)).toBe(true);
    expect(w.kernel.describeCores()[1]).toMatchObject({ lazy: true, space: w.root });
    w.rpc(0, UNMAP);
    expect(traced.steps).toEqual(['unmapped 3', 'local', 'done']);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.machine.ipis).toHaveLength(0);
    expect(w.kernel.counters.ipisAvoided).toBe(1);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
    expect(w.kernel.describeCores()[1]!.flushPending).toBe(true);
    w.ipc(0, w.kernel.capTable(w.root).find((s) => s.object === thread && s.type === 'thread')!.word, 0);
    w.deliver();
    expect(w.running(1)).toBe(thread);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
    expect(w.kernel.describeCores()[1]!.flushPending).toBe(false);
  });

  it('needs no flush of a lazy core when nothing was shot down', () => {
    const { w, thread } = twoCores();
    w.ipc(1, 0, Receive.ANY);
    w.ipc(0, w.kernel.capTable(w.root).find((s) => s.object === thread && s.type === 'thread')!.word, 0);
    w.deliver();
    expect(w.running(1)).toBe(thread);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
  });

  it('ignores cores that run another space', () => {
    const w = new World();
    const child = w.createTask(0);
    w.createThread(0, { task: child.slot, core: 1 });
    const traced = mapAndServe(w, w.root);
    w.rpc(0, UNMAP);
    expect(traced.steps).toEqual(['unmapped 3', 'local', 'done']);
    expect(w.kernel.describeCores()[1]!.flushPending).toBe(false);
  });

  it('accepts the answer of a core that switched away before the interrupt came', () => {
    const { w, traced } = twoCores();
    w.rpc(0, UNMAP);
    w.ipc(1, 0, Receive.ANY);
    expect(w.isHalted(1)).toBe(true);
    expect(traced.steps.at(-1)).toBe('remote');
    w.deliver();
    expect(traced.steps.at(-1)).toBe('done');
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
  });

  it('covers several spaces in one batch', () => {
    const w = new World(3);
    const child = w.createTask(0);
    w.createThread(0, { task: child.slot, core: 1 });
    w.createThread(0, { core: 2 });
    const { port } = w.kernel;
    for (const task of [w.root, child.task]) {
      port.installTable(task, PAGE, w.frame());
      port.mapPages(task, PAGE, 0x200, 1, READ_WRITE);
    }
    for (const core of [0, 1, 2]) w.machine.touch(core, VA);
    w.server.answer = function* () {
      const batch = port.newBatch();
      port.unmapPages(w.root, PAGE, 1, batch);
      port.protectPages(child.task, PAGE, 1, batch);
      expect(batch.pageCount).toBe(2);
      yield { kind: 'shootdown', batch };
      return OK_REPLY;
    };
    w.rpc(0, UNMAP);
    expect(w.machine.ipis.map((ipi) => ipi.to)).toEqual([1, 2]);
    w.deliver();
    expect(w.machine.tlbs.map((tlb) => tlb.has(PAGE))).toEqual([false, false, false]);
    expect(w.running(0)).toBe(w.rootThread);
  });

  it('does not deadlock two cores that shoot at each other', () => {
    const w = new World();
    w.createThread(0, { core: 1 });
    // A second thread on each core, so that neither is idle, and so lazy, while its caller waits.
    for (const core of [0, 1]) w.createThread(0, { core });
    const { port } = w.kernel;
    port.installTable(w.root, PAGE, w.frame());
    port.mapPages(w.root, PAGE, 0x200, 2, READ_WRITE);
    w.server.answer = function* (request) {
      const batch = port.newBatch();
      const page = request.words[0]!;
      port.unmapPages(w.root, PAGE + page, 1, batch);
      yield { kind: 'shootdown', batch };
      return { errno: 0, words: [page], caps: [] };
    };
    for (const core of [0, 1]) for (const page of [0, 1]) w.machine.touch(core, VA + page * 4096);
    w.rpc(0, UNMAP, [0]);
    w.rpc(1, UNMAP, [1]);
    expect(w.machine.ipis.map((ipi) => ipi.to)).toEqual([1, 0]);
    w.deliver();
    expect(w.kernel.isQuiescent()).toBe(true);
    for (const core of [0, 1]) {
      w.syscall(core, Sys.YIELD);
      expect(w.results(core)).toMatchObject({ eax: 0, esi: core });
    }
    for (const core of [0, 1]) expect([...w.machine.tlbs[core]!.keys()]).toEqual([]);
  });

  it('runs other threads of the core while it waits', () => {
    const { w } = twoCores();
    const extra = w.createThread(0, { core: 0 });
    w.rpc(0, UNMAP);
    expect(w.running(0)).toBe(extra.thread);
    w.deliver();
    expect(w.kernel.isQuiescent()).toBe(true);
    w.syscall(0, Sys.YIELD);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.results(0).eax).toBe(0);
  });
});

describe('acknowledgements', () => {
  it('count once: a spurious IPI, a repeated and a foreign answer count for nothing', () => {
    const w = new World(3);
    w.createThread(0, { core: 1 });
    w.createThread(0, { core: 2 });
    const traced = mapAndServe(w, w.root);
    const k = contextOf(w);
    w.rpc(0, UNMAP);
    const [id] = [...k.transactions.keys()];
    const ipis = w.machine.ipis.splice(0);
    w.kernel.interrupt(1, ipis[0]!.vector);
    w.kernel.interrupt(1, ipis[0]!.vector);
    expect(w.kernel.counters).toMatchObject({ acks: 1, spuriousInterrupts: 1 });
    acknowledge(k, 1, id!, 1, 0);
    acknowledge(k, 2, id!, 99, 0);
    acknowledge(k, 2, id! + 1, 1, 0);
    acknowledge(k, 0, id!, 1, 0);
    expect(w.kernel.counters).toMatchObject({ acks: 1, acksIgnored: 4 });
    expect(traced.steps.at(-1)).toBe('remote');
    w.kernel.interrupt(2, ipis[1]!.vector);
    w.deliver();
    expect(traced.steps.at(-1)).toBe('done');
  });

  it('of two shootdowns are served by one interrupt, each with its own generation', () => {
    const w = new World(3);
    w.createThread(0, { core: 1 });
    w.createThread(0, { core: 2 });
    const traced = mapAndServe(w, w.root);
    w.rpc(0, UNMAP);
    w.kernel.port.mapPages(w.root, PAGE, 0x200, 1, READ_WRITE);
    w.rpc(1, UNMAP);
    const toTwo = w.machine.ipis.filter((ipi) => ipi.to === 2);
    expect(toTwo).toHaveLength(2);
    w.kernel.interrupt(2, toTwo[0]!.vector);
    expect(w.kernel.counters.acks).toBe(2);
    w.deliver();
    expect(w.kernel.isQuiescent()).toBe(true);
    expect(traced.steps.filter((step) => step === 'done')).toHaveLength(2);
  });
});

describe('page faults on stale narrower translations', () => {
  it('are cured by a local invalidation, without pager and without kill', () => {
    const { w } = twoCores();
    w.kernel.port.protectPages(w.root, PAGE, 1, w.kernel.port.newBatch());
    w.machine.tlbs[1]!.clear();
    w.machine.touch(1, VA);
    w.kernel.port.widenPages(w.root, PAGE, 1);
    w.fault(1, VA, 7);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
    expect(w.machine.touch(1, VA) & 2).toBe(2);
    expect(w.isHalted(1)).toBe(false);
    expect(w.kernel.counters).toMatchObject({ spuriousFaults: 1, pageFaults: 0, faultKills: 0 });
    w.kernel.port.mapPages(w.root, PAGE + 1, 0x201, 1, 1);
    w.fault(1, VA + 4096, 4);
    expect(w.kernel.counters.spuriousFaults).toBe(2);
  });

  it('are not assumed for a write to a read-only page or an access to the kernel page', () => {
    const { w, thread } = twoCores();
    w.kernel.port.protectPages(w.root, PAGE, 1, w.kernel.port.newBatch());
    w.server.bootAnswer = () => ({ errno: Errno.EFAULT, words: [], caps: [] });
    w.fault(1, VA, 7);
    expect(w.stateOf(thread)).toBe('gone');
    w.fault(0, 0xffc00000, 5);
    expect(w.kernel.counters).toMatchObject({ spuriousFaults: 0, pageFaults: 2, faultKills: 2 });
    expect(w.machine.exitStatus).toBe(128 + 14);
  });
});

function contextOf(w: World): Parameters<typeof acknowledge>[0] {
  return (w.kernel as unknown as { k: Parameters<typeof acknowledge>[0] }).k;
}

describe('the result of an interrupted call', () => {
  it('reaches the caller whole', () => {
    const { w } = twoCores();
    w.server.answer = function* () {
      const batch = w.kernel.port.newBatch();
      w.kernel.port.unmapPages(w.root, PAGE, 1, batch);
      yield { kind: 'shootdown', batch };
      return { errno: Errno.EBUSY, words: [1, 2, 3, 4], caps: [] };
    };
    w.rpc(0, UNMAP);
    w.deliver();
    expect(tagLabel(w.results(0).edx)).toBe(Errno.EBUSY);
    expect(w.results(0)).toMatchObject({ eax: 0, esi: 1, edi: 2 });
    expect([2, 3].map((i) => w.word(w.rootThread, i))).toEqual([3, 4]);
    expect(w.registers(0)[R.ECX]).toBe(Receive.REPLY);
  });
});
