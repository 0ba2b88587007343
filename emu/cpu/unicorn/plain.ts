/**
 * Which instructions Unicorn executes: those of user code whose effect is registers, arithmetic flags and memory. What
 * has to do with privilege, segments, devices, traps or time is left to the interpreter, and so are repeated string
 * instructions: Unicorn reports one iteration more than there are, and a budget counts iterations (machine.md §2).
 */
import { Seg } from '../../arch/core-layout.ts';
import { F_REP, F_REPNE, F_SEG, F_SEG_SHIFT } from '../record.ts';
import { ARITHMETIC } from '../table/arithmetic.ts';
import { CONTROL } from '../table/control.ts';
import { DATA } from '../table/data.ts';
import type { Definition } from '../table/definition.ts';
import { ENTRIES } from '../table/table.ts';

/** Of the control lines: jumps and calls within the segment, and what touches arithmetic flags alone. */
const PLAIN_CONTROL = /^(j\w+|loop\w*|call|jmp|ret|cmc|clc|stc|cld|std|sahf|lahf|nop)$/;
/** Operands that are far pointers or segment registers. */
const SEGMENTED = /^(Ap|Mp|Sw|[ECSDFG]S)$/;
/** Of the data lines: ports, array bounds, nested frames, and a compare of eight bytes. */
const NOT_PLAIN_DATA = /^(ins|outs|in\b|out\b|bound|enter|cmpxchg8b)/;

const near = (line: Definition): boolean => !line.operands.split(',').some((o) => SEGMENTED.test(o));

const plainLines = new Set<Definition['exec']>([
  ...ARITHMETIC.map((line) => line.exec),
  ...DATA.filter((line) => near(line) && !NOT_PLAIN_DATA.test(line.name)).map((line) => line.exec),
  ...CONTROL.filter((line) => near(line) && PLAIN_CONTROL.test(line.name)).map((line) => line.exec),
]);

/** 1 for each entry of the instruction table that Unicorn may execute. */
export const PLAIN_ENTRIES = Uint8Array.from(ENTRIES, (entry) => (plainLines.has(entry.exec) ? 1 : 0));

/** Whether the prefixes (FLAGS word of the record) leave the instruction to Unicorn, whose FS and GS are flat. */
export function hasPlainPrefixes(flags: number): boolean {
  if ((flags & (F_REP | F_REPNE)) !== 0) return false;
  const segment = (flags & F_SEG) >> F_SEG_SHIFT;
  return segment !== Seg.FS && segment !== Seg.GS;
}
