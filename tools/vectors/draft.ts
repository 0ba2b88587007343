/**
 * One case under construction: the instruction's bytes and the state that gives its operands the wanted values.
 * A memory operand chooses its place in the data window first; then an addressing form is drawn and base, index or
 * displacement are set so that the address comes out (addressing.ts).
 */
import {
  CODE_BASE,
  DATA_BASE,
  DATA_BYTES,
  FLAT_CODE,
  FLAT_DATA,
  ldtSelector,
  type Poke,
  READ_ONLY_BYTES,
  type RunMode,
  SegIndex,
  type TestCase,
} from './case-layout.ts';
import { le, type Random } from './random.ts';

export type Bits = 8 | 16 | 32;
export type WordBits = 16 | 32;

export const EAX = 0;
export const ECX = 1;
export const EDX = 2;
export const EBX = 3;
export const ESP = 4;
export const EBP = 5;
export const ESI = 6;
export const EDI = 7;

export const CF = 0x1;
export const PF = 0x4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const DF = 0x400;
export const OF = 0x800;
export const ARITHMETIC = CF | PF | AF | ZF | SF | OF;

/** Registers that a case does not care about hold these, so that a stray write shows and the file packs well. */
const IDLE_REGS = [
  0xa0a1a2a3, 0xc0c1c2c3, 0xd0d1d2d3, 0xb0b1b2b3, 0x00302800, 0xbb0bb1b2, 0x51525354, 0xd1d2d3d4,
];
/** Where the snippet begins in the code pages, and the stack in the data pages, unless the case needs it elsewhere. */
export const SNIPPET_OFFSET = 0x800;
const STACK_OFFSET = 0x2800;

/** Registers before a case that sets none: EAX ECX EDX EBX ESP EBP ESI EDI. */
export function idleRegisters(codeBits: WordBits): number[] {
  const regs = [...IDLE_REGS];
  if (codeBits === 16) regs[ESP] = STACK_OFFSET;
  return regs;
}

/** ES CS SS DS FS GS of a case that chooses none. */
export function defaultSegments(codeBits: WordBits): number[] {
  if (codeBits === 32) return [FLAT_DATA, FLAT_CODE, FLAT_DATA, FLAT_DATA, 0, 0];
  const data16 = ldtSelector('data16');
  return [data16, ldtSelector('code16'), data16, data16, 0, 0];
}

export class Draft {
  readonly regs: number[];
  readonly segs: number[];
  readonly pokes: Poke[] = [];
  readonly prefixes: number[] = [];
  readonly code: number[] = [];
  mode: RunMode = 'run';
  eflags = 0;
  /** Flags that the manual leaves undefined for these operands. */
  undefinedFlags = 0;
  eipOffset = SNIPPET_OFFSET;
  /** Bit r: register r has its final value. */
  private kept = 0;
  /** Bit r: register r is no operand. */
  private reserved = 0;
  private segmentChosen = false;

  /** `codeBits` is the D bit of the code segment; with 16 all segments have a base and the stack a 16-bit pointer. */
  constructor(
    readonly random: Random,
    readonly codeBits: WordBits,
  ) {
    this.segs = defaultSegments(codeBits);
    this.regs = idleRegisters(codeBits);
    if (codeBits === 16 && random.chance(50)) this.regs[ESP] = (random.u32() & 0xffff0000) + STACK_OFFSET;
    for (const flag of [CF, PF, AF, ZF, SF, OF]) if (random.chance(50)) this.eflags |= flag;
    if (random.chance(15)) this.eflags |= DF;
  }

  /** Base of the segments that data and stack accesses use by default. */
  get dataBase(): number {
    return this.codeBits === 32 ? 0 : DATA_BASE;
  }

  /** Value of EIP at the snippet. */
  get eip(): number {
    return (this.codeBits === 32 ? CODE_BASE : 0) + this.eipOffset;
  }

  /** Emits the 66 prefix when `bits` is not the default operand size. */
  operandSize(bits: Bits): this {
    if (bits !== 8 && bits !== this.codeBits) this.prefixes.push(0x66);
    return this;
  }

  emit(...bytes: number[]): this {
    this.code.push(...bytes);
    return this;
  }

  /** Emits an immediate of `bits` bits. */
  imm(value: number, bits: Bits): this {
    return this.emit(...le(value, bits / 8));
  }

