/**
 * Disassembler from the same table as decoder and interpreter. Intel syntax (`mov eax, dword ptr [ebx+4]`) or AT&T
 * (`movl 4(%ebx), %eax`). Text for people: it is not meant to be assembled again bit for bit.
 */
import { Decoder } from './decode.ts';
import {
  F_ADDR32,
  F_LOCK,
  F_MEM,
  F_OP32,
  F_OVERRIDE,
  F_REP,
  F_REPNE,
  F_SEG,
  F_SEG_SHIFT,
  F_WIDTH,
  I_DISP,
  I_ENTRY,
  I_FLAGS,
  I_IMM,
  I_LINK,
  I_REGS,
  NO_REGISTER,
  RECORD_WORDS,
} from './record.ts';
import { ENTRIES, ENTRY_INVALID, ENTRY_TOO_LONG, type Entry } from './table/table.ts';

export interface Disassembled {
  readonly text: string;
  /** Length in bytes; 1 for what is no instruction, whose text is `(bad)`. */
  readonly length: number;
}
export type Syntax = 'intel' | 'att';

const REG32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const REG16 = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const REG8 = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'];
const SEGS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', '?', '?'];
const POINTERS: Readonly<Record<number, string>> = {
  1: 'byte ptr ',
  2: 'word ptr ',
  4: 'dword ptr ',
  8: 'qword ptr ',
};
const ATT_SUFFIX: Readonly<Record<number, string>> = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' };

const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
const signedHex = (n: number): string => (n < 0 ? `-${hex(-n)}` : hex(n));

const registerName = (n: number, width: number): string =>
  width === 4 ? REG32[n] : width === 2 ? REG16[n] : REG8[n];

/** The decoded record with what the formatting needs. */
interface Subject {
  readonly ops: Int32Array;
  readonly flags: number;
  readonly width: number;
  readonly entry: Entry;
  readonly next: number;
  readonly syntax: Syntax;
}

/**
 * Disassembles the instruction at `bytes[0]`, which lies at `eip`. Looks at no more than 15 bytes; an instruction that
 * `bytes` cuts off is `(bad)`.
 */
export function disassemble(
  bytes: Uint8Array,
  eip: number,
  bitness: 16 | 32,
  syntax: Syntax = 'intel',
): Disassembled {
  const ops = new Int32Array(RECORD_WORDS);
  const length = new Decoder().decode(bytes, 0, bytes.length, bitness === 32, ops, 0, 0);
  const index = ops[I_ENTRY];
  if (length === 0 || index === ENTRY_INVALID || index === ENTRY_TOO_LONG)
    return { text: '(bad)', length: 1 };
  const flags = ops[I_FLAGS];
  const subject: Subject = {
    ops,
    flags,
    width: flags & F_WIDTH,
    entry: ENTRIES[index],
    next: (eip + length) | 0,
    syntax,
  };
  return { text: format(subject), length };
}

function format(s: Subject): string {
  const codes = s.entry.operands === '' ? [] : s.entry.operands.split(',');
  const operands = codes.map((code) => operand(s, code));
  const name = s.syntax === 'att' ? attMnemonic(s, codes) : mnemonic(s);
  if (s.syntax === 'att') {
    operands.reverse();
    // An indirect branch is marked with a star.
    if (/^(call|jmp)$/.test(s.entry.name) && /^[EM]/.test(codes[0])) operands[0] = `*${operands[0]}`;
  }
  const text = operands.length === 0 ? name : `${name} ${operands.join(', ')}`;
  return prefixes(s) + text;
}

/** AT&T puts the size of a memory operand into the mnemonic when no register tells it. */
function attMnemonic(s: Subject, codes: readonly string[]): string {
  const name = mnemonic(s);
  const to = (s.flags & F_OP32) !== 0 ? 'l' : 'w';
  if (name === 'movzx' || name === 'movsx') return name.slice(0, 4) + (codes[1] === 'Eb' ? 'b' : 'w') + to;
  if (/^(call|jmp)$/.test(name)) return codes[0] === 'Mp' || codes[0] === 'Ap' ? `l${name}` : name;
  const told = codes.some((c) => /^[GZSCD][bwvd]?$|^AL$|^eAX$/.test(c));
  const sized = (s.flags & F_MEM) !== 0 && !told && !codes[0].startsWith('M');
  return sized ? name + (ATT_SUFFIX[memoryWidth(s, codes[0])] ?? '') : name;
}

function mnemonic(s: Subject): string {
  const [narrow, wide] = s.entry.name.split('|');
  const isCount = s.entry.name === 'jecxz';
  if (isCount) return (s.flags & F_ADDR32) !== 0 ? 'jecxz' : 'jcxz';
  return wide !== undefined && (s.flags & F_OP32) !== 0 ? wide : narrow;
}

function prefixes(s: Subject): string {
  const lock = (s.flags & F_LOCK) !== 0 ? 'lock ' : '';
  if (s.entry.rep === undefined) return lock;
  if ((s.flags & F_REPNE) !== 0) return `${lock}repne `;
  return (s.flags & F_REP) !== 0 ? `${lock}${s.entry.rep} ` : lock;
}

