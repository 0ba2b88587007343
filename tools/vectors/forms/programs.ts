/**
 * Short straight programs: what one instruction leaves behind in registers and flags is the next one's input. They hold
 * an engine to account where single instructions cannot: flags that are computed late, or not at all because the next
 * instruction overwrites them. Only flags with a defined value are ever read: AF is never read and never compared, and
 * instructions that leave another flag undefined are not in here.
 */
import { DATA_BASE } from '../case-layout.ts';
import { AF, type Bits, DF, type Draft, EAX, ECX, ESP } from '../draft.ts';
import { le, type Random } from '../random.ts';
import { type Form, sized, WIDTHS } from './form.ts';

/** The harness takes 120 bytes of code. */
const LONGEST_INSTRUCTION = 12;
const CODE_LIMIT = 118;
/** Four words in the window that all memory operands use. */
const CELLS = 0x1800;

type Emit = (d: Draft, random: Random) => number[];

const width = (random: Random): Bits => random.pick(WIDTHS);
/** A register that is not ESP, nor AH..BH's counterpart of it: all 8-bit names are fine. */
const reg = (random: Random, bits: Bits): number => {
  const n = random.below(8);
  return bits !== 8 && n === ESP ? EAX : n;
};
const prefix = (d: Draft, bits: Bits): number[] => (bits !== 8 && bits !== d.codeBits ? [0x66] : []);

/** ModRM of an absolute cell, or of a register. */
function rm(d: Draft, random: Random, regField: number, bits: Bits): number[] {
  if (random.chance(65)) return [0xc0 | (regField << 3) | reg(random, bits)];
  const at = CELLS + random.below(16);
  if (d.codeBits === 16) return [0x06 | (regField << 3), ...le(at, 2)];
  return [0x05 | (regField << 3), ...le(DATA_BASE + at, 4)];
}

const twoOperands =
  (opcodes: readonly number[]): Emit =>
  (d, random) => {
    const bits = width(random);
    return [...prefix(d, bits), sized(random.pick(opcodes), bits), ...rm(d, random, reg(random, bits), bits)];
  };

const oneOperand =
  (opcode: number, digits: readonly number[]): Emit =>
  (d, random) => {
    const bits = width(random);
    return [...prefix(d, bits), sized(opcode, bits), ...rm(d, random, random.pick(digits), bits)];
  };

const immediate: Emit = (d, random) => {
  const bits = width(random);
  const target = rm(d, random, random.below(8), bits);
  if (bits !== 8 && random.chance(60)) return [...prefix(d, bits), 0x83, ...target, random.below(256)];
  return [...prefix(d, bits), sized(0x80, bits), ...target, ...le(random.operand(bits), bits / 8)];
};

const moveImmediate: Emit = (d, random) => {
  const bits = width(random);
  const opcode = (bits === 8 ? 0xb0 : 0xb8) + reg(random, bits);
  return [...prefix(d, bits), opcode, ...le(random.operand(bits), bits / 8)];
};

const secondMap =
  (opcodes: readonly number[], bits: (random: Random) => Bits): Emit =>
  (d, random) => {
    const size = bits(random);
    const opcode = random.pick(opcodes);
    return [...prefix(d, size), 0x0f, opcode, ...rm(d, random, reg(random, size), size)];
  };

const word = (random: Random): Bits => random.pick([16, 32] as const);

/** XADD and CMPXCHG, byte or word. */
const exchange: Emit = (d, random) => {
  const bits = width(random);
  const opcode = sized(random.pick([0xb0, 0xc0]), bits);
  return [...prefix(d, bits), 0x0f, opcode, ...rm(d, random, reg(random, bits), bits)];
};

const setCondition: Emit = (d, random) => [0x0f, 0x90 + conditionWithoutAf(random), ...rm(d, random, 0, 8)];
const conditionWithoutAf = (random: Random): number => random.below(16);

const INSTRUCTIONS: readonly (readonly [number, Emit])[] = [
  // ADD OR ADC SBB AND SUB XOR CMP, both directions.
  [10, twoOperands([0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38])],
  [8, twoOperands([0x02, 0x0a, 0x12, 0x1a, 0x22, 0x2a, 0x32, 0x3a])],
  [8, immediate],
  [5, oneOperand(0xfe, [0, 1])],
  [3, oneOperand(0xf6, [2, 3])],
  // Shifts and rotates by one define every flag but AF.
  [5, oneOperand(0xd0, [0, 1, 2, 3, 4, 5, 7])],
  [3, twoOperands([0x84, 0x86])],
  [3, twoOperands([0x88, 0x8a])],
  [2, moveImmediate],
  [4, setCondition],
  [4, (d, random) => secondMap([0x40 + random.below(16)], word)(d, random)],
  [2, secondMap([0xb6, 0xb7, 0xbe, 0xbf], word)],
  [2, exchange],
  [1, (_, random) => [random.pick([0xf5, 0xf8, 0xf9])]],
  [1, (d, random) => [...prefix(d, word(random)), random.pick([0x98, 0x99])]],
  [1, (_, random) => [random.pick([0x40, 0x48]) + reg(random, 32)]],
];

const TOTAL = INSTRUCTIONS.reduce((sum, [weight]) => sum + weight, 0);

function draw(d: Draft): number[] {
  let dice = d.random.below(TOTAL);
  for (const [weight, emit] of INSTRUCTIONS) {
    dice -= weight;
    if (dice < 0) return emit(d, d.random);
  }
  return [0x90];
}

/** Instructions, now and then with a conditional jump over the next one. */
function build(d: Draft, length: number): void {
  const { random } = d;
  for (let n = 0; n < 8; n++) if (n !== ESP) d.setReg(n, random.operand(32), 32);
  d.setReg(ECX, random.u32(), 32).undef(AF);
  d.eflags &= ~DF;
  d.poke(CELLS, random.bytes(12));
  for (let i = 0; i < length && d.code.length < CODE_LIMIT - 2 * LONGEST_INSTRUCTION; i++) {
    const instruction = draw(d);
    if (random.chance(12)) d.emit(0x70 + random.below(16), instruction.length);
    d.emit(...instruction);
  }
}

export function programForms(): Form[] {
  return [2, 3, 4, 6, 8, 12, 16, 24].map((length) => ({
    name: `program of ${length} instructions`,
    opcode: 'program',
    weight: 5,
    build: (d) => build(d, length),
  }));
}
