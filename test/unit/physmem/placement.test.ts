import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { AllocFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { CapRef } from '../../../src/abi/server.ts';
import { BenchTop, outcome, PAGE } from './bench-top.ts';

const { DMA, CONTIGUOUS, SQUASH } = AllocFlag;
const DMA_END = 64;

function world() {
  const top = new BenchTop({ frames: 256, dmaEnd: DMA_END });
  top.task(1);
  return { top, a: top.container() };
}

/** Base frames behind pages of a container that task 1 maps. */
function places(top: BenchTop, container: CapRef, page: number, pages: number): number[] {
  top.must(top.map(1, container, page, pages, 0x100));
  const tables = top.kernel.spaces.get(1)!;
  return Array.from({ length: pages }, (_, i) => tables.pages.get(0x100 + i)!.frame);
}

describe('DMA memory', () => {
  it('is bound below the limit of the DMA zone, ordinary memory above it', () => {
    const { top, a } = world();
    top.must(top.allocate(a, 0, 8, DMA));
    top.must(top.allocate(a, 8, 8));
    expect(places(top, a, 0, 8).every((frame) => frame < DMA_END)).toBe(true);
    expect(places(top, a, 8, 8).every((frame) => frame >= DMA_END)).toBe(true);
  });

  it('is promised at allocation, so that a bind never fails whatever others do meanwhile', () => {
    const { top, a } = world();
    top.must(top.allocate(a, 0, 40, DMA));
    const b = top.container();
    const { free } = top.credit(top.root);
    top.must(top.allocate(b, 0, free - 2));
    expect(outcome(top.map(1, b, 0, free - 2, 0x400))).toEqual(['OK', free - 2]);
    expect(places(top, a, 0, 40).every((frame) => frame < DMA_END)).toBe(true);
  });

  it('is refused when the zone has no room left, exactly at that byte', () => {
    const { top, a } = world();
    top.must(top.allocate(a, 0, 60, DMA));
    const reply = top.allocate(a, 100, 8, DMA);
    expect([reply.errno, ...reply.words]).toEqual([Errno.ENOMEM, 4 * PAGE, Reason.NO_DMA, 0, 4]);
    top.must(top.deallocate(a, 0, 8));
    expect(outcome(top.allocate(a, 200, 8, DMA))).toEqual(['OK', 8]);
  });

  it('keeps its place when a copy-on-write copy is broken, whoever writes', () => {
    for (const writer of ['original', 'copy'] as const) {
      const { top, a } = world();
      const b = top.container();
      const c = top.container();
      top.must(top.allocate(a, 0, 4, DMA));
      const before = places(top, a, 0, 4);
      top.kernel.write(0, 1, 0x102, 7);
      top.must(top.copy(a, 0, b, 0, 4));
      top.must(top.copy(b, 0, c, 0, 4));
      top.poke(1, writer === 'original' ? a : b, 2, 9);
      expect(places(top, a, 0, 4)).toEqual(before);
      const seen = [a, b, c].map((one) => top.peek(1, one, 2));
      expect(seen).toEqual(writer === 'original' ? [9, 7, 7] : [7, 9, 7]);
      expect(places(top, b, 0, 4).every((frame) => frame >= DMA_END)).toBe(true);
    }
  });
});

describe('contiguous memory', () => {
  it('is one run of base frames for any size, bound at once, and the rest of the block is free', () => {
    for (const pages of [1, 3, 5, 7, 8, 13, 31]) {
      const { top, a } = world();
      const { freeFrames } = top.physmem.store.zones;
      expect(outcome(top.allocate(a, 3, pages, CONTIGUOUS))).toEqual(['OK', pages]);
      expect(top.physmem.store.zones.freeFrames).toBe(freeFrames - pages);
      const frames = places(top, a, 3, pages);
      expect(frames).toEqual(frames.map((_, i) => frames[0]! + i));
      expect(top.kernel.read(0, 1, 0x100 + pages - 1)).toBe(0);
      top.must(top.deallocate(a, 0, 40));
    }
  });

  it('is all or nothing, in names, credit and blocks', () => {
    const { top, a } = world();
    top.must(top.allocate(a, 5, 1));
    expect(outcome(top.allocate(a, 3, 4, CONTIGUOUS))).toEqual(['EEXIST', 0]);
    const poor = top.container(top.split(top.root, 3));
    expect(outcome(top.allocate(poor, 0, 4, CONTIGUOUS))).toEqual(['ENOMEM', 0]);
    const reply = top.allocate(a, 10, 129, CONTIGUOUS);
    expect([reply.errno, ...reply.words]).toEqual([Errno.ENOMEM, 0, Reason.NO_BLOCK, 0, 8]);
    const huge = top.call(Op.ALLOCATE, a, [0x1000_0000, 1025 * PAGE, CONTIGUOUS]);
    expect([huge.errno, ...huge.words]).toEqual([Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 2, 1024 * PAGE]);
  });

  it('can be had in the DMA zone and in place of what is there', () => {
    const { top, a } = world();
    top.must(top.allocate(a, 0, 8));
    top.poke(1, a, 4, 3);
    expect(outcome(top.allocate(a, 2, 5, CONTIGUOUS | DMA | SQUASH))).toEqual(['OK', 5]);
    const frames = places(top, a, 2, 5);
    expect(frames).toEqual(frames.map((_, i) => frames[0]! + i));
    expect(frames[4]!).toBeLessThan(DMA_END);
    expect(top.peek(1, a, 4)).toBe(0);
    top.must(top.allocate(a, 20, 52, DMA));
    expect(outcome(top.allocate(a, 100, 8, CONTIGUOUS | DMA))).toEqual(['ENOMEM', 0]);
  });
});
