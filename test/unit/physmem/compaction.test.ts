/** What the server makes of a policy's proposals: on demand, in the background, and while a region is emptied. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SPEC } from '../../../src/abi/policy-spec.ts';
import { AllocFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { Operation } from '../../../src/abi/server.ts';
import { awaitsMemory, claimBlock } from '../../../src/physmem/claim.ts';
import { Evacuated, evacuate, type Region } from '../../../src/physmem/compact/evacuate.ts';
import { namedPolicy } from '../../../src/physmem/compact/named.ts';
import type { Policy, Proposal } from '../../../src/physmem/compact/policy.ts';
import { StoreView } from '../../../src/physmem/compact/view.ts';
import { PROGRESS_KEY } from '../../../src/physmem/guard.ts';
import { BenchTop, outcome, PAGE } from './bench-top.ts';
import { scatter } from './scattered-memory.ts';

const BLOCK = 1024;
const DMA_END = BLOCK;
const GOAL = { zone: 1, order: 10 };
const block = (number: number): Proposal => ({ frame: number * BLOCK, order: 10 });

/** Proposes these blocks, one after the other; what it is asked is counted. */
function proposing(blocks: readonly number[], more: Partial<Policy> = {}) {
  const asked = { resting: 0, choose: 0 };
  const policy: Policy = {
    name: 'mine',
    onShortage: () => 'compact',
    background: (_, state) => {
      if (state === 'resting') asked.resting += 1;
      return GOAL;
    },
    choose: () => {
      const next = blocks[asked.choose];
      asked.choose += 1;
      return next === undefined ? null : block(next);
    },
    ...more,
  };
  return { policy, asked };
}

/** 20 MiB, every fourth page in use. A device can reach block 2, which therefore cannot be emptied. */
function scattered(policy: Policy, dmaEnd = DMA_END) {
  const top = new BenchTop({ frames: 5 * BLOCK, dmaEnd, options: { policy, dmaReserve: 0 } });
  top.task(1);
  const a = top.container();
  scatter(top, a, (page) => page % 4 === 0);
  const { store } = top.physmem;
  const used = [...store.base.state.keys()].filter((frame) => store.base.owner[frame] !== 0);
  top.kernel.reachable.add(used.find((frame) => frame >= 2 * BLOCK + 500)!);
  return { top, a, store };
}

/** Runs work to its next pause, undefined, or to its end, the result. */
function toPause<T>(top: BenchTop, work: Operation<T>): T | undefined {
  for (let step = work.next('done'); ; step = work.next('done')) {
    if (step.done === true) return step.value;
    if (step.value.kind === 'pause') return undefined;
    top.serve(step.value);
  }
}

describe('work in the background', () => {
  it.each([
    [[2, 2, 2, 3], 3, 1],
    [[2, 2, 2, 2, 3], 4, 0],
    [[2, 3, 2, 2, 2, 4], 4, 2],
  ])(
    'on blocks %j fails %i times, empties %i, and gives up after four failures in a row',
    (blocks, failed, emptied) => {
      const { policy } = proposing(blocks);
      const { top, store } = scattered(policy);
      top.runSpawned();
      expect(store.counters).toMatchObject({ evacuationsFailed: failed, evacuations: emptied });
      expect(store.compaction).toMatchObject({ stopped: null, episode: 'off' });
    },
  );

  it('begins again when memory has changed again', () => {
    const { policy } = proposing([3]);
    const { top, a } = scattered(policy);
    top.runSpawned();
    top.must(top.allocate(a, 9000, 300));
    top.must(top.map(1, a, 9000, 300, 0x100));
    expect(top.kernel.spawned.length).toBe(0);
    top.must(top.deallocate(a, 9000, 300));
    expect(top.kernel.spawned.length).toBe(1);
  });

  it('is thought about once in a MiB of change, not at every request', () => {
    let looks = 0;
    const { policy } = proposing([], {
      background: () => {
        looks += 1;
        return null;
      },
    });
    const { store } = scattered(policy);
    expect(store.zones.turnover).toBeGreaterThan(3000);
    expect(looks).toBeGreaterThan(5);
    expect(looks).toBeLessThanOrEqual(store.zones.turnover / 256);
  });
});

describe('a bind that waits for a block', () => {
  it.each([
    [[2, 2, 2, 3], 1],
    [[2, 2, 2, 2, 3], 0],
  ])('tries %j and gets %i large pages: four failures in a row are enough', (blocks, large) => {
    const { policy } = proposing(blocks, { background: () => null });
    const { top } = scattered(policy);
    const b = top.container();
    top.must(top.allocate(b, 0, 1024));
    expect(outcome(top.map(1, b, 0, 1024, 0x800))).toEqual(['OK', 1024]);
    expect(top.kernel.spaces.get(1)!.large.size).toBe(large);
  });

  it('gets it in the DMA zone when there is not so much memory above', () => {
    const policy = namedPolicy({ ...DEFAULT_POLICY_SPEC, mode: 'on-demand' });
    const { top } = scattered(policy, 4 * BLOCK + BLOCK / 2);
    const b = top.container();
    top.must(top.allocate(b, 0, 1024));
    expect(outcome(top.map(1, b, 0, 1024, 0x800))).toEqual(['OK', 1024]);
    expect(top.kernel.spaces.get(1)!.large.size).toBe(1);
  });
});

