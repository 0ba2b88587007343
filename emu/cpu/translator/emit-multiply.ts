/**
 * Translations of multiplication and division: what exec/multiply.ts does; 32 bits with 64-bit instructions, 8 and 16 bits
 * within 32.
 */
import { R } from '../../arch/core-layout.ts';
import { binary } from './emit-arithmetic.ts';
import { setFlags } from './emit-flags.ts';
import { Kind } from './flag-kinds.ts';
import type { Emit, FunctionCode } from './function-code.ts';
import { L } from './region-frame.ts';
import { Op } from './wasm-op.ts';

const EAX = L.Reg + R.EAX;
const EDX = L.Reg + R.EDX;
/** Encoding number of AH. */
const AH = 4;
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
  if (g.width === 4) {
    binary(g, Op.Mul);
    g.setReg(g.regField, 4, L.V);
    setFlags(g, Kind.Imul, L.V, L.B, L.A);
    return;
  }
  pushProduct(g);
  g.w.set(L.V);
  g.setReg(g.regField, g.width, L.V);
  setNarrowFlags(g, 'signed');
}

function pushProduct(g: FunctionCode): void {
  g.w.get(L.A);
  g.w.get(L.B);
  g.w.op(Op.Mul);
}

/** Flags of the product in L.V: CF = OF = it does not fit into the operand's width. */
function setNarrowFlags(g: FunctionCode, sense: 'signed' | 'unsigned'): void {
  const { w } = g;
  w.get(L.V);
  if (sense === 'unsigned') w.opConst(Op.ShrU, g.width * 8);
  else {
    g.extend();
    w.get(L.V);
    w.op(Op.Xor);
  }
  w.opConst(Op.Ne, 0);
  w.opConst(Op.Mul, CF | OF);
  w.set(L.T);
  w.get(L.V);
  g.extend();
  w.set(L.V);
  setFlags(g, Kind.Result, L.V, L.T, L.A);
}

/** MUL and IMUL of 8 and 16 bits: the product in AX, or DX:AX. */
function multiplyNarrow(g: FunctionCode, sense: 'signed' | 'unsigned'): void {
  const { w } = g;
  g.takeDst(L.B, 'read');
  if (sense === 'unsigned') {
    w.get(L.B);
    w.opConst(Op.And, g.width === 1 ? 0xff : 0xffff);
    w.set(L.B);
  }
  g.pushReg(0, g.width, sense === 'unsigned' ? 'zero' : 'sign');
  w.set(L.A);
  pushProduct(g);
  w.set(L.V);
  g.setReg(0, 2, L.V);
  if (g.width === 2) {
    w.get(L.V);
    w.opConst(Op.ShrU, 16);
    w.set(L.T);
    g.setReg(R.EDX, 2, L.T);
  }
  setNarrowFlags(g, sense);
}

/** MUL and one-operand IMUL: CF = OF = the high half says something. */
const multiplyWide =
  (extend: Op.ExtendU | Op.ExtendS): Emit =>
  (g) => {
    const { w } = g;
    if (g.width !== 4) {
      multiplyNarrow(g, extend === Op.ExtendU ? 'unsigned' : 'signed');
      return;
    }
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
  if (g.width !== 4) {
    divideNarrow(g, 'unsigned');
    return;
  }
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
  if (g.width !== 4) {
    divideNarrow(g, 'signed');
    return;
  }
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

/** 8 and 16 bits: AX or DX:AX by L.B; what would raise #DE leaves. */
function divideNarrow(g: FunctionCode, sense: 'signed' | 'unsigned'): void {
  const { w } = g;
  const isSigned = sense === 'signed';
  const mask = g.width === 1 ? 0xff : 0xffff;
  const leaveIf = (): void => {
    w.open(Op.If);
    g.leaveHere();
    w.close();
  };
  w.get(L.B);
  if (isSigned) {
    // Divisors 0 and -1, as above.
    w.opConst(Op.Add, 1);
    w.opConst(Op.LtU, 2);
  } else {
    w.opConst(Op.And, mask);
    w.tee(L.B);
    w.op(Op.Eqz);
  }
  leaveIf();
  if (g.width === 2) {
    w.get(EDX);
    w.opConst(Op.Shl, 16);
    g.pushReg(0, 2, 'zero');
    w.op(Op.Or);
  } else g.pushReg(0, 2, isSigned ? 'sign' : 'zero');
  w.set(L.A);
  w.get(L.A);
  w.get(L.B);
  w.op(isSigned ? Op.DivS : Op.DivU);
  w.tee(L.V);
  if (isSigned) {
    g.extend();
    w.get(L.V);
    w.op(Op.Ne);
  } else w.opConst(Op.GtU, mask);
  leaveIf();
  w.get(L.A);
  w.get(L.B);
  w.op(isSigned ? Op.RemS : Op.RemU);
  w.set(L.T);
  g.setReg(0, g.width, L.V);
  g.setReg(g.width === 1 ? AH : R.EDX, g.width, L.T);
}

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
