/**
 * Order statistics and a straight line. Intervals of medians come from the order statistics themselves (binomial
 * distribution): they assume nothing about the shape of the distribution, and need no random numbers.
 */

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** The middle value, or the mean of the middle two; NaN of none. */
export function median(values: readonly number[]): number {
  const ordered = sorted(values);
  const middle = ordered.length >> 1;
  if (ordered.length % 2 === 1) return ordered[middle]!;
  return ordered.length === 0 ? Number.NaN : (ordered[middle - 1]! + ordered[middle]!) / 2;
}

/** The smallest value that at least `percent` of the values do not exceed (nearest rank); NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const ordered = sorted(values);
  const rank = Math.max(1, Math.ceil((percent / 100) * ordered.length));
  return ordered[rank - 1] ?? Number.NaN;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
  /** Probability that the median of the distribution lies inside. */
  readonly confidence: number;
}

const WANTED_CONFIDENCE = 0.95;

/**
 * The narrowest symmetric pair of order statistics that holds the median with at least 95 %; all values when there are
 * too few of them for that, with the confidence that they give.
 */
export function medianInterval(values: readonly number[]): Interval {
  const ordered = sorted(values);
  const n = ordered.length;
  let tail = 0.5 ** n;
  let sum = tail;
  let cut = 0;
  // Two tails of `cut + 1` values would leave out more than 5 %.
  for (let k = 1; k < n / 2; k += 1) {
    tail = (tail * (n - k + 1)) / k;
    if (2 * (sum + tail) > 1 - WANTED_CONFIDENCE) break;
    sum += tail;
    cut = k;
  }
  return {
    low: ordered[cut] ?? Number.NaN,
    high: ordered[n - 1 - cut] ?? Number.NaN,
    confidence: 1 - 2 * sum,
  };
}

export interface Line {
  /** y at x = 0. */
  readonly a: number;
  /** y per x. */
  readonly b: number;
  /** Share of the variance that the line explains. */
  readonly r2: number;
}

/** The line of least squares through points of at least two different x. */
export function fitLine(points: readonly { readonly x: number; readonly y: number }[]): Line {
  const n = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (const { x, y } of points) {
    xx += (x - meanX) ** 2;
    xy += (x - meanX) * (y - meanY);
    yy += (y - meanY) ** 2;
  }
  const b = xy / xx;
  return { a: meanY - b * meanX, b, r2: yy === 0 ? 1 : (xy * xy) / (xx * yy) };
}
