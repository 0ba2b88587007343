/**
 * Cores that answer a shootdown late, twice, or never (physmem.md §6.5, docs/adr/0012). The cases F6 to F11 of the
 * catalogue of adversarial cases; F12 needs a real TLB and is in test/unit/mem/speculation.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { KernelEv } from '../../../src/abi/events.ts';
import { Receive } from '../../../src/abi/message.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import { acknowledge } from '../../../src/kernel/shootdown.ts';
import { mapAndServe, PAGE, READ_WRITE, twoCores, UNMAP, VA } from './shootdown-world.ts';
import { OK_REPLY, World } from './world.ts';

const BOUND_CYCLES = 5000;
const bounded = () => twoCores(1, { shootdownTimeoutCycles: BOUND_CYCLES });

/** Lets `stages` bounds of core 0's shootdown go by; no IPI arrives. */
function passStages(w: World, stages: number): void {
  for (let i = 0; i < stages; i++) w.fireTimer(0);
}

type Context = Parameters<typeof acknowledge>[0];
const contextOf = (w: World): Context => (w.kernel as unknown as { k: Context }).k;

describe('F6: a core does not answer', () => {
  it('is reported after the bound, and the operation goes on waiting', () => {
    const { w, traced } = bounded();
    w.rpc(0, UNMAP);
    passStages(w, 1);
    expect(w.machine.eventsOf(KernelEv.ShootdownTimeout).map((event) => event.args[1])).toEqual([2]);
    expect(w.machine.ipis).toHaveLength(2);
    expect(traced.steps.at(-1)).toBe('remote');
    expect(w.stateOf(w.rootThread)).toBe('in server');
    expect(w.kernel.describeShootdowns()).toMatchObject([
      { overdue: true, gaveUp: false, isWaitedFor: true },
    ]);
    expect(w.kernel.check()).toEqual([]);
  });

  it('is declared dead, and answers at its next entry of the kernel, before it runs user code', () => {
    const { w, traced, thread } = bounded();
    w.rpc(0, UNMAP);
    passStages(w, 2);
    expect(w.kernel.describeCores()[1]).toMatchObject({ dead: true, thread });
    expect(w.machine.eventsOf(KernelEv.CoreDead)).toHaveLength(1);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
    w.machine.ipis.length = 0;
    w.syscall(1, Sys.YIELD);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
    expect(w.running(1)).toBe(thread);
    expect(w.kernel.describeCores()[1]!.dead).toBe(false);
    w.deliver();
    expect(traced.steps.at(-1)).toBe('done');
    expect(w.kernel.counters).toMatchObject({ coresDead: 1, coresReadmitted: 1, lateAnswers: 1 });
    expect(w.kernel.isQuiescent()).toBe(true);
  });

  it('is declared dead even when it is stalled: a stalled core may not run user code for ever', () => {
    const { w, traced } = twoCores(1, { shootdownTimeoutCycles: BOUND_CYCLES });
    w.kernel.setFaults({ stallCore: { core: 1, cycles: 1_000_000 } });
    w.rpc(0, UNMAP);
    w.deliver();
    w.syscall(1, Sys.YIELD);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
    passStages(w, 2);
    w.syscall(1, Sys.YIELD);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
    w.deliver();
    expect(traced.steps.at(-1)).toBe('done');
  });

  it('and does not even enter the kernel: the operation is told limbo, which it must not call success', () => {
    const { w, traced } = bounded();
    w.rpc(0, UNMAP);
    passStages(w, 3);
    expect(traced.steps.at(-1)).toBe('limbo');
    expect(w.machine.eventsOf(KernelEv.ShootdownGivenUp)[0]!.args).toEqual([1, 2, 0, 0]);
    expect(w.kernel.describeShootdowns()).toMatchObject([{ gaveUp: true, isWaitedFor: false }]);
    expect(w.running(0)).toBe(w.rootThread);
    expect(w.kernel.isQuiescent()).toBe(false);
    // This test's server answers OK all the same; the checker notices.
    expect(w.kernel.check()).toEqual(['K11: operation 1 reported success, shootdown 1 is open']);
    w.deliver();
    expect(w.server.late).toEqual([traced.batch]);
    expect(w.server.late[0]).toBe(traced.batch);
    expect(w.kernel.isQuiescent()).toBe(true);
  });

  it('costs each further shootdown nothing: a dead core is not waited for again', () => {
    const { w, traced } = bounded();
    w.rpc(0, UNMAP);
    passStages(w, 3);
    w.kernel.port.mapPages(w.root, PAGE, 0x200, 1, READ_WRITE);
    w.rpc(0, UNMAP);
    expect(traced.steps.slice(-3)).toEqual(['unmapped 3', 'remote', 'limbo']);
    w.deliver();
    expect(w.server.late).toHaveLength(2);
    expect(w.kernel.isQuiescent()).toBe(true);
  });
});

describe('F7: an answer comes late, after a second shootdown has begun', () => {
  it('and counts for the shootdown that it belongs to', () => {
    const w = new World(3, { shootdownTimeoutCycles: BOUND_CYCLES });
    w.createThread(0, { core: 1 });
    w.createThread(0, { core: 2 });
    const traced = mapAndServe(w, w.root);
    w.rpc(0, UNMAP);
    const first = [...contextOf(w).transactions.values()][0]!;
    passStages(w, 1);
    w.kernel.port.mapPages(w.root, PAGE, 0x200, 1, READ_WRITE);
    w.rpc(2, UNMAP);
    const second = [...contextOf(w).transactions.values()][1]!;
    expect(second.generations[1]).toBeGreaterThan(first.generations[1]!);
    // The late answer to the first, with its generation, does nothing for the second.
    acknowledge(contextOf(w), 1, second.id, first.generations[1]!, 0);
    expect(w.kernel.counters).toMatchObject({ acks: 0, acksIgnored: 1 });
    w.deliver();
    expect(w.kernel.counters.acks).toBe(3);
    expect(traced.steps.filter((step) => step === 'done')).toHaveLength(2);
    expect(w.kernel.isQuiescent()).toBe(true);
  });
});

