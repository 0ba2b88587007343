/**
 * Numbers as people write them: `4096`, `4K`, `16M`, `3G`, `1_000_000`, `0x1000`. `k` and `K` both mean 1024; `Ki`, `KB`,
 * `KiB` are accepted and mean the same. Nothing is rounded.
 */
import { quoted } from './host-error.ts';

export interface QuantityRange {
  readonly min: number;
  readonly max: number;
  /** The value must be a multiple of this. */
  readonly multipleOf?: number;
  /** `size` is told in bytes with units, `count` in plain numbers. */
  readonly form: 'size' | 'count';
}

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
const PATTERN = /^(?:(0x[0-9a-f][0-9a-f_]*)|([0-9][0-9_]*(?:\.[0-9]+)?)\s*([kmg]?)(?:i?b|i)?)$/i;

/** The number behind `text`, or null when it is not one. Fractions are fine when the product is whole (`1.5M`). */
export function parseQuantity(text: string): number | null {
  const match = PATTERN.exec(text.trim());
  if (match === null) return null;
  const [, hex, decimal, unit] = match;
  if (hex !== undefined) return Number(hex.replaceAll('_', ''));
  const value = Number(decimal!.replaceAll('_', '')) * FACTORS[unit!.toLowerCase()]!;
  return Number.isSafeInteger(value) ? value : null;
}

/**
 * Reads a quantity out of a scenario or an option. The result is the number, or the end of a sentence that begins with the
 * name of what was asked for: `must be ..., not ...`.
 */
export function readQuantity(value: unknown, range: QuantityRange): number | string {
  const number = typeof value === 'string' ? parseQuantity(value) : value;
  const { min, max, multipleOf = 1 } = range;
  const right =
    typeof number === 'number' &&
    Number.isSafeInteger(number) &&
    number >= min &&
    number <= max &&
    number % multipleOf === 0;
  return right ? number : `must be ${rangeText(range)}, not ${valueText(value)}`;
}

/** `a size from 4M to 3G in steps of 4K`, `a whole number from 1 to 16`. */
export function rangeText({ min, max, multipleOf = 1, form }: QuantityRange): string {
  const show = form === 'size' ? sizeText : String;
  const noun = form === 'size' ? 'a size' : 'a whole number';
  const limits =
    max >= Number.MAX_SAFE_INTEGER ? `of at least ${show(min)}` : `from ${show(min)} to ${show(max)}`;
  return `${noun} ${limits}${multipleOf > 1 ? ` in steps of ${show(multipleOf)}` : ''}`;
}

/** How a wrong value is shown in a sentence. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

function sizeText(bytes: number): string {
  for (const [unit, factor] of [
    ['G', 2 ** 30],
    ['M', 2 ** 20],
    ['K', 2 ** 10],
  ] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}
