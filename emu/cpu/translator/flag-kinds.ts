/**
 * Lazy flags of translated code: the scheme of flags.ts with more kinds, so that nothing is computed that nobody may ask
 * for. A kind is known when code is emitted, or is in a local; `normalise` turns what is left in the core block at an
 * exit into the kinds of flags.ts.
 *
 *   kind         CC_DST    CC_SRC             CC_AUX
 *   Flags .. Result        as in flags.ts
 *   Logic        result    0                  0                 CF = OF = AF = 0
 *   Cmp          -         second operand     first operand     32-bit SUB whose result nobody needed
 *   Inc, Dec     result    CF before is: AUX below SRC          32 bits
 *   Shl Shr Sar  result    count, 1..31       first operand     32 bits
 *   Imul         result    second operand     first operand     32 bits
 *
 * In Sub, Logic, Cmp, Inc and Dec, CF is always AUX below SRC, so that INC and DEC behind one of them have nothing to
 * keep (CARRY_COMPARES).
 */
import { R } from '../../arch/core-layout.ts';
import { arithFlags, CC_RESULT, CC_SUB } from '../flags.ts';

export enum Kind {
  // The kinds of flags.ts under their own numbers (test/unit/cpu/flag-kinds.test.ts).
  Flags = 0,
  Add = 1,
  Sub = 2,
  Result = 3,
  Logic = 4,
  Cmp = 5,
  Inc = 6,
  Dec = 7,
  Shl = 8,
  Shr = 9,
  Sar = 10,
  Imul = 11,
  /** Only while code is emitted: the local tells it. */
  Unknown = 12,
}

/** Bit n: CF of kind n is the comparison CC_AUX below CC_SRC. */
export const CARRY_COMPARES =
  (1 << Kind.Sub) | (1 << Kind.Logic) | (1 << Kind.Cmp) | (1 << Kind.Inc) | (1 << Kind.Dec);

const AF = 16;
const OF = 2048;
const CF = 1;
const INT_MIN = -0x80000000;
const INT_MAX = 0x7fffffff;

const below = (a: number, b: number): number => (a >>> 0 < b >>> 0 ? CF : 0);

/** CF, AF and OF bits of the kinds that become CC_RESULT. */
function resultBits(kind: Kind, result: number, src: number, aux: number): number {
  switch (kind) {
    case Kind.Inc:
      return below(aux, src) | ((result & 15) === 0 ? AF : 0) | (result === INT_MIN ? OF : 0);
    case Kind.Dec:
      return below(aux, src) | ((result & 15) === 15 ? AF : 0) | (result === INT_MAX ? OF : 0);
    case Kind.Shl: {
      const out = (aux >>> (32 - src)) & 1;
      return AF | out | (result >>> 31 !== out ? OF : 0);
    }
    case Kind.Shr:
      return AF | ((aux >>> (src - 1)) & 1) | ((result ^ (result << 1)) < 0 ? OF : 0);
    case Kind.Sar:
      return AF | ((aux >> (src - 1)) & 1);
    case Kind.Imul:
      // Exact: the product is below 2^62, but equality with a 32-bit number only holds below 2^31.
      return aux * src === result ? 0 : CF | OF;
    default:
      return 0;
  }
}

/** Gives the flags in the core block a kind of flags.ts. */
export function normalise(r: Int32Array): void {
  const kind = r[R.CC_OP] as Kind;
  if (kind === Kind.Flags) {
    r[R.CC_DST] = 0;
    r[R.CC_SRC] = 0;
    r[R.CC_AUX] = 0;
  } else if (kind === Kind.Cmp) {
    r[R.CC_OP] = CC_SUB;
    r[R.CC_DST] = r[R.CC_AUX] - r[R.CC_SRC];
  } else if (kind > Kind.Result) {
    r[R.CC_OP] = CC_RESULT;
    r[R.CC_SRC] = resultBits(kind, r[R.CC_DST], r[R.CC_SRC], r[R.CC_AUX]);
    r[R.CC_AUX] = 0;
  }
}

/** The six arithmetic flags for values that translated code holds; the core block's flag words are overwritten. */
export function arithOf(r: Int32Array, kind: number, dst: number, src: number, aux: number): number {
  r[R.CC_OP] = kind;
  r[R.CC_DST] = dst;
  r[R.CC_SRC] = src;
  r[R.CC_AUX] = aux;
  normalise(r);
  return arithFlags(r);
}
