/**
 * Hot forms of jumps, calls and returns. A direct branch inside the page has its target's arena position in LINK once it
 * was taken; with LINK 0 it leaves to the table's semantics, and execute() links it. Semantics: exec/control.ts.
 */
import { form, type HotForm, transfer } from './hot-form.ts';
import { POP_SLOT, PUSH_SLOT, PUSHED } from './move.ts';
import { address, hit, load, store } from './shapes.ts';

const ZERO = 'r[K.CC_OP] === 0 ? (r[K.EFLAGS] & 64) !== 0 : r[K.CC_DST] === 0';
const SIGN = 'r[K.CC_OP] === 0 ? (r[K.EFLAGS] & 128) !== 0 : r[K.CC_DST] < 0';

/** Behind CMP or SUB a condition is one comparison of the operands; else condition `code` decides. */
const compared = (operator: string, code: number, extend: '' | ' >>> 0'): string =>
  `r[K.CC_OP] === Cc.SUB ? r[K.CC_AUX]${extend} ${operator} r[K.CC_SRC]${extend} : condition(r, ${code})`;
const unsigned = (operator: string, code: number): string => compared(operator, code, ' >>> 0');
const signed = (operator: string, code: number): string => compared(operator, code, '');

const CONDITIONS: readonly (readonly [string, string])[] = [
  ['Je', ZERO],
  ['Jne', `!(${ZERO})`],
  ['Js', SIGN],
  ['Jns', `!(${SIGN})`],
  ['Jb', unsigned('<', 2)],
  ['Jae', unsigned('>=', 3)],
  ['Jbe', unsigned('<=', 6)],
  ['Ja', unsigned('>', 7)],
  ['Jl', signed('<', 12)],
  ['Jge', signed('>=', 13)],
  ['Jle', signed('<=', 14)],
  ['Jg', signed('>', 15)],
];

const TAKEN = ['const to = ops[i + W.LINK];', 'if (to === 0) break;', 'i = to;', 'left--;', 'continue;'];

/** Address of the instruction behind this one, as CALL pushes it. */
const RETURN_ADDRESS = [
  'const pos = ops[i + W.POS];',
  'const back = (codeBase + (pos & 0xffff) + (pos >>> 16)) | 0;',
];

export const BRANCH_FORMS: readonly HotForm[] = [
  ...CONDITIONS.map(([name, holds]) => form(name, `if (${holds}) {`, ...TAKEN, '}')),
  { name: 'Jmp', body: TAKEN },
  {
    name: 'Call',
    body: [
      ...PUSH_SLOT,
      ...RETURN_ADDRESS,
      store('back'),
      PUSHED,
      'left--;',
      'const to = ops[i + W.LINK];',
      'if (to !== 0) {',
      'i = to;',
      'continue;',
      '}',
      'from = (ops[i + W.FLAGS] & W.LINKABLE) !== 0 ? i : 0;',
      'target = (back + ops[i + W.IMM]) | 0;',
      'break straight;',
    ],
  },
  transfer('Ret', ...POP_SLOT, 'r[K.ESP] = ea + 4 + ops[i + W.IMM];', `target = ${load()};`),
  transfer('JmpR', 'target = r[ops[i + W.LINK]];'),
  transfer('JmpM', ...address(), ...hit('readMask', 4), `target = ${load()};`),
  transfer('CallR', ...PUSH_SLOT, ...RETURN_ADDRESS, 'target = r[ops[i + W.LINK]];', store('back'), PUSHED),
  transfer(
    'CallM',
    ...address('source'),
    ...hit('readMask', 4, 'source', 's'),
    ...PUSH_SLOT,
    ...RETURN_ADDRESS,
    `target = ${load('source', 's')};`,
    store('back'),
    PUSHED,
  ),
];
