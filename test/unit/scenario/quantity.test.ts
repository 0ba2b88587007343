import { describe, expect, it } from 'vitest';
import { parseQuantity, readQuantity } from '../../../src/scenario/quantity.ts';

describe('a quantity', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['4K', 4096],
    ['4k', 4096],
    ['4 KiB', 4096],
    ['4Ki', 4096],
    ['16M', 16 << 20],
    ['16mb', 16 << 20],
    ['3G', 3 * 2 ** 30],
    ['1.5M', 1.5 * 2 ** 20],
    ['0x1000', 4096],
    ['0xFFFF_FFFF', 0xffffffff],
    ['1_000_000', 1_000_000],
  ])('%s is %i', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each(['', 'K', '12Q', '-1', '1.0001K', '0x', '0x1K', '1e6', '4KK', 'four', '99999999G'])(
    "'%s' is none",
    (text) => {
      expect(parseQuantity(text)).toBeNull();
    },
  );

  it('outside its range is answered with what would be right', () => {
    const ram = { min: 4 << 20, max: 3 * 2 ** 30, multipleOf: 4096, form: 'size' } as const;
    expect(readQuantity('1M', ram)).toBe("must be a size from 4M to 3G in steps of 4K, not '1M'");
    expect(readQuantity('4194305', ram)).toContain('in steps of 4K');
    expect(readQuantity(1.5, { min: 1, max: 16, form: 'count' })).toBe(
      'must be a whole number from 1 to 16, not 1.5',
    );
    expect(readQuantity([], { min: 1, max: 16, form: 'count' })).toContain('not a list');
  });

  it('at the edges of its range is accepted', () => {
    expect(readQuantity('16', { min: 1, max: 16, form: 'count' })).toBe(16);
    expect(readQuantity(1, { min: 1, max: 16, form: 'count' })).toBe(1);
  });
});