const register = (s: Subject, name: string): string => (s.syntax === 'att' ? `%${name}` : name);
const immediate = (s: Subject, text: string): string => (s.syntax === 'att' ? `$${text}` : text);

function operand(s: Subject, code: string): string {
  const regs = s.ops[I_REGS];
  const letter = code === 'ES' ? '' : code[0];
  switch (letter) {
    case 'E':
    case 'R':
      if ((s.flags & F_MEM) === 0) return register(s, registerName((regs >> 4) & 15, operandWidth(s, code)));
      return memory(s, memoryWidth(s, code));
    case 'M':
      return memory(s, memoryWidth(s, code));
    case 'Z':
      return register(s, registerName(regs & 15, s.width));
    case 'I':
      return immediate(s, immediateText(s, code));
    case 'J':
      return hex((s.flags & F_OP32) !== 0 ? s.next + s.ops[I_IMM] : (s.next + s.ops[I_IMM]) & 0xffff);
    case 'O':
      return offset(s);
    case 'X':
    case 'Y':
      return stringOperand(s, letter);
    default:
      return fixedOperand(s, code);
  }
}

function fixedOperand(s: Subject, code: string): string {
  const reg = s.ops[I_REGS] & 15;
  if (code === 'Ap') {
    const selector = immediate(s, hex(s.ops[I_LINK] & 0xffff));
    const target = immediate(s, hex(s.ops[I_IMM]));
    return s.syntax === 'att' ? `${selector}, ${target}` : `${selector}:${target}`;
  }
  if (code === 'Sw') return register(s, SEGS[reg & 7]);
  if (code === 'Cd') return register(s, `cr${reg}`);
  if (code === 'Dd') return register(s, `dr${reg}`);
  if (code === '1') return immediate(s, '1');
  if (code === 'eAX') return register(s, registerName(0, s.width));
  if (/^G[bwvd]$/.test(code)) return register(s, registerName(reg, operandWidth(s, code)));
  return register(s, code.toLowerCase());
}

/** Width of a register operand: its own letter, or the instruction's. */
function operandWidth(s: Subject, code: string): number {
  if (code[1] === 'b') return 1;
  if (code[1] === 'w') return 2;
  if (code[1] === 'd') return 4;
  return (s.flags & F_OP32) !== 0 ? 4 : 2;
}

/** Width shown for a memory operand; 0 = none (LEA, LGDT, INVLPG, far pointers). */
function memoryWidth(s: Subject, code: string | undefined): number {
  if (code === 'Mq') return 8;
  if (code === undefined || code[0] === 'M' || code === 'E') return 0;
  if (code === 'Ek') return 2;
  return operandWidth(s, code);
}

function immediateText(s: Subject, code: string): string {
  const value = s.ops[I_IMM];
  if (code === 'Ib' && s.entry.operands === 'Iw,Ib') return hex(s.ops[I_LINK]);
  if (code === 'Ibs') return signedHex(value);
  return hex(s.width === 2 && code === 'Iv' ? value & 0xffff : value);
}

function segmentPrefix(s: Subject): string {
  if ((s.flags & F_OVERRIDE) === 0) return '';
  return `${register(s, SEGS[(s.flags & F_SEG) >> F_SEG_SHIFT])}:`;
}

function offset(s: Subject): string {
  const at = hex(s.ops[I_DISP]);
  return s.syntax === 'att' ? segmentPrefix(s) + at : `${POINTERS[s.width]}${segmentPrefix(s)}[${at}]`;
}

function stringOperand(s: Subject, letter: 'X' | 'Y'): string {
  const names = (s.flags & F_ADDR32) !== 0 ? REG32 : REG16;
  const name = register(s, names[letter === 'X' ? 6 : 7]);
  const seg = letter === 'Y' ? `${register(s, 'es')}:` : segmentPrefix(s);
  return s.syntax === 'att' ? `${seg}(${name})` : `${POINTERS[s.width]}${seg}[${name}]`;
}

function memory(s: Subject, width: number): string {
  const regs = s.ops[I_REGS];
  const wide = (s.flags & F_ADDR32) !== 0;
  const names = wide ? REG32 : REG16;
  const base = (regs >> 8) & 255;
  const index = (regs >> 16) & 255;
  const scale = 1 << (regs >>> 24);
  const disp = s.ops[I_DISP];
  const none = base === NO_REGISTER && index === NO_REGISTER;
  if (s.syntax === 'att') {
    const inside = base === NO_REGISTER ? '' : register(s, names[base]);
    const scaled = index === NO_REGISTER ? '' : `,${register(s, names[index])}${wide ? `,${scale}` : ''}`;
    if (none) return segmentPrefix(s) + hex(disp);
    return `${segmentPrefix(s)}${disp === 0 ? '' : signedHex(disp)}(${inside}${scaled})`;
  }
  const parts: string[] = [];
  if (base !== NO_REGISTER) parts.push(names[base]);
  if (index !== NO_REGISTER) parts.push(scale === 1 ? names[index] : `${names[index]}*${scale}`);
  let text = parts.join('+');
  if (none) text = hex(wide ? disp : disp & 0xffff);
  else if (disp !== 0) text += disp < 0 ? signedHex(disp) : `+${hex(disp)}`;
  return `${POINTERS[width] ?? ''}${segmentPrefix(s)}[${text}]`;
}
