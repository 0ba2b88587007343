/**
 * Which instructions Unicorn executes: those of user code whose effect is registers, arithmetic flags and memory. What
 * has to do with privilege, segments, devices, traps or time is left to the interpreter, and so are repeated string
 * instructions: Unicorn reports one iteration more than there are, and a budget counts iterations (machine.md §2).
 */
import { Seg } from '../../arch/core-layout.ts';
import { F_MEM, F_REP, F_REPNE, F_SEG, F_SEG_SHIFT } from '../record.ts';
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

/**
 * They read the flags before their last access. When that fails, the library (2.0.1) has lost the flags, so that with a
 * memory operand they are the interpreter's.
 */
const FLAGS_BEFORE_ACCESS = /^(set|adc|sbb|rcl|rcr)/;

const PLAIN = 1;
const PLAIN_IN_REGISTERS = 2;

/** Which entries of the instruction table Unicorn may execute. */
const entries = Uint8Array.from(ENTRIES, ({ exec, name }) =>
  !plainLines.has(exec) ? 0 : FLAGS_BEFORE_ACCESS.test(name) ? PLAIN_IN_REGISTERS : PLAIN,
);

/** Whether the instruction is Unicorn's: ENTRY and FLAGS words of its record. FS and GS are flat there. */
export function isPlain(entry: number, flags: number): boolean {
  const kind = entries[entry];
  if (kind === 0 || (kind === PLAIN_IN_REGISTERS && (flags & F_MEM) !== 0)) return false;
  if ((flags & (F_REP | F_REPNE)) !== 0) return false;
  const segment = (flags & F_SEG) >> F_SEG_SHIFT;
  return segment !== Seg.FS && segment !== Seg.GS;
}
