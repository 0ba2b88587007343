/**
 * All 36 sub-ranges of an 8-page frame in every state that a frame can have, for the operations that treat part of
 * a frame differently from the rest. Each case checks contents of both sides, amounts, and the whole state.
 */
import { describe, expect, it } from 'vitest';
import { CopyFlag } from '../../src/abi/rights.ts';
import type { CapRef } from '../../src/abi/server.ts';
import { BenchTop, outcome, type Setup } from '../unit/physmem/bench-top.ts';

const PAGES = 8;
const ranges: [number, number][] = [];
for (let from = 0; from < PAGES; from += 1) {
  for (let count = 1; from + count <= PAGES; count += 1) ranges.push([from, count]);
}

interface Scene {
  readonly top: BenchTop;
  /** The container that the operation is about, and one that shares with it or has a copy. */
  readonly a: CapRef;
  readonly b: CapRef;
  /** What each page of a reads as. */
  readonly values: number[];
  /** The same memory is seen through b. */
  readonly shared: boolean;
}

const SETUP: Setup = { frames: 256, dmaEnd: 64 };
const fill = (top: BenchTop, a: CapRef): number[] =>
  Array.from({ length: PAGES }, (_, page) => {
    top.poke(1, a, page, 10 + page);
    return 10 + page;
  });

/** A frame of 8 pages in a, at an address that is not aligned to its size. */
function scene(prepare: (top: BenchTop, a: CapRef, b: CapRef) => Pick<Scene, 'values' | 'shared'>): Scene {
  const top = new BenchTop(SETUP);
  top.kernel.remote = 'always';
  top.task(1);
  top.task(2);
  const a = top.container();
  const b = top.container();
  top.must(top.allocate(a, 0, PAGES));
  return { top, a, b, ...prepare(top, a, b) };
}

const STATES: { readonly [name: string]: () => Scene } = {
  unbound: () => scene(() => ({ values: new Array<number>(PAGES).fill(0), shared: false })),
  bound: () => scene((top, a) => ({ values: fill(top, a), shared: false })),
  mapped: () =>
    scene((top, a) => {
      const values = fill(top, a);
      top.must(top.map(1, a, 0, PAGES, 0x3fc));
      top.must(top.map(2, a, 2, 4, 0x100));
      for (let page = 0; page < PAGES; page += 1) top.kernel.write(page % 2, 1, 0x3fc + page, 10 + page);
      for (let page = 2; page < 6; page += 1) top.kernel.read(1, 2, 0x100 + page - 2);
      return { values, shared: false };
    }),
  shared: () =>
    scene((top, a, b) => {
      top.must(top.copy(a, 0, b, 0, PAGES, CopyFlag.SHARED));
      top.must(top.map(2, b, 0, PAGES, 0x100));
      return { values: fill(top, a), shared: true };
    }),
  'shared and unbound': () =>
    scene((top, a, b) => {
      top.must(top.copy(a, 0, b, 0, PAGES, CopyFlag.SHARED));
      return { values: new Array<number>(PAGES).fill(0), shared: true };
    }),
  'copy-on-write': () =>
    scene((top, a, b) => {
      const values = fill(top, a);
      top.must(top.copy(a, 0, b, 0, PAGES));
      top.must(top.map(1, a, 0, PAGES, 0x100, 1));
      top.must(top.map(2, b, 0, PAGES, 0x200, 1));
      for (let page = 0; page < PAGES; page += 1) top.kernel.read(0, 2, 0x200 + page);
      return { values, shared: false };
    }),
};

const read = (top: BenchTop, container: CapRef): (number | null)[] =>
  Array.from({ length: PAGES }, (_, page) => top.peek(1, container, page));

for (const [name, make] of Object.entries(STATES)) {
  describe(`a frame that is ${name}`, () => {
    it('is deallocated in part, and the rest keeps contents, names and sharers', () => {
      for (const [from, count] of ranges) {
        const { top, a, b, values, shared } = make();
        const other = read(top, b);
        const places = blocksOf(top, a);
        expect(outcome(top.deallocate(a, from, count))).toEqual(['OK', count]);
        const inside = (page: number) => page >= from && page < from + count;
        const kept = places.filter((_, page) => !inside(page));
        expect(blocksOf(top, a).filter((_, page) => !inside(page))).toEqual(kept);
        expect(read(top, a)).toEqual(values.map((value, page) => (inside(page) ? null : value)));
        expect(read(top, b)).toEqual(other);
        const rest = shared ? (from + count) % PAGES : -1;
        if (rest >= 0 && !inside(rest)) {
          top.poke(2, b, rest, 99);
          expect(top.peek(1, a, rest)).toBe(99);
        }
        expect(outcome(top.deallocate(a, 0, PAGES))).toEqual(['OK', PAGES - count]);
        expect(outcome(top.deallocate(b, 0, PAGES))[0]).toBe('OK');
        expect(top.credit(top.root).charged).toBe(6 + tables(top));
      }
    });

    it('is released in part: that part reads as zeroes or as before, and nobody else changes', () => {
      for (const [from, count] of ranges) {
        const { top, a, b, values, shared } = make();
        const other = read(top, b);
        expect(outcome(top.release(a, from, count))).toEqual(['OK', count]);
        const hasOthers = other.some((value) => value !== null);
        const zeroed = (page: number) => hasOthers && page >= from && page < from + count;
        expect(read(top, a)).toEqual(values.map((value, page) => (zeroed(page) ? 0 : value)));
        expect(read(top, b)).toEqual(other);
        top.poke(1, a, from, 77);
        expect(top.peek(2, b, from)).toBe(other[from]);
        const outside = (from + count) % PAGES;
        if (shared && !zeroed(outside)) {
          top.poke(1, a, outside, 78);
          expect(top.peek(2, b, outside)).toBe(78);
        }
      }
    });

    it('is copied in part, by copy, by sharing and by moving', () => {
      for (const [from, count] of ranges) {
        for (const flags of [0, CopyFlag.SHARED, CopyFlag.MOVE]) {
          const { top, a, b, values } = make();
          const other = read(top, b);
          const c = top.container();
          expect(outcome(top.copy(a, from, c, 3, count, flags))).toEqual(['OK', count]);
          for (let i = 0; i < count; i += 1) expect(top.peek(1, c, 3 + i)).toBe(values[from + i]);
          top.poke(2, c, 3, 55);
          const isGone = flags === CopyFlag.MOVE;
          expect(top.peek(1, a, from)).toBe(isGone ? null : flags === CopyFlag.SHARED ? 55 : values[from]);
          if (!isGone && flags === 0) expect(read(top, b)).toEqual(other);
        }
      }
    });
  });
}

/** Base frame behind each page of a, or -1. */
function blocksOf(top: BenchTop, a: CapRef): number[] {
  const { store } = top.physmem;
  const container = store.containers.at(store.containers.find(a.object));
  const found = new Array<number>(PAGES).fill(-1);
  for (const [start, entry] of store.trees.pairs(container.tree)) {
    const frame = store.entries.frame[entry]!;
    const block = store.frames.block[frame]!;
    for (let i = 0; i < 1 << store.frames.order(frame); i += 1) found[start + i] = block < 0 ? -1 : block + i;
  }
  return found;
}

const tables = (top: BenchTop): number =>
  [...top.kernel.spaces.values()].reduce((sum, space) => sum + space.tables.size, 0);
