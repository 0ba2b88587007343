/**
 * Writes an instruction as iced-x86 decoded it in the notation of emu/cpu/disassemble.ts (Intel syntax), from iced's
 * operands and not from its text, so that the two can be compared as strings. What is only another way of writing is
 * listed here; what is another opinion about the instruction is in decode-compare.ts.
 */
import {
  Code,
  CpuidFeature,
  type Instruction,
  MemorySize,
  MemorySizeExt,
  Mnemonic,
  OpKind,
  Register,
} from 'iced-x86';

const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
const signedHex = (n: number): string => (n < 0 ? `-${hex(-n)}` : hex(n));
const name = (register: Register): string => Register[register]!.toLowerCase();
const POINTERS: Readonly<Record<number, string>> = {
  1: 'byte ptr ',
  2: 'word ptr ',
  4: 'dword ptr ',
  8: 'qword ptr ',
};

/** Memory operands that have one of the plain sizes; all others are written without a size. */
const PLAIN_SIZES: ReadonlySet<MemorySize> = new Set([
  MemorySize.UInt8,
  MemorySize.UInt16,
  MemorySize.UInt32,
  MemorySize.UInt64,
  MemorySize.Int8,
  MemorySize.Int16,
  MemorySize.Int32,
  MemorySize.Int64,
  MemorySize.WordOffset,
  MemorySize.DwordOffset,
]);

/** Another name for the same thing. */
const MNEMONICS: Readonly<Record<string, string>> = { sal: 'shl', reservednop: 'nop' };
/** String instructions whose accumulator operand goes without saying. */
const IMPLIED_ACCUMULATOR = /^(lods|stos|scas)[bwd]$/;
/** The selector is a word: iced names the register by the operand size, we by what is read. */
const WORD_SOURCE: Readonly<Record<string, number>> = {
  arpl: 0,
  lar: 1,
  lsl: 1,
  verr: 0,
  verw: 0,
  lldt: 0,
  ltr: 0,
  lmsw: 0,
};
/** Instructions whose 16-bit form has a name of its own here. */
const NAMED_BY_SIZE: ReadonlySet<string> = new Set(['pushf', 'popf', 'pusha', 'popa', 'iret']);

function mnemonic(instruction: Instruction): string {
  const plain = Mnemonic[instruction.mnemonic]!.toLowerCase();
  return NAMED_BY_SIZE.has(plain) ? `${plain}w` : (MNEMONICS[plain] ?? plain);
}

/** ESC opcodes are one line of the table: this machine has no x87, and which instruction it would be says nothing. */
export function isX87(instruction: Instruction): boolean {
  return features(instruction).some(
    (f) => f === CpuidFeature.FPU || f === CpuidFeature.FPU287 || f === CpuidFeature.FPU387,
  );
}

export function features(instruction: Instruction): CpuidFeature[] {
  return [...instruction.cpuidFeatures()];
}

function segmentPrefix(instruction: Instruction): string {
  return instruction.segmentPrefix === Register.None ? '' : `${name(instruction.segmentPrefix)}:`;
}

function memory(instruction: Instruction): string {
  const { memoryBase, memoryIndex, memoryIndexScale: scale, memorySize } = instruction;
  const wide = is32(memoryBase) || is32(memoryIndex) || instruction.memoryDisplSize === 4;
  const disp = Number(BigInt.asIntN(wide ? 32 : 16, instruction.memoryDisplacement));
  // An index with scale 1 and no base is the same address as a base.
  const [base, index] =
    memoryBase === Register.None && scale === 1 ? [memoryIndex, Register.None] : [memoryBase, memoryIndex];
  const parts = base === Register.None ? [] : [name(base)];
  if (index !== Register.None) parts.push(scale === 1 ? name(index) : `${name(index)}*${scale}`);
  let text = parts.join('+');
  if (text === '') text = hex(wide ? disp : disp & 0xffff);
  else if (disp !== 0) text += disp < 0 ? signedHex(disp) : `+${hex(disp)}`;
  const pointer = PLAIN_SIZES.has(memorySize) ? (POINTERS[MemorySizeExt.size(memorySize)] ?? '') : '';
  return `${pointer}${segmentPrefix(instruction)}[${text}]`;
}

