/**
 * Which lines of the instruction table have a translation: name, operands, widths, and the function that emits it. An
 * instruction that is not here, or whose operands have another shape, is left to the interpreter (region-code.ts).
 */
import { Seg } from '../../arch/core-layout.ts';
import {
  F_ADDR32,
  F_MEM,
  F_OVERRIDE,
  F_REP,
  F_REPNE,
  F_SEG,
  F_SEG_SHIFT,
  F_WIDTH,
  I_ENTRY,
  I_FLAGS,
} from '../record.ts';
import { CONDITIONS } from '../table/conditions.ts';
import { ENTRIES, type Entry } from '../table/table.ts';
import * as alu from './emit-arithmetic.ts';
import * as control from './emit-control.ts';
import * as move from './emit-move.ts';
import * as multiply from './emit-multiply.ts';
import * as shift from './emit-shift.ts';
import * as string from './emit-string.ts';
import type { Emit } from './function-code.ts';

/** How an instruction ends a block. */
export enum Transfer {
  None = 0,
  Branch = 1,
  Jump = 2,
  Call = 3,
  CallIndirect = 4,
  /** RET, JMP r/m. */
  Indirect = 5,
}

/** What an instruction does to the arithmetic flags. */
type FlagUse = 'none' | 'writes' | 'other';

interface Translation {
  readonly emit: Emit;
  readonly transfer: Transfer;
  readonly flags: FlagUse;
  /** Bit n: operand width of n bytes. */
  readonly widths: number;
  /** It uses memory without a memory operand: stack, moffs; or it may leave for another reason. */
  readonly mayLeave: boolean;
  /** Whether a REP prefix has a meaning, and so no translation. */
  readonly repeats: boolean;
}

const ALL = (1 << 1) | (1 << 2) | (1 << 4);
const BYTE = 1 << 1;
const WORDS = (1 << 2) | (1 << 4);
const DWORD = 1 << 4;

const table: (Translation | null)[] = ENTRIES.map(() => null);

/** Gives all table lines with one of `names` (and one of `operands`, unless empty) a translation. */
function line(names: string, operands: string, emit: Emit, options: Partial<Translation> = {}): void {
  const wanted = names.split(' ');
  const shapes = operands.split(' ');
  const translation: Translation = {
    emit,
    transfer: Transfer.None,
    flags: 'none',
    widths: DWORD,
    mayLeave: false,
    repeats: false,
    ...options,
  };
  ENTRIES.forEach((entry: Entry, n) => {
    if (wanted.includes(entry.name) && shapes.includes(entry.operands)) table[n] = translation;
  });
}

const TWO = 'Eb,Gb Ev,Gv Gb,Eb Gv,Ev AL,Ib eAX,Iv Eb,Ib Ev,Iv Ev,Ibs';
const writes = { flags: 'writes', widths: ALL } as const;
const other = { flags: 'other', widths: ALL } as const;

line('add', TWO, alu.add, writes);
line('sub', TWO, alu.sub, writes);
line('cmp', TWO, alu.cmp, writes);
line('and', TWO, alu.and, writes);
line('or', TWO, alu.or, writes);
line('xor', TWO, alu.xor, writes);
line('adc', TWO, alu.adc, other);
line('sbb', TWO, alu.sbb, other);
line('test', 'Eb,Gb Ev,Gv AL,Ib eAX,Iv Eb,Ib Ev,Iv', alu.test, writes);
line('inc', 'Eb Ev Zv', alu.inc, other);
line('dec', 'Eb Ev Zv', alu.dec, other);
line('neg', 'Eb Ev', alu.neg, writes);
line('not', 'Eb Ev', alu.not, { widths: ALL });
line('xadd', 'Eb,Gb Ev,Gv', alu.xadd, writes);
line('cmpxchg', 'Eb,Gb Ev,Gv', alu.cmpxchg, writes);

