/**
 * The instruction table compiled: from opcode and ModRM byte to an entry, and per entry what the decoder must fetch.
 * Built once when the module is loaded; constant afterwards.
 */
import { tooLong, ud } from '../exec/control.ts';
import { F_DST_SHIFT, F_SRC_SHIFT, KIND_IMM, KIND_REG, KIND_RM } from '../record.ts';
import { ARITHMETIC } from './arithmetic.ts';
import { CONTROL } from './control.ts';
import { DATA } from './data.ts';
import { type Definition, define, type Handler } from './definition.ts';

/** Width rule of an entry. */
export const SIZE_BYTE = 1;
export const SIZE_WORD = 2;
export const SIZE_DWORD = 4;
export const SIZE_OPERAND = 0;

/** Immediate forms. */
export const IMM_NONE = 0;
export const IMM_BYTE = 1;
export const IMM_BYTE_SIGNED = 2;
export const IMM_WORD = 3;
export const IMM_OPERAND = 4;
export const IMM_FAR = 5;
export const IMM_WORD_BYTE = 6;
export const IMM_MOFFS = 7;
export const IMM_ONE = 8;

/** Where the record's reg field comes from. */
export const REG_MODRM = 0;
export const REG_OPCODE = 1;
export const REG_ACCUMULATOR = 2;
export const REG_CL = 3;

export interface Entry extends Definition {
  readonly modrm: boolean;
  /** ModRM.mod is ignored: control and debug register moves. */
  readonly registerOnly: boolean;
  readonly sizeRule: number;
  readonly immediate: number;
  readonly regRule: number;
  /** F_DST and F_SRC bits. */
  readonly kinds: number;
}

const invalid = define(-1, '(bad)', '', ud, { ends: true });
const overlong = define(-1, '(bad)', '', tooLong, { ends: true });

function sizeRuleOf(d: Definition, operands: readonly string[]): number {
  const suffix = d.size ?? operands.map((o) => sizeLetter(o)).find((letter) => letter !== '') ?? 'v';
  return suffix === 'b' ? SIZE_BYTE : suffix === 'w' ? SIZE_WORD : suffix === 'd' ? SIZE_DWORD : SIZE_OPERAND;
}

/** Size letter of an operand code that decides the instruction's width; '' for the others. */
function sizeLetter(operand: string): string {
  if (operand === 'AL') return 'b';
  if (operand === 'eAX') return 'v';
  if (operand === 'Ek') return 'v';
  if (/^[EGZOXY][bwvd]$/.test(operand)) return operand[1];
  if (operand === 'Iv' || operand === 'Ibs' || operand === 'Jv') return 'v';
  return /^[RCD]d$/.test(operand) ? 'd' : '';
}

const IMMEDIATES: Readonly<Record<string, number>> = {
  Ib: IMM_BYTE,
  Ibs: IMM_BYTE_SIGNED,
  Iw: IMM_WORD,
  Iv: IMM_OPERAND,
  Jb: IMM_BYTE_SIGNED,
  Jv: IMM_OPERAND,
  Ap: IMM_FAR,
  Ob: IMM_MOFFS,
  Ov: IMM_MOFFS,
  '1': IMM_ONE,
};

function immediateOf(operands: readonly string[]): number {
  if (operands.join() === 'Iw,Ib') return IMM_WORD_BYTE;
  for (const operand of operands) if (operand in IMMEDIATES) return IMMEDIATES[operand];
  return IMM_NONE;
}

/** E, M and R codes; not the segment register ES. */
const RM_OPERAND = /^[EMR][bwvkdpaqs]?$/;

function kindOf(operand: string | undefined): number {
  if (operand === undefined) return 0;
  if (RM_OPERAND.test(operand)) return KIND_RM;
  if (/^[GZ]/.test(operand) || operand === 'AL' || operand === 'eAX' || operand === 'CL') return KIND_REG;
  return /^[I1]/.test(operand) ? KIND_IMM : 0;
}

function regRuleOf(operands: readonly string[]): number {
  if (operands.some((o) => o[0] === 'Z')) return REG_OPCODE;
  if (operands.some((o) => o[0] === 'G' && o.length === 2 && o !== 'GS')) return REG_MODRM;
  if (operands.includes('CL')) return REG_CL;
  return operands[0] === 'AL' || operands[0] === 'eAX' ? REG_ACCUMULATOR : REG_MODRM;
}

function compile(d: Definition): Entry {
  const operands = d.operands === '' ? [] : d.operands.split(',');
  const hasModrm =
    operands.some((o) => RM_OPERAND.test(o) || /^(G[bwvd]|Sw|[CD]d)$/.test(o)) || d.ext !== undefined;
  return {
    ...d,
    modrm: hasModrm,
    registerOnly: /^[RCD]d/.test(d.operands),
    sizeRule: sizeRuleOf(d, operands),
    immediate: immediateOf(operands),
    regRule: regRuleOf(operands),
    kinds: (kindOf(operands[0]) << F_DST_SHIFT) | (kindOf(operands[1]) << F_SRC_SHIFT),
  };
}

export const ENTRIES: readonly Entry[] = [invalid, overlong, ...ARITHMETIC, ...DATA, ...CONTROL].map(compile);
export const ENTRY_INVALID = 0;
export const ENTRY_TOO_LONG = 1;

/** Dispatch array of the interpreter. */
export const HANDLERS: readonly Handler[] = ENTRIES.map((e) => e.exec);

/**
 * Entry index by (map × 256 + opcode) × 16 + (mod is register ? 8 : 0) + ModRM.reg; map 1 is 0F xx. Opcodes without
 * ModRM have the same entry at all 16 places.
 */
export const LOOKUP = new Uint16Array(512 * 16);
/** 1 when a ModRM byte follows, even if some of the 16 places are invalid. */
export const HAS_MODRM = new Uint8Array(512);

ENTRIES.forEach((e, index) => {
  if (e.opcode < 0) return;
  const at = (e.opcode > 0xff ? 256 : 0) + (e.opcode & 0xff);
  if (e.modrm) HAS_MODRM[at] = 1;
  for (let place = 0; place < 16; place++) {
    if (e.ext !== undefined && e.ext !== (place & 7)) continue;
    if (e.regs !== undefined && ((e.regs >> (place & 7)) & 1) === 0) continue;
    if (e.mod !== undefined && (e.mod === 'reg') !== place >= 8) continue;
    LOOKUP[at * 16 + place] = index;
  }
});
