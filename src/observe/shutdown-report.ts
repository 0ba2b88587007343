/**
 * Why a core shut down (triple fault, SDM vol. 3 §6.15): the chain of exceptions from the first one on, the instruction,
 * registers, segments, and the page walk behind each page fault. Facts as data for `--json`, and as text. Reads the core as
 * the shutdown left it; changes nothing.
 */
import { CHAIN_WORDS, R, Seg } from '../../emu/arch/core-layout.ts';
import { ERROR_CODE_VECTORS, EXCEPTION_NAMES, VEC_DF, VEC_PF } from '../../emu/arch/vectors.ts';
import { disassemble, opcodeBytes } from '../../emu/cpu/index.ts';
import type { Machine } from '../../emu/machine.ts';
import type { WalkExplanation } from '../../emu/mem/index.ts';
import { hex32 } from './number-format.ts';
import { pageFaultWords, walkText } from './walk-text.ts';

export interface ChainLink {
  readonly vector: number;
  /** `#PF`, or `interrupt 33` for what is no exception. */
  readonly name: string;
  /** null where the exception has none. */
  readonly errorCode: number | null;
  /** The address of a page fault, else null. */
  readonly cr2: number | null;
  readonly meaning: string;
}

export interface ShutdownReport {
  readonly core: number;
  readonly chain: readonly ChainLink[];
  /** The instruction that began it. `bytes` is empty when it could not be fetched. */
  readonly instruction: { readonly eip: number; readonly bytes: string; readonly text: string };
  readonly registers: Readonly<Record<string, number>>;
  readonly segments: readonly SegmentState[];
  readonly walks: readonly WalkExplanation[];
}

export interface SegmentState {
  readonly name: string;
  readonly selector: number;
  readonly base: number;
  readonly limit: number;
  /** Type, S, DPL, P, AVL, D/B and G in the places of the descriptor's high word. */
  readonly attributes: number;
}

const GENERAL = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags'] as const;
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'] as const;
const MEANINGS: Readonly<Record<number, string>> = {
  0: 'divide error',
  1: 'debug',
  3: 'breakpoint',
  4: 'overflow',
  5: 'bound exceeded',
  6: 'invalid opcode',
  7: 'no coprocessor',
  8: 'double fault',
  10: 'bad task state segment',
  11: 'segment or gate not present',
  12: 'stack fault',
  13: 'general protection',
  14: 'page fault',
  17: 'alignment check',
};
const MAX_INSTRUCTION_BYTES = 15;
const NMI = 2;

/** The report of a core that shut down. */
export function shutdownReport(machine: Machine, core: number): ShutdownReport {
  const { r } = machine.cores[core]!;
  const chain = chainOf(r);
  return {
    core,
    chain,
    instruction: instructionAt(machine, core),
    registers: registersOf(r),
    segments: SEGMENTS.map((name, i) => segmentOf(r, name, i)),
    walks: walksOf(machine, core, chain),
  };
}

function chainOf(r: Int32Array): ChainLink[] {
  return Array.from({ length: r[R.CHAIN_LENGTH]! }, (_, i) => {
    const at = R.CHAIN + i * CHAIN_WORDS;
    const vector = r[at]! & 0xff;
    const errorCode = ERROR_CODE_VECTORS.has(vector) ? r[at]! >>> 8 : null;
    const cr2 = r[at + 1]! >>> 0;
    return {
      vector,
      name: vector === NMI || vector > 31 ? `interrupt ${vector}` : (EXCEPTION_NAMES[vector] ?? `#${vector}`),
      errorCode,
      cr2: vector === VEC_PF ? cr2 : null,
      meaning: meaningOf(r, vector, errorCode, cr2),
    };
  });
}

function meaningOf(r: Int32Array, vector: number, errorCode: number | null, cr2: number): string {
  const name = MEANINGS[vector] ?? 'event';
  if (errorCode === null || vector === VEC_DF || vector === 17) return name;
  if (vector === VEC_PF) return `${name} at ${hex32(cr2)} (${pageFaultWords(errorCode)})`;
  if (errorCode === 0) return name;
  return `${name}: ${selectorWords(r, vector, errorCode)}`;
}

/** The error code of #TS, #NP, #SS and #GP (SDM vol. 3 fig. 6-7): EXT, IDT, TI, index. */
function selectorWords(r: Int32Array, vector: number, errorCode: number): string {
  const index = errorCode >>> 3;
  if ((errorCode & 2) === 0) {
    const table = (errorCode & 4) !== 0 ? 'LDT' : 'GDT';
    return `selector ${hex16(errorCode & 0xfffc)}, entry ${index} of the ${table}`;
  }
  const limit = r[R.IDT_LIMIT]! >>> 0;
  if (index * 8 + 7 > limit) return `vector ${index} lies beyond the IDT, whose limit is ${hex16(limit)}`;
  const isAbsent = vector === 11;
  return `entry ${index} of the IDT is ${isAbsent ? 'marked not present' : 'no interrupt or trap gate, or not for this ring'}`;
}

