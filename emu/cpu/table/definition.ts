/**
 * What one line of the instruction table says. Decoder, dispatch and disassembler are made from these lines; adding an
 * instruction is one line and its semantics.
 *
 * Operands, in Intel order, in the notation of SDM vol. 2 app. A:
 *   E ModRM register or memory    M memory only       R ModRM register only   G ModRM reg field
 *   I immediate   J branch distance   O moffs   A far pointer   S segment, C control, D debug register
 *   Z register in the low opcode bits   X DS:eSI   Y ES:eDI
 *   suffix b 8, w 16, d 32, v 16 or 32 by operand size, k 16 in memory and v in a register, p far pointer, a bound pair,
 *   q 64, s 48-bit table, bare: no size
 *   Ibs: byte, sign-extended to the operand size.  1, AL, CL, DX, eAX, ES ... GS: themselves
 */
import type { CpuCore } from '../cpu-core.ts';

/** Semantics: `i` is the record's arena index. R.EIP is the next instruction's; see cpu-core.ts for faults. */
export type Handler = (c: CpuCore, i: number) => void;

export interface Definition {
  /** 0x00..0xff, or 0x0f00..0x0fff. */
  readonly opcode: number;
  /** Mnemonic; `16-bit name|32-bit name` when it depends on the operand size. */
  readonly name: string;
  /** Operand codes separated by commas. */
  readonly operands: string;
  readonly exec: Handler;
  /** ModRM.reg value for opcode groups. */
  readonly ext?: number;
  /** Values of ModRM.reg that name an existing control or segment register, as a bit mask; the others are #UD. */
  readonly regs?: number;
  /** Only when ModRM.mod says memory / register. */
  readonly mod?: 'mem' | 'reg';
  /** LOCK is allowed (with a memory destination). */
  readonly lock?: true;
  /** Operand size when no operand tells it: `v` or `b`. */
  readonly size?: 'b' | 'v';
  /** The sequence of instructions does not go on behind this one. */
  readonly ends?: true;
  /** REP prefixes mean something: shown by the disassembler. */
  readonly rep?: 'rep' | 'repe';
}

type Options = Omit<Definition, 'opcode' | 'name' | 'operands' | 'exec'>;

export function define(
  opcode: number,
  name: string,
  operands: string,
  exec: Handler,
  options: Options = {},
): Definition {
  return { opcode, name, operands, exec, ...options };
}
