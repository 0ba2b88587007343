/**
 * Each defect of the original physmem (2003-2005) as a regression test; the numbers are those of the survey. After
 * every call the whole-state checker runs (bench-top.ts).
 */
import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { AllocFlag, CopyFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import { BTrees } from '../../../src/physmem/btree.ts';
import { treeFaults } from '../../../src/physmem/check/tree.ts';
import { BenchTop, outcome, PAGE } from './bench-top.ts';

const { SHARED, MOVE, SQUASH, ALL_OR_NONE } = CopyFlag;

/** A bench with a task 1, and containers filled by `pages`. */
function world(...pages: number[]) {
  const top = new BenchTop();
  top.task(1);
  const containers = pages.map((count) => {
    const container = top.container();
    if (count > 0) top.must(top.allocate(container, 0, count));
    return container;
  });
  return { top, containers };
}

describe('defects of the original', () => {
  it('B1: deallocating part of a frame that was never bound frees no memory', () => {
    const { top, containers } = world(4);
    const [a] = containers;
    const free = top.physmem.store.zones.freeFrames;
    expect(outcome(top.deallocate(a!, 1, 1))).toEqual(['OK', 1]);
    expect(top.physmem.store.zones.freeFrames).toBe(free);
    expect(top.states(a!, 0, 4).map((state) => state & 3)).toEqual([1, 0, 1, 1]);
    expect([0, 2, 3].map((page) => top.peek(1, a!, page))).toEqual([0, 0, 0]);
  });

  it('B2: a write map of a copy-on-write page that was read-mapped breaks it cleanly', () => {
    const { top, containers } = world(4, 0);
    const [a, b] = containers;
    top.must(top.map(1, a!, 0, 4, 0x100, 1));
    top.must(top.copy(a!, 0, b!, 0, 4));
    expect(outcome(top.map(1, a!, 0, 4, 0x100, 3))).toEqual(['OK', 4]);
    expect(top.kernel.write(0, 1, 0x102, 5)).toBe(true);
    expect(top.peek(1, b!, 2)).toBe(0);
  });

  it('B4: sharers stay sharers after a copy-on-write break and a later copy', () => {
    const { top, containers } = world(1, 0, 0, 0);
    const [a, b, c, d] = containers;
    top.must(top.copy(a!, 0, b!, 0, 1, SHARED));
    top.poke(1, a!, 0, 1);
    top.must(top.copy(a!, 0, c!, 0, 1));
    top.poke(1, b!, 0, 2);
    top.must(top.copy(a!, 0, d!, 0, 1));
    top.poke(1, b!, 0, 3);
    expect([a, b, c, d].map((container) => top.peek(1, container!, 0))).toEqual([3, 3, 1, 2]);
  });

  it('B5: a write through one logical copy is never seen through another (false sharing)', () => {
    const { top, containers } = world(4, 0, 0);
    const [a, b, c] = containers;
    for (let page = 0; page < 4; page += 1) top.poke(1, a!, page, 10 + page);
    top.must(top.copy(a!, 1, b!, 0, 2, SHARED));
    top.must(top.copy(a!, 0, c!, 0, 4));
    top.must(top.call(Op.CONTAINER_DESTROY, a!));
    top.poke(1, b!, 0, 99);
    for (let page = 0; page < 4; page += 1) top.poke(1, c!, page, 50 + page);
    expect([0, 1].map((page) => top.peek(1, b!, page))).toEqual([99, 12]);
  });

  it('B6: a copy that fails half-way takes write access from what it did copy', () => {
    const { top, containers } = world(4, 0);
    const [a, b] = containers;
    top.must(top.map(1, a!, 0, 4, 0x100, 3));
    for (let page = 0; page < 4; page += 1) top.kernel.write(page % 2, 1, 0x100 + page, 10 + page);
    top.must(top.allocate(b!, 1, 1));
    const reply = top.copy(a!, 1, b!, 0, 2);
    expect(outcome(reply)).toEqual(['EEXIST', 1]);
    expect(reply.words).toEqual([PAGE, Reason.OCCUPIED, 2, PAGE]);
    expect(top.kernel.write(0, 1, 0x101, 77)).toBe(false);
    expect(top.kernel.write(0, 1, 0x102, 78)).toBe(true);
    expect(top.peek(1, b!, 0)).toBe(11);
    top.must(top.map(1, a!, 0, 4, 0x100, 3));
  });

  it('B7: a write map through one container leaves the others’ names alone', () => {
    const { top, containers } = world(4, 0, 0);
    const [a, b, c] = containers;
    top.must(top.copy(a!, 1, b!, 0, 1, SHARED));
    top.must(top.copy(a!, 0, c!, 0, 4));
    top.poke(1, b!, 0, 5);
    expect(top.peek(1, a!, 1)).toBe(5);
    expect(top.peek(1, c!, 1)).toBe(0);
    expect(top.states(a!, 0, 4).every((state) => (state & 1) === 1)).toBe(true);
  });

  for (const [from, count, gone] of [
    [2, 5, 5],
    [0, 5, 0],
  ] as const) {
    it(`B8: legal sequences of partial copies and deallocations do not stop the server (${from})`, () => {
      const { top, containers } = world(8, 0);
      const [a, b] = containers;
      for (let page = 0; page < 8; page += 1) top.poke(1, a!, page, page + 1);
      top.must(top.copy(a!, from, b!, 0, count));
      expect(outcome(top.deallocate(a!, gone, gone === 0 ? 2 : 3))[0]).toBe('OK');
      for (let page = 0; page < count; page += 1) expect(top.peek(1, b!, page)).toBe(from + page + 1);
    });
  }

  it('B9: deallocating the middle of a shared frame keeps the rest shared, both ways', () => {
    const { top, containers } = world(8, 0);
    const [a, b] = containers;
    top.must(top.copy(a!, 0, b!, 0, 8, SHARED));
    top.must(top.deallocate(a!, 3, 2));
    top.poke(1, a!, 2, 7);
    top.poke(1, b!, 5, 8);
    expect(top.peek(1, b!, 2)).toBe(7);
    expect(top.peek(1, a!, 5)).toBe(8);
    expect(top.peek(1, b!, 3)).toBe(0);
  });

  it('B10: size 0 is refused', () => {
    const { top, containers } = world(1);
    for (const op of [Op.ALLOCATE, Op.DEALLOCATE, Op.RELEASE]) {
      const words = op === Op.DEALLOCATE ? [0, 0] : [0, 0, 0];
      const reply = top.call(op, containers[0]!, words);
      expect([reply.errno, ...reply.words]).toEqual([Errno.EINVAL, 0, Reason.ZERO_SIZE, 2, 0]);
    }
  });

  it('B11: a range that wraps is refused, and keys above 2 GiB keep their order', () => {
    const { top, containers } = world(0);
    const reply = top.call(Op.ALLOCATE, containers[0]!, [0xfffff000, 0x2000, 0]);
    expect([reply.errno, ...reply.words]).toEqual([Errno.EINVAL, 0, Reason.WRAPS, 1, 0]);
    for (const page of [0, 0x90000, 0x40000, 0xfffff, 0x7ffff, 0x80000]) {
      top.must(top.allocate(containers[0]!, page, 1));
      expect(top.allocate(containers[0]!, page, 1).errno).toBe(Errno.EEXIST);
    }
    const trees = new BTrees();
    let root = trees.create();
    const keys = Array.from({ length: 3000 }, (_, i) => (i * 0x9e37_79b1) >>> 12);
    for (const key of new Set(keys)) root = trees.insert(root, key, 0, key + 1);
    for (const key of keys) expect(trees.floor(root, key)).toBe(key + 1);
    expect(treeFaults(trees, root)).toEqual([]);
  });

  it('B12: a bind without a large enough block uses smaller ones, and never maps what is not bound', () => {
    const top = new BenchTop({ frames: 64, dmaEnd: 16 });
    top.task(1);
    const a = top.container();
    const { free } = top.credit(top.root);
    top.must(top.allocate(a, 0, free - 2));
    expect(outcome(top.map(1, a, 0, free - 2, 0x100))).toEqual(['OK', free - 2]);
    const frames = [...top.kernel.spaces.get(1)!.pages.values()].map(({ frame }) => frame);
    expect(new Set(frames).size).toBe(free - 2);
  });

  it('B13: a copy beyond the source does exactly what it says, and ALL_OR_NONE nothing', () => {
    const { top, containers } = world(1, 0);
    const [a, b] = containers;
    const none = top.copy(a!, 0, b!, 0, 4, ALL_OR_NONE);
    expect([none.errno, none.words[0], none.words[3]]).toEqual([Errno.ENOENT, 0, PAGE]);
    expect(top.states(b!, 0, 4)).toEqual([0, 0, 0, 0]);
    expect(outcome(top.copy(a!, 0, b!, 0, 4))).toEqual(['ENOENT', 1]);
    expect(top.states(b!, 0, 4).map((state) => state & 1)).toEqual([1, 0, 0, 0]);
    const { free } = top.credit(top.root);
    expect(outcome(top.allocate(b!, 0, 2, AllocFlag.ALL_OR_NONE))).toEqual(['EEXIST', 0]);
    expect(top.credit(top.root).free).toBe(free);
  });

  it('B14: a container with shared and copied frames is destroyed, and the sharers keep theirs', () => {
    const { top, containers } = world(8, 0, 0);
    const [a, b, c] = containers;
    for (let page = 0; page < 8; page += 1) top.poke(1, a!, page, page + 1);
    top.must(top.copy(a!, 2, b!, 0, 3, SHARED));
    top.must(top.copy(a!, 1, c!, 0, 6));
    expect(outcome(top.call(Op.CONTAINER_DESTROY, a!))).toEqual(['OK', 8]);
    expect([0, 1, 2].map((page) => top.peek(1, b!, page))).toEqual([3, 4, 5]);
    expect(top.peek(1, c!, 5)).toBe(7);
    expect(top.call(Op.CONTAINER_DESTROY, a!).errno).toBe(Errno.EBADF);
  });

  it('B15: one map call over any number of single-page entries', () => {
    const { top, containers } = world(0);
    for (let page = 0; page < 200; page += 1) top.must(top.allocate(containers[0]!, page, 1));
    expect(outcome(top.map(1, containers[0]!, 0, 200, 0x3f0))).toEqual(['OK', 200]);
  });

  it('B16: holes, SQUASH and MOVE are as documented', () => {
    const { top, containers } = world(8, 4);
    const [a, b] = containers;
    top.must(top.deallocate(a!, 3, 2));
    expect(outcome(top.map(1, a!, 0, 8, 0x100))).toEqual(['ENOENT', 3]);
    expect(outcome(top.map(1, a!, 3, 1, 0x100))).toEqual(['ENOENT', 0]);
    expect(outcome(top.deallocate(a!, 2, 4))).toEqual(['OK', 2]);
    top.poke(1, a!, 0, 1);
    expect(outcome(top.copy(a!, 0, b!, 0, 2, SQUASH))).toEqual(['OK', 2]);
    expect(outcome(top.copy(a!, 6, b!, 10, 2, MOVE))).toEqual(['OK', 2]);
    expect(top.states(a!, 6, 2)).toEqual([0, 0]);
    expect(top.peek(1, b!, 0)).toBe(1);
  });

  it('B17: freeing a block twice is noticed, and a block is handed out once', () => {
    const { top } = world();
    const { zones, base } = top.physmem.store;
    const block = zones.take(0);
    base.state[block] = 2;
    zones.give(block);
    expect(() => zones.give(block)).toThrow('double free');
    const seen = new Set<number>();
    for (let head = zones.take(0); head >= 0; head = zones.take(0)) seen.add(head);
    expect(seen.size).toBe(8192 - 3);
  });

  it('B18: an overlapping copy reads its source before it writes', () => {
    for (const pages of [1, 2]) {
      const { top, containers } = world(0);
      const [a] = containers;
      for (let page = 0; page < pages; page += 1) {
        top.must(top.allocate(a!, page, 1));
        top.poke(1, a!, page, page + 1);
      }
      expect(outcome(top.copy(a!, 0, a!, pages, 4))).toEqual(['ENOENT', pages]);
      expect(top.states(a!, 0, 8).map((state) => state & 1)).toEqual(
        Array.from({ length: 8 }, (_, page) => (page < 2 * pages ? 1 : 0)),
      );
    }
    const { top, containers } = world(8);
    const [a] = containers;
    for (let page = 0; page < 8; page += 1) top.poke(1, a!, page, page + 1);
    expect(outcome(top.copy(a!, 0, a!, 3, 5, SQUASH))).toEqual(['OK', 5]);
    expect(Array.from({ length: 8 }, (_, page) => top.peek(1, a!, page))).toEqual([1, 2, 3, 1, 2, 3, 4, 5]);
    expect(outcome(top.copy(a!, 2, a!, 1, 6, SQUASH | MOVE))).toEqual(['OK', 6]);
    expect(Array.from({ length: 8 }, (_, page) => top.peek(1, a!, page))).toEqual([
      1,
      3,
      1,
      2,
      3,
      4,
      5,
      null,
    ]);
    expect(outcome(top.copy(a!, 0, a!, 0, 4))).toEqual(['EEXIST', 0]);
    expect(outcome(top.copy(a!, 0, a!, 0, 4, SQUASH))).toEqual(['OK', 4]);
  });
});
