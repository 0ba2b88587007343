/**
 * Our decoder against iced-x86 on random and mutated byte strings, in 16- and 32-bit code: same validity, length,
 * mnemonic and operands. JUSTIFIED lists every kind of difference that is right, with its reason; any other counts.
 */
import { Code, CpuidFeature, Decoder, DecoderOptions, Instruction } from 'iced-x86';
import { disassemble } from '../../emu/cpu/index.ts';
import { Draft } from '../vectors/draft.ts';
import { FORM_GROUPS } from '../vectors/forms/index.ts';
import { Random } from '../vectors/random.ts';
import { features, inOurNotation } from './iced-notation.ts';

const SLOT = 16;
const EIP = 0x1000;

interface Pair {
  readonly bytes: Uint8Array;
  readonly bits: 16 | 32;
  readonly ours: { readonly text: string; readonly length: number };
  /** As we would write it; `(bad)` when iced refuses it. */
  readonly theirs: string;
  readonly instruction: Instruction;
}

interface Justification {
  readonly reason: string;
  readonly applies: (pair: Pair) => boolean;
}

/** Features of the processor that the table describes; instructions that need another one are invalid here. */
const OUR_FEATURES: ReadonlySet<CpuidFeature> = new Set([
  CpuidFeature.INTEL8086,
  CpuidFeature.INTEL8086_ONLY,
  CpuidFeature.INTEL186,
  CpuidFeature.INTEL286,
  CpuidFeature.INTEL386,
  CpuidFeature.INTEL486,
  CpuidFeature.FPU,
  CpuidFeature.FPU287,
  CpuidFeature.FPU387,
  CpuidFeature.CMOV,
  CpuidFeature.CPUID,
  CpuidFeature.CX8,
  CpuidFeature.MSR,
  CpuidFeature.TSC,
  CpuidFeature.MULTIBYTENOP,
]);

const isBad = (text: string): boolean => text === '(bad)';
const opcode = (pair: Pair): number[] => {
  const skipped = pair.bytes.findIndex(
    (b) => ![0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3].includes(b),
  );
  return [...pair.bytes.subarray(skipped, skipped + 3)];
};
const isUd = (code: Code): boolean => Code[code]!.startsWith('Ud');

export const JUSTIFIED: readonly Justification[] = [
  {
    reason: 'needs a feature that this machine does not have (MMX, SSE, AVX, VMX, SYSENTER ...): #UD',
    applies: (p) =>
      isBad(p.ours.text) && !isBad(p.theirs) && features(p.instruction).some((f) => !OUR_FEATURES.has(f)),
  },
  {
    reason: 'UD0 and UD1 are names for invalid opcodes: #UD here',
    applies: (p) => isBad(p.ours.text) && isUd(p.instruction.code),
  },
  {
    reason: '0F 0D (prefetch hints) came with 3DNow: #UD here',
    applies: (p) => isBad(p.ours.text) && opcode(p)[0] === 0x0f && opcode(p)[1] === 0x0d,
  },
  {
    reason:
      'F3 before NOP, BSF and BSR, and the hints of 0F 18-1E, had no meaning before PAUSE, TZCNT, LZCNT and CLDEMOTE',
    applies: (p) =>
      OLDER_MEANING.some(([now, before]) => p.theirs.startsWith(now) && p.ours.text.startsWith(before)) &&
      sameLength(p),
  },
  {
    reason:
      'every x87 opcode is one line of the table that raises #NM: only the length matters, and not even its validity',
    applies: (p) => p.ours.text.startsWith('x87') && (isBad(p.theirs) || p.theirs === 'x87') && sameLength(p),
  },
  {
    reason: 'XCHG is symmetric: iced takes the accumulator as second operand, we write it first',
    applies: (p) => / xchg |^xchg /.test(p.ours.text) && swapped(p.ours.text) === p.theirs && sameLength(p),
  },
];

/** Mnemonic of today, and what the same bytes were before. */
const OLDER_MEANING: readonly (readonly [string, string])[] = [
  ['pause', 'nop'],
  ['tzcnt', 'bsf'],
  ['lzcnt', 'bsr'],
  ['cldemote', 'nop'],
  ['prefetch', 'nop'],
  ['endbr', 'nop'],
  ['rdssp', 'nop'],
  ['bnd', 'nop'],
];

const sameLength = (p: Pair): boolean => isBad(p.theirs) || p.ours.length === p.instruction.length;

function swapped(text: string): string {
  const [, start, first, second] = /^(.*?xchg )(.*), (.*)$/.exec(text) ?? [];
  return `${start}${second}, ${first}`;
}

export interface Difference {
  readonly pair: Pair;
  readonly text: string;
}

export interface DecodeResult {
  readonly strings: number;
  readonly equal: number;
  /** How often each justification was needed, in the order of JUSTIFIED. */
  readonly justified: readonly number[];
  /** Unjustified ones in words, at most `show` of them, and their number. */
  readonly differences: readonly string[];
  readonly unjustified: number;
}

/** Fills `buffer` with strings of SLOT bytes: noise, or an instruction of the vector forms with a byte changed. */
function fill(buffer: Uint8Array, random: Random, bits: 16 | 32): void {
  const forms = Object.values(FORM_GROUPS).flatMap((make) => make());
  for (let at = 0; at < buffer.length; at += SLOT) {
    buffer.set(random.bytes(SLOT), at);
    if (random.chance(40)) continue;
    const draft = new Draft(random, bits);
    random.pick(forms).build(draft);
    const code = draft.finish().code.slice(0, SLOT);
    if (random.chance(60)) (code as number[])[random.below(code.length)] = random.below(256);
    buffer.set(code, at);
  }
}

function describe({ bytes, bits, ours, theirs, instruction }: Pair): string {
  const text = [...bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ');
  return `${bits}-bit ${text}: ours '${ours.text}' (${ours.length}), iced '${theirs}' (${instruction.length})`;
}

const agree = (p: Pair): boolean =>
  p.ours.text === p.theirs && (isBad(p.theirs) || p.ours.length === p.instruction.length);

/** Decodes `strings` byte strings, half in 16-bit and half in 32-bit code. */
export function compareDecoders(strings: number, seed: number, show: number): DecodeResult {
  const justified = JUSTIFIED.map(() => 0);
  const differences: string[] = [];
  let equal = 0;
  let unjustified = 0;
  const half = Math.ceil(strings / 2);
  for (const bits of [32, 16] as const) {
    const buffer = new Uint8Array(half * SLOT);
    fill(buffer, new Random(seed + bits), bits);
    const decoder = new Decoder(bits, buffer, DecoderOptions.None);
    const instruction = new Instruction();
    for (let i = 0; i < half; i++) {
      decoder.position = i * SLOT;
      decoder.ip = BigInt(EIP);
      decoder.decodeOut(instruction);
      const bytes = buffer.subarray(i * SLOT, (i + 1) * SLOT);
      const theirs = instruction.isInvalid ? '(bad)' : inOurNotation(instruction);
      const pair = { bytes, bits, ours: disassemble(bytes, EIP, bits), theirs, instruction };
      if (agree(pair)) {
        equal++;
        continue;
      }
      const why = JUSTIFIED.findIndex((j) => j.applies(pair));
      if (why >= 0) justified[why]!++;
      else if (unjustified++ < show) differences.push(describe(pair));
    }
    instruction.free();
    decoder.free();
  }
  return { strings: 2 * half, equal, justified, differences, unjustified };
}
