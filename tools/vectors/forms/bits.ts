/** BT BTS BTR BTC with bit offsets beyond the operand, BSF BSR, BSWAP, SETcc, CMOVcc. */
import { memoryOperand, operand, registerOperand } from '../addressing.ts';
import type { Draft, WordBits } from '../draft.ts';
import { le } from '../random.ts';
import { BIT_SCAN_UNDEFINED, BIT_TEST_UNDEFINED } from '../undefined-flags.ts';
import { type Form, opcodeKey, PLACES, plainForm, regRmForm, rmForm, suffix, WORDS } from './form.ts';

const BIT_TESTS = ['bt', 'bts', 'btr', 'btc'];
export const CONDITIONS = 'o no b ae e ne be a s ns p np l ge le g'.split(' ');

/** Bit offset of a register operand: any value counts, taken modulo the width for a register r/m. */
function bitForms(index: number, bits: WordBits): Form[] {
  const name = BIT_TESTS[index]!;
  const opcode = 0xa3 + 8 * index;
  return [
    regRmForm({
      ...{ name, bytes: [0x0f, opcode], bits, place: 'reg' },
      adjust: (d) => void d.undef(BIT_TEST_UNDEFINED),
    }),
    {
      name: `${name} r/m${bits},r${bits} [mem]`,
      opcode: opcodeKey([0x0f, opcode]),
      weight: 2,
      build: (d) => buildMemoryBit(d, opcode, bits),
    },
    ...PLACES.map((place) =>
      rmForm({
        ...{ name, bytes: [0x0f, 0xba], digit: 4 + index, bits, place, operands: `r/m${bits},imm8` },
        rest: (d) => {
          d.undef(BIT_TEST_UNDEFINED);
          return [d.random.pick([0, 1, 7, 8, 15, 16, 31, 32, 0x7f, 0x80, 0xff, d.random.below(256)])];
        },
      }),
    ),
  ];
}

/** The addressed word lies (offset >> 4 or 5) words away from the operand; the operand is set back by that. */
function buildMemoryBit(d: Draft, opcode: number, bits: WordBits): void {
  const { random } = d;
  const bytes = bits / 8;
  const reg = random.pick([0, 1, 2, 3, 5, 6, 7]);
  const reach = bits === 16 || d.codeBits === 16 ? 0x8000 : random.pick([0x40, 0x1000, 0x80000000]);
  let bitOffset = random.below(2 * reach) - reach;
  if (random.chance(30))
    bitOffset = random.pick([0, 1, -1, bits, -bits, bits - 1, -bits - 1, 0x7fff, -0x8000]);
  d.undef(BIT_TEST_UNDEFINED)
    .operandSize(bits)
    .setReg(reg, bitOffset >>> 0, bits);
  d.emit(0x0f, opcode);
  const target = d.place(bytes);
  const back = Math.floor(bitOffset / bits) * bytes;
  d.poke(target, le(random.operand(bits), bytes));
  memoryOperand(d, reg, [], target - back);
}

function scanForms(): Form[] {
  const adjust = (d: Draft): void => void d.undef(BIT_SCAN_UNDEFINED);
  const rmValue = (d: Draft): number => (d.random.chance(20) ? 0 : d.value(32));
  return ['bsf', 'bsr'].flatMap((name, i) =>
    WORDS.flatMap((bits) =>
      PLACES.map((place) =>
        regRmForm({
          ...{ name, bytes: [0x0f, 0xbc + i], bits, place, operands: `r${bits},r/m${bits}`, adjust },
          rmValue: (d) => (bits === 16 ? rmValue(d) & 0xffff : rmValue(d)),
        }),
      ),
    ),
  );
}

function bswapForms(): Form[] {
  return Array.from({ length: 8 }, (_, n) =>
    plainForm(
      `bswap r32 (c${(8 + n).toString(16)})`,
      [0x0f, 0xc8 + n],
      (d) =>
        void d
          .operandSize(32)
          .setReg(n, d.random.u32(), 32)
          .emit(0x0f, 0xc8 + n),
      0.25,
    ),
  );
}

function conditionForms(): Form[] {
  return CONDITIONS.flatMap((condition, n) => [
    ...PLACES.map(
      (place): Form => ({
        name: `set${condition} r/m8${suffix(place)}`,
        opcode: opcodeKey([0x0f, 0x90 + n]),
        weight: 0.5,
        build: (d) => {
          d.emit(0x0f, 0x90 + n);
          const regField = d.random.chance(80) ? 0 : d.random.below(8);
          if (place === 'reg') registerOperand(d, 8, regField, d.anyReg(8), d.value(8));
          else operand(d, place, 8, regField, d.value(8));
        },
      }),
    ),
    ...WORDS.flatMap((bits) =>
      PLACES.map((place) =>
        regRmForm({
          name: `cmov${condition}`,
          bytes: [0x0f, 0x40 + n],
          ...{ bits, place, operands: `r${bits},r/m${bits}`, weight: 0.5 },
        }),
      ),
    ),
  ]);
}

export function bitAndConditionForms(): Form[] {
  return [
    ...BIT_TESTS.flatMap((_, index) => WORDS.flatMap((bits) => bitForms(index, bits))),
    ...scanForms(),
    ...bswapForms(),
    ...conditionForms(),
  ];
}
