/**
 * Decoder: bytes to one record, by the instruction table. Prefix rules of SDM vol. 2 §2.1: any number and order of
 * prefixes up to 15 bytes in all; LOCK needs a table line that allows it and a memory destination, else #UD.
 */
import { Seg } from '../arch/core-layout.ts';
import {
  F_ADDR32,
  F_LOCK,
  F_MEM,
  F_OP32,
  F_OVERRIDE,
  F_REP,
  F_REPNE,
  F_SEG_SHIFT,
  I_DISP,
  I_ENTRY,
  I_FLAGS,
  I_IMM,
  I_LINK,
  I_OP,
  I_POS,
  I_REGS,
  NO_REGISTER,
} from './record.ts';
import {
  ENTRIES,
  ENTRY_INVALID,
  ENTRY_TOO_LONG,
  type Entry,
  HAS_MODRM,
  IMM_BYTE,
  IMM_BYTE_SIGNED,
  IMM_FAR,
  IMM_MOFFS,
  IMM_NONE,
  IMM_ONE,
  IMM_OPERAND,
  IMM_WORD,
  IMM_WORD_BYTE,
  LOOKUP,
  REG_ACCUMULATOR,
  REG_CL,
  REG_OPCODE,
  SIZE_OPERAND,
} from './table/table.ts';

export const MAX_LENGTH = 15;

/** Register numbers of 16-bit addressing: base and index by rm (BX+SI ... BX); SDM vol. 2 table 2-1. */
const BASE16 = [3, 3, 5, 5, 6, 7, 5, 3];
const INDEX16 = [6, 7, 6, 7, NO_REGISTER, NO_REGISTER, NO_REGISTER, NO_REGISTER];

/**
 * Reads one instruction. One instance per user, reused: its fields are the state of the instruction being read.
 */
export class Decoder {
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private end = 0;
  private short = false;
  private flags = 0;
  private override = -1;
  private stackSegment = false;

  /**
   * Decodes at `bytes[at]`, of which `available` bytes are readable, into the record at `ops[i]`. Returns the length, or
   * 0 when more bytes are needed. POS holds `pagePos` and the length. Invalid opcodes become an entry that raises #UD,
   * with the length read so far.
   */
  decode(
    bytes: Uint8Array,
    at: number,
    available: number,
    code32: boolean,
    ops: Int32Array,
    i: number,
    pagePos: number,
  ): number {
    this.bytes = bytes;
    this.at = at;
    this.end = at + Math.min(available, MAX_LENGTH);
    this.short = false;
    this.override = -1;
    this.stackSegment = false;
    this.flags = code32 ? F_OP32 | F_ADDR32 : 0;
    ops[i + I_OP] = 0;
    ops[i + I_REGS] = (NO_REGISTER << 8) | (NO_REGISTER << 16);
    ops[i + I_DISP] = 0;
    ops[i + I_IMM] = 0;
    ops[i + I_LINK] = 0;
    const opcode = this.prefixes(code32);
    let entry = this.body(opcode, ops, i);
    if (this.short) {
      if (available < MAX_LENGTH) return 0;
      entry = ENTRY_TOO_LONG;
    }
    const length = this.short ? MAX_LENGTH : this.at - at;
    const segment = this.override >= 0 ? this.override : this.stackSegment ? Seg.SS : Seg.DS;
    ops[i + I_FLAGS] = this.flags | (segment << F_SEG_SHIFT);
    ops[i + I_POS] = pagePos | (length << 16);
    ops[i + I_ENTRY] = entry;
    return length;
  }

  private byte(): number {
    if (this.at >= this.end) {
      this.short = true;
      return 0;
    }
    return this.bytes[this.at++];
  }

  private word(): number {
    const low = this.byte();
    return low | (this.byte() << 8);
  }

  private dword(): number {
    const low = this.word();
    return low | (this.word() << 16);
  }

  private signedByte(): number {
    return (this.byte() << 24) >> 24;
  }

  /** Reads prefixes and opcode; returns map × 256 + opcode. */
  private prefixes(code32: boolean): number {
    for (;;) {
      const b = this.byte();
      switch (b) {
        case 0x26:
          this.override = Seg.ES;
          break;
        case 0x2e:
          this.override = Seg.CS;
          break;
        case 0x36:
          this.override = Seg.SS;
          break;
        case 0x3e:
          this.override = Seg.DS;
          break;
        case 0x64:
          this.override = Seg.FS;
          break;
        case 0x65:
          this.override = Seg.GS;
          break;
        case 0x66:
          this.flags = code32 ? this.flags & ~F_OP32 : this.flags | F_OP32;
          break;
        case 0x67:
          this.flags = code32 ? this.flags & ~F_ADDR32 : this.flags | F_ADDR32;
          break;
        case 0xf0:
          this.flags |= F_LOCK;
          break;
        case 0xf2:
          this.flags = (this.flags & ~F_REP) | F_REPNE;
          break;
        case 0xf3:
          this.flags = (this.flags & ~F_REPNE) | F_REP;
          break;
        case 0x0f:
          return 256 + this.byte();
        default:
          return b;
      }
      if (this.short) return 0;
    }
  }