const is32 = (register: Register): boolean => register >= Register.EAX && register <= Register.EDI;

/** SI, DI, and which width they have, by operand kind. */
const STRING_KINDS: ReadonlyMap<OpKind, string> = new Map([
  [OpKind.MemorySegSI, 'si'],
  [OpKind.MemorySegESI, 'esi'],
  [OpKind.MemorySegDI, 'di'],
  [OpKind.MemorySegEDI, 'edi'],
  [OpKind.MemoryESDI, 'di'],
  [OpKind.MemoryESEDI, 'edi'],
]);

function operand(instruction: Instruction, n: number): string {
  const kind = instruction.opKind(n);
  switch (kind) {
    case OpKind.Register:
      return name(instruction.opRegister(n));
    case OpKind.NearBranch16:
    case OpKind.NearBranch32:
      return hex(Number(instruction.nearBranchTarget));
    case OpKind.FarBranch16:
      return `${hex(instruction.farBranchSelector)}:${hex(instruction.farBranch16)}`;
    case OpKind.FarBranch32:
      return `${hex(instruction.farBranchSelector)}:${hex(instruction.farBranch32)}`;
    case OpKind.Immediate8to16:
      return signedHex((instruction.immediate8to16 << 16) >> 16);
    case OpKind.Immediate8to32:
      return signedHex(instruction.immediate8to32 | 0);
    case OpKind.Immediate8:
    case OpKind.Immediate16:
    case OpKind.Immediate32:
    case OpKind.Immediate8_2nd:
      return hex(Number(instruction.immediate(n) & 0xffffffffn));
    case OpKind.Memory:
      return memory(instruction);
    default: {
      const register = STRING_KINDS.get(kind) ?? `kind ${kind}`;
      const segment =
        kind === OpKind.MemoryESDI || kind === OpKind.MemoryESEDI ? 'es:' : segmentPrefix(instruction);
      return `${POINTERS[MemorySizeExt.size(instruction.memorySize)]}${segment}[${register}]`;
    }
  }
}

function prefixes(instruction: Instruction): string {
  const lock = instruction.hasLockPrefix ? 'lock ' : '';
  const kinds = Array.from({ length: instruction.opCount }, (_, n) => instruction.opKind(n));
  if (!kinds.some((kind) => STRING_KINDS.has(kind))) return lock;
  const compares = instruction.rflagsModified !== 0;
  if (instruction.hasRepnePrefix) return `${lock}repne `;
  return instruction.hasRepPrefix ? `${lock}${compares ? 'repe' : 'rep'} ` : lock;
}

/** Operands in our notation. */
function operandsOf(instruction: Instruction, kind: string): string[] {
  const operands = Array.from({ length: instruction.opCount }, (_, n) => operand(instruction, n));
  const last = operands.length - 1;
  if (Code[instruction.code]!.endsWith('_1')) operands[last] = '1';
  if (kind === 'nop') return operands.slice(0, 1);
  if (IMPLIED_ACCUMULATOR.test(kind)) return operands.filter((text) => text.includes('['));
  const word = WORD_SOURCE[kind];
  if (word === undefined) return operands;
  return operands.map((text, n) =>
    n === word || kind === 'arpl' ? text.replace(/^e(?=.[xip]$)/, '') : text,
  );
}

/** The instruction as our disassembler should write it. */
export function inOurNotation(instruction: Instruction): string {
  const kind = mnemonic(instruction);
  if (kind === 'xlatb') return 'xlatb';
  if (isX87(instruction) && kind !== 'wait') return 'x87';
  const operands = operandsOf(instruction, kind);
  const text = operands.length === 0 ? kind : `${kind} ${operands.join(', ')}`;
  return prefixes(instruction) + text;
}
