import { describe, expect, it } from 'vitest';
import { CopyFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { Wait } from '../../../src/abi/server.ts';
import { BenchTop, outcome } from './bench-top.ts';

const LARGE = 1024;

/** A container with one 4 MiB frame at page 16, mapped by task 1 as one large page at 4 MiB. */
function world(remote: 'always' | 'never' = 'always') {
  const top = new BenchTop({ frames: 8192 });
  top.kernel.remote = remote;
  top.task(1);
  top.task(2);
  const a = top.container();
  top.must(top.allocate(a, 16, LARGE));
  expect(outcome(top.map(1, a, 16, LARGE, LARGE))).toEqual(['OK', LARGE]);
  return { top, a };
}

const large = (top: BenchTop, task = 1): number => top.kernel.spaces.get(task)!.large.size;
const tables = (top: BenchTop, task = 1): number => top.kernel.spaces.get(task)!.tables.size;

describe('large pages', () => {
  it('maps a 4 MiB frame at a 4 MiB aligned address by one directory entry, and without a page table', () => {
    const { top } = world();
    expect(large(top)).toBe(1);
    expect(tables(top)).toBe(0);
    expect(top.kernel.write(0, 1, LARGE + 1000, 5)).toBe(true);
    expect(top.physmem.counters.largeMaps).toBe(1);
  });

  it('uses small pages when the address is not aligned, or when only a part is asked for', () => {
    const { top, a } = world();
    top.must(top.map(2, a, 16, LARGE, LARGE + 1));
    expect([large(top, 2), tables(top, 2)]).toEqual([0, 2]);
    top.must(top.unmap(2, LARGE + 1, LARGE));
    top.must(top.map(2, a, 17, LARGE - 1, LARGE));
    expect([large(top, 2), tables(top, 2)]).toEqual([0, 1]);
  });

  it('gives way to a page table when a part of the frame is deallocated, and the rest stays mapped', () => {
    const { top, a } = world();
    for (const page of [0, 5, 1023]) top.kernel.write(page & 1, 1, LARGE + page, 100 + page);
    expect(outcome(top.deallocate(a, 16 + 5, 1))).toEqual(['OK', 1]);
    expect([large(top), tables(top)]).toEqual([0, 1]);
    expect(top.kernel.read(0, 1, LARGE + 5)).toBeNull();
    expect(top.kernel.read(1, 1, LARGE)).toBe(100);
    expect(top.kernel.read(0, 1, LARGE + 1023)).toBe(1123);
    expect(top.kernel.write(0, 1, LARGE + 1023, 7)).toBe(true);
    expect(top.physmem.counters).toMatchObject({ demotions: 1, keptPages: 1023 });
  });

  it('gives way to a page table when a part of it is unmapped, which stays unmapped', () => {
    const { top, a } = world();
    top.kernel.read(1, 1, LARGE + 7);
    expect(outcome(top.unmap(1, LARGE + 7, 1))).toEqual(['OK', 1]);
    expect(top.kernel.read(1, 1, LARGE + 7)).toBeNull();
    expect([large(top), top.physmem.counters.keptPages]).toEqual([0, 1023]);
    expect(top.kernel.read(1, 1, LARGE + 8)).not.toBeNull();
    top.must(top.map(1, a, 16, LARGE, LARGE));
    expect(large(top)).toBe(1);
  });

  it('keeps its rest, read-only where it was copied, when a part of the frame is copied', () => {
    const { top, a } = world();
    const b = top.container();
    for (const page of [3, 600]) top.kernel.write(0, 1, LARGE + page, page);
    top.must(top.copy(a, 16, b, 0, 8));
    expect([large(top), top.physmem.counters.keptPages]).toEqual([0, 1024]);
    expect(top.kernel.read(1, 1, LARGE + 3)).toBe(3);
    expect(top.kernel.write(1, 1, LARGE + 3, 9)).toBe(false);
    expect(top.kernel.write(1, 1, LARGE + 600, 9)).toBe(true);
    expect(top.peek(2, b, 3)).toBe(3);
  });

  it('keeps the rest of every task that shares the frame', () => {
    const { top, a } = world();
    const b = top.container();
    top.must(top.copy(a, 16, b, 0, LARGE, CopyFlag.SHARED));
    top.must(top.map(2, b, 0, LARGE, 2 * LARGE));
    top.kernel.write(0, 1, LARGE + 9, 42);
    top.must(top.release(a, 16, 8));
    expect([large(top, 1), large(top, 2)]).toEqual([0, 0]);
    expect(top.kernel.read(0, 1, LARGE)).toBeNull();
    for (const [task, at] of [
      [1, LARGE],
      [2, 2 * LARGE],
    ] as const) {
      expect(top.kernel.read(1, task, at + 9)).toBe(42);
    }
    expect(top.kernel.read(1, 2, 2 * LARGE)).not.toBeNull();
  });

  it('goes as a whole when there is no credit for the table; clients fault and ask again', () => {
    const top = new BenchTop({ frames: 8192 });
    top.kernel.remote = 'always';
    const control = top.split(top.root, 4);
    top.task(1, control);
    const a = top.container();
    top.must(top.allocate(a, 0, LARGE));
    top.must(top.map(1, a, 0, LARGE, LARGE));
    const b = top.container(control);
    top.must(top.allocate(b, 0, 1));
    expect(top.credit(control).free).toBe(0);
    top.must(top.deallocate(a, 5, 1));
    expect([large(top), tables(top), top.physmem.counters.keptPages]).toEqual([0, 0, 0]);
    expect(top.kernel.read(0, 1, LARGE)).toBeNull();
  });

  it('is mapped anew by nobody who has lost the capability, or the lock, while the shootdown was waited for', () => {
    for (const what of ['capability', 'lock', 'address'] as const) {
      const { top, a } = world();
      const b = top.container();
      top.must(top.allocate(b, 0, 1));
      top.kernel.read(1, 1, LARGE + 1);
      top.afterEach = () => {};
      const partly = top.start(Op.DEALLOCATE, a, [16 * 4096, 4096]);
      if ('errno' in partly) throw new Error('did not wait');
      const wait = partly.next('done').value as Wait;
      expect(wait.kind).toBe('shootdown');
      if (what === 'capability') {
        const dropped = top.physmem.capDropped(1, a)!;
        expect(dropped.next('done').value).toMatchObject({ kind: 'event' });
        top.serve(wait);
        top.finish(partly);
        top.finish(dropped);
      } else if (what === 'address') {
        const other = top.start(Op.MAP, b, [0, 4096, (LARGE + 2) * 4096, 3, 0]);
        if ('errno' in other) throw new Error('did not wait');
        expect(other.next('done').value).toMatchObject({ kind: 'event' });
        top.serve(wait);
        top.finish(partly);
        top.finish(other);
        expect(top.kernel.read(1, 1, LARGE + 2)).toBe(0);
        expect(top.kernel.read(1, 1, LARGE + 3)).not.toBeNull();
      } else {
        const lock = top.start(Op.LOCK, a, [1_000_000], [], 2);
        if ('errno' in lock) throw new Error('did not wait');
        expect(lock.next('done').value).toMatchObject({ kind: 'event' });
        top.serve(wait);
        top.finish(partly);
        expect(top.finish(lock).errno).toBe(0);
      }
      if (what !== 'address') expect(top.kernel.read(1, 1, LARGE + 1)).toBeNull();
      expect(top.kernel.mixture()).toBeNull();
      top.check();
    }
  });

  it('replaces a page table by a large page and back, never both at once (I21)', () => {
    const { top, a } = world();
    const b = top.container();
    top.must(top.allocate(b, 0, 8));
    top.must(top.map(1, b, 0, 8, LARGE + 100));
    expect([large(top), tables(top)]).toEqual([0, 1]);
    top.kernel.read(1, 1, LARGE + 101);
    top.must(top.map(1, a, 16, LARGE, LARGE));
    expect([large(top), tables(top)]).toEqual([1, 0]);
  });

  it('loses write access on a copy-on-write copy, and gets it back by a map', () => {
    const { top, a } = world();
    const b = top.container();
    top.kernel.write(0, 1, LARGE + 3, 9);
    top.must(top.copy(a, 16, b, 0, LARGE));
    expect(top.kernel.write(0, 1, LARGE + 3, 10)).toBe(false);
    expect(outcome(top.map(1, a, 16, LARGE, LARGE, 3, 1))).toEqual(['OK', LARGE]);
    expect(top.map(1, a, 16, LARGE, LARGE, 3, 1).words[1]).toBe(1);
    top.must(top.map(1, a, 16, LARGE, LARGE));
    expect(top.kernel.write(0, 1, LARGE + 3, 10)).toBe(true);
    expect(large(top)).toBe(1);
    expect(top.peek(2, b, 3)).toBe(9);
  });

  it('is widened in place when the other copy is gone', () => {
    const { top, a } = world();
    const b = top.container();
    top.must(top.copy(a, 16, b, 0, LARGE));
    top.must(top.deallocate(b, 0, LARGE));
    const { copiedFrames } = top.physmem.counters;
    top.must(top.map(1, a, 16, LARGE, LARGE));
    expect(top.kernel.write(0, 1, LARGE, 1)).toBe(true);
    expect(top.physmem.counters.copiedFrames).toBe(copiedFrames);
  });

  it('moves with its frame', () => {
    const { top, a } = world();
    const b = top.container();
    top.kernel.write(0, 1, LARGE, 7);
    top.must(top.copy(a, 16, b, 3, LARGE, CopyFlag.MOVE));
    expect(top.kernel.read(0, 1, LARGE)).toBeNull();
    top.must(top.map(2, b, 3, LARGE, LARGE));
    expect(large(top, 2)).toBe(1);
    expect(top.kernel.read(0, 2, LARGE)).toBe(7);
  });

  it('falls back to smaller frames when no 4 MiB block is free', () => {
    const top = new BenchTop({ frames: 1500, dmaEnd: 512 });
    top.task(1);
    const a = top.container();
    top.must(top.allocate(a, 0, 1400));
    expect(outcome(top.map(1, a, 0, 1400, LARGE))).toEqual(['OK', 1400]);
    expect(top.physmem.counters.entrySplits).toBeGreaterThan(0);
  });
});
