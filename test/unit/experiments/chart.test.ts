/** Charts: axes with round marks, well-formed SVG, nothing lost. */
import { describe, expect, it } from 'vitest';
import { axisFor, position, tickLabel } from '../../../src/experiments/plot/axis.ts';
import { type Chart, drawChart } from '../../../src/experiments/plot/chart.ts';

describe('a linear axis', () => {
  it('begins at 0 and has round marks that enclose all values', () => {
    expect(axisFor([3, 97], 'linear', 6).ticks).toEqual([0, 20, 40, 60, 80, 100]);
    expect(axisFor([0.31], 'linear', 4)).toMatchObject({ low: 0, high: 0.4 });
    expect(axisFor([], 'linear', 6)).toMatchObject({ low: 0, high: 1 });
  });
});

describe('a logarithmic axis', () => {
  it('has whole powers of ten, and no place for 0', () => {
    const axis = axisFor([0, 12, 4000], 'log', 6);
    expect(axis.ticks).toEqual([10, 100, 1000, 10_000]);
    expect(position(axis, 100)).toBeCloseTo(1 / 3, 12);
    expect(position(axis, 0)).toBeNaN();
  });
});

it('labels large values with k and M', () => {
  expect([0, 0.05, 500, 20_000, 3_000_000].map(tickLabel)).toEqual(['0', '0.05', '500', '20 k', '3 M']);
});

describe('a chart', () => {
  const chart: Chart = {
    title: 'a < b & c',
    subtitle: '',
    xLabel: 'x',
    yLabel: 'y',
    yScale: 'log',
    groups: ['p50', 'p95'],
    series: [
      { name: 'one', points: [{ x: 0, y: 10, low: 5, high: 20 }] },
      {
        name: 'two',
        points: [
          { x: 1, y: 1000 },
          { x: 0, y: 0 },
        ],
      },
    ],
  };

  it('is one well-formed element, with what is special in XML escaped', () => {
    const svg = drawChart(chart);
    const opened = [...svg.matchAll(/<([a-z]+)[^>]*[^/]>/g)].length;
    expect(opened).toBe([...svg.matchAll(/<\/[a-z]+>/g)].length);
    expect(svg).toContain('a &lt; b &amp; c');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('names every series once, with a mark for every point that the axis can show', () => {
    const svg = drawChart(chart);
    for (const { name } of chart.series) expect(svg.split(`>${name}<`)).toHaveLength(2);
    // Circles: the point and the legend of series one. Squares are rectangles, as is the background.
    expect([...svg.matchAll(/<circle/g)]).toHaveLength(2);
    expect([...svg.matchAll(/<rect/g)]).toHaveLength(3);
  });

  it('is the same text for the same data', () => expect(drawChart(chart)).toBe(drawChart(chart)));
});
