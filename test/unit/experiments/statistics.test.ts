/** Order statistics, intervals and lines, against values worked out by hand or by another way. */
import { describe, expect, it } from 'vitest';
import { fitLine, median, medianInterval, percentile } from '../../../src/experiments/statistics.ts';

const oneTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe('the median', () => {
  it('is the middle value, or the mean of the two in the middle', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

describe('a percentile', () => {
  it('is a value that was measured: the smallest that so many percent do not exceed', () => {
    expect(percentile(oneTo(20), 5)).toBe(1);
    expect(percentile(oneTo(20), 50)).toBe(10);
    expect(percentile(oneTo(20), 95)).toBe(19);
    expect(percentile(oneTo(20), 100)).toBe(20);
    expect(percentile([7], 5)).toBe(7);
  });
});

describe('the interval of a median', () => {
  it('has the order statistics of the tables: 6th to 15th of 20, 9th to 22nd of 30', () => {
    expect(medianInterval(oneTo(20))).toMatchObject({ low: 6, high: 15 });
    expect(medianInterval(oneTo(30))).toMatchObject({ low: 10, high: 21 });
    expect(medianInterval(oneTo(20)).confidence).toBeCloseTo(0.9586, 4);
  });

  it('says how little few values tell', () => {
    expect(medianInterval([1, 2, 3])).toEqual({ low: 1, high: 3, confidence: 0.75 });
    expect(medianInterval(oneTo(6)).confidence).toBeGreaterThan(0.95);
    expect(medianInterval([8])).toEqual({ low: 8, high: 8, confidence: 0 });
  });

  it('holds the confidence that it states, counted over all outcomes of a fair coin', () => {
    for (const n of [6, 9, 12]) {
      const { low, high, confidence } = medianInterval(oneTo(n));
      // The median lies inside when at least `low` values are below it, and at most `high` - 1.
      let inside = 0;
      for (let mask = 0; mask < 2 ** n; mask += 1) {
        const below = mask.toString(2).replaceAll('0', '').length;
        if (below >= low && below < high) inside += 1;
      }
      expect(confidence).toBeCloseTo(inside / 2 ** n, 12);
    }
  });
});

describe('the line of least squares', () => {
  it('finds the line that the points lie on', () => {
    const { a, b, r2 } = fitLine([1, 2, 5].map((x) => ({ x, y: 3 + 2 * x })));
    expect([a, b, r2]).toEqual([expect.closeTo(3, 9), expect.closeTo(2, 9), expect.closeTo(1, 9)]);
  });

  it('explains nothing where there is no slope to the noise', () => {
    const { b, r2 } = fitLine([0, 1, 2, 3].map((x) => ({ x, y: [1, -1, -1, 1][x]! })));
    expect([b, r2]).toEqual([expect.closeTo(0, 9), expect.closeTo(0, 9)]);
  });
});
