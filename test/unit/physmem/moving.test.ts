/** Moving memory (physmem.md §7): migration of whatever shares a block, clearing of zones, compaction inside a bind. */
import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { DEFAULT_POLICY_SPEC, type PolicySpec } from '../../../src/abi/policy-spec.ts';
import { AllocFlag, CopyFlag, PinFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { CapRef } from '../../../src/abi/server.ts';
import { Evacuated, evacuate } from '../../../src/physmem/compact/evacuate.ts';
import { namedPolicy } from '../../../src/physmem/compact/named.ts';
import { Obstacle, obstacleAt } from '../../../src/physmem/migrate.ts';
import { BenchTop, outcome, PAGE } from './bench-top.ts';
import { scatter } from './scattered-memory.ts';

const DMA_END = 1024;
const { DMA, CONTIGUOUS } = AllocFlag;

const policy = (spec: Partial<PolicySpec>) => namedPolicy({ ...DEFAULT_POLICY_SPEC, ...spec });

/** 20 MiB, of which the first 4 are the DMA zone. */
function world(spec: Partial<PolicySpec> = {}, frames = 5120) {
  const top = new BenchTop({
    frames,
    dmaEnd: DMA_END,
    options: { policy: policy(spec), dmaReserve: 0 },
  });
  top.task(1);
  return { top, a: top.container() };
}

/** Base frame behind a page that task 1 maps at `at`. */
function placeAt(top: BenchTop, at: number): number {
  const { pages, large } = top.kernel.spaces.get(1)!;
  return pages.get(at)?.frame ?? large.get(at >>> 10)!.frame + (at & 1023);
}

function empty(top: BenchTop, frame: number, order: number, where: 'zone' | 'above' = 'zone'): Evacuated {
  const result = top.finish(evacuate(top.physmem.store, { frame, order, into: [], where }));
  top.check();
  return result;
}

describe('a block that moves', () => {
  it('takes along every name and every logical copy, and all see the same bytes as before', () => {
    const { top, a } = world();
    const b = top.container();
    const c = top.container();
    top.must(top.allocate(a, 0, 4));
    top.must(top.map(1, a, 0, 4, 0x100));
    for (let i = 0; i < 4; i += 1) top.kernel.write(0, 1, 0x100 + i, 70 + i);
    top.must(top.copy(a, 0, b, 8, 4, CopyFlag.SHARED));
    top.must(top.copy(a, 0, c, 16, 4));
    top.must(top.map(1, a, 0, 4, 0x100, 1));
    const old = placeAt(top, 0x100);
    expect(empty(top, old, 2)).toBe(Evacuated.EMPTY);
    expect(top.kernel.read(0, 1, 0x100)).toBe(null);
    for (const [container, page] of [
      [a, 0],
      [b, 8],
      [c, 16],
    ] as const) {
      for (let i = 0; i < 4; i += 1) expect(top.peek(1, container, page + i)).toBe(70 + i);
    }
    top.poke(1, b, 8, 99);
    expect([top.peek(1, a, 0), top.peek(1, c, 16)]).toEqual([99, 70]);
    expect(top.physmem.counters.moves).toBe(1);
  });

  it('may be a 4 MiB frame behind one page-directory entry', () => {
    const { top, a } = world();
    top.must(top.allocate(a, 0, 1024));
    top.must(top.map(1, a, 0, 1024, 0x400));
    top.kernel.write(1, 1, 0x7ff, 42);
    const old = placeAt(top, 0x400);
    expect(empty(top, old, 10)).toBe(Evacuated.EMPTY);
    top.must(top.map(1, a, 0, 1024, 0x400));
    expect(top.kernel.spaces.get(1)!.large.size).toBe(1);
    expect(placeAt(top, 0x400)).not.toBe(old);
    expect(top.kernel.read(0, 1, 0x7ff)).toBe(42);
  });

  it('goes in pieces where there is no room for it as a whole', () => {
    const { top, a } = world({}, 2048 + 1024);
    const b = top.container();
    top.must(top.allocate(a, 0, 1024));
    top.poke(1, a, 1000, 6);
    scatter(top, b, (page) => page % 2 === 0);
    top.must(top.map(1, a, 0, 1, 0x100));
    const old = placeAt(top, 0x100);
    expect(empty(top, old, 10, 'above')).toBe(Evacuated.NO_ROOM);
    expect(top.physmem.counters.movedFrames).toBeGreaterThan(0);
    expect(top.peek(1, a, 1000)).toBe(6);
  });

  it('stays where it is while it is pinned, or a device may reach it, or it is on its way', () => {
    const { top, a } = world();
    const { store } = top.physmem;
    top.must(top.allocate(a, 0, 2));
    top.must(top.map(1, a, 0, 2, 0x100));
    const at = placeAt(top, 0x100);
    expect(obstacleAt(store, at)).toBe(Obstacle.NONE);
    top.kernel.reachable.add(at + 1);
    expect(obstacleAt(store, at)).toBe(Obstacle.DEVICE);
    top.kernel.reachable.clear();
    const pin = top.must(top.call(Op.PIN, a, [0, 2 * PAGE, 1000, 0])).caps[0]!;
    expect(obstacleAt(store, at)).toBe(Obstacle.PINNED);
    expect(empty(top, at, 1)).toBe(Evacuated.OBSTACLE);
    top.must(top.call(Op.UNPIN, pin));
    top.kernel.remote = 'always';
    const moving = evacuate(store, { frame: at, order: 1, into: [], where: 'zone' });
    expect(moving.next('done').value).toMatchObject({ kind: 'shootdown' });
    expect(obstacleAt(store, at)).toBe(Obstacle.MOVING);
    top.finish(moving);
  });
});

describe('many blocks that move', () => {
  it.each([
    [1, 16],
    [16, 1],
  ])('in batches of %i need %i shootdowns for 16 frames', (batch, shootdowns) => {
    const { top, a } = world({ batch });
    for (let page = 0; page < 48; page += 1) top.must(top.allocate(a, page, 1));
    top.must(top.map(1, a, 0, 48, 0x100));
    expect(empty(top, placeAt(top, 0x110) & ~15, 4)).toBe(Evacuated.EMPTY);
    expect(top.physmem.counters).toMatchObject({ moves: 16, moveShootdowns: shootdowns });
  });
});

describe('the DMA zone', () => {
  /** A zone full of ordinary single pages, and room above. */
  function full() {
    const { top, a } = world();
    scatter(top, a, () => true);
    // What was bound last lies below the limit.
    top.afterEach = () => {};
    for (let page = 0; page < 1500; page += 1) top.deallocate(a, page, 1);
    top.afterEach = () => top.check();
    return { top, a };
  }

  it('is cleared of ordinary memory when a driver wants 1 MiB in one piece there', () => {
    const { top, a } = full();
    expect(top.physmem.store.zones.zones[0]!.buddy.has(8)).toBe(false);
    const b = top.container();
    top.must(top.allocate(b, 0, 256, DMA | CONTIGUOUS));
    top.must(top.map(1, b, 0, 256, 0x100));
    const first = placeAt(top, 0x100);
    expect(first).toBeLessThan(DMA_END - 255);
    for (let i = 0; i < 256; i += 1) expect(placeAt(top, 0x100 + i)).toBe(first + i);
    expect(top.physmem.counters.movedFrames).toBeGreaterThan(0);
    expect(top.peek(1, a, 4500)).toBe(9500);
  });

  it('is cleared for memory that is promised there, and for what is pinned there', () => {
    const { top, a } = full();
    const b = top.container();
    top.must(top.allocate(b, 0, 100, DMA));
    top.must(top.map(1, b, 0, 100, 0x100));
    expect(placeAt(top, 0x163)).toBeLessThan(DMA_END);
    top.must(top.allocate(b, 200, 64));
    top.must(top.call(Op.PIN, b, [200 * PAGE, 64 * PAGE, 1000, PinFlag.DMA]));
    top.must(top.map(1, b, 200, 64, 0x200));
    for (let i = 0; i < 64; i += 1) expect(placeAt(top, 0x200 + i)).toBeLessThan(DMA_END);
    expect(top.peek(1, a, 4500)).toBe(9500);
  });

  it('says which pins are in the way and until when, with addresses to a driver only', () => {
    const { top, a } = full();
    top.drivers.add(1);
    const b = top.container();
    top.afterEach = () => {};
    // A pin in each MiB below the limit.
    const low = [0, 1, 2, 3].map((mib) => pageBelow(top, a, mib * 256, (mib + 1) * 256));
    for (const [i, page] of low.entries()) {
      top.must(top.call(Op.PIN, a, [page * PAGE, PAGE, 5000 + 1000 * i, 0]));
    }
    const reply = top.call(Op.ALLOCATE, b, [0, 256 * PAGE, DMA | CONTIGUOUS]);
    expect([reply.errno, ...reply.words.slice(0, 4)]).toEqual([Errno.EBUSY, 0, Reason.PINS_AT, 0, 1]);
    const [cycles, from, to] = reply.words.slice(4) as [number, number, number];
    expect(cycles).toBeGreaterThan(3000);
    expect(cycles).toBeLessThan(9000);
    expect(to - from).toBe((1 << 20) - 1);
    top.drivers.clear();
    const told = top.call(Op.ALLOCATE, b, [0, 256 * PAGE, DMA | CONTIGUOUS]);
    expect(told.words.slice(0, 4)).toEqual([0, Reason.PINS_IN_WAY, 0, 1]);
    expect(told.words.length).toBe(5);
    top.kernel.time += 10_000;
    top.must(top.allocate(b, 0, 256, DMA | CONTIGUOUS));
    top.check();
  });

  /** A page of the container whose base frame lies in [from, to). */
  function pageBelow(top: BenchTop, container: CapRef, from: number, to: number): number {
    for (let page = 1500; page < 5000; page += 1) {
      if (top.map(1, container, page, 1, 0x3ff).errno !== Errno.OK) continue;
      const at = placeAt(top, 0x3ff);
      if (at >= from && at < to) return page;
    }
    throw new Error('no such page');
  }
});

describe('a bind of 4 MiB in fragmented memory', () => {
  it.each([
    ['none', 'cheapest-block', 0],
    ['on-demand', 'cheapest-block', 1],
    ['on-demand', 'two-scanner', 1],
  ] as const)('under %s/%s gets %i large pages, and is done in any case', (mode, chooser, large) => {
    const { top, a } = world({ mode, chooser });
    scatter(top, a, (page) => page % 4 === 0);
    expect(top.physmem.store.zones.zones[1]!.buddy.has(10)).toBe(false);
    const b = top.container();
    top.must(top.allocate(b, 0, 1024));
    expect(outcome(top.map(1, b, 0, 1024, 0x800))).toEqual(['OK', 1024]);
    expect(top.kernel.spaces.get(1)!.large.size).toBe(large);
    for (let page = 0; page < 3000; page += 400) expect(top.peek(1, a, page)).toBe(5000 + page);
    expect(top.physmem.counters.moveWaits).toBe(large);
  });

  it('finds a block at once when the background has worked before', () => {
    const { top, a } = world({ mode: 'background' });
    scatter(top, a, (page) => page % 4 === 0);
    const { buddy } = top.physmem.store.zones.zones[1]!;
    expect(top.kernel.spawned.length).toBe(1);
    top.runSpawned();
    expect(buddy.blockCount(10)).toBeGreaterThan(1);
    const b = top.container();
    top.must(top.allocate(b, 0, 1024));
    top.must(top.map(1, b, 0, 1024, 0x800));
    expect(top.kernel.spaces.get(1)!.large.size).toBe(1);
    expect(top.physmem.counters).toMatchObject({ moveWaits: 0 });
    for (let page = 0; page < 3000; page += 400) expect(top.peek(1, a, page)).toBe(5000 + page);
  });
});

describe('grouping by mobility', () => {
  it.each([
    ['off', 8],
    ['on', 1],
  ] as const)('%s: eight short pins at random places take %i blocks', (grouping, blocks) => {
    const { top, a } = world({ grouping }, 1024 * 12);
    top.afterEach = () => {};
    for (let page = 0; page < 9000; page += 1) top.must(top.allocate(a, page, 1));
    top.must(top.map(1, a, 0, 9000, 0x40000));
    top.must(top.unmap(1, 0x40000, 9000));
    for (let i = 0; i < 8; i += 1) top.must(top.call(Op.PIN, a, [(i * 1024 + 7) * PAGE, PAGE, 1e6, 0]));
    const { counts } = top.physmem.store.base;
    expect(counts.pinned.filter((count) => count > 0).length).toBe(blocks);
    top.check();
    // A block is for any use again when it is free as a whole.
    top.kernel.time += 2e6;
    top.must(top.deallocate(a, 0, 9000));
    top.call(Op.NULL, { type: 1, object: 0, rights: 0 });
    top.check();
  });

  it('survives a snapshot', () => {
    const { top, a } = world({ grouping: 'on' });
    top.must(top.allocate(a, 0, 4));
    top.must(top.call(Op.PIN, a, [0, 2 * PAGE, 1e6, 0]));
    const saved = top.physmem.save();
    top.must(top.deallocate(a, 2, 2));
    top.physmem.load(saved);
    top.must(top.deallocate(a, 2, 2));
    expect(top.physmem.store.base.counts.apart.some((one) => one === 1)).toBe(true);
  });
});
