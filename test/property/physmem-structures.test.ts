/** The containers of the server's records against plain ones: bitmap, B+trees, buddy allocator. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BaseFrames, FrameState } from '../../src/physmem/base-frames.ts';
import { Bitmap } from '../../src/physmem/bitmap.ts';
import { BTrees } from '../../src/physmem/btree.ts';
import { treeFaults } from '../../src/physmem/check/tree.ts';
import { ZoneId, Zones } from '../../src/physmem/zone.ts';

describe('the bitmap', () => {
  it('finds the lowest member and the next one, as a sorted list does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40_000 }),
        fc.array(fc.nat(39_999), { maxLength: 80 }),
        (bits, numbers) => {
          const map = new Bitmap(bits);
          const members = new Set<number>();
          for (const number of numbers) {
            const at = number % bits;
            if (members.delete(at)) map.remove(at);
            else {
              members.add(at);
              map.add(at);
            }
            const sorted = [...members].sort((a, b) => a - b);
            expect(map.count).toBe(sorted.length);
            expect(map.first()).toBe(sorted[0] ?? -1);
            for (const from of [0, at, at + 1, bits - 1]) {
              expect(map.next(from)).toBe(sorted.find((one) => one >= from) ?? -1);
            }
            expect(map.has(at)).toBe(members.has(at));
          }
        },
      ),
      { seed: 1 },
    );
  });
});

describe('the B+trees', () => {
  it('keep regions in order and find them by any page, as a sorted list does', () => {
    const action = fc.tuple(fc.constantFrom('add', 'add', 'remove', 'halve'), fc.nat(3000), fc.nat(4));
    fc.assert(
      fc.property(fc.array(action, { minLength: 400, maxLength: 800, size: 'max' }), (actions) => {
        const trees = new BTrees();
        let root = trees.create();
        const other = trees.create();
        const regions = new Map<number, { order: number; entry: number }>();
        const covering = (page: number) =>
          [...regions].find(([start, { order }]) => page >= start && page < start + (1 << order));
        let entry = 0;
        for (const [kind, page, order] of actions) {
          const found = covering(page);
          if (kind === 'add') {
            const clash = Array.from({ length: 1 << order }, (_, i) => covering(page + i)).some(Boolean);
            if (clash) continue;
            entry += 1;
            root = trees.insert(root, page, order, entry);
            regions.set(page, { order, entry });
          } else if (found !== undefined && kind === 'remove') {
            root = trees.remove(root, found[0]);
            regions.delete(found[0]);
          } else if (found !== undefined && found[1].order > 0) {
            const half = found[1].order - 1;
            trees.resize(root, found[0], half);
            entry += 1;
            root = trees.insert(root, found[0] + (1 << half), half, entry);
            regions.set(found[0], { order: half, entry: found[1].entry });
            regions.set(found[0] + (1 << half), { order: half, entry });
          }
          expect(trees.find(root, page)).toBe(covering(page)?.[1].entry ?? 0);
        }
        expect(treeFaults(trees, root)).toEqual([]);
        const sorted = [...regions].sort(([a], [b]) => a - b);
        expect([...trees.pairs(root)]).toEqual(sorted.map(([start, region]) => [start, region.entry]));
        for (let page = 0; page < 3020; page += 37) {
          const above = sorted.find(([start]) => start >= page);
          expect(trees.ceiling(root, page)).toBe(above?.[1].entry ?? 0);
        }
        for (const [start] of sorted) root = trees.remove(root, start);
        expect([...trees.pairs(root)]).toEqual([]);
        trees.destroy(root);
        trees.destroy(other);
        expect(trees.numbers.live).toBe(0);
      }),
      { numRuns: 25, seed: 2 },
    );
  });
});

describe('the zones', () => {
  it('hand out aligned, disjoint blocks, lowest address first, and get back what they had', () => {
    const action = fc.tuple(fc.boolean(), fc.nat(6), fc.nat(1000));
    fc.assert(
      fc.property(
        fc.array(action, { minLength: 100, maxLength: 300, size: 'max' }),
        fc.nat(60),
        (actions, first) => {
          const table = new BaseFrames(700);
          const zones = new Zones(table, 256, 10);
          zones.giveRange(first, 700 - first);
          zones.setReserve(1 / 8);
          const before = JSON.stringify(
            zones.zones.map(({ buddy }) => buddy.free.map((_, k) => buddy.blocks(k))),
          );
          const held: { head: number; order: number }[] = [];
          for (const [take, order, n] of actions) {
            const one = held[n % Math.max(1, held.length)];
            if (!take && one !== undefined) {
              held.splice(held.indexOf(one), 1);
              zones.give(one.head);
              continue;
            }
            const normal = zones.zones[ZoneId.NORMAL]!.buddy;
            const lowest = normal.has(order);
            const head = zones.take(order);
            if (head < 0) continue;
            expect(head % (1 << order)).toBe(0);
            if (lowest) expect(zones.zoneOf(head)).toBe(ZoneId.NORMAL);
            for (const other of held) {
              expect(head + (1 << order) <= other.head || other.head + (1 << other.order) <= head).toBe(true);
            }
            table.set(head, FrameState.BOUND, 1);
            held.push({ head, order });
          }
          for (const { head } of held) zones.give(head);
          expect(
            JSON.stringify(zones.zones.map(({ buddy }) => buddy.free.map((_, k) => buddy.blocks(k)))),
          ).toBe(before);
        },
      ),
      { numRuns: 60, seed: 3 },
    );
  });

  it('leave the reserve of the DMA zone alone while Normal has memory, and use it when it has none', () => {
    const table = new BaseFrames(64);
    const zones = new Zones(table, 32, 3);
    zones.giveRange(0, 64);
    zones.setReserve(0.5);
    const taken: number[] = [];
    for (let head = zones.take(3); head >= 0; head = zones.take(3)) {
      table.set(head, FrameState.BOUND, 1);
      taken.push(head);
    }
    expect(taken).toEqual([32, 40, 48, 56, 0, 8, 16, 24]);
    for (const head of [40, 0, 8, 16, 24]) zones.give(head);
    const small = zones.take(0);
    table.set(small, FrameState.BOUND, 1);
    for (let left = 0; left < 2; left += 1) table.set(zones.take(3), FrameState.BOUND, 1);
    expect(small).toBe(40);
    expect(zones.take(3)).toBe(16);
  });
});
