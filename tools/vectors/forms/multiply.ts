/** MUL IMUL DIV IDIV, sign extensions, BCD and ASCII adjustment. */
import { AF, type Bits, CF, type Draft, EAX, EDX } from '../draft.ts';
import {
  ASCII_ADD_UNDEFINED,
  ASCII_MULTIPLY_UNDEFINED,
  DECIMAL_UNDEFINED,
  DIVIDE_UNDEFINED,
  MULTIPLY_UNDEFINED,
} from '../undefined-flags.ts';
import { type Form, followedBy, PLACES, plainForm, regRmForm, rmForm, sized, WIDTHS, WORDS } from './form.ts';

/** Sets the double-width accumulator (AX; DX:AX; EDX:EAX). */
function setDividend(d: Draft, bits: Bits, low: number, high: number): void {
  if (bits === 8) d.setReg(EAX, ((high & 0xff) << 8) | (low & 0xff), 16);
  else d.setReg(EAX, low, bits).setReg(EDX, high, bits);
}

/** High half for a quotient that mostly fits: below the divisor, or the sign of the low half. */
function highHalf(d: Draft, bits: Bits, divisor: number, low: number, signed: boolean): number {
  const { random } = d;
  const sign = 2 ** (bits - 1);
  if (random.chance(15)) return random.operand(bits);
  if (!signed) return divisor === 0 ? 0 : random.below(Math.min(divisor, 2 ** bits));
  const magnitude = divisor >= sign ? 2 ** bits - divisor : divisor;
  const small = random.chance(60) ? 0 : random.below(Math.floor(magnitude / 2) + 1);
  if (random.chance(40)) return low >= sign ? 2 ** bits - 1 : 0;
  return random.chance(50) ? small : (2 ** bits - 1 - small) >>> 0;
}

function groupForms(bits: Bits): Form[] {
  const bytes = [sized(0xf6, bits)];
  return PLACES.flatMap((place) => [
    ...[4, 5].map((digit) =>
      rmForm({
        ...{ name: digit === 4 ? 'mul' : 'imul', bytes, digit, bits, place, weight: 1.5 },
        rest: (d, value) => {
          d.undef(MULTIPLY_UNDEFINED).setReg(EAX, d.valueNear(value, bits), bits);
          return [];
        },
      }),
    ),
    ...[6, 7].map((digit) =>
      rmForm({
        ...{ name: digit === 6 ? 'div' : 'idiv', bytes, digit, bits, place, weight: 3 },
        value: (d) => (d.random.chance(8) ? 0 : d.value(bits)),
        rest: (d, value) => {
          const low = d.value(bits);
          setDividend(d, bits, low, highHalf(d, bits, value, low, digit === 7));
          d.undef(DIVIDE_UNDEFINED);
          return [];
        },
      }),
    ),
  ]);
}

function imulForms(bits: 16 | 32): Form[] {
  const adjust = (d: Draft): void => void d.undef(MULTIPLY_UNDEFINED);
  return PLACES.flatMap((place) => {
    const o = { name: 'imul', bits, place, adjust };
    return [
      regRmForm({ ...o, bytes: [0x0f, 0xaf], operands: `r${bits},r/m${bits}` }),
      followedBy(regRmForm({ ...o, bytes: [0x69], operands: `r${bits},r/m${bits},imm${bits}` }), (d) => {
        d.imm(d.value(bits), bits);
      }),
      followedBy(regRmForm({ ...o, bytes: [0x6b], operands: `r${bits},r/m${bits},simm8` }), (d) => {
        d.imm(d.value(8), 8);
      }),
    ];
  });
}

function extendForms(): Form[] {
  const one = (name: string, opcode: number, bits: 16 | 32, from: Bits): Form =>
    plainForm(
      name,
      [opcode],
      (d) => void d.operandSize(bits).setReg(EAX, d.value(from), from).emit(opcode),
      0.5,
    );
  return [
    one('cbw', 0x98, 16, 8),
    one('cwde', 0x98, 32, 16),
    one('cwd', 0x99, 16, 16),
    one('cdq', 0x99, 32, 32),
  ];
}

/** Sets AL, AH and both carries at random. */
function decimalState(d: Draft): Draft {
  const al = d.random.chance(50) ? d.random.below(256) : (d.random.below(10) << 4) | d.random.below(12);
  d.setReg(EAX, (d.random.pick([0, 1, 9, 0xff, d.random.below(256)]) << 8) | (al & 0xff), 16);
  for (const flag of [CF, AF]) d.eflags = (d.eflags & ~flag) | (d.random.chance(50) ? flag : 0);
  return d;
}

function decimalForms(): Form[] {
  const one = (name: string, opcode: number, undefinedFlags: number): Form =>
    plainForm(name, [opcode], (d) => void decimalState(d).undef(undefinedFlags).emit(opcode), 3);
  const withBase = (name: string, opcode: number): Form =>
    plainForm(
      name,
      [opcode],
      (d) => {
        const base = d.random.pick([10, 10, 16, 0, 1, 2, 0xff, d.random.below(256)]);
        const divideError = name === 'aam' && base === 0;
        decimalState(d)
          .undef(divideError ? DIVIDE_UNDEFINED : ASCII_MULTIPLY_UNDEFINED)
          .emit(opcode, base);
      },
      3,
    );
  return [
    one('daa', 0x27, DECIMAL_UNDEFINED),
    one('das', 0x2f, DECIMAL_UNDEFINED),
    one('aaa', 0x37, ASCII_ADD_UNDEFINED),
    one('aas', 0x3f, ASCII_ADD_UNDEFINED),
    withBase('aam imm8', 0xd4),
    withBase('aad imm8', 0xd5),
  ];
}

export function multiplyForms(): Form[] {
  return [
    ...WIDTHS.flatMap((bits) => groupForms(bits)),
    ...WORDS.flatMap((bits) => imulForms(bits)),
    ...extendForms(),
    ...decimalForms(),
  ];
}
