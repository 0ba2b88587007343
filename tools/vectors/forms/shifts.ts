/** Rotates and shifts by 1, immediate and CL; SHLD and SHRD. What is undefined: undefined-flags.ts. */
import { type Bits, type Draft, ECX } from '../draft.ts';
import { doubleShiftUndefined, shiftUndefined } from '../undefined-flags.ts';
import {
  type Form,
  followedBy,
  PLACES,
  regRmForm,
  rmForm,
  setCl,
  shiftCount,
  sized,
  WIDTHS,
  WORDS,
} from './form.ts';

const SHIFTS = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sal', 'sar'];

function shiftForms(digit: number, bits: Bits): Form[] {
  const name = SHIFTS[digit]!;
  const undef = (d: Draft, count: number): Draft => d.undef(shiftUndefined(name, bits, count));
  return PLACES.flatMap((place) => [
    rmForm({
      ...{ name, bytes: [sized(0xd0, bits)], digit, bits, place, operands: `r/m${bits},1` },
      rest: (d) => {
        undef(d, 1);
        return [];
      },
    }),
    followedBy(
      rmForm({
        ...{ name, bytes: [sized(0xd2, bits)], digit, bits, place, operands: `r/m${bits},cl`, weight: 1.5 },
        rest: (d) => {
          setCl(d, shiftCount(d, bits));
          return [];
        },
      }),
      (d) => void undef(d, d.regs[ECX]! & 0xff),
    ),
    rmForm({
      ...{ name, bytes: [sized(0xc0, bits)], digit, bits, place, operands: `r/m${bits},imm8`, weight: 1.5 },
      rest: (d) => {
        const count = shiftCount(d, bits);
        undef(d, count);
        return [count];
      },
    }),
  ]);
}

/** Count of a double shift; 16-bit operands stay within 16, beyond which the result itself is undefined. */
function doubleCount(d: Draft, bits: 16 | 32): number {
  const count = shiftCount(d, bits);
  return bits === 16 && (count & 31) > 16 ? count & 15 : count;
}

function doubleForms(name: 'shld' | 'shrd', opcode: number): Form[] {
  return WORDS.flatMap((bits) =>
    PLACES.flatMap((place) => [
      followedBy(
        regRmForm({
          name,
          bytes: [0x0f, opcode],
          bits,
          place,
          operands: `r/m${bits},r${bits},imm8`,
          weight: 1.5,
        }),
        (d) => {
          const count = doubleCount(d, bits);
          d.undef(doubleShiftUndefined(bits, count)).imm(count, 8);
        },
      ),
      regRmForm({
        ...{ name, bytes: [0x0f, opcode + 1], bits, place, operands: `r/m${bits},r${bits},cl`, weight: 1.5 },
        adjust: (d) => {
          const count = doubleCount(d, bits);
          setCl(d.reserve(ECX), count).undef(doubleShiftUndefined(bits, count));
        },
      }),
    ]),
  );
}

export function shiftAndRotateForms(): Form[] {
  const single = SHIFTS.flatMap((_, digit) => WIDTHS.flatMap((bits) => shiftForms(digit, bits)));
  return [...single, ...doubleForms('shld', 0xa4), ...doubleForms('shrd', 0xac)];
}
