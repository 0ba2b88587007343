/**
 * Flags in translated code: setting them (locals only), asking for conditions and for the carry. Where the kind is known
 * the condition is a compare of the operands; else all flags are computed by one call.
 */
import { R } from '../../arch/core-layout.ts';
import { ARITH_FLAGS } from '../flags.ts';
import { CARRY_COMPARES, Kind } from './flag-kinds.ts';
import type { FunctionCode } from './function-code.ts';
import { Import, L } from './region-frame.ts';
import { Op } from './wasm-op.ts';

const OF_SHIFT = 11;
const SF_SHIFT = 7;
const ZF = 64;
const PF = 4;

/** Flags of `kind`: result, second and first operand are taken from locals. */
export function setFlags(g: FunctionCode, kind: Kind, result: number, src: number, aux: number): void {
  if (kind !== Kind.Cmp) g.copy(result, L.Dst);
  g.copy(src, L.Src);
  if (kind !== Kind.Result) g.copy(aux, L.Aux);
  g.kind = kind;
}

/** Flags of AND, OR, XOR and TEST, whose result is in L.Dst. */
export function setLogicFlags(g: FunctionCode): void {
  if (!g.flagsAreDead) {
    g.w.const(0);
    g.w.tee(L.Src);
    g.w.set(L.Aux);
  }
  g.kind = Kind.Logic;
}

/** Flags of INC and DEC of 32 bits, keeping CF; called before the result is in L.Dst. */
export function setStepFlags(g: FunctionCode, kind: Kind.Inc | Kind.Dec, result: number): void {
  const { w } = g;
  const keep = (): void => {
    pushCarry(g);
    w.set(L.Src);
    w.const(0);
    w.set(L.Aux);
  };
  if (g.kind === Kind.Unknown) {
    w.const(CARRY_COMPARES);
    w.get(L.Op);
    w.op(Op.ShrU);
    w.opConst(Op.And, 1);
    w.op(Op.Eqz);
    w.open(Op.If);
    keep();
    w.close();
  } else if (g.kind === Kind.Add) g.copy(L.Dst, L.Aux);
  else if (((CARRY_COMPARES >> g.kind) & 1) === 0) keep();
  g.copy(result, L.Dst);
  g.kind = kind;
}

/** Pushes the six arithmetic flags. */
export function pushArith(g: FunctionCode): void {
  const { w } = g;
  if (g.kind === Kind.Unknown) w.get(L.Op);
  else w.const(g.kind);
  w.get(L.Dst);
  w.get(L.Src);
  w.get(L.Aux);
  w.call(Import.Arith);
}

/** Replaces the flags in `mask` by the bits in `from`, keeping the others. */
export function replaceArith(g: FunctionCode, mask: number, from: number): void {
  const { w } = g;
  pushArith(g);
  w.opConst(Op.And, ~mask);
  w.get(from);
  w.op(Op.Or);
  w.set(L.T);
  w.get(L.Core);
  w.get(L.Core);
  w.memory(Op.Load, R.EFLAGS * 4);
  w.opConst(Op.And, ~ARITH_FLAGS);
  w.get(L.T);
  w.op(Op.Or);
  w.memory(Op.Store, R.EFLAGS * 4);
  g.kind = Kind.Flags;
}

/** Pushes CF as 0 or 1. */
export function pushCarry(g: FunctionCode): void {
  const { w } = g;
  switch (g.kind) {
    case Kind.Add:
      compare(g, L.Dst, Op.LtU, L.Src);
      return;
    case Kind.Sub:
    case Kind.Cmp:
    case Kind.Inc:
    case Kind.Dec:
      compare(g, L.Aux, Op.LtU, L.Src);
      return;
    case Kind.Result:
      w.get(L.Src);
      w.opConst(Op.And, 1);
      return;
    case Kind.Logic:
      w.const(0);
      return;
    case Kind.Shl:
    case Kind.Shr:
    case Kind.Sar:
      pushShiftedOut(g);
      return;
    default:
      pushArith(g);
      w.opConst(Op.And, 1);
  }
}

/** The last bit that a shift moved out. */
function pushShiftedOut(g: FunctionCode): void {
  const { w } = g;
  w.get(L.Aux);
  if (g.kind === Kind.Shl) {
    w.const(32);
    w.get(L.Src);
    w.op(Op.Sub);
  } else {
    w.get(L.Src);
    w.opConst(Op.Sub, 1);
  }
  w.op(g.kind === Kind.Sar ? Op.ShrS : Op.ShrU);
  w.opConst(Op.And, 1);
}

