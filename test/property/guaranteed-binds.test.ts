/**
 * The promise of physmem.md §3.5: what a control has paid for can be bound, whatever shape memory is in. Memory is broken up
 * at random, some of it is pinned at random, and then every name that credit pays for is made and mapped, in frames as large
 * as they come, under each policy. None may fail; contents stay; DMA memory lies below the limit.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicyName } from '../../src/abi/policy-spec.ts';
import { AllocFlag } from '../../src/abi/rights.ts';
import { Op } from '../../src/abi/rpcs.ts';
import { namedPolicy } from '../../src/physmem/compact/named.ts';
import { BenchTop, outcome, PAGE } from '../unit/physmem/bench-top.ts';

const FRAMES = 1024;
const DMA_END = 128;
/** Page tables for what is mapped, beside the names. */
const TABLES = 8;

const breakUp = fc.record({
  keep: fc.array(fc.boolean(), { minLength: 64, maxLength: 64 }),
  pins: fc.uniqueArray(fc.nat(63), { maxLength: 6 }),
  dma: fc.nat(24),
  remote: fc.constantFrom('always' as const, 'never' as const),
});

describe('a bind that is paid for', () => {
  it.each([
    'none',
    'on-demand/cheapest-block',
    'on-demand/two-scanner+grouping',
    'background/cheapest-block+grouping',
  ])('never fails for fragmentation under %s', (name) => {
    let moves = 0;
    fc.assert(
      fc.property(breakUp, ({ keep, pins, dma, remote }) => {
        const policy = namedPolicy({ ...parsePolicyName(name)!, order: 6, high: 20, low: 5 });
        const top = new BenchTop({ frames: FRAMES, dmaEnd: DMA_END, options: { maxOrder: 6, policy } });
        top.kernel.remote = remote;
        top.afterEach = () => {};
        top.task(1);
        const old = top.container();
        const pages = top.credit(top.root).free - TABLES;
        for (let page = 0; page < pages; page += 1) top.must(top.allocate(old, page, 1));
        top.must(top.map(1, old, 0, pages, 0x1000));
        for (let page = 0; page < pages; page += 1) top.kernel.write(0, 1, 0x1000 + page, page + 1);
        for (let page = 0; page < pages; page += 1)
          if (!keep[page % 64]) top.must(top.deallocate(old, page, 1));
        const pinned = pins.filter((at) => keep[at]);
        for (const at of pinned) top.must(top.call(Op.PIN, old, [at * PAGE, PAGE, 1_000_000, 0]));
        top.runSpawned();
        const fresh = top.container();
        if (dma > 0) top.allocate(fresh, 0x2000, dma, AllocFlag.DMA);
        const room = top.credit(top.root).free - TABLES;
        if (room > 0) {
          top.must(top.allocate(fresh, 0, room));
          expect(outcome(top.map(1, fresh, 0, room, 0x2000))).toEqual(['OK', room]);
        }
        const low = dma === 0 ? 0 : top.map(1, fresh, 0x2000, dma, 0x4000).words[0]! / PAGE;
        for (let i = 0; i < low; i += 1) {
          expect(top.kernel.spaces.get(1)!.pages.get(0x4000 + i)!.frame).toBeLessThan(DMA_END);
        }
        for (let page = 0; page < pages; page += 17)
          if (keep[page % 64]) expect(top.peek(1, old, page)).toBe(page + 1);
        top.runSpawned();
        top.check();
        moves += top.physmem.counters.moves;
      }),
      { numRuns: Number(process.env['PHYSMEM_RUNS'] ?? 12), seed: 5, endOnFailure: true },
    );
    if (name !== 'none') expect(moves).toBeGreaterThan(0);
  });
});
