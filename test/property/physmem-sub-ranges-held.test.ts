/**
 * All 36 sub-ranges of a frame that is pinned, locked, or mapped as one 4 MiB page (F30): what is deallocated goes, the
 * rest keeps contents and place, and everything comes back in the end.
 */
import { describe, expect, it } from 'vitest';
import { CopyFlag } from '../../src/abi/rights.ts';
import { Op } from '../../src/abi/rpcs.ts';
import type { CapRef } from '../../src/abi/server.ts';
import { BenchTop, outcome, PAGE } from '../unit/physmem/bench-top.ts';

const PARTS = 8;
const ranges: [number, number][] = [];
for (let from = 0; from < PARTS; from += 1) {
  for (let count = 1; from + count <= PARTS; count += 1) ranges.push([from, count]);
}
const SPACE_FRAMES = 3;
const TASKS = [1, 2];

/** A frame of 8 parts in container a, with a different value in each part. */
function scene(pagesPerPart: number) {
  const top = new BenchTop({ frames: pagesPerPart === 1 ? 256 : 4096, dmaEnd: 64 });
  top.kernel.charge = () => {};
  top.kernel.remote = 'always';
  for (const task of TASKS) top.task(task);
  const a = top.container();
  top.must(top.allocate(a, 0, PARTS * pagesPerPart));
  top.must(top.map(1, a, 0, PARTS * pagesPerPart, 0x400));
  for (let part = 0; part < PARTS; part += 1)
    top.kernel.write(part % 2, 1, 0x400 + part * pagesPerPart, 10 + part);
  return { top, a };
}

const values = (top: BenchTop, a: CapRef, pagesPerPart: number): (number | null)[] =>
  Array.from({ length: PARTS }, (_, part) => top.peek(2, a, part * pagesPerPart));

/** What is left of the values when a range is gone. */
const rest = (from: number, count: number): (number | null)[] =>
  Array.from({ length: PARTS }, (_, part) => (part >= from && part < from + count ? null : 10 + part));

const atRest = (top: BenchTop): number =>
  SPACE_FRAMES * TASKS.length +
  TASKS.reduce((sum, task) => sum + top.kernel.spaces.get(task)!.tables.size, 0);

describe('a frame that is pinned', () => {
  it('is deallocated in part: names go, memory waits in quarantine, charged, and holds what the device wrote', () => {
    for (const [from, count] of ranges) {
      const { top, a } = scene(1);
      top.drivers.add(1);
      const pin = top.must(top.call(Op.PIN, a, [0, PARTS * PAGE, 1000, 0]));
      const first = pin.words[2]! / PAGE;
      const { free } = top.credit(top.root);
      expect(outcome(top.deallocate(a, from, count))).toEqual(['OK', count]);
      expect(values(top, a, 1)).toEqual(rest(from, count));
      expect(top.credit(top.root).free).toBeLessThanOrEqual(free + TASKS.length);
      for (let part = 0; part < PARTS; part += 1) expect(top.kernel.contents[first + part]).toBe(10 + part);
      expect(outcome(top.deallocate(a, 0, PARTS))).toEqual(['OK', PARTS - count]);
      top.must(top.call(Op.UNPIN, pin.caps[0]!));
      expect(top.credit(top.root).charged).toBe(atRest(top));
    }
  });

  it('is moved and copied in part: the pinned memory stays where it is, and the copy has its own', () => {
    for (const [from, count] of ranges) {
      for (const flags of [0, CopyFlag.SHARED, CopyFlag.MOVE]) {
        const { top, a } = scene(1);
        top.drivers.add(1);
        const pin = top.must(top.call(Op.PIN, a, [0, PARTS * PAGE, 1000, 0]));
        const c = top.container();
        expect(outcome(top.copy(a, from, c, 0, count, flags))).toEqual(['OK', count]);
        top.kernel.contents[pin.words[2]! / PAGE + from] = 99;
        expect(top.peek(2, c, 0)).toBe(flags === 0 ? 10 + from : 99);
        top.must(top.call(Op.UNPIN, pin.caps[0]!));
      }
    }
  });
});

describe('a frame that is locked', () => {
  it('is deallocated in part by the holder only; the owner is refused, and afterwards is not', () => {
    for (const [from, count] of ranges) {
      const { top, a } = scene(1);
      const limited = top.share(a, 1 | 2 | 128);
      top.must(top.call(Op.LOCK, limited, [1000], [], 2));
      expect(outcome(top.deallocate(a, from, count))).toEqual(['EBUSY', 0]);
      expect(values(top, limited, 1)).toEqual(rest(0, 0));
      top.must(top.call(Op.UNLOCK, limited, [], [], 2));
      expect(outcome(top.deallocate(a, from, count))).toEqual(['OK', count]);
      expect(values(top, a, 1)).toEqual(rest(from, count));
    }
  });
});

describe('a frame of 4 MiB behind one page-directory entry', () => {
  it('is deallocated in part: the entry gives way to a table, and the rest stays mapped and in place', () => {
    const size = 1024 / PARTS;
    for (const [from, count] of ranges) {
      const { top, a } = scene(size);
      expect(top.kernel.spaces.get(1)!.large.size).toBe(1);
      const { frame } = top.kernel.spaces.get(1)!.large.get(1)!;
      expect(outcome(top.deallocate(a, from * size, count * size))).toEqual(['OK', count * size]);
      expect(values(top, a, size)).toEqual(rest(from, count));
      for (const [page, pte] of top.kernel.spaces.get(1)!.pages) expect(pte.frame - frame).toBe(page - 0x400);
      expect(top.kernel.spaces.get(1)!.large.size).toBe(0);
      expect(outcome(top.deallocate(a, 0, 1024))).toEqual(['OK', 1024 - count * size]);
      expect(top.credit(top.root).charged).toBe(atRest(top));
    }
  });
});
