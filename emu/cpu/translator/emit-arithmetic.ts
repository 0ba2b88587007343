/**
 * Translations of arithmetic and logic. Each does what the function of the same name in
 * exec/ does; memory operands first, registers and flags last (function-code.ts says why).
 */
import { pushCarry, setFlags, setLogicFlags, setStepFlags } from './emit-flags.ts';
import { Kind } from './flag-kinds.ts';
import type { Emit, FunctionCode } from './function-code.ts';
import { L } from './region-frame.ts';
import { Op } from './wasm-op.ts';

const AF = 16;

/** a op b in L.V, sign-extended. */
export function binary(g: FunctionCode, op: Op): void {
  g.w.get(L.A);
  g.w.get(L.B);
  g.w.op(op);
  g.extend();
  g.w.set(L.V);
}

/** op of the operands, sign-extended; operands and result are left where the flags want them (L.Aux, L.Src, L.Dst). */
export function pushBinary(g: FunctionCode, op: Op): void {
  g.w.get(L.Aux);
  g.w.get(L.Src);
  g.w.op(op);
  g.extend();
}

const sum =
  (op: Op, kind: Kind): Emit =>
  (g) => {
    g.takeOperands('write');
    pushBinary(g, op);
    g.putResult();
    g.kind = kind;
  };
export const add = sum(Op.Add, Kind.Add);
export const sub = sum(Op.Sub, Kind.Sub);

export const cmp: Emit = (g) => {
  g.takeOperands('read');
  g.kind = Kind.Cmp;
  if (g.width === 4) return;
  pushBinary(g, Op.Sub);
  g.w.set(L.Dst);
  g.kind = Kind.Sub;
};

const logic =
  (op: Op): Emit =>
  (g) => {
    g.takeOperands('write');
    pushBinary(g, op);
    g.putResult();
    setLogicFlags(g);
  };
export const and = logic(Op.And);
export const or = logic(Op.Or);
export const xor = logic(Op.Xor);

export const test: Emit = (g) => {
  g.takeOperands('read');
  pushBinary(g, Op.And);
  g.w.set(L.Dst);
  setLogicFlags(g);
};

/** ADC and SBB; flags as in exec/alu.ts: the carry out of the top bit, AF from bit 4, OF from the signs. */
const withCarry =
  (op: Op.Add | Op.Sub): Emit =>
  (g) => {
    const { w } = g;
    g.takeDst(L.A, 'write');
    g.takeSrc(L.B);
    pushCarry(g);
    w.set(L.T);
    w.get(L.A);
    w.get(L.B);
    w.op(op);
    w.get(L.T);
    w.op(op);
    g.extend();
    w.set(L.V);
    g.putDst(L.V);
    pushCarryOut(g, op);
    w.get(L.A);
    w.get(L.B);
    w.op(Op.Xor);
    w.get(L.V);
    w.op(Op.Xor);
    w.opConst(Op.And, AF);
    w.op(Op.Or);
    // OF: both operands (of SBB: the first and the complement of the second) differ in sign from the result.
    w.get(L.A);
    w.get(op === Op.Add ? L.V : L.B);
    w.op(Op.Xor);
    w.get(op === Op.Add ? L.B : L.A);
    w.get(L.V);
    w.op(Op.Xor);
    w.op(Op.And);
    w.opConst(Op.ShrU, 31);
    w.opConst(Op.Shl, 11);
    w.op(Op.Or);
    w.set(L.T);
    setFlags(g, Kind.Result, L.V, L.T, L.A);
  };
export const adc = withCarry(Op.Add);
export const sbb = withCarry(Op.Sub);

/** ADC: (a & b) | ((a | b) & ~v); SBB: (~a & b) | ((~a | b) & v); the top bit. */
function pushCarryOut(g: FunctionCode, op: Op.Add | Op.Sub): void {
  const { w } = g;
  const pushA = (): void => {
    w.get(L.A);
    if (op === Op.Sub) w.opConst(Op.Xor, -1);
  };
  pushA();
  w.get(L.B);
  w.op(Op.And);
  pushA();
  w.get(L.B);
  w.op(Op.Or);
  w.get(L.V);
  if (op === Op.Add) w.opConst(Op.Xor, -1);
  w.op(Op.And);
  w.op(Op.Or);
  w.opConst(Op.ShrU, 31);
}

const step =
  (by: 1 | -1): Emit =>
  (g) => {
    const { w } = g;
    g.takeDst(L.A, 'write');
    w.get(L.A);
    w.opConst(Op.Add, by);
    g.extend();
    w.set(L.V);
    g.putDst(L.V);
    if (g.flagsAreDead) return;
    if (g.width === 4) {
      setStepFlags(g, by > 0 ? Kind.Inc : Kind.Dec, L.V);
      return;
    }
    pushCarry(g);
    w.set(L.T);
    const most = g.width === 1 ? 0x7f : 0x7fff;
    w.get(L.T);
    w.get(L.V);
    w.opConst(Op.And, 15);
    w.opConst(Op.Eq, by > 0 ? 0 : 15);
    w.opConst(Op.Shl, 4);
    w.op(Op.Or);
    w.get(L.V);
    w.opConst(Op.Eq, by > 0 ? ~most : most);
    w.opConst(Op.Shl, 11);
    w.op(Op.Or);
    w.set(L.T);
    setFlags(g, Kind.Result, L.V, L.T, L.A);
  };
export const inc = step(1);
export const dec = step(-1);

export const neg: Emit = (g) => {
  const { w } = g;
  g.takeDst(L.B, 'write');
  w.const(0);
  w.set(L.A);
  binary(g, Op.Sub);
  g.putDst(L.V);
  setFlags(g, Kind.Sub, L.V, L.B, L.A);
};

export const not: Emit = (g) => {
  g.takeDst(L.A, 'write');
  g.w.get(L.A);
  g.w.opConst(Op.Xor, -1);
  g.w.set(L.V);
  g.putDst(L.V);
};

export const xadd: Emit = (g) => {
  g.takeDst(L.A, 'write');
  g.takeSrc(L.B);
  binary(g, Op.Add);
  g.setReg(g.regField, g.width, L.A);
  g.putDst(L.V);
  setFlags(g, Kind.Add, L.V, L.B, L.A);
};

export const cmpxchg: Emit = (g) => {
  const { w } = g;
  g.takeDst(L.B, 'write');
  g.pushReg(0, g.width, 'sign');
  w.set(L.A);
  g.takeSrc(L.T);
  w.get(L.T);
  w.get(L.B);
  w.get(L.A);
  w.get(L.B);
  w.op(Op.Eq);
  w.op(Op.Select);
  w.set(L.T);
  binary(g, Op.Sub);
  // The accumulator first: when it is the destination too, the operands are equal and the source wins.
  g.setReg(0, g.width, L.B);
  g.putDst(L.T);
  setFlags(g, Kind.Sub, L.V, L.B, L.A);
};
