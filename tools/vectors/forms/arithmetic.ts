/** ADD..CMP in all encodings, INC DEC NEG NOT TEST, XCHG XADD CMPXCHG CMPXCHG8B. */

import { memoryOperand } from '../addressing.ts';
import { AF, type Bits, type Draft, EAX, EBX, ECX, EDX } from '../draft.ts';
import { le } from '../random.ts';
import { type Form, opcodeKey, PLACES, plainForm, regRmForm, rmForm, sized, WIDTHS, WORDS } from './form.ts';

const ALU = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'];
/** OR, AND, XOR and TEST leave AF undefined. */
const isLogic = (n: number): boolean => n === 1 || n === 4 || n === 6;

function aluForms(op: number): Form[] {
  const name = ALU[op]!;
  const adjust = (d: Draft): void => {
    if (isLogic(op)) d.undef(AF);
  };
  const forms: Form[] = [];
  for (const bits of WIDTHS) {
    for (const place of PLACES) {
      const toRm = sized(op * 8, bits);
      forms.push(regRmForm({ name, bytes: [toRm], bits, place, adjust }));
      forms.push(
        regRmForm({ name, bytes: [toRm + 2], bits, place, adjust, operands: `r${bits},r/m${bits}` }),
      );
      const immediate = (bytes: number[], immBits: Bits, operands: string): Form =>
        rmForm({
          ...{ name, bytes, digit: op, bits, place, operands },
          rest: (d, value) => {
            adjust(d);
            return le(d.valueNear(value, immBits), immBits / 8);
          },
        });
      forms.push(immediate([sized(0x80, bits)], bits, `r/m${bits},imm${bits}`));
      if (bits === 8) forms.push(immediate([0x82], 8, 'r/m8,imm8 alias'));
      else forms.push(immediate([0x83], 8, `r/m${bits},simm8`));
    }
    forms.push(
      plainForm(`${name} acc${bits},imm${bits}`, [sized(op * 8 + 4, bits)], (d) => {
        const value = d.value(bits);
        adjust(d);
        d.operandSize(bits).setReg(EAX, value, bits);
        d.emit(sized(op * 8 + 4, bits)).imm(d.valueNear(value, bits), bits);
      }),
    );
  }
  return forms;
}

function testForms(): Form[] {
  const forms: Form[] = [];
  const adjust = (d: Draft): void => void d.undef(AF);
  for (const bits of WIDTHS) {
    for (const place of PLACES) {
      forms.push(regRmForm({ name: 'test', bytes: [sized(0x84, bits)], bits, place, adjust }));
      for (const digit of [0, 1]) {
        forms.push(
          rmForm({
            ...{ name: 'test', bytes: [sized(0xf6, bits)], digit, bits, place },
            operands: `r/m${bits},imm${bits}${digit === 1 ? ' alias' : ''}`,
            rest: (d, value) => le(d.undef(AF).valueNear(value, bits), bits / 8),
          }),
        );
      }
    }
    forms.push(
      plainForm(`test acc${bits},imm${bits}`, [sized(0xa8, bits)], (d) => {
        d.undef(AF).operandSize(bits).setReg(EAX, d.value(bits), bits);
        d.emit(sized(0xa8, bits)).imm(d.value(bits), bits);
      }),
    );
  }
  return forms;
}

function unaryForms(): Form[] {
  const forms: Form[] = [];
  for (const bits of WIDTHS) {
    for (const place of PLACES) {
      forms.push(rmForm({ name: 'not', bytes: [sized(0xf6, bits)], digit: 2, bits, place }));
      forms.push(rmForm({ name: 'neg', bytes: [sized(0xf6, bits)], digit: 3, bits, place }));
      forms.push(rmForm({ name: 'inc', bytes: [sized(0xfe, bits)], digit: 0, bits, place }));
      forms.push(rmForm({ name: 'dec', bytes: [sized(0xfe, bits)], digit: 1, bits, place }));
    }
  }
  for (const bits of WORDS) {
    for (let n = 0; n < 8; n++) {
      const short = (name: string, opcode: number): Form =>
        plainForm(
          `${name} r${bits} (${opcode.toString(16)})`,
          [opcode],
          (d) => void d.operandSize(bits).setReg(n, d.value(bits), bits).emit(opcode),
          0.25,
        );
      forms.push(short('inc', 0x40 + n), short('dec', 0x48 + n));
    }
  }
  return forms;
}

function exchangeForms(): Form[] {
  const forms: Form[] = [];
  for (const bits of WIDTHS) {
    for (const place of PLACES) {
      forms.push(regRmForm({ name: 'xchg', bytes: [sized(0x86, bits)], bits, place }));
      forms.push(regRmForm({ name: 'xadd', bytes: [0x0f, sized(0xc0, bits)], bits, place }));
      forms.push(
        regRmForm({
          ...{ name: 'cmpxchg', bytes: [0x0f, sized(0xb0, bits)], bits, place, weight: 1.5 },
          adjust: (d, { rm }) => void d.setReg(EAX, d.random.chance(50) ? rm : d.valueNear(rm, bits), bits),
        }),
      );
    }
  }
  for (const bits of WORDS) {
    for (let n = 0; n < 8; n++) {
      forms.push(
        plainForm(
          `xchg acc${bits},r${bits} (${(0x90 + n).toString(16)})`,
          [0x90 + n],
          (d) => {
            d.operandSize(bits).setReg(EAX, d.value(bits), bits).setReg(n, d.value(bits), bits);
            d.emit(0x90 + n);
          },
          0.25,
        ),
      );
    }
  }
  forms.push({ name: 'cmpxchg8b m64', opcode: opcodeKey([0x0f, 0xc7], 1), weight: 2, build: buildCmpxchg8b });
  return forms;
}

function buildCmpxchg8b(d: Draft): void {
  const low = d.value(32);
  const high = d.value(32);
  d.setReg(EAX, d.valueNear(low, 32), 32).setReg(EDX, d.random.chance(80) ? high : d.value(32), 32);
  d.setReg(EBX, d.value(32), 32).setReg(ECX, d.value(32), 32);
  if (d.random.chance(50)) d.setReg(EAX, low, 32);
  d.emit(0x0f, 0xc7);
  memoryOperand(d, 1, [...le(low, 4), ...le(high, 4)]);
}

/** Locked read-modify-write of memory: same results as without the prefix. */
function lockedForms(plain: readonly Form[]): Form[] {
  const lockable =
    /^(add|or|adc|sbb|and|sub|xor|inc|dec|neg|not|xchg|xadd|cmpxchg|cmpxchg8b) (r\/m|m64).*(\[mem\]|m64)$/;
  return plain
    .filter((form) => lockable.test(form.name))
    .map((form) => ({
      ...form,
      name: `lock ${form.name}`,
      weight: 0.25,
      build: (d) => {
        d.prefixes.push(0xf0);
        form.build(d);
      },
    }));
}

export function arithmeticForms(): Form[] {
  const plain = [
    ...ALU.flatMap((_, op) => aluForms(op)),
    ...testForms(),
    ...unaryForms(),
    ...exchangeForms(),
  ];
  return [...plain, ...lockedForms(plain)];
}
