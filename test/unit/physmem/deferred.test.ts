/**
 * Deferred unmap (physmem.md §6.6, docs/adr/0013): what may be left in a TLB after a deallocation, who flushes it, and that
 * each of the four conditions is needed: without it the checker notices.
 */
import { describe, expect, it } from 'vitest';
import { PhysmemEv } from '../../../src/abi/events.ts';
import { ContainerRight, CopyFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { CapRef, ShootdownBatch } from '../../../src/abi/server.ts';
import { allowsStale } from '../../../src/physmem/check/deferred.ts';
import type { DeferUnsafe } from '../../../src/physmem/faults.ts';
import type { Deferral } from '../../../src/physmem/store.ts';
import { BenchTop, PAGE } from './bench-top.ts';

const { READ } = ContainerRight;
const AT = 0x4000;
const TASKS = [2, 3, 4];

/** A library of 4 pages in the root task's container; tasks 2 to 4 have copies of the names, mapped, used on two cores. */
function library(flags = 0, deferral: Partial<Deferral> = {}, deferUnsafe: DeferUnsafe = 'off') {
  const options = { deferral: { mode: 'on', ...deferral } as Deferral, faults: { deferUnsafe } };
  const top = new BenchTop({ frames: 2048, dmaEnd: 64, options });
  const control = top.split(top.root, 200);
  top.task(1);
  const lib = top.container();
  top.must(top.allocate(lib, 0, 4));
  for (let page = 0; page < 4; page += 1) top.poke(1, lib, page, 100 + page);
  const own = new Map<number, CapRef>();
  for (const task of TASKS) {
    top.task(task, control);
    const copy = top.container(control);
    top.must(top.copy(lib, 0, copy, 0, 4, flags));
    top.must(top.map(task, copy, 0, 4, AT, READ));
    for (const core of [0, 1]) {
      for (let page = 0; page < 4; page += 1) expect(top.kernel.read(core, task, AT + page)).toBe(100 + page);
    }
    own.set(task, copy);
  }
  top.kernel.remote = 'always';
  return { top, control, lib, own };
}

/** Counts shootdowns that other cores had to answer. */
const shootdowns = (top: BenchTop): number => top.physmem.counters.remoteShootdowns;
const drop = (world: ReturnType<typeof library>, task: number) =>
  world.top.must(world.top.deallocate(world.own.get(task)!, 0, 4));
const listed = ({ physmem }: BenchTop): number => physmem.store.deferred.entries;

describe.each([
  ['copy-on-write copies', 0],
  ['shared names', CopyFlag.SHARED],
] as const)('dropping a library of %s', (_, flags) => {
  it('interrupts nobody, and the other core reads on what it could read before', () => {
    const world = library(flags);
    const { top } = world;
    const before = shootdowns(top);
    const { free } = top.credit(world.control);
    for (const task of TASKS) drop(world, task);
    expect(shootdowns(top)).toBe(before);
    expect(top.physmem.counters).toMatchObject({ deferredPages: 12, deferredIpis: 3, deferredFlushes: 0 });
    // Names and credit are gone at once; the own core faults, the other one does not.
    expect(top.credit(world.control).free).toBe(free + 12);
    expect(top.states(world.own.get(2)!, 0, 4)).toEqual([0, 0, 0, 0]);
    expect(top.kernel.read(0, 2, AT)).toBeNull();
    expect(top.kernel.read(1, 2, AT + 3)).toBe(103);
    expect(top.kernel.write(1, 2, AT, 7)).toBe(false);
  });

  it('waits with the last name for one shootdown of all, and only then is the memory free', () => {
    const world = library(flags);
    const { top, lib } = world;
    for (const task of TASKS) drop(world, task);
    const before = shootdowns(top);
    const { freeFrames } = top.physmem.store.zones;
    top.must(top.deallocate(lib, 0, 4));
    expect(shootdowns(top)).toBe(before + 1);
    expect(listed(top)).toBe(0);
    // 4 pages, and the page tables of three tasks that the drops left empty.
    expect(top.physmem.store.zones.freeFrames).toBe(freeFrames + 4 + 3);
    for (const task of TASKS) expect(top.kernel.read(1, task, AT)).toBeNull();
  });

  it('is flushed before the first write of whoever has the memory still', () => {
    const world = library(flags);
    const { top, lib } = world;
    for (const task of TASKS) drop(world, task);
    top.must(top.map(1, lib, 0, 4, 0x100, 3));
    expect(top.kernel.write(0, 1, 0x100, 555)).toBe(true);
    expect(listed(top)).toBe(0);
    for (const task of TASKS) expect(top.kernel.read(1, task, AT)).toBeNull();
  });
});

describe('a deferred unmap', () => {
  it('is flushed before the memory is pinned, because a device writes unseen', () => {
    const world = library(CopyFlag.SHARED);
    const { top, lib } = world;
    for (const task of TASKS) drop(world, task);
    top.must(top.call(Op.PIN, lib, [0, 4 * PAGE, 1000, 0]));
    expect(listed(top)).toBe(0);
    expect(top.kernel.read(1, 2, AT)).toBeNull();
  });

  it('is flushed before anything else is mapped at its address (I18)', () => {
    const world = library();
    const { top } = world;
    drop(world, 2);
    const other = top.container();
    top.must(top.allocate(other, 0, 1));
    top.must(top.map(2, other, 0, 1, AT + 1));
    expect(top.kernel.mixture()).toBeNull();
    expect(top.kernel.read(1, 2, AT + 1)).toBe(0);
  });

  it('is flushed by an unmap of its address, which promises that nothing is there', () => {
    const world = library();
    drop(world, 2);
    world.top.unmap(2, AT, 1);
    expect(world.top.kernel.read(1, 2, AT)).toBeNull();
    expect(listed(world.top)).toBe(0);
  });

  it('stays while other things are mapped elsewhere', () => {
    const world = library();
    const { top } = world;
    drop(world, 2);
    const other = top.container();
    top.must(top.allocate(other, 0, 8));
    top.must(top.map(2, other, 0, 8, AT + 8));
    top.must(top.map(1, other, 0, 8, 0x100));
    expect(listed(top)).toBe(4);
  });

  type Library = ReturnType<typeof library>;
  it.each([
    ['lock', ({ top, own }: Library) => top.call(Op.LOCK, own.get(2)!, [1000])],
    ['container destroy', ({ top, own }: Library) => top.call(Op.CONTAINER_DESTROY, own.get(2)!)],
    ['control destroy', ({ top, control }: Library) => top.call(Op.CONTROL_DESTROY, control)],
  ])('is flushed by %s, together with all others', (_, act) => {
    const world = library();
    for (const task of TASKS) drop(world, task);
    world.top.must(act(world));
    expect(listed(world.top)).toBe(0);
    for (const task of TASKS) expect(world.top.kernel.read(1, task, AT)).toBeNull();
  });

  it('is flushed by the revocation of what it was mapped through, and by the loss of the last slot', () => {
    for (const how of ['revoke', 'slot'] as const) {
      const { top, own, control } = library();
      const limited = top.share(own.get(2)!, READ);
      top.task(7, control);
      top.must(top.map(7, limited, 0, 4, AT, READ));
      top.kernel.read(1, 7, AT);
      top.must(top.deallocate(own.get(2)!, 0, 4));
      expect(top.kernel.read(1, 7, AT)).toBe(100);
      if (how === 'revoke') top.must(top.revoke(own.get(2)!, limited));
      else top.finish(top.physmem.capDropped(7, limited)!);
      expect(top.kernel.read(1, 7, AT)).toBeNull();
      top.check();
    }
  });

  it('stays when something else is locked, revoked or destroyed', () => {
    const world = library();
    const { top, lib } = world;
    drop(world, 2);
    top.must(top.call(Op.LOCK, lib, [1000]));
    top.must(top.call(Op.UNLOCK, lib));
    top.must(top.revoke(lib, top.share(lib, READ)));
    top.must(top.call(Op.CONTAINER_DESTROY, top.container()));
    expect(listed(top)).toBe(4);
  });

  it('is forgotten with the address space, which is flushed as a whole', () => {
    const world = library();
    drop(world, 2);
    drop(world, 3);
    world.top.taskDied(2);
    expect(listed(world.top)).toBe(4);
    world.top.taskDied(3);
    expect(world.top.physmem.store.deferred.isEmpty).toBe(true);
  });

  it('goes at its deadline, by the alarm of the kernel', () => {
    const world = library(0, { cycles: 5000 });
    const { top } = world;
    top.kernel.alarmAt = Number.MAX_SAFE_INTEGER;
    drop(world, 2);
    const deadline = top.kernel.alarmAt;
    expect(deadline).toBeLessThanOrEqual(top.kernel.time + 5000);
    expect(top.physmem.tick()).toBeNull();
    top.kernel.time = deadline;
    const flush = top.physmem.tick();
    expect(flush).not.toBeNull();
    top.finish(flush!);
    expect(top.kernel.read(1, 2, AT)).toBeNull();
    expect(listed(top)).toBe(0);
    top.check();
  });

  it('is one of a bounded number: what would be too many flushes all of them at once', () => {
    const world = library(0, { entriesMax: 8 });
    drop(world, 2);
    drop(world, 3);
    expect(listed(world.top)).toBe(8);
    const before = shootdowns(world.top);
    drop(world, 4);
    expect(listed(world.top)).toBe(0);
    expect(shootdowns(world.top)).toBe(before + 1);
  });

  it('survives the splitting of its memory: both halves are marked', () => {
    const world = library(CopyFlag.SHARED);
    const { top, lib } = world;
    drop(world, 2);
    top.must(top.deallocate(lib, 0, 1));
    top.must(top.map(1, lib, 3, 1, 0x103, 3));
    expect(top.kernel.read(1, 2, AT + 3)).toBeNull();
  });

  it('is told in the trace, and is part of a saved state', () => {
    const world = library();
    const { top } = world;
    top.kernel.recordEvents = true;
    drop(world, 2);
    expect(top.kernel.events.find(([kind]) => kind === PhysmemEv.Defer)).toEqual([
      PhysmemEv.Defer,
      2,
      AT * PAGE,
      4,
      1,
    ]);
    const { store } = top.physmem;
    const saved = structuredClone(top.physmem.save());
    top.must(top.call(Op.LOCK, world.own.get(2)!, [1000]));
    expect(top.kernel.events.some(([kind]) => kind === PhysmemEv.DeferFlush)).toBe(true);
    expect(store.deferred.runs).toHaveLength(0);
    top.physmem.load(saved);
    expect(store.deferred).toMatchObject({ entries: 4, isEmpty: false });
    expect(store.deferred.runs).toMatchObject([{ task: 2, page: AT, pages: 4, size: 'small' }]);
    expect([...store.deferred.blocks]).toHaveLength(1);
  });
});

describe('nothing is deferred', () => {
  it('when it is switched off', () => {
    const world = library(0, { mode: 'off' });
    drop(world, 2);
    expect(world.top.kernel.read(1, 2, AT)).toBeNull();
    expect(world.top.physmem.counters.deferredPages).toBe(0);
  });

  it('of memory that is free afterwards, or that somebody can write', () => {
    const { top, lib, own, control } = library(CopyFlag.SHARED);
    top.must(top.map(1, lib, 0, 4, 0x100, 3));
    top.must(top.deallocate(own.get(2)!, 0, 4));
    expect(top.kernel.read(1, 2, AT)).toBeNull();
    const alone = top.container(control);
    top.must(top.allocate(alone, 0, 1));
    top.must(top.map(3, alone, 0, 1, AT + 64, READ));
    top.kernel.read(1, 3, AT + 64);
    top.must(top.deallocate(alone, 0, 1));
    expect(top.kernel.read(1, 3, AT + 64)).toBeNull();
    expect(top.physmem.counters.deferredPages).toBe(0);
  });

  it('when the other cores are interrupted in any case, for something that cannot wait', () => {
    const world = library();
    const { top, own, control } = world;
    const mixed = own.get(2)!;
    top.must(top.allocate(mixed, 4, 1));
    top.must(top.map(2, mixed, 4, 1, AT + 4, 3));
    top.kernel.write(1, 2, AT + 4, 1);
    const before = shootdowns(top);
    top.must(top.deallocate(mixed, 0, 5));
    expect(shootdowns(top)).toBe(before + 1);
    expect(top.kernel.read(1, 2, AT)).toBeNull();
    expect(control).toBeDefined();
  });

  it('of a block that loses two names in one call, the last one with it', () => {
    const { top, lib, control } = library();
    const twice = top.container(control);
    top.must(top.allocate(twice, 0, 4));
    top.poke(2, twice, 0, 5);
    top.must(top.copy(twice, 0, twice, 8, 4, CopyFlag.SHARED));
    top.must(top.map(2, twice, 0, 4, AT + 32, READ));
    top.kernel.read(1, 2, AT + 32);
    top.must(top.deallocate(twice, 0, 16));
    expect(top.kernel.read(1, 2, AT + 32)).toBeNull();
    expect(lib).toBeDefined();
  });
});

describe('while the flush is on its way', () => {
  it('a second writer waits for it', () => {
    const world = library(CopyFlag.SHARED);
    const { top, lib } = world;
    const other = top.container();
    top.must(top.copy(lib, 0, other, 0, 4, CopyFlag.SHARED));
    for (const task of TASKS) drop(world, task);
    top.afterEach = () => {};
    const words = (at: number) => [0, 4 * PAGE, at * PAGE, 3, 0];
    const first = top.start(Op.MAP, lib, words(0x100));
    if ('errno' in first) throw new Error('did not wait');
    const wait = first.next('done').value as { kind: string; batch: ShootdownBatch };
    expect(wait.kind).toBe('shootdown');
    // Through the other name of the same memory nobody is guarded off; the mark on the block is what counts.
    const second = top.start(Op.MAP, other, words(0x200));
    if ('errno' in second) throw new Error('wrote memory that a core may still read');
    expect(second.next('done').value).toMatchObject({ kind: 'event' });
    expect(second.next('done').value).toMatchObject({ kind: 'event' });
    const { deferred, inflight } = top.physmem.store;
    const block = inflight.showing[0]![0]!;
    expect([deferred.marks(block), inflight.isShowing(block)]).toEqual([false, true]);
    expect(allowsStale(top.physmem.store, 2, AT, block)).toBe(false);
    top.kernel.acknowledge(wait.batch);
    expect(top.finish(first).errno).toBe(0);
    expect(top.finish(second).errno).toBe(0);
    expect(inflight.showing).toEqual([]);
    top.check();
  });
});

describe('without one of its conditions the checker notices', () => {
  const broken = (rule: DeferUnsafe, deferral: Partial<Deferral> = {}) => {
    const world = library(CopyFlag.SHARED, deferral, rule);
    return world;
  };

  it('(a) the memory is reused: a free block may still be read (I19, I20)', () => {
    const world = broken('reused');
    drop(world, 2);
    drop(world, 3);
    drop(world, 4);
    expect(() => world.top.deallocate(world.lib, 0, 4)).toThrow(/I19|I20/);
  });

  it('(a) the memory is written: the ex-holder reads bytes that it never could (I17)', () => {
    const world = broken('written');
    const { top, lib } = world;
    drop(world, 2);
    top.afterEach = () => {};
    for (const task of [3, 4]) drop(world, task);
    top.must(top.map(1, lib, 0, 4, 0x100, 3));
    top.kernel.write(0, 1, 0x100, 555);
    expect(top.kernel.read(1, 2, AT)).toBe(555);
    expect(() => top.check()).toThrow(/I17: .*deferred/);
  });

  it('(b) it could be written when the translation was left (I17)', () => {
    const world = broken('writable');
    const { top, lib } = world;
    top.must(top.map(1, lib, 0, 4, 0x100, 3));
    expect(() => drop(world, 2)).toThrow(/I17: .*deferred|can still write/);
  });

  it('(c) the list has no bound (I18)', () => {
    const world = broken('unbounded', { entriesMax: 8 });
    drop(world, 2);
    drop(world, 3);
    expect(() => drop(world, 4)).toThrow(/I18: 12 deferred unmaps, at most 8/);
    const forever = broken('unbounded', { cycles: 1000 });
    drop(forever, 2);
    forever.top.kernel.time += 5000;
    expect(forever.top.physmem.tick()).toBeNull();
    expect(() => forever.top.check()).toThrow(/I18: deferred unmaps are \d+ cycles overdue/);
  });

  it('(d) lock, revoke and destroy leave it (I18, I27)', () => {
    const locked = broken('revoked');
    drop(locked, 2);
    expect(() => locked.top.call(Op.LOCK, locked.own.get(2)!, [100_000], [], 9)).toThrow(/I27: the deferred/);
    const destroyed = broken('revoked');
    drop(destroyed, 2);
    expect(() => destroyed.top.call(Op.CONTAINER_DESTROY, destroyed.own.get(2)!)).toThrow(
      /I18: .* outlives its container/,
    );
  });

  it('(d) revoke leaves what was mapped through the capability that it kills (I18)', () => {
    const { top, own, control } = broken('revoked');
    const holder = own.get(2)!;
    const limited = top.share(holder, READ);
    top.task(7, control);
    top.must(top.map(7, limited, 0, 4, AT, READ));
    top.kernel.read(1, 7, AT);
    top.must(top.deallocate(holder, 0, 4));
    expect(top.kernel.read(1, 7, AT)).toBe(100);
    expect(() => top.revoke(holder, limited)).toThrow(/I18: .* outlives its limited capability/);
  });
});
