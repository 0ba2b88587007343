/**
 * Chooses the hot form (hot/) of a decoded record. A form fits when the operands have the shape that it is written
 * for: flat segments, 32-bit addresses, 32-bit or byte operands. Everything else stays General and runs the semantics of
 * the instruction table, which a hot form must equal (test/engines/cpu/hot-forms.test.ts).
 *
 * The choice also fills LINK: register forms get destination | source << 8 as indices of words (byte forms: of bytes) in
 * the core block, so that the loop need not look at operand kinds.
 */
import { Seg } from '../arch/core-layout.ts';
import { Form } from './loop.ts';
import {
  F_ADDR32,
  F_DST,
  F_DST_SHIFT,
  F_LINKABLE,
  F_MEM,
  F_OVERRIDE,
  F_SEG,
  F_SEG_SHIFT,
  F_SRC,
  F_SRC_SHIFT,
  F_WIDTH,
  I_ENTRY,
  I_FLAGS,
  I_IMM,
  I_LINK,
  I_POS,
  I_REGS,
  KIND_REG,
  KIND_RM,
} from './record.ts';
import { ENTRIES, type Entry } from './table/table.ts';

/** Form suffixes of the operand shapes for register and memory operands; ' ' = no suffix, '' = no form. */
const SHAPES: Readonly<Record<string, readonly [string, string]>> = {
  'Ev,Gv': ['RR', 'MR'],
  'Gv,Ev': ['RR', 'RM'],
  'Ev,Iv': ['RI', 'MI'],
  'Ev,Ibs': ['RI', 'MI'],
  'eAX,Iv': ['RI', ''],
  'Zv,Iv': ['RI', ''],
  'Eb,Gb': ['BRR', 'BMR'],
  'Gb,Eb': ['BRR', 'BRM'],
  'Eb,Ib': ['BRI', 'BMI'],
  'AL,Ib': ['BRI', ''],
  'Zb,Ib': ['BRI', ''],
  'Gv,Eb': ['BR', 'BM'],
  'Gv,Ew': ['WR', 'WM'],
  'Gv,Ev,Iv': ['RRI', ''],
  'Gv,Ev,Ibs': ['RRI', ''],
  'Ev,Ib': ['RI', ''],
  'Ev,1': ['RI', ''],
  'Ev,CL': ['RC', ''],
  Eb: ['BR', ''],
  Zv: ['R', ''],
  Ev: ['R', 'M'],
  Iv: ['I', ''],
  Ibs: ['I', ''],
  'Gv,M': ['', ' '],
  'Rd,Cd': ['RCr', ''],
  Jb: [' ', ''],
  Jv: [' ', ''],
  Iw: [' ', ''],
  '': [' ', ''],
};

/** Shifts by an immediate: forms take counts 1..31, count 0 leaves flags alone and stays General. */
const IMMEDIATE_SHIFT = /^Ev,(Ib|1)$/;

/** SETcc and CMOVcc share one form each; the condition stands in bits 16..19 of LINK. */
const CONDITIONAL = /^(set|cmov)[a-z]+$/;
const isConditional = (entry: Entry): boolean => CONDITIONAL.test(entry.name);
const CONDITION_OF = new Int32Array(ENTRIES.length);

const names = Form as unknown as Readonly<Record<string, Form | undefined>>;

/** Form of an entry for register or memory operands, General when there is none. */
function formOf(entry: Entry, operand: 'register' | 'memory'): Form {
  const stem =
    entry.name === 'cwd|cdq'
      ? 'cdq'
      : isConditional(entry)
        ? entry.name.replace(CONDITIONAL, '$1')
        : entry.name;
  const shape = SHAPES[entry.operands]?.[operand === 'memory' ? 1 : 0] ?? '';
  if (shape === '') return Form.General;
  return names[stem.charAt(0).toUpperCase() + stem.slice(1) + shape.trim()] ?? Form.General;
}

const FORMS = new Uint8Array(ENTRIES.length * 2);
ENTRIES.forEach((entry, n) => {
  CONDITION_OF[n] = isConditional(entry) ? (entry.opcode & 15) << 16 : 0;
  FORMS[n * 2] = formOf(entry, 'register');
  FORMS[n * 2 + 1] = entry.modrm ? formOf(entry, 'memory') : FORMS[n * 2];
});

const byteIndex = (n: number): number => ((n & 3) << 2) | (n >> 2);

/** Dispatch number for the record at `i`; fills LINK as its form wants it. */
export function selectForm(ops: Int32Array, i: number): Form {
  const flags = ops[i + I_FLAGS];
  const memory = (flags & F_MEM) !== 0;
  const entry = ENTRIES[ops[i + I_ENTRY]];
  const form = FORMS[ops[i + I_ENTRY] * 2 + (memory ? 1 : 0)] as Form;
  if (form === Form.General || (flags & F_WIDTH) === 2) return Form.General;
  if (memory && !plainAddress(flags)) return Form.General;
  if (entry.operands[0] === 'J') {
    markLinkable(ops, i);
    return form;
  }
  if (IMMEDIATE_SHIFT.test(entry.operands)) {
    if ((ops[i + I_IMM] & 31) === 0) return Form.General;
    ops[i + I_IMM] &= 31;
  }
  ops[i + I_LINK] = registers(entry, ops[i + I_REGS], flags) | CONDITION_OF[ops[i + I_ENTRY]];
  return form;
}

/** 32-bit address through a flat segment: FS and GS may have a base, CS can't be written. */
function plainAddress(flags: number): boolean {
  const seg = (flags & F_SEG) >> F_SEG_SHIFT;
  return (flags & F_ADDR32) !== 0 && seg <= Seg.DS && ((flags & F_OVERRIDE) === 0 || seg !== Seg.CS);
}

/** Direct branches inside the page may be linked record to record. */
function markLinkable(ops: Int32Array, i: number): void {
  const pos = ops[i + I_POS];
  const target = (pos & 0xffff) + (pos >>> 16) + ops[i + I_IMM];
  if (target >= 0 && target < 4096) ops[i + I_FLAGS] |= F_LINKABLE;
}

function registers(entry: Entry, regs: number, flags: number): number {
  const reg = regs & 15;
  const rm = (regs >> 4) & 15;
  const memory = (flags & F_MEM) !== 0;
  const dstIsReg = (flags & F_DST) >> F_DST_SHIFT === KIND_REG;
  const srcKind = (flags & F_SRC) >> F_SRC_SHIFT;
  const isByte = (flags & F_WIDTH) === 1;
  // With a memory operand only the register side matters.
  if (memory) return isByte ? byteIndex(reg) : reg;
  const dst = dstIsReg ? reg : rm;
  const src = srcKind === KIND_REG ? reg : srcKind === KIND_RM ? rm : 0;
  const srcIsByte = isByte || entry.operands === 'Gv,Eb';
  return (isByte ? byteIndex(dst) : dst) | ((srcIsByte ? byteIndex(src) : src) << 8);
}