describe('a region that is emptied', () => {
  const quiet = (batch = 64) => proposing([], { background: () => null, batch }).policy;
  const region = (number: number, into: readonly number[] = []): Region => ({
    ...{ frame: number * BLOCK, order: 10 },
    ...{ into, where: 'zone' },
  });

  it.each([[[4]], [[3]], [[4, 3]]])('goes into blocks %j in this order', (into) => {
    const { top, store } = scattered(quiet());
    top.kernel.reachable.clear();
    const before = store.base.counts.movable.slice();
    expect(top.finish(evacuate(store, region(2, into)))).toBe(Evacuated.EMPTY);
    const after = store.base.counts.movable;
    expect(after[into[0]!]! - before[into[0]!]!).toBe(before[2]);
    top.check();
  });

  it('goes back at once when somebody needs memory now', () => {
    const { top, store } = scattered(quiet(16));
    const free = store.zones.freeFrames;
    const work = evacuate(store, region(3));
    while (work.next('done').value !== undefined && store.counters.moves < 32);
    expect(store.claimed).toBeGreaterThan(500);
    expect(awaitsMemory(store)).toBe(true);
    const seen: number[] = [];
    top.kernel.onWake = (key) => {
      if (key === PROGRESS_KEY) seen.push(store.claimed);
    };
    expect(top.finish(work)).toBe(Evacuated.HURRY);
    // Who waits looks again when all has come back.
    expect(seen.at(-1)).toBe(0);
    expect(store.counters.moves).toBeLessThan(64);
    expect([store.claimed, store.zones.freeFrames]).toEqual([0, free]);
    top.check();
  });

  it('is given up when another one hands its memory back for ever', () => {
    const top = new BenchTop({ frames: 512, dmaEnd: 128, options: { policy: quiet(1), maxOrder: 4 } });
    top.afterEach = () => {};
    top.task(1);
    const a = top.container();
    for (let page = 0; page < 64; page += 1) top.must(top.allocate(a, page, 1));
    top.must(top.map(1, a, 0, 64, 0x100));
    const { store } = top.physmem;
    const { buddy } = store.zones.zones[1]!;
    // One free frame: what either region gives up is what the other one finds.
    while (buddy.freeFrames > 1) claimBlock(store, buddy, 0);
    const { frame } = top.kernel.spaces.get(1)!.pages.get(0x110)!;
    const first = frame & ~3;
    const works = [first, first + 4].map((at) =>
      evacuate(store, { frame: at, order: 2, into: [], where: 'zone' }),
    );
    const results = works.map((): unknown => undefined);
    for (let turn = 0; turn < 100 && results.includes(undefined); turn += 1) {
      for (const [i, work] of works.entries()) results[i] ??= toPause(top, work);
    }
    expect(results).toContain(Evacuated.OBSTACLE);
    expect(results).not.toContain(undefined);
  });

  it('gives back the places that it had found for what cannot move', () => {
    const { top, store } = scattered(quiet(1024));
    const free = store.zones.freeFrames;
    expect(top.finish(evacuate(store, region(2)))).toBe(Evacuated.OBSTACLE);
    expect([store.claimed, store.zones.freeFrames]).toEqual([0, free]);
    top.check();
  });
});

describe('what a policy sees', () => {
  it('counts memory in quarantine as pinned, like what is pinned', () => {
    const { top, a, store } = scattered(namedPolicy(DEFAULT_POLICY_SPEC));
    top.must(top.map(1, a, 2000, 1, 0x100));
    const { frame } = top.kernel.spaces.get(1)!.pages.get(0x100)!;
    const view = new StoreView(store);
    const own = frame >>> 10;
    const before = view.pinned(own);
    expect(view.region(frame, 0)).toEqual({ free: 0, movable: 1, pinned: 0, fixed: 0 });
    top.must(top.call(Op.PIN, a, [2000 * PAGE, PAGE, 1e6, 0]));
    expect(view.region(frame, 0)).toEqual({ free: 0, movable: 0, pinned: 1, fixed: 0 });
    top.must(top.deallocate(a, 2000, 1));
    expect(view.region(frame, 0)).toEqual({ free: 0, movable: 0, pinned: 1, fixed: 0 });
    expect(view.pinned(own)).toBe(before + 1);
  });
});

describe('with grouping by mobility', () => {
  /** 48 MiB; tables and DMA memory are asked for between ordinary pages. Blocks that hold both kinds. */
  function mixedBlocks(grouping: 'on' | 'off', flags: AllocFlag | 0): number[] {
    const policy = namedPolicy({ ...DEFAULT_POLICY_SPEC, grouping });
    const top = new BenchTop({ frames: 12 * BLOCK, dmaEnd: 4 * BLOCK, options: { policy, dmaReserve: 0 } });
    top.afterEach = () => {};
    top.task(1);
    const { counts } = top.physmem.store.base;
    const fixedBefore = Array.from(counts.free.keys(), (number) => counts.fixed(number));
    const a = top.container();
    const b = top.container();
    const special = new Set<number>();
    for (let i = 0; i < 12; i += 1) {
      top.must(top.allocate(a, i * 700, 700));
      top.must(top.map(1, a, i * 700, 700, 0x40000 + i * 1024));
      top.must(top.allocate(b, i, 1, flags));
      top.must(top.map(1, b, i, 1, 0x80000 + i));
      if (flags !== 0) special.add(top.kernel.spaces.get(1)!.pages.get(0x80000 + i)!.frame >>> 10);
    }
    top.check();
    for (const number of counts.free.keys())
      if (counts.fixed(number) > fixedBefore[number]!) special.add(number);
    return [...special].filter((number) => counts.apart[number] === 0);
  }

  it('page tables stand in blocks of their own', () => {
    expect(mixedBlocks('off', 0)).not.toEqual([]);
    expect(mixedBlocks('on', 0)).toEqual([]);
  });

  it('DMA memory stands there, too: it will most likely be pinned', () => {
    expect(mixedBlocks('off', AllocFlag.DMA)).not.toEqual([]);
    expect(mixedBlocks('on', AllocFlag.DMA)).toEqual([]);
  });
});