function instructionAt(machine: Machine, core: number): ShutdownReport['instruction'] {
  const { r } = machine.cores[core]!;
  const eip = r[R.EIP]! >>> 0;
  const bytes = opcodeBytes(machine.mmu, core, eip, MAX_INSTRUCTION_BYTES);
  if (bytes.length === 0) return { eip, bytes: '', text: 'cannot be fetched' };
  const is32 = (r[R.ATTR + Seg.CS]! & (1 << 22)) !== 0;
  const { text, length } = disassemble(bytes, eip, is32 ? 32 : 16);
  const shown = text === '(bad)' ? Math.min(8, bytes.length) : length;
  return { eip, bytes: hexBytes(bytes.subarray(0, shown)), text };
}

const hexBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

function registersOf(r: Int32Array): Record<string, number> {
  const registers: Record<string, number> = {};
  for (const [i, name] of GENERAL.entries()) registers[name] = r[i]! >>> 0;
  for (const [name, index] of [
    ['cr0', R.CR0],
    ['cr2', R.CR2],
    ['cr3', R.CR3],
    ['cr4', R.CR4],
    ['gdtBase', R.GDT_BASE],
    ['gdtLimit', R.GDT_LIMIT],
    ['idtBase', R.IDT_BASE],
    ['idtLimit', R.IDT_LIMIT],
    ['cpl', R.CPL],
  ] as const) {
    registers[name] = r[index]! >>> 0;
  }
  return registers;
}

const segmentOf = (r: Int32Array, name: string, i: number): SegmentState => ({
  name,
  selector: r[R.SEL + i]! & 0xffff,
  base: r[R.BASE + i]! >>> 0,
  limit: r[R.LIMIT + i]! >>> 0,
  attributes: r[R.ATTR + i]! >>> 0,
});

/** One walk for each page-fault address in the chain, with the access that the error code tells. */
function walksOf(machine: Machine, core: number, chain: readonly ChainLink[]): WalkExplanation[] {
  const accesses = new Map<number, number>();
  for (const { cr2, errorCode } of chain) {
    if (cr2 !== null && !accesses.has(cr2)) accesses.set(cr2, (errorCode ?? 0) & 6);
  }
  return Array.from(accesses, ([va, access]) => machine.mmu.explainWalk(core, va, access));
}

/** The report in lines: what happened, what stood where, the walks. */
export function shutdownText(report: ShutdownReport): string {
  const { instruction, registers } = report;
  const bytes = instruction.bytes === '' ? '' : `${instruction.bytes}  `;
  const lines = [
    `at ${hex32(instruction.eip)}  ${bytes}${instruction.text}`,
    ...report.chain.map((link, i) => chainLine(report.chain, link, i)),
    ...rows(registers, [
      ['eax', 'ebx', 'ecx', 'edx'],
      ['esi', 'edi', 'ebp', 'esp'],
      ['eip', 'eflags'],
      ['cr0', 'cr2', 'cr3', 'cr4'],
    ]),
    ...report.segments.map(segmentLine),
    tableLine('gdt', registers['gdtBase']!, registers['gdtLimit']!),
    tableLine('idt', registers['idtBase']!, registers['idtLimit']!),
  ];
  return `${lines.map((line) => `  ${line}\n`).join('')}${report.walks.map(walkText).join('')}`;
}

function chainLine(chain: readonly ChainLink[], link: ChainLink, i: number): string {
  const code = link.errorCode === null ? '' : `(${hex16(link.errorCode)})`;
  const line = `${i + 1}  ${link.name}${code}  ${link.meaning}`;
  if (i === 0) return line;
  // A double fault stands for the two before it; what follows it was raised while it was delivered.
  if (link.vector === VEC_DF) return `${line}, made of ${chain[i - 2]?.name ?? ''} and ${chain[i - 1]!.name}`;
  return `${line}, while ${chain[i - 1]!.name} was delivered`;
}

const rows = (registers: Readonly<Record<string, number>>, names: readonly (readonly string[])[]): string[] =>
  names.map((row) => row.map((name) => `${name.padEnd(6)} ${hex8(registers[name]!)}`).join('  '));

function segmentLine({ name, selector, base, limit, attributes }: SegmentState): string {
  const kind = attributes === 0 ? 'unusable' : segmentKind(attributes);
  return `${name.padEnd(4)} ${hex16(selector)}  base ${hex8(base)}  limit ${hex8(limit)}  ${kind}`;
}

function segmentKind(attributes: number): string {
  const dpl = `ring ${(attributes >>> 13) & 3}`;
  const presence = (attributes & (1 << 15)) !== 0 ? '' : ', not present';
  if ((attributes & (1 << 12)) === 0) return `system type ${(attributes >>> 8) & 15}, ${dpl}${presence}`;
  const isCode = (attributes & (1 << 11)) !== 0;
  const size = (attributes & (1 << 22)) !== 0 ? '32' : '16';
  const may = (attributes & (1 << 9)) !== 0 ? (isCode ? ', readable' : ', writable') : '';
  return `${isCode ? 'code' : 'data'} ${size}, ${dpl}${may}${presence}`;
}

const tableLine = (name: string, base: number, limit: number): string =>
  `${name}        base ${hex8(base)}  limit ${hex8(limit)}`;

const hex8 = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
const hex16 = (value: number): string => `0x${(value & 0xffff).toString(16).padStart(4, '0')}`;
