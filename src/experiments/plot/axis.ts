/** Axes: where a value lies between the ends, and which round values are marked. */

export type Scale = 'linear' | 'log';

export interface Axis {
  readonly scale: Scale;
  readonly low: number;
  readonly high: number;
  /** Values with a mark and a label, ascending. */
  readonly ticks: readonly number[];
}

const STEPS = [1, 2, 5, 10] as const;

/** A linear axis from 0, or from the lowest value when that is negative, with about `count` round marks. */
function linearAxis(values: readonly number[], count: number): Axis {
  const low = Math.min(0, ...values);
  const highest = Math.max(low, ...values);
  const top = highest > low ? highest : low + 1;
  const raw = (top - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * STEPS.find((one) => one * power >= raw)!;
  const first = Math.floor(low / step);
  const last = Math.ceil(top / step);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => round((first + i) * step));
  return { scale: 'linear', low: ticks[0]!, high: ticks.at(-1)!, ticks };
}

/** A logarithmic axis over whole powers of ten; values that are not above 0 are not shown. */
function logAxis(values: readonly number[]): Axis {
  const shown = values.filter((value) => value > 0);
  const first = shown.length === 0 ? 0 : Math.floor(Math.log10(Math.min(...shown)));
  const last = shown.length === 0 ? 1 : Math.max(first + 1, Math.ceil(Math.log10(Math.max(...shown))));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i)).map(round);
  return { scale: 'log', low: ticks[0]!, high: ticks.at(-1)!, ticks };
}

export const axisFor = (values: readonly number[], scale: Scale, count: number): Axis =>
  scale === 'log' ? logAxis(values) : linearAxis(values, count);

/** 0 at the low end, 1 at the high one; NaN for what the axis cannot show. */
export function position({ scale, low, high }: Axis, value: number): number {
  if (scale === 'linear') return (value - low) / (high - low);
  if (value <= 0) return Number.NaN;
  return (Math.log10(value) - Math.log10(low)) / (Math.log10(high) - Math.log10(low));
}

/** Without the noise of binary fractions. */
const round = (value: number): number => Number(value.toPrecision(12));

/** `0.01`, `500`, `20 k`, `3 M`. */
export function tickLabel(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${round(value / 1e6)} M`;
  if (size >= 1e4) return `${round(value / 1e3)} k`;
  return String(value);
}