describe('F8: an answer comes twice, or nobody has asked', () => {
  it('and counts once, or not at all', () => {
    const w = new World(3);
    w.createThread(0, { core: 1 });
    w.createThread(0, { core: 2 });
    const traced = mapAndServe(w, w.root);
    w.rpc(0, UNMAP);
    const [id] = [...contextOf(w).transactions.keys()];
    const [toOne] = w.machine.ipis;
    w.kernel.interrupt(1, toOne!.vector);
    w.kernel.interrupt(1, toOne!.vector);
    acknowledge(contextOf(w), 1, id!, 1, 0);
    expect(w.kernel.counters).toMatchObject({ acks: 1, acksIgnored: 1, spuriousInterrupts: 1 });
    expect(traced.steps.at(-1)).toBe('remote');
    w.deliver();
    expect(traced.steps.at(-1)).toBe('done');
  });

  it('also after everything is over', () => {
    const { w } = bounded();
    w.rpc(0, UNMAP);
    w.deliver();
    acknowledge(contextOf(w), 1, 1, 1, 0);
    expect(w.kernel.counters).toMatchObject({ acks: 1, acksIgnored: 1 });
  });
});

describe('F9: a lazy core wakes with the old CR3 after the page table was freed', () => {
  /** Core 1 is idle with the space still loaded; then the table of its page is taken out. */
  function lazyCore() {
    const { w, thread } = twoCores();
    const slot = w.kernel.capTable(w.root).find((s) => s.object === thread && s.type === 'thread')!.word;
    w.ipc(1, 0, Receive.ANY);
    expect(w.kernel.describeCores()[1]).toMatchObject({ lazy: true, space: w.root });
    const { port } = w.kernel;
    w.server.answer = function* () {
      const batch = port.newBatch();
      port.unmapPages(w.root, PAGE, 1, batch);
      port.removeTable(w.root, PAGE, batch);
      yield { kind: 'shootdown', batch };
      return OK_REPLY;
    };
    w.rpc(0, UNMAP);
    return { w, thread, slot };
  }

  it('and flushes before its first user access', () => {
    const { w, thread, slot } = lazyCore();
    expect(w.machine.ipis).toEqual([]);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
    w.ipc(0, slot, 0);
    w.deliver();
    expect(w.running(1)).toBe(thread);
    expect(w.machine.tlbs[1]!.size).toBe(0);
    expect(w.machine.touch(1, VA)).toBe(0);
  });

  it('or loads another directory, when the space is gone altogether', () => {
    const w = new World();
    const child = w.createTask(0);
    const { thread } = w.createThread(0, { task: child.slot, core: 1 });
    w.ipc(1, 0, Receive.ANY);
    expect(w.kernel.describeCores()[1]).toMatchObject({ lazy: true, space: child.task });
    const old = w.machine.cr3[1];
    w.syscall(0, Sys.TASK_DESTROY, child.slot, 0);
    expect(w.stateOf(thread)).toBe('gone');
    const own = w.createThread(0, { core: 1 });
    expect(w.running(1)).toBe(own.thread);
    expect(w.machine.cr3[1]).not.toBe(old);
  });
});

describe('F10: two cores shoot at each other with interrupts off', () => {
  it('and both end: who waits holds no core, so it answers as soon as it can be interrupted', () => {
    const w = new World();
    w.createThread(0, { core: 1 });
    for (const core of [0, 1]) w.createThread(0, { core });
    const { port } = w.kernel;
    port.installTable(w.root, PAGE, w.frame());
    port.mapPages(w.root, PAGE, 0x200, 2, READ_WRITE);
    w.server.answer = function* ({ words }) {
      const batch = port.newBatch();
      port.unmapPages(w.root, PAGE + words[0]!, 1, batch);
      yield { kind: 'shootdown', batch };
      return OK_REPLY;
    };
    for (const core of [0, 1]) for (const page of [0, 1]) w.machine.touch(core, VA + page * 4096);
    // Both are in the kernel, which runs with interrupts off, before either IPI arrives.
    w.rpc(0, UNMAP, [0]);
    w.rpc(1, UNMAP, [1]);
    expect(w.machine.ipis.map((ipi) => ipi.to)).toEqual([1, 0]);
    w.machine.ipis.reverse();
    w.deliver();
    expect(w.kernel.isQuiescent()).toBe(true);
    for (const core of [0, 1]) expect([...w.machine.tlbs[core]!.keys()]).toEqual([]);
  });
});

describe('F11: a core halts while a shootdown waits for it', () => {
  it('counts as answered, and flushes before it returns', () => {
    const { w, traced, thread } = bounded();
    const slot = w.kernel.capTable(w.root).find((s) => s.object === thread && s.type === 'thread')!.word;
    w.rpc(0, UNMAP);
    w.ipc(1, 0, Receive.ANY);
    w.machine.ipis.length = 0;
    expect(w.isHalted(1)).toBe(true);
    expect(traced.steps.at(-1)).toBe('remote');
    passStages(w, 1);
    expect(traced.steps.at(-1)).toBe('done');
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(true);
    expect(w.kernel.describeCores()[1]).toMatchObject({ flushPending: true, mailbox: 0, dead: false });
    expect(w.kernel.check()).toEqual([]);
    w.ipc(0, slot, 0);
    w.deliver();
    expect(w.running(1)).toBe(thread);
    expect(w.machine.tlbs[1]!.has(PAGE)).toBe(false);
  });
});
