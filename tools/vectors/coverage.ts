/**
 * Which opcodes the vectors must cover: every opcode of the 32-bit integer instruction set (SDM vol. 2 appendix A,
 * tables) up to the Pentium Pro, but for those listed in NOT_COVERED with the reason. Written down
 * independently of the forms, so that a forgotten form shows.
 */
import type { FormEntry } from './vector-file.ts';

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);
const hex = (n: number): string => n.toString(16).padStart(2, '0');
const group = (opcode: string, digits: readonly number[]): string[] =>
  digits.map((digit) => `${opcode} /${digit}`);

/** 00-05, 08-0d, ... 38-3d. */
const ALU = range(0, 7).flatMap((op) => range(op * 8, op * 8 + 5));

const ONE_BYTE = [
  ...ALU,
  ...[0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f],
  ...range(0x40, 0x63),
  ...range(0x68, 0x7f),
  ...range(0x84, 0x8e),
  ...range(0x90, 0x9a),
  ...range(0x9c, 0xbf),
  ...[0xc2, 0xc3, 0xc4, 0xc5, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xce, 0xcf],
  ...[0xd4, 0xd5, 0xd6, 0xd7],
  ...range(0xe0, 0xef),
  ...[0xf0, 0xf4, 0xf5],
  ...range(0xf8, 0xfd),
];
const GROUPS = [
  ...['80', '81', '82', '83'].flatMap((opcode) => group(opcode, range(0, 7))),
  ...['c0', 'c1', 'd0', 'd1', 'd2', 'd3'].flatMap((opcode) => group(opcode, range(0, 7))),
  ...['f6', 'f7'].flatMap((opcode) => group(opcode, range(0, 7))),
  ...group('8f', [0]),
  ...group('c6', [0]),
  ...group('c7', [0]),
  ...group('fe', [0, 1]),
  ...group('ff', range(0, 6)),
  ...group('0f 00', [2, 3, 4, 5]),
  ...group('0f 01', [2, 3, 6, 7]),
  ...group('0f ba', [4, 5, 6, 7]),
  ...group('0f c7', [1]),
  ...group('0f 1f', [0]),
];
const TWO_BYTE = [
  ...[0x02, 0x03, 0x06, 0x08, 0x09, 0x20, 0x21, 0x22, 0x23, 0x30, 0x32],
  ...range(0x40, 0x4f),
  ...range(0x80, 0x9f),
  ...[0xa0, 0xa1, 0xa3, 0xa4, 0xa5, 0xa8, 0xa9, 0xab, 0xac, 0xad, 0xaf],
  ...[0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf, 0xc0, 0xc1],
  ...range(0xc8, 0xcf),
];

export const REQUIRED_OPCODES: readonly string[] = [
  ...ONE_BYTE.map(hex).filter((key) => !['64', '65', '66', '67'].includes(key)),
  ...GROUPS,
  ...TWO_BYTE.map((n) => `0f ${hex(n)}`),
];

/** Integer opcodes that have no vectors, and why. */
export const NOT_COVERED: Readonly<Record<string, string>> = {
  '9b': 'WAIT: depends on the x87, which this machine does not have',
  cd: 'INT n: leads into the host kernel (INT3 and INTO are covered); see compare/',
  f1: 'INT1: hypervisors report it at the wrong EIP',
  '0f 00 /0': 'SLDT: #GP on hosts with UMIP',
  '0f 00 /1': 'STR: #GP on hosts with UMIP',
  '0f 01 /0': 'SGDT: #GP on hosts with UMIP',
  '0f 01 /1': 'SIDT: #GP on hosts with UMIP',
  '0f 01 /4': 'SMSW: #GP on hosts with UMIP',
  '0f 05': 'SYSCALL: not an instruction of this machine; runs on the host',
  '0f 31': 'RDTSC: time of the host',
  '0f 33': 'RDPMC: not an instruction of this machine',
  '0f 34': 'SYSENTER: not an instruction of this machine',
  '0f a2': 'CPUID: answers of the host',
  '0f aa': 'RSM: no system management mode',
};

export interface Coverage {
  readonly missing: readonly string[];
  /** Vectors per opcode key, both code sizes together. */
  readonly perOpcode: ReadonlyMap<string, number>;
}

/** Opcodes of the vectors against those required. */
export function coverage(forms: readonly FormEntry[]): Coverage {
  const perOpcode = new Map<string, number>();
  for (const form of forms) perOpcode.set(form.opcode, (perOpcode.get(form.opcode) ?? 0) + form.count);
  return { missing: REQUIRED_OPCODES.filter((key) => !perOpcode.has(key)), perOpcode };
}
