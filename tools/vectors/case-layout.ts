/**
 * The world in which a snippet runs, the same on the host processor (harness.c) and on an engine (engine-world.ts):
 * two code pages filled with INT3, one read-only and two writable data pages with a fixed pseudo-random content, and
 * nothing else mapped; a flat code and data segment as Linux has them, and an LDT with one descriptor per segment rule.
 *
 *   00200000  code, 2 pages (CC everywhere but in the snippet); 00202000 not present
 *   00300000  data, read-only page
 *   00301000  data, 2 writable pages; 00303000 not present
 */
export const CODE_BASE = 0x00200000;
export const CODE_BYTES = 0x2000;
export const DATA_BASE = 0x00300000;
export const READ_ONLY_BYTES = 0x1000;
export const DATA_BYTES = 0x3000;

/** Selectors of Linux for 32-bit programs on a 64-bit kernel, RPL 3. */
export const FLAT_CODE = 0x23;
export const FLAT_DATA = 0x2b;
export const KERNEL_DATA = 0x18;

/** Initial content of the data pages: a xorshift32 stream. */
export function dataBackground(): Uint8Array {
  const words = new Uint32Array(DATA_BYTES / 4);
  let x = 0x2545f491;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x >>> 0;
  }
  return new Uint8Array(words.buffer);
}

/** A descriptor of the LDT; all have DPL 3 and the accessed bit, as modify_ldt(2) makes them. */
export interface LdtEntry {
  readonly name: string;
  readonly base: number;
  /** Raw 20-bit limit. */
  readonly limit: number;
  /** Type field, bits 0..3 of the access byte. */
  readonly type: number;
  readonly present: 0 | 1;
  /** Flags nibble: G 8, D/B 4, AVL 1. */
  readonly flags: number;
}

/** Index = LDT index; harness.c repeats this table in modify_ldt's terms. */
export const LDT: readonly LdtEntry[] = [
  { name: 'data', base: DATA_BASE, limit: 0x2fff, type: 3, present: 1, flags: 4 },
  { name: 'readOnly', base: DATA_BASE, limit: 0x2fff, type: 1, present: 1, flags: 4 },
  { name: 'expandDown', base: DATA_BASE, limit: 0x1fff, type: 7, present: 1, flags: 4 },
  { name: 'expandDown16', base: DATA_BASE - 0xd000, limit: 0xdfff, type: 7, present: 1, flags: 0 },
  { name: 'notPresent', base: DATA_BASE, limit: 0xffff, type: 3, present: 0, flags: 4 },
  { name: 'code', base: 0, limit: 0xfffff, type: 11, present: 1, flags: 12 },
  { name: 'executeOnly', base: 0, limit: 0xfffff, type: 9, present: 1, flags: 12 },
  { name: 'code16', base: CODE_BASE, limit: 0xffff, type: 11, present: 1, flags: 0 },
  { name: 'data16', base: DATA_BASE, limit: 0xffff, type: 3, present: 1, flags: 0 },
  { name: 'conforming', base: 0, limit: 0xfffff, type: 15, present: 0, flags: 12 },
  { name: 'tightData', base: DATA_BASE, limit: 0x1103, type: 3, present: 1, flags: 4 },
  { name: 'tightCode', base: CODE_BASE, limit: 0x11ff, type: 11, present: 1, flags: 4 },
  { name: 'codeNotPresent', base: 0, limit: 0xfffff, type: 11, present: 0, flags: 12 },
  { name: 'flatAvl', base: 0, limit: 0xfffff, type: 3, present: 1, flags: 13 },
  { name: 'dataExecuteOnly', base: DATA_BASE, limit: 0x2fff, type: 9, present: 1, flags: 4 },
];

/** RPL-3 selector of the LDT entry called `name`. */
export function ldtSelector(name: string): number {
  const index = LDT.findIndex((entry) => entry.name === name);
  if (index < 0) throw new RangeError(`no LDT entry ${name}`);
  return (index << 3) | 7;
}

/** Order of `segs` in cases, and of the encoding: ES CS SS DS FS GS. */
export enum SegIndex {
  ES = 0,
  CS = 1,
  SS = 2,
  DS = 3,
  FS = 4,
  GS = 5,
}

export interface Poke {
  /** Offset in the data pages. */
  readonly offset: number;
  /** 1 to 13 bytes. */
  readonly bytes: readonly number[];
}

/** `run`: until the INT3 that follows (or another trap). `step`: exactly one instruction. */
export type RunMode = 'run' | 'step';

/** State before. Numbers are unsigned; registers in encoding order EAX ECX EDX EBX ESP EBP ESI EDI. */
export interface TestCase {
  readonly regs: readonly number[];
  readonly eip: number;
  readonly eflags: number;
  readonly segs: readonly number[];
  readonly mode: RunMode;
  readonly code: readonly number[];
  readonly pokes: readonly Poke[];
}

/** Bytes of the data pages that differ from the state before. */
export interface Change {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** State after. `trap` is the vector that ended the case: 3 is the normal end in `run`, 1 in `step`. */
export interface Outcome {
  readonly regs: readonly number[];
  readonly eip: number;
  readonly eflags: number;
  readonly segs: readonly number[];
  readonly trap: number;
  readonly error: number;
  /** Meaningful when `trap` is 14. */
  readonly cr2: number;
  readonly changes: readonly Change[];
}
