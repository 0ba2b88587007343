/** Translations of multiplication and division of 32 bits: what exec/multiply.ts does, with 64-bit instructions. */
import { R } from '../../arch/core-layout.ts';
import { binary } from './emit-arithmetic.ts';
import { setFlags } from './emit-flags.ts';
import { Kind } from './flag-kinds.ts';
import type { Emit, FunctionCode } from './function-code.ts';
import { L } from './region-frame.ts';
import { Op } from './wasm-op.ts';

const EAX = L.Reg + R.EAX;
const EDX = L.Reg + R.EDX;
const CF = 1;
const OF = 2048;

export const imulTwo: Emit = (g) => {
  g.pushRm(g.width, 'sign');
  g.w.set(L.B);
  g.pushReg(g.regField, g.width, 'sign');
  g.w.set(L.A);
  multiplyInto(g);
};

export const imulThree: Emit = (g) => {
  g.pushRm(g.width, 'sign');
  g.w.set(L.A);
  g.w.const(g.imm);
  g.w.set(L.B);
  multiplyInto(g);
};

function multiplyInto(g: FunctionCode): void {
  binary(g, Op.Mul);
  g.setReg(g.regField, 4, L.V);
  setFlags(g, Kind.Imul, L.V, L.B, L.A);
}

/** MUL and one-operand IMUL: CF = OF = the high half says something. */
const multiplyWide =
  (extend: Op.ExtendU | Op.ExtendS): Emit =>
  (g) => {
    const { w } = g;
    g.takeDst(L.B, 'read');
    w.get(EAX);
    w.op(extend);
    w.get(L.B);
    w.op(extend);
    w.op(Op.Mul64);
    w.set(L.Wide);
    w.get(L.Wide);
    w.op(Op.Wrap);
    w.set(EAX);
    pushHigh(g, L.Wide);
    w.set(EDX);
    w.get(EDX);
    if (extend === Op.ExtendS) {
      w.get(EAX);
      w.opConst(Op.ShrS, 31);
      w.op(Op.Ne);
    } else w.opConst(Op.Ne, 0);
    w.opConst(Op.Mul, CF | OF);
    w.set(L.T);
    setFlags(g, Kind.Result, EAX, L.T, L.A);
  };
export const mul = multiplyWide(Op.ExtendU);
export const imulOne = multiplyWide(Op.ExtendS);

function pushHigh(g: FunctionCode, wide: number): void {
  g.w.get(wide);
  g.pushLong(32);
  g.w.op(Op.ShrU64);
  g.w.op(Op.Wrap);
}

/** DIV: what would raise #DE, or trap in WebAssembly, is left to the interpreter. */
export const div: Emit = (g) => {
  const { w } = g;
  g.takeDst(L.B, 'read');
  // High half not below the divisor: by zero, or the quotient does not fit.
  w.get(EDX);
  w.get(L.B);
  w.op(Op.GeU);
  w.open(Op.If);
  g.leaveHere();
  w.close();
  pushDividend(g);
  divide(g, Op.ExtendU, Op.DivU64, Op.RemU64);
  commitDivision(g);
};

export const idiv: Emit = (g) => {
  const { w } = g;
  g.takeDst(L.B, 'read');
  // Divisors 0 and -1: the latter may overflow in WebAssembly.
  w.get(L.B);
  w.opConst(Op.Add, 1);
  w.opConst(Op.LtU, 2);
  w.open(Op.If);
  g.leaveHere();
  w.close();
  pushDividend(g);
  divide(g, Op.ExtendS, Op.DivS64, Op.RemS64);
  w.get(L.V);
  w.op(Op.ExtendS);
  w.get(L.Wide);
  w.op(Op.Ne64);
  w.open(Op.If);
  g.leaveHere();
  w.close();
  commitDivision(g);
};

function pushDividend(g: FunctionCode): void {
  const { w } = g;
  w.get(EDX);
  w.op(Op.ExtendU);
  g.pushLong(32);
  w.op(Op.Shl64);
  w.get(EAX);
  w.op(Op.ExtendU);
  w.op(Op.Or64);
  w.set(L.Wide2);
}

/** Quotient in L.Wide and L.V, rest in L.T. */
function divide(g: FunctionCode, extend: Op, quotient: Op, rest: Op): void {
  const { w } = g;
  const operands = (op: Op): void => {
    w.get(L.Wide2);
    w.get(L.B);
    w.op(extend);
    w.op(op);
  };
  operands(quotient);
  w.tee(L.Wide);
  w.op(Op.Wrap);
  w.set(L.V);
  operands(rest);
  w.op(Op.Wrap);
  w.set(L.T);
}

function commitDivision(g: FunctionCode): void {
  g.copy(L.V, EAX);
  g.copy(L.T, EDX);
}
