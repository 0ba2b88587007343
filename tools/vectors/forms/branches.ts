/** Near transfers: Jcc JMP CALL RET LOOP JECXZ, taken or not; and the instructions that only touch flags. */
import { operand } from '../addressing.ts';
import { CODE_BYTES } from '../case-layout.ts';
import { type Bits, type Draft, EAX, ECX, type WordBits } from '../draft.ts';
import { le } from '../random.ts';
import { CONDITIONS } from './bits.ts';
import { type Form, opcodeKey, PLACES, plainForm, rmForm, suffix, WORDS } from './form.ts';
import { placeOnStack, placeStack } from './stack.ts';

const LONGEST = 16;

/** An EIP in the code pages that is not inside the snippet. */
function landing(d: Draft): number {
  const offset = d.random.below(CODE_BYTES);
  const inSnippet = offset >= d.eipOffset - LONGEST && offset < d.eipOffset + LONGEST;
  return d.eip - d.eipOffset + (inSnippet ? d.eipOffset + 0x40 : offset);
}

/**
 * Emits a relative displacement that ends the instruction. 16-bit operand size cuts EIP to 16 bits: in flat code such
 * a case runs for one step, because its target is nowhere.
 */
function relative(d: Draft, bits: Bits, operandBits: WordBits): void {
  if (operandBits !== d.codeBits) d.mode = 'step';
  const end = d.eip + d.prefixes.length + d.code.length + bits / 8;
  if (bits !== 8) {
    d.imm((landing(d) - end) >>> 0, bits);
    return;
  }
  const delta = d.random.chance(50) ? d.random.below(0x70) + 0x10 : -0x80 + d.random.below(0x60);
  d.imm(delta & 0xff, 8);
}

function relativeForm(
  name: string,
  bytes: readonly number[],
  bits: Bits,
  size: WordBits,
  prepare?: (d: Draft) => void,
): Form {
  return plainForm(
    `${name} rel${bits}${bits === 8 ? ` (${size})` : ''}`,
    bytes,
    (d) => {
      d.operandSize(size);
      prepare?.(d);
      d.emit(...bytes);
      relative(d, bits, size);
    },
    0.7,
  );
}

function conditionalForms(size: WordBits): Form[] {
  return CONDITIONS.flatMap((condition, n) => [
    relativeForm(`j${condition}`, [0x70 + n], 8, size),
    relativeForm(`j${condition}`, [0x0f, 0x80 + n], size, size),
  ]);
}

function loopForms(size: WordBits): Form[] {
  return ['loopne', 'loope', 'loop', 'jecxz'].map((name, n) =>
    relativeForm(name, [0xe0 + n], 8, size, (d) => {
      if (d.random.chance(30)) d.prefixes.push(0x67);
      const low = d.random.pick([0, 1, 2, 0xffff, d.random.below(0x10000)]);
      d.setReg(ECX, d.random.chance(50) ? low : (d.random.u32() & 0xffff0000) | low, 32);
    }),
  );
}

function jumpForms(size: WordBits): Form[] {
  const stacked = (d: Draft): void => void placeStack(d, 0);
  return [
    relativeForm('jmp', [0xeb], 8, size),
    relativeForm('jmp', [0xe9], size, size),
    relativeForm('call', [0xe8], size, size, stacked),
    ...PLACES.flatMap((place) =>
      (['call', 'jmp'] as const).map((name) =>
        rmForm({
          ...{
            name,
            bytes: [0xff],
            digit: name === 'call' ? 2 : 4,
            bits: size,
            place,
            use: 'control' as const,
          },
          value: (d) => {
            if (size !== d.codeBits) d.mode = 'step';
            return size === 16 ? landing(d) & 0xffff : landing(d);
          },
          rest: (d) => {
            if (name === 'call') placeStack(d, 0);
            return [];
          },
        }),
      ),
    ),
    ...[0xc3, 0xc2].map((opcode) =>
      plainForm(`ret${opcode === 0xc2 ? ' imm16' : ''} (${size})`, [opcode], (d) => {
        if (size !== d.codeBits) d.mode = 'step';
        placeOnStack(d, [landing(d)], size);
        d.operandSize(size).emit(opcode);
        if (opcode === 0xc2) d.emit(...le(d.random.pick([0, 4, 0x10, 0x3fe, 0xfffc]), 2));
      }),
    ),
  ];
}

function flagForms(): Form[] {
  const flags: readonly (readonly [string, number])[] = [
    ['cmc', 0xf5],
    ['clc', 0xf8],
    ['stc', 0xf9],
    ['cld', 0xfc],
    ['std', 0xfd],
    ['lahf', 0x9f],
    ['sahf', 0x9e],
    ['salc', 0xd6],
  ];
  return flags.map(([name, opcode]) =>
    plainForm(name, [opcode], (d) => void d.setReg(EAX, d.random.u32(), 32).emit(opcode), 0.5),
  );
}

/** BOUND compares signed; the second half of the pair may be the first word's neighbour. */
function boundForm(bits: WordBits): Form {
  return {
    name: `bound r${bits},m${suffix('mem')}`,
    opcode: opcodeKey([0x62]),
    weight: 1.5,
    build: (d) => {
      const reg = d.random.pick([0, 1, 2, 3, 5, 6, 7]);
      const value = d.value(bits);
      const lower = d.valueNear(value, bits);
      const upper = d.random.chance(50) ? d.valueNear(value, bits) : 2 ** (bits - 1) - 1;
      d.operandSize(bits).setReg(reg, value, bits).emit(0x62);
      operand(d, 'mem', 8, reg, 0);
      const poke = d.pokes.pop();
      if (poke) d.poke(poke.offset, [...le(lower, bits / 8), ...le(upper, bits / 8)]);
    },
  };
}

export function branchAndFlagForms(): Form[] {
  return [
    ...WORDS.flatMap((size) => [
      ...conditionalForms(size),
      ...loopForms(size),
      ...jumpForms(size),
      boundForm(size),
    ]),
    ...flagForms(),
  ];
}
