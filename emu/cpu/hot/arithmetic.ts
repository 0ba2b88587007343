/** Hot forms of two-operand arithmetic and logic, INC, DEC, NEG, NOT, multiplication, CDQ. Semantics: exec/alu.ts, multiply.ts. */
import { form, type HotForm, resultFlags, sumFlags } from './hot-form.ts';
import { address, BYTE_SHAPES, hit, host, type Shape, WORD_SHAPES } from './shapes.ts';

interface Operation {
  readonly stem: string;
  /** `v` from `a` and `b`, before it is cut to the width. */
  readonly value: string;
  readonly flags: readonly string[];
  /** CMP and TEST keep their destination. */
  readonly keeps?: true;
  /** What `value` gives for signed bytes may need more than a byte. */
  readonly carries?: true;
  /** Shapes that have a hot form; the others are too rare. */
  readonly shapes: readonly string[];
}

const ALL_WORD = ['RR', 'RI', 'RM', 'MR', 'MI'];
const BYTE_REGISTERS = ['BRR', 'BRI'];
const LOGIC = resultFlags('0');
const CARRY_OUT = '(((a & b) | ((a | b) & ~v)) >>> 31)';
const BORROW_OUT = '(((~a & b) | ((~a | b) & v)) >>> 31)';
const HALF_CARRY = '((a ^ b ^ v) & 16)';

const OPERATIONS: readonly Operation[] = [
  { stem: 'Add', value: 'a + b', flags: sumFlags('ADD'), carries: true, shapes: ALL_WORD },
  { stem: 'Or', value: 'a | b', flags: LOGIC, shapes: [...ALL_WORD, ...BYTE_REGISTERS] },
  { stem: 'And', value: 'a & b', flags: LOGIC, shapes: [...ALL_WORD, ...BYTE_REGISTERS] },
  { stem: 'Sub', value: 'a - b', flags: sumFlags('SUB'), carries: true, shapes: ALL_WORD },
  { stem: 'Xor', value: 'a ^ b', flags: LOGIC, shapes: [...ALL_WORD, ...BYTE_REGISTERS] },
  {
    stem: 'Cmp',
    value: 'a - b',
    flags: sumFlags('SUB'),
    keeps: true,
    carries: true,
    shapes: [...ALL_WORD, 'BRR', 'BRI', 'BRM', 'BMR', 'BMI'],
  },
  {
    stem: 'Test',
    value: 'a & b',
    flags: LOGIC,
    keeps: true,
    shapes: ['RR', 'RI', 'MR', 'MI', 'BRR', 'BRI', 'BMI'],
  },
  {
    stem: 'Adc',
    value: 'a + b + carry(r)',
    flags: resultFlags(`${CARRY_OUT} | ${HALF_CARRY} | (((a ^ v) & (b ^ v)) < 0 ? 2048 : 0)`),
    carries: true,
    shapes: ['RR', 'RI'],
  },
  {
    stem: 'Sbb',
    value: 'a - b - carry(r)',
    flags: resultFlags(`${BORROW_OUT} | ${HALF_CARRY} | (((a ^ b) & (a ^ v)) < 0 ? 2048 : 0)`),
    carries: true,
    shapes: ['RR', 'RI'],
  },
];

/** `value` cut to the width, as a signed number. */
function result(operation: Operation, shape: Shape): string {
  if (operation.carries === undefined) return operation.value;
  return shape.bytes === 1 ? `((${operation.value}) << 24) >> 24` : `(${operation.value}) | 0`;
}

const twoOperandForm = (operation: Operation, shape: Shape): HotForm =>
  form(
    operation.stem + shape.suffix,
    ...shape.take(operation.keeps === true ? 'readMask' : 'writeMask'),
    `const v = ${result(operation, shape)};`,
    ...(operation.keeps === true ? [] : [shape.put]),
    ...operation.flags,
  );

const twoOperandForms = OPERATIONS.flatMap((operation) =>
  [...WORD_SHAPES, ...BYTE_SHAPES]
    .filter((shape) => operation.shapes.includes(shape.suffix))
    .map((shape) => twoOperandForm(operation, shape)),
);

/** INC and DEC keep CF: the kinds of flags that loops leave behind are looked at here, the others by a call. */
const KEPT_CARRY = [
  'const op = r[K.CC_OP];',
  'const borrows = op === Cc.SUB && r[K.CC_AUX] >>> 0 < r[K.CC_SRC] >>> 0;',
  'const cf = op === Cc.RESULT ? r[K.CC_SRC] & 1 : borrows ? 1 : op === Cc.SUB ? 0 : carry(r);',
];

const STEPS = [
  { stem: 'Inc', by: '+ 1', halfCarry: 0, overflow: 'INT_MIN' },
  { stem: 'Dec', by: '- 1', halfCarry: 15, overflow: 'INT_MAX' },
];

const stepForms = STEPS.flatMap(({ stem, by, halfCarry, overflow }): HotForm[] => {
  const flags = resultFlags(`cf | ((v & 15) === ${halfCarry} ? 16 : 0) | (v === ${overflow} ? 2048 : 0)`);
  const register = ['const d = ops[i + W.LINK];', `const v = (r[d] ${by}) | 0;`, 'r[d] = v;'];
  const memory = [
    ...address(),
    ...hit('writeMask', 4),
    `const at = ${host()};`,
    `const v = (view.getInt32(at, true) ${by}) | 0;`,
    'const cf = carry(r);',
    'view.setInt32(at, v, true);',
  ];
  return [form(`${stem}R`, ...KEPT_CARRY, ...register, ...flags), form(`${stem}M`, ...memory, ...flags)];
});

const PRODUCT_FLAGS = resultFlags('a * b === v ? 0 : 2049');

export const ARITHMETIC_FORMS: readonly HotForm[] = [
  ...twoOperandForms,
  ...stepForms,
  form(
    'NegR',
    'const d = ops[i + W.LINK];',
    'const b = r[d];',
    'const v = -b | 0;',
    'const a = 0;',
    'r[d] = v;',
    ...sumFlags('SUB'),
  ),
  form('NotR', 'const d = ops[i + W.LINK];', 'r[d] = ~r[d];'),
  form(
    'ImulRR',
    'const x = ops[i + W.LINK];',
    'const a = r[x & 255];',
    'const b = r[x >> 8];',
    'const v = Math.imul(a, b);',
    'r[x & 255] = v;',
    ...PRODUCT_FLAGS,
  ),
  form(
    'ImulRRI',
    'const x = ops[i + W.LINK];',
    'const a = r[x >> 8];',
    'const b = ops[i + W.IMM];',
    'const v = Math.imul(a, b);',
    'r[x & 255] = v;',
    ...PRODUCT_FLAGS,
  ),
  form(
    'MulR',
    'const a = r[K.EAX];',
    'const b = r[ops[i + W.LINK]];',
    'const v = Math.imul(a, b);',
    'const high = mulHigh(a, b);',
    'r[K.EAX] = v;',
    'r[K.EDX] = high;',
    ...resultFlags('high === 0 ? 0 : 2049'),
  ),
  form('Cdq', 'r[K.EDX] = r[K.EAX] >> 31;'),
];
