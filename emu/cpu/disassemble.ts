/** Disassembler from the same instruction table as the decoder; see `disassemble`. */
export interface Disassembled {
  readonly text: string;
  /** Length in bytes; 1 for an invalid opcode, whose text is `(bad)`. */
  readonly length: number;
}
export type Syntax = 'intel' | 'att';

/** Disassembles the instruction at `bytes[0]`, which lies at `eip`. */
export function disassemble(
  _bytes: Uint8Array,
  _eip: number,
  _bitness: 16 | 32,
  _syntax: Syntax = 'intel',
): Disassembled {
  return { text: '(bad)', length: 1 };
}