  private body(opcode: number, ops: Int32Array, i: number): number {
    let modrm = 0;
    let place = 0;
    if (HAS_MODRM[opcode] !== 0) {
      modrm = this.byte();
      place = ((modrm >> 3) & 7) | (modrm >= 0xc0 ? 8 : 0);
    }
    const index = LOOKUP[opcode * 16 + place];
    if (index === ENTRY_INVALID) return ENTRY_INVALID;
    const entry = ENTRIES[index];
    const asRegister = modrm >= 0xc0 || entry.registerOnly;
    if (entry.modrm) {
      if (asRegister) ops[i + I_REGS] |= (modrm & 7) << 4;
      else this.memoryOperand(modrm, ops, i);
    }
    const width = entry.sizeRule !== SIZE_OPERAND ? entry.sizeRule : (this.flags & F_OP32) !== 0 ? 4 : 2;
    ops[i + I_REGS] |= this.regNumber(entry, opcode, modrm);
    this.flags |= width | entry.kinds;
    if (entry.modrm && !asRegister) this.flags |= F_MEM;
    if (this.override >= 0) this.flags |= F_OVERRIDE;
    this.immediate(entry, width, ops, i);
    const locked = (this.flags & F_LOCK) !== 0;
    return locked && (entry.lock !== true || asRegister) ? ENTRY_INVALID : index;
  }

  private regNumber(entry: Entry, opcode: number, modrm: number): number {
    if (entry.regRule === REG_OPCODE) return opcode & 7;
    if (entry.regRule === REG_ACCUMULATOR) return 0;
    return entry.regRule === REG_CL ? 1 : (modrm >> 3) & 7;
  }

  private memoryOperand(modrm: number, ops: Int32Array, i: number): void {
    if ((this.flags & F_ADDR32) === 0) {
      this.memory16(modrm, ops, i);
      return;
    }
    const mod = modrm >> 6;
    let base = modrm & 7;
    let index = NO_REGISTER;
    let scale = 0;
    let disp = 0;
    if (base === 4) {
      const sib = this.byte();
      base = sib & 7;
      if (((sib >> 3) & 7) !== 4) {
        index = (sib >> 3) & 7;
        scale = sib >> 6;
      }
      if (base === 5 && mod === 0) {
        base = NO_REGISTER;
        disp = this.dword();
      }
    } else if (base === 5 && mod === 0) {
      base = NO_REGISTER;
      disp = this.dword();
    }
    if (base === 4 || base === 5) this.stackSegment = true;
    if (mod === 1) disp = this.signedByte();
    else if (mod === 2) disp = this.dword();
    ops[i + I_REGS] = (base << 8) | (index << 16) | (scale << 24);
    ops[i + I_DISP] = disp;
  }

  private memory16(modrm: number, ops: Int32Array, i: number): void {
    const mod = modrm >> 6;
    const rm = modrm & 7;
    let base = BASE16[rm];
    let disp = 0;
    if (mod === 0 && rm === 6) {
      base = NO_REGISTER;
      disp = this.word();
    } else {
      this.stackSegment = rm === 2 || rm === 3 || rm === 6;
      if (mod === 1) disp = this.signedByte();
      else if (mod === 2) disp = (this.word() << 16) >> 16;
    }
    ops[i + I_REGS] = (base << 8) | (INDEX16[rm] << 16);
    ops[i + I_DISP] = disp;
  }

  private immediate(entry: Entry, width: number, ops: Int32Array, i: number): void {
    switch (entry.immediate) {
      case IMM_NONE:
        return;
      case IMM_BYTE:
        ops[i + I_IMM] = this.byte();
        return;
      case IMM_BYTE_SIGNED:
        ops[i + I_IMM] = this.signedByte();
        return;
      case IMM_WORD:
        ops[i + I_IMM] = this.word();
        return;
      case IMM_OPERAND:
        ops[i + I_IMM] = width === 4 ? this.dword() : (this.word() << 16) >> 16;
        return;
      case IMM_FAR:
        ops[i + I_IMM] = width === 4 ? this.dword() : this.word();
        ops[i + I_LINK] = this.word();
        return;
      case IMM_WORD_BYTE:
        ops[i + I_IMM] = this.word();
        ops[i + I_LINK] = this.byte();
        return;
      case IMM_MOFFS:
        ops[i + I_DISP] = (this.flags & F_ADDR32) !== 0 ? this.dword() : this.word();
        return;
      case IMM_ONE:
        ops[i + I_IMM] = 1;
    }
  }
}