function compare(g: FunctionCode, a: number, op: Op, b: number): void {
  g.w.get(a);
  g.w.get(b);
  g.w.op(op);
}

function compareZero(g: FunctionCode, a: number, op: Op): void {
  g.w.get(a);
  g.w.opConst(op, 0);
}

/** Pushes nonzero if condition `code` (as in Jcc) holds, else 0. */
export function pushCondition(g: FunctionCode, code: number): void {
  if (!pushKnown(g, code >> 1)) pushFromBits(g, code >> 1);
  if ((code & 1) !== 0) g.w.op(Op.Eqz);
}

/** Conditions of compares, by pair number: below, below or equal, less, less or equal; equal. */
const COMPARES: Readonly<Record<number, Op>> = {
  1: Op.LtU,
  2: Op.Eq,
  3: Op.LeU,
  6: Op.LtS,
  7: Op.LeS,
};

/** The condition of pair `pair` from the operands; false when the kind does not give it cheaply. */
function pushKnown(g: FunctionCode, pair: number): boolean {
  const { kind } = g;
  if (kind === Kind.Unknown || kind === Kind.Flags) return false;
  if ((kind === Kind.Sub || kind === Kind.Cmp) && COMPARES[pair] !== undefined) {
    compare(g, L.Aux, COMPARES[pair], L.Src);
    return true;
  }
  if (pair === 2 && kind !== Kind.Cmp) {
    g.w.get(L.Dst);
    g.w.op(Op.Eqz);
    return true;
  }
  if (pair === 4 && kind !== Kind.Cmp) {
    compareZero(g, L.Dst, Op.LtS);
    return true;
  }
  if (kind === Kind.Logic) return pushLogic(g, pair);
  if (kind === Kind.Inc || kind === Kind.Dec) return pushStep(g, pair);
  if (pair !== 1 && pair !== 3) return false;
  if (kind === Kind.Imul) return false;
  pushCarry(g);
  if (pair === 3) {
    g.w.get(L.Dst);
    g.w.op(Op.Eqz);
    g.w.op(Op.Or);
  }
  return true;
}

/** After INC and DEC: OF says that the result is the least or the greatest number. */
function pushStep(g: FunctionCode, pair: number): boolean {
  const { w } = g;
  if (pair === 5) return false;
  const overflow = (): void => {
    w.get(L.Dst);
    w.opConst(Op.Eq, g.kind === Kind.Inc ? -0x80000000 : 0x7fffffff);
  };
  if (pair === 0) overflow();
  else if (pair === 1 || pair === 3) compare(g, L.Aux, Op.LtU, L.Src);
  else {
    compareZero(g, L.Dst, Op.LtS);
    overflow();
    w.op(Op.Xor);
  }
  if (pair === 3 || pair === 7) {
    w.get(L.Dst);
    w.op(Op.Eqz);
    w.op(Op.Or);
  }
  return true;
}

/** CF and OF are 0. */
function pushLogic(g: FunctionCode, pair: number): boolean {
  const { w } = g;
  if (pair === 5) return false;
  if (pair <= 1) w.const(0);
  else if (pair === 3) {
    w.get(L.Dst);
    w.op(Op.Eqz);
  } else compareZero(g, L.Dst, pair === 6 ? Op.LtS : Op.LeS);
  return true;
}

function pushFromBits(g: FunctionCode, pair: number): void {
  const { w } = g;
  pushArith(g);
  const mask = [1 << OF_SHIFT, 1, ZF, ZF | 1, 1 << SF_SHIFT, PF][pair];
  if (mask !== undefined) {
    w.opConst(Op.And, mask);
    w.opConst(Op.Ne, 0);
    return;
  }
  w.tee(L.T);
  w.opConst(Op.ShrU, SF_SHIFT);
  w.get(L.T);
  w.opConst(Op.ShrU, OF_SHIFT);
  w.op(Op.Xor);
  if (pair === 7) {
    w.get(L.T);
    w.opConst(Op.ShrU, 6);
    w.op(Op.Or);
  }
  w.opConst(Op.And, 1);
}