const IMMEDIATE = 'Eb,Ib Ev,Ib Eb,1 Ev,1';
const BY_CL = 'Eb,CL Ev,CL';
line('shl', IMMEDIATE, shift.shl, other);
line('shr', IMMEDIATE, shift.shr, other);
line('sar', IMMEDIATE, shift.sar, other);
line('rol', IMMEDIATE, shift.rol, other);
line('ror', IMMEDIATE, shift.ror, other);
line('rcl', IMMEDIATE, shift.rcl, other);
line('rcr', IMMEDIATE, shift.rcr, other);
line('shl', BY_CL, shift.shlCl, other);
line('shr', BY_CL, shift.shrCl, other);
line('sar', BY_CL, shift.sarCl, other);
line('rol', BY_CL, shift.rolCl, other);
line('ror', BY_CL, shift.rorCl, other);
line('rcl', BY_CL, shift.rclCl, other);
line('rcr', BY_CL, shift.rcrCl, other);
line('shld', 'Ev,Gv,Ib', shift.shldImm, { flags: 'other' });
line('shrd', 'Ev,Gv,Ib', shift.shrdImm, { flags: 'other' });
line('shld', 'Ev,Gv,CL', shift.shldCl, { flags: 'other' });
line('shrd', 'Ev,Gv,CL', shift.shrdCl, { flags: 'other' });

line('imul', 'Gv,Ev', multiply.imulTwo, { flags: 'writes', widths: WORDS });
line('imul', 'Gv,Ev,Iv Gv,Ev,Ibs', multiply.imulThree, { flags: 'writes', widths: WORDS });
line('imul', 'Eb Ev', multiply.imulOne, writes);
line('mul', 'Eb Ev', multiply.mul, writes);
line('div', 'Eb Ev', multiply.div, { mayLeave: true, widths: ALL });
line('idiv', 'Eb Ev', multiply.idiv, { mayLeave: true, widths: ALL });

line('mov', 'Eb,Gb Ev,Gv Gb,Eb Gv,Ev Eb,Ib Ev,Iv Zb,Ib Zv,Iv', move.mov, { widths: ALL });
line('mov', 'AL,Ob eAX,Ov', move.movFromOffset, { widths: ALL, mayLeave: true });
line('mov', 'Ob,AL Ov,eAX', move.movToOffset, { widths: ALL, mayLeave: true });
line('movzx', 'Gv,Eb', move.movzxByte, { widths: WORDS });
line('movzx', 'Gv,Ew', move.movzxWord, { widths: WORDS });
line('movsx', 'Gv,Eb', move.movsxByte, { widths: WORDS });
line('movsx', 'Gv,Ew', move.movsxWord, { widths: WORDS });
line('lea', 'Gv,M', move.lea, { widths: WORDS });
line('xchg', 'Eb,Gb Ev,Gv', move.xchg, { widths: ALL });
line('xchg', 'eAX,Zv', move.xchgAccumulator, { widths: WORDS });
line('cbw|cwde', '', move.convertAccumulator, { widths: WORDS });
line('cwd|cdq', '', move.extendAccumulator, { widths: WORDS });
line('xlatb', '', move.xlat, { widths: BYTE, mayLeave: true });
line('salc', '', move.salc, { flags: 'other', widths: ALL });
line('lahf', '', move.lahf, { flags: 'other', widths: ALL });
line('sahf', '', move.sahf, { flags: 'other', widths: ALL });
line('bswap', 'Zv', move.bswap);
line('push', 'Zv Ev', move.push, { mayLeave: true });
line('push', 'Iv Ibs', move.pushImm, { mayLeave: true });
line('pop', 'Zv', move.pop, { mayLeave: true });
line('leave', '', move.leave, { mayLeave: true });
CONDITIONS.forEach((name) => {
  line(`set${name}`, 'Eb', move.setcc, { flags: 'other', widths: BYTE });
  line(`cmov${name}`, 'Gv,Ev', move.cmovcc, { flags: 'other', widths: WORDS });
  line(`j${name}`, 'Jb Jv', control.jcc, { flags: 'other', transfer: Transfer.Branch });
});