  value(bits: Bits): number {
    return this.random.operand(bits);
  }

  /** A value that is often equal or next to `other`, so that compares and borrows meet. */
  valueNear(other: number, bits: Bits): number {
    if (this.random.chance(75)) return this.value(bits);
    const mask = 2 ** bits - 1;
    return ((other + this.random.below(3) - 1) & mask) >>> 0;
  }

  /** Sets register `n` of the given width (AL..BH for 8 bits), leaving its other bits, and keeps it. */
  setReg(n: number, value: number, bits: Bits): this {
    if (bits === 8) {
      const r = n & 3;
      const shift = n >= 4 ? 8 : 0;
      this.regs[r] = ((this.regs[r]! & ~(0xff << shift)) | ((value & 0xff) << shift)) >>> 0;
      return this.keep(r);
    }
    const high = bits === 16 ? this.regs[n]! & 0xffff0000 : 0;
    this.regs[n] = (high | (bits === 16 ? value & 0xffff : value)) >>> 0;
    return this.keep(n);
  }

  keep(n: number): this {
    this.kept |= 1 << n;
    return this;
  }

  isKept(n: number): boolean {
    return (this.kept & (1 << n)) !== 0;
  }

  /** Keeps `n` and does not choose it as an operand register: the instruction uses it otherwise. */
  reserve(n: number): this {
    this.reserved |= 1 << n;
    return this.keep(n);
  }

  /** A register number for an operand; ESP only now and then. */
  anyReg(bits: Bits): number {
    for (;;) {
      const n = this.random.below(8);
      const whole = bits === 8 ? n & 3 : n;
      if ((this.reserved & (1 << whole)) === 0 && (whole !== ESP || this.random.chance(20))) return n;
    }
  }

  poke(offset: number, bytes: readonly number[]): this {
    if (offset < 0 || offset >= DATA_BYTES) return this;
    for (let i = 0; i < bytes.length; i += 13)
      this.pokes.push({ offset: offset + i, bytes: bytes.slice(i, i + 13) });
    return this;
  }

  /** Offset in the data window for an operand of `size` bytes: mostly writable, now and then where it hurts. */
  place(size: number): number {
    const dice = this.random.below(100);
    if (dice < 85) return READ_ONLY_BYTES + 0x100 + this.random.below(0x1600);
    if (dice < 89) return 0x2000 - this.random.below(size + 1);
    if (dice < 92) return READ_ONLY_BYTES - this.random.below(size + 1);
    if (dice < 94) return this.random.below(0xf00);
    if (dice < 98) return DATA_BYTES - this.random.below(size + 1);
    return DATA_BYTES + this.random.below(0x800);
  }

  /** As `place`, but never in the read-only page: an operand there is not what was poked. */
  placeWritable(size: number): number {
    for (;;) {
      const at = this.place(size);
      if (at >= READ_ONLY_BYTES) return at;
    }
  }

  /** Offset in the writable data pages, away from the stack; for cases in which faults would only disturb. */
  safePlace(): number {
    return READ_ONLY_BYTES + 0x100 + this.random.below(0x1000);
  }

  /** Uses segment override prefix `seg` with a segment based like the default one. Once per case. */
  overrideSegment(seg: SegIndex, selector: number): this {
    this.prefixes.push([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65][seg]!);
    if (seg !== SegIndex.CS && seg !== SegIndex.SS) this.segs[seg] = selector;
    this.segmentChosen = true;
    return this;
  }

  get hasSegment(): boolean {
    return this.segmentChosen;
  }

  undef(flags: number): this {
    this.undefinedFlags |= flags;
    return this;
  }

  /** Prefixes in random order, then the instruction. */
  finish(): TestCase {
    const prefixes = [...this.prefixes];
    for (let i = prefixes.length - 1; i > 0; i--) {
      const j = this.random.below(i + 1);
      [prefixes[i], prefixes[j]] = [prefixes[j]!, prefixes[i]!];
    }
    return {
      regs: this.regs.map((r) => r >>> 0),
      eip: this.eip,
      eflags: this.eflags | 0x202,
      segs: this.segs,
      mode: this.mode,
      code: [...prefixes, ...this.code],
      pokes: this.pokes,
    };
  }
}
