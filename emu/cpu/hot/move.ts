/**
 * Hot forms of MOV, also from control registers, MOVZX, MOVSX, LEA, XCHG, SETcc, CMOVcc, NOP and the stack.
 * Semantics: exec/move.ts, bits.ts.
 */
import { form, type HotForm } from './hot-form.ts';
import { address, hit, hitOrFill, host, load, store } from './shapes.ts';

const LINKED = 'const x = ops[i + W.LINK];';
const TARGET = [...address(), ...hit('writeMask', 4)];

const movForms: readonly HotForm[] = [
  form('MovRR', LINKED, 'r[x & 255] = r[x >> 8];'),
  form('MovRI', 'r[ops[i + W.LINK]] = ops[i + W.IMM];'),
  form('MovRM', ...address(), ...hitOrFill(), `r[x & 15] = ${load()};`),
  form('MovMR', ...TARGET, store('r[x & 15]')),
  form('MovMI', ...TARGET, store('ops[i + W.IMM]')),
  form('MovBRR', LINKED, 'b8[x & 255] = b8[x >> 8];'),
  form('MovBRI', 'b8[ops[i + W.LINK]] = ops[i + W.IMM];'),
  form('MovBRM', ...address(), ...hit('readMask', 1), `b8[ops[i + W.LINK]] = u8[${host()}];`),
  form('MovBMR', ...address(), ...hit('writeMask', 1), `u8[${host()}] = b8[ops[i + W.LINK]];`),
  form('MovBMI', ...address(), ...hit('writeMask', 1), `u8[${host()}] = ops[i + W.IMM];`),
];

/** A narrow source, zero- or sign-extended into a 32-bit register. */
const extendForms: readonly HotForm[] = [
  form('MovzxBR', LINKED, 'r[x & 255] = b8[x >> 8];'),
  form('MovzxBM', ...address(), ...hit('readMask', 1), `r[x & 15] = u8[${host()}];`),
  form('MovsxBR', LINKED, 'r[x & 255] = (b8[x >> 8] << 24) >> 24;'),
  form('MovsxBM', ...address(), ...hit('readMask', 1), `r[x & 15] = (u8[${host()}] << 24) >> 24;`),
  form('MovzxWR', LINKED, 'r[x & 255] = r[x >> 8] & 0xffff;'),
  form('MovzxWM', ...address(), ...hit('readMask', 2), `r[x & 15] = view.getUint16(${host()}, true);`),
  form('MovsxWR', LINKED, 'r[x & 255] = (r[x >> 8] << 16) >> 16;'),
  form('MovsxWM', ...address(), ...hit('readMask', 2), `r[x & 15] = view.getInt16(${host()}, true);`),
];

/** The slot that a push writes: `ea`, checked; ESP is set behind the write. */
export const PUSH_SLOT = ['const ea = (r[K.ESP] - 4) | 0;', ...hit('writeMask', 4)];
export const PUSHED = 'r[K.ESP] = ea;';
/** The slot that a pop reads. */
export const POP_SLOT = ['const ea = r[K.ESP];', ...hit('readMask', 4)];

const stackForms: readonly HotForm[] = [
  form('PushR', ...PUSH_SLOT, store('r[ops[i + W.LINK]]'), PUSHED),
  form('PushI', ...PUSH_SLOT, store('ops[i + W.IMM]'), PUSHED),
  form(
    'PushM',
    ...address('source'),
    ...hit('readMask', 4, 'source', 's'),
    ...PUSH_SLOT,
    store(load('source', 's')),
    PUSHED,
  ),
  form('PopR', ...POP_SLOT, 'r[K.ESP] = ea + 4;', `r[ops[i + W.LINK]] = ${load()};`),
  form('Leave', 'const ea = r[K.EBP];', ...hit('readMask', 4), 'r[K.ESP] = ea + 4;', `r[K.EBP] = ${load()};`),
];

export const MOVE_FORMS: readonly HotForm[] = [
  ...movForms,
  ...extendForms,
  form('Lea', ...address(), 'r[x & 15] = ea;'),
  ...stackForms,
  form('XchgRR', LINKED, 'const a = r[x & 255];', 'r[x & 255] = r[x >> 8];', 'r[x >> 8] = a;'),
  form(
    'XchgMR',
    ...TARGET,
    `const at = ${host()};`,
    'const a = view.getInt32(at, true);',
    'view.setInt32(at, r[x & 15], true);',
    'r[x & 15] = a;',
  ),
  form(
    'MovRCr',
    'if (r[K.CPL] !== 0) break;',
    'const x = ops[i + W.REGS];',
    'r[(x >> 4) & 15] = r[K.CR0 + (x & 15)];',
  ),
  form('SetBR', LINKED, 'b8[x & 255] = condition(r, x >> 16) ? 1 : 0;'),
  form('CmovRR', LINKED, 'if (condition(r, x >> 16)) r[x & 255] = r[(x >> 8) & 255];'),
  form('Nop'),
];
