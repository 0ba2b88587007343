/**
 * Layout of a decoded instruction: RECORD_WORDS words in the code cache's arena (code-cache.ts).
 *
 *   0 OP     dispatch number: a Form (loop.ts), or negative: a mark (CodeCache.mark)
 *   1 POS    page offset of the first byte (bits 0..11) | length << 16
 *   2 FLAGS  see F_*
 *   3 REGS   reg field (0..3) | rm register (4..7) | base (8..15) | index (16..23) | scale (24..25)
 *   4 DISP   displacement or moffs
 *   5 IMM    immediate, sign-extended where the instruction does so; relative branches: the distance
 *   6 LINK   second immediate (far selector, ENTER level); branches: arena index of the target, 0 = not known
 *   7 ENTRY  index in the instruction table
 *
 * base and index are indices into the core block; NO_REGISTER is a word that is always 0.
 */
export const RECORD_WORDS = 8;
export const I_OP = 0;
export const I_POS = 1;
export const I_FLAGS = 2;
export const I_REGS = 3;
export const I_DISP = 4;
export const I_IMM = 5;
export const I_LINK = 6;
export const I_ENTRY = 7;

/** Scratch word of the core block that stays 0: the absent base or index register. */
export const NO_REGISTER = 130;

/** FLAGS: operand width in bytes (1, 2, 4). */
export const F_WIDTH = 7;
/** Operand-size attribute is 32 bits. */
export const F_OP32 = 1 << 3;
/** Address-size attribute is 32 bits. */
export const F_ADDR32 = 1 << 4;
/** Segment of the memory operand, override applied (Seg number). */
export const F_SEG_SHIFT = 5;
export const F_SEG = 7 << F_SEG_SHIFT;
export const F_REPNE = 1 << 8;
export const F_REP = 1 << 9;
export const F_LOCK = 1 << 10;
/** The rm operand is memory. */
export const F_MEM = 1 << 11;
export const F_DST_SHIFT = 12;
export const F_DST = 3 << F_DST_SHIFT;
export const F_SRC_SHIFT = 14;
export const F_SRC = 3 << F_SRC_SHIFT;
/** A segment override prefix was there (for the disassembler). */
export const F_OVERRIDE = 1 << 16;
/** A direct branch whose target lies in the same page and may be linked. */
export const F_LINKABLE = 1 << 17;

/** Operand kinds in F_DST and F_SRC. */
export const KIND_NONE = 0;
export const KIND_RM = 1;
export const KIND_REG = 2;
export const KIND_IMM = 3;