line('bt', 'Ev,Gv Ev,Ib', move.bt, { flags: 'other' });
line('bts', 'Ev,Gv Ev,Ib', move.bts, { flags: 'other' });
line('btr', 'Ev,Gv Ev,Ib', move.btr, { flags: 'other' });
line('btc', 'Ev,Gv Ev,Ib', move.btc, { flags: 'other' });
line('bsf', 'Gv,Ev', move.bsf, { flags: 'other' });
line('bsr', 'Gv,Ev', move.bsr, { flags: 'other' });
line('clc', '', move.clc, { flags: 'other' });
line('stc', '', move.stc, { flags: 'other' });
line('cmc', '', move.cmc, { flags: 'other' });
line('cld', '', move.cld);
line('std', '', move.std);
line('nop', ' Ev', move.nop, { widths: ALL });

const strings = { widths: ALL, mayLeave: true, repeats: true } as const;
line('movsb movsw|movsd', 'Yb,Xb Yv,Xv', string.movs, strings);
line('stosb stosw|stosd', 'Yb Yv', string.stos, strings);
line('lodsb lodsw|lodsd', 'Xb Xv', string.lods, strings);
line('scasb scasw|scasd', 'Yb Yv', string.scas, { ...strings, flags: 'writes' });
line('cmpsb cmpsw|cmpsd', 'Xb,Yb Xv,Yv', string.cmps, { ...strings, flags: 'writes' });

line('jmp', 'Jb Jv', control.jmp, { transfer: Transfer.Jump });
line('loop', 'Jb', control.loop, { transfer: Transfer.Branch });
line('jecxz', 'Jb', control.jecxz, { transfer: Transfer.Branch });
line('call', 'Jv', control.call, { transfer: Transfer.Call, mayLeave: true });
line('call', 'Ev', control.callIndirect, { transfer: Transfer.CallIndirect, mayLeave: true });
line('jmp', 'Ev', control.jmpIndirect, { transfer: Transfer.Indirect, mayLeave: true });
line('ret', ' Iw', control.ret, { transfer: Transfer.Indirect, mayLeave: true });

/** By entry of the instruction table; null = left to the interpreter. */
export const TRANSLATIONS: readonly (Translation | null)[] = table;

/** True if the record at `i` is translated: it has a translation for its width and its kind of address. */
export function hasTranslation(ops: Int32Array, i: number): boolean {
  const translation = TRANSLATIONS[ops[i + I_ENTRY]];
  if (translation === null) return false;
  const flags = ops[i + I_FLAGS];
  if (((translation.widths >> (flags & F_WIDTH)) & 1) === 0) return false;
  if (translation.repeats && (flags & (F_REP | F_REPNE)) !== 0) return false;
  // Flat segments only: FS and GS may have a base, CS is not for data here.
  const seg = (flags & F_SEG) >> F_SEG_SHIFT;
  const plain = (flags & F_ADDR32) !== 0 && seg <= Seg.DS && ((flags & F_OVERRIDE) === 0 || seg !== Seg.CS);
  return plain;
}

export const transferOf = (ops: Int32Array, i: number): Transfer => TRANSLATIONS[ops[i + I_ENTRY]]!.transfer;

/** Whether nobody can see the flags that the instruction at `records[at]` writes: the next ones overwrite them first. */
export function flagsDie(ops: Int32Array, records: readonly number[], at: number): boolean {
  for (let n = at + 1; n < records.length; n++) {
    const i = records[n];
    if (!hasTranslation(ops, i)) return false;
    const { flags, mayLeave, transfer } = TRANSLATIONS[ops[i + I_ENTRY]]!;
    if (mayLeave || transfer !== Transfer.None || (ops[i + I_FLAGS] & F_MEM) !== 0) return false;
    if (flags !== 'none') return flags === 'writes';
  }
  return false;
}
