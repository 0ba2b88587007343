import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrange, type Item } from '../../../emu/cpu/translator/structure.ts';

const shape = (items: readonly Item[]): unknown[] =>
  items.map((item) => (item.body === null ? item.heads[0] : { top: item.top, body: shape(item.body) }));

describe('arranging a graph', () => {
  it('puts blocks in the order of their edges', () => {
    expect(shape(arrange({ successors: [[2], [], [1]], entries: new Set([0]) }))).toEqual([0, 2, 1]);
  });

  it('makes a loop of a block that goes to itself', () => {
    expect(shape(arrange({ successors: [[0, 1], []], entries: new Set([0]) }))).toEqual([
      { top: 0, body: [0] },
      1,
    ]);
  });

  it('keeps an inner loop tight although it can be entered from outside', () => {
    // 0 → 1 → 2, 2 → 2 (inner), 2 → 3 → 1 (outer), 3 → 4.
    const items = arrange({ successors: [[1], [2], [2, 3], [1, 4], []], entries: new Set([0, 1, 2]) });
    expect(shape(items)).toEqual([0, { top: 1, body: [1, { top: 2, body: [2] }, 3] }, 4]);
    expect(items[1]!.heads).toEqual([1, 2]);
  });

  it('has every block once, and every edge goes forward or to the top of a loop around it', () => {
    const graphs = fc.integer({ min: 1, max: 14 }).chain((n) =>
      fc.record({
        successors: fc.array(fc.uniqueArray(fc.nat(n - 1), { maxLength: 3 }), { minLength: n, maxLength: n }),
        entries: fc.uniqueArray(fc.nat(n - 1), { minLength: 1 }),
      }),
    );
    fc.assert(
      fc.property(graphs, ({ successors, entries }) => {
        const items = arrange({ successors, entries: new Set(entries) });
        const order: number[] = [];
        const topsAround = new Map<number, number[]>();
        const walk = (list: readonly Item[], tops: number[]): void => {
          for (const item of list) {
            if (item.body !== null) walk(item.body, [...tops, item.top]);
            else {
              order.push(item.heads[0]!);
              topsAround.set(item.heads[0]!, tops);
            }
          }
        };
        walk(items, []);
        expect([...order].sort((a, b) => a - b)).toEqual(successors.map((_, n) => n));
        successors.forEach((list, from) => {
          for (const to of list) {
            const forward = order.indexOf(to) > order.indexOf(from);
            expect(forward || topsAround.get(from)!.includes(to)).toBe(true);
          }
        });
      }),
    );
  });
});
