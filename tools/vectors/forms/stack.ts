/** PUSH POP in all encodings, PUSHA POPA, PUSHF POPF, ENTER LEAVE. */
import { operand } from '../addressing.ts';
import { DATA_BASE, DATA_BYTES, READ_ONLY_BYTES } from '../case-layout.ts';
import { type Bits, type Draft, EBP, ESP, type WordBits } from '../draft.ts';
import { le } from '../random.ts';
import { type Form, PLACES, plainForm, rmForm, WORDS } from './form.ts';

/** TF would trap after the next instruction; it has its own cases in compare/. */
const POPF_BITS = 0xffff_feff;

/** Puts the stack pointer where `pushes` bytes go down, or `pops` bytes up, rarely across a page end. */
export function placeStack(d: Draft, pops: number): number {
  const { random } = d;
  let at = 0x2400 + 4 * random.below(0x180);
  if (random.chance(10)) at += random.below(4);
  if (random.chance(3)) at = READ_ONLY_BYTES + random.below(8);
  if (random.chance(3)) at = DATA_BYTES - random.below(pops + 4);
  const high = d.codeBits === 16 ? d.regs[ESP]! & 0xffff0000 : DATA_BASE;
  d.reserve(ESP).setReg(ESP, (high + at) >>> 0, 32);
  return at;
}

/** Puts values of `bits` bits on the stack, first one on top. */
export function placeOnStack(d: Draft, values: readonly number[], bits: Bits): number {
  const at = placeStack(d, (values.length * bits) / 8);
  d.poke(
    at,
    values.flatMap((value) => le(value, bits / 8)),
  );
  return at;
}

function registerForms(bits: WordBits): Form[] {
  const forms: Form[] = [];
  for (let n = 0; n < 8; n++) {
    forms.push(
      plainForm(
        `push r${bits} (${(0x50 + n).toString(16)})`,
        [0x50 + n],
        (d) => {
          if (n !== ESP) d.setReg(n, d.value(bits), bits);
          placeStack(d, 0);
          d.operandSize(bits).emit(0x50 + n);
        },
        0.25,
      ),
      plainForm(
        `pop r${bits} (${(0x58 + n).toString(16)})`,
        [0x58 + n],
        (d) => {
          placeOnStack(d, [d.value(bits)], bits);
          d.operandSize(bits).emit(0x58 + n);
        },
        0.25,
      ),
    );
  }
  return forms;
}

function memoryForms(bits: WordBits): Form[] {
  return PLACES.flatMap((place) => [
    rmForm({
      ...{ name: 'push', bytes: [0xff], digit: 6, bits, place },
      rest: (d) => {
        placeStack(d, 0);
        return [];
      },
    }),
    rmForm({
      ...{ name: 'pop', bytes: [0x8f], digit: 0, bits, place },
      rest: (d) => {
        placeOnStack(d, [d.value(bits)], bits);
        return [];
      },
    }),
  ]);
}

function immediateForms(bits: WordBits): Form[] {
  const one = (name: string, opcode: number, immBits: Bits): Form =>
    plainForm(name, [opcode], (d) => {
      placeStack(d, 0);
      d.operandSize(bits).emit(opcode).imm(d.value(immBits), immBits);
    });
  return [one(`push imm${bits}`, 0x68, bits), one(`push simm8 (${bits})`, 0x6a, 8)];
}

function flagForms(bits: WordBits): Form[] {
  return [
    plainForm(`pushf ${bits}`, [0x9c], (d) => {
      placeStack(d, 0);
      d.operandSize(bits).emit(0x9c);
    }),
    plainForm(
      `popf ${bits}`,
      [0x9d],
      (d) => {
        placeOnStack(d, [(d.random.u32() & POPF_BITS) >>> 0], bits);
        d.operandSize(bits).emit(0x9d);
      },
      2,
    ),
  ];
}

function allForms(bits: WordBits): Form[] {
  return [
    plainForm(`pusha ${bits}`, [0x60], (d) => {
      for (let n = 0; n < 8; n++) if (n !== ESP) d.setReg(n, d.random.u32(), 32);
      placeStack(d, 0);
      d.operandSize(bits).emit(0x60);
    }),
    plainForm(`popa ${bits}`, [0x61], (d) => {
      placeOnStack(
        d,
        [1, 2, 3, 4, 5, 6, 7, 8].map(() => d.random.u32()),
        bits,
      );
      d.operandSize(bits).emit(0x61);
    }),
  ];
}

/** Points EBP at a frame in the stack page. */
function placeFrame(d: Draft): void {
  const at = 0x2a00 + 4 * d.random.below(0x80);
  const high = d.codeBits === 16 ? d.random.u32() & 0xffff0000 : DATA_BASE;
  d.setReg(EBP, (high + at) >>> 0, 32);
}

function frameForms(bits: WordBits): Form[] {
  return [
    plainForm(
      `enter imm16,imm8 (${bits})`,
      [0xc8],
      (d) => {
        placeStack(d, 0);
        placeFrame(d);
        const level = d.random.pick([0, 0, 1, 2, 3, 31, 32, 33, d.random.below(256)]);
        d.operandSize(bits).emit(0xc8, ...le(d.random.pick([0, 4, 0x40, d.random.below(0x400)]), 2), level);
      },
      2,
    ),
    plainForm(`leave ${bits}`, [0xc9], (d) => {
      placeStack(d, 0);
      placeFrame(d);
      d.operandSize(bits).emit(0xc9);
    }),
  ];
}

/** POP to memory addressed through the stack pointer uses its value after the increment. */
function popThroughEsp(): Form {
  return plainForm(
    'pop m32 through esp',
    [0x8f],
    (d) => {
      const at = placeOnStack(d, [d.random.u32()], 32);
      d.operandSize(32);
      if (d.codeBits === 16) {
        operand(d, 'mem', 32, 0, 0);
        d.code.unshift(0x8f);
        return;
      }
      d.emit(0x8f, 0x44, 0x24, at < 0x2f00 ? d.random.pick([0, 4, 8, 0x7c]) : 0xf0);
    },
    0.5,
  );
}

export function stackForms(): Form[] {
  return [
    ...WORDS.flatMap((bits) => [
      ...registerForms(bits),
      ...memoryForms(bits),
      ...immediateForms(bits),
      ...flagForms(bits),
      ...allForms(bits),
      ...frameForms(bits),
    ]),
    { ...popThroughEsp(), opcode: '8f /0' },
  ];
}
