import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import {
  arithFlags,
  CC_ADD,
  CC_FLAGS,
  CC_RESULT,
  CC_SUB,
  setAdd,
  setResult,
  setSub,
} from '../../../emu/cpu/flags.ts';
import { arithOf, CARRY_COMPARES, Kind, normalise } from '../../../emu/cpu/translator/flag-kinds.ts';

const word = fc.oneof(
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  fc.constantFrom(0, 1, -1, 15, 16, 0x7fffffff, -0x80000000),
);
const block = (): Int32Array => new Int32Array(256);

/** Flags as flags.ts keeps them after `set`. */
function expected(set: (r: Int32Array) => void): number {
  const r = block();
  set(r);
  return arithFlags(r);
}

describe('kinds of flags in translated code', () => {
  it('begin with those of the interpreter', () => {
    expect([Kind.Flags, Kind.Add, Kind.Sub, Kind.Result]).toEqual([CC_FLAGS, CC_ADD, CC_SUB, CC_RESULT]);
  });

  it('give the flags of the operation', () => {
    fc.assert(
      fc.property(word, word, fc.integer({ min: 1, max: 31 }), (a, b, n) => {
        const r = block();
        const add = (a + b) | 0;
        const sub = (a - b) | 0;
        expect(arithOf(r, Kind.Add, add, b, a)).toBe(expected((e) => setAdd(e, a, b, add)));
        expect(arithOf(r, Kind.Cmp, 77, b, a)).toBe(expected((e) => setSub(e, a, b, sub)));
        expect(arithOf(r, Kind.Logic, a & b, 0, 0)).toBe(expected((e) => setResult(e, a & b, 0)));
        const product = Math.imul(a, b);
        const fits = BigInt(a) * BigInt(b) === BigInt(product);
        expect(arithOf(r, Kind.Imul, product, b, a)).toBe(
          expected((e) => setResult(e, product, fits ? 0 : 2049)),
        );
        const carries = { [Kind.Shl]: (a >>> (32 - n)) & 1, [Kind.Shr]: (a >>> (n - 1)) & 1 };
        expect(arithOf(r, Kind.Shl, a << n, n, a) & 1).toBe(carries[Kind.Shl]);
        expect(arithOf(r, Kind.Shr, a >>> n, n, a) & 1).toBe(carries[Kind.Shr]);
      }),
    );
  });

  it('keep CF through INC and DEC behind every kind that compares', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        for (const kind of [Kind.Sub, Kind.Cmp, Kind.Inc, Kind.Dec]) {
          expect((CARRY_COMPARES >> kind) & 1).toBe(1);
          const carry = arithOf(block(), kind, (a - b) | 0, b, a) & 1;
          expect(carry).toBe(a >>> 0 < b >>> 0 ? 1 : 0);
          expect(arithOf(block(), Kind.Dec, 5, b, a) & 1).toBe(carry);
        }
      }),
    );
  });

  it('leave nothing behind that a snapshot would show', () => {
    const r = block();
    r.set([Kind.Flags, 1, 2, 0, 3], R.CC_OP);
    normalise(r);
    expect([...r.subarray(R.CC_OP, R.CC_AUX + 1)]).toEqual([0, 0, 0, 0, 0]);
  });
});
