/**
 * Translations of shifts and rotates of all widths, by an immediate or CL: what exec/shift.ts does, by formulas instead
 * of loops. 32-bit shifts have kinds of flags of their own; the others compute CF and OF.
 */
import { R } from '../../arch/core-layout.ts';
import { pushBinary } from './emit-arithmetic.ts';
import { pushCarry, replaceArith, setFlags } from './emit-flags.ts';
import { Kind } from './flag-kinds.ts';
import type { Emit, FunctionCode } from './function-code.ts';
import { L } from './region-frame.ts';
import { Op } from './wasm-op.ts';

const ECX = L.Reg + R.ECX;
const CF = 1;
const AF = 16;
const OF = 2048;
/** Where OF lies. */
const OF_SHIFT = 11;

type CountFrom = 'immediate' | 'CL';

const bitsOf = (g: FunctionCode): number => g.width * 8;

/**
 * Emits `body` for a count that is not 0, which is then in `into`. The count of CL is only known at run time: what
 * `body` makes of the flags is written to the local inside, and nothing is known of them behind.
 */
function counted(g: FunctionCode, from: CountFrom, into: number, body: () => void): void {
  const { w } = g;
  if (from === 'immediate') {
    const count = g.imm & 31;
    if (count === 0) return;
    w.const(count);
    w.set(into);
    body();
    return;
  }
  g.settleKind();
  w.get(ECX);
  w.opConst(Op.And, 31);
  w.tee(L.T);
  w.open(Op.If);
  g.copy(L.T, into);
  body();
  if (g.kind !== Kind.Unknown) {
    w.const(g.kind);
    w.set(L.Op);
  }
  w.close();
  g.kind = Kind.Unknown;
  g.localKind = Kind.Unknown;
}

/** The low bits of a local that the operand has. */
function pushMasked(g: FunctionCode, local: number): void {
  g.w.get(local);
  if (g.width !== 4) g.w.opConst(Op.And, g.width === 1 ? 0xff : 0xffff);
}

/** CF | OF as after a left move: `pushOut` gives the bit that went out; OF = it XOR the top bit of L.V. */
function pushLeftBits(g: FunctionCode, pushOut: () => void): void {
  const { w } = g;
  pushOut();
  w.tee(L.T);
  w.get(L.T);
  w.get(L.V);
  w.opConst(Op.ShrU, bitsOf(g) - 1);
  w.op(Op.Xor);
  w.opConst(Op.And, 1);
  w.opConst(Op.Shl, OF_SHIFT);
  w.op(Op.Or);
}

/** CF | OF as after a right move: OF = XOR of the two top bits of L.V. */
function pushRightBits(g: FunctionCode, pushOut: () => void): void {
  const { w } = g;
  pushOut();
  w.get(L.V);
  w.opConst(Op.ShrU, bitsOf(g) - 1);
  w.get(L.V);
  w.opConst(Op.ShrU, bitsOf(g) - 2);
  w.op(Op.Xor);
  w.opConst(Op.And, 1);
  w.opConst(Op.Shl, OF_SHIFT);
  w.op(Op.Or);
}

// ---- SHL, SHR, SAR --------------------------------------------------------------------------------------------------

interface Shift {
  readonly op: Op.Shl | Op.ShrU | Op.ShrS;
  readonly kind: Kind;
}

const shift =
  ({ op, kind }: Shift, from: CountFrom): Emit =>
  (g) => {
    if (g.width !== 4) {
      narrowShift(g, op, from);
      return;
    }
    // With count 0 the flags stay: so L.Aux only when it is known not to be.
    const into = from === 'immediate' && (g.imm & 31) !== 0 ? L.Aux : L.A;
    g.takeDst(into, 'write');
    counted(g, from, L.Src, () => {
      if (into !== L.Aux) g.copy(into, L.Aux);
      pushBinary(g, op);
      g.putResult();
      g.kind = kind;
    });
  };

/** 8 and 16 bits: the operand is moved within 32, its bits out at the top or the bottom are still there. */
function narrowShift(g: FunctionCode, op: Shift['op'], from: CountFrom): void {
  const { w } = g;
  g.takeDst(L.A, 'write');
  counted(g, from, L.B, () => {
    if (op !== Op.ShrS) {
      pushMasked(g, L.A);
      w.set(L.A);
    }
    w.get(L.A);
    w.get(L.B);
    w.op(op);
    g.extend();
    w.set(L.V);
    g.putDst(L.V);
    if (op === Op.Shl) pushLeftBits(g, () => pushOutAtTop(g));
    else if (op === Op.ShrU) pushRightBits(g, () => pushOutAtBottom(g, op));
    else pushOutAtBottom(g, op);
    w.opConst(Op.Or, AF);
    w.set(L.T);
    setFlags(g, Kind.Result, L.V, L.T, L.A);
  });
}

function pushOutAtTop(g: FunctionCode): void {
  const { w } = g;
  w.get(L.A);
  w.get(L.B);
  w.op(Op.Shl);
  w.opConst(Op.ShrU, bitsOf(g));
  w.opConst(Op.And, 1);
}

function pushOutAtBottom(g: FunctionCode, op: Op): void {
  const { w } = g;
  w.get(L.A);
  w.get(L.B);
  w.opConst(Op.Sub, 1);
  w.op(op);
  w.opConst(Op.And, 1);
}

const SHL: Shift = { op: Op.Shl, kind: Kind.Shl };
const SHR: Shift = { op: Op.ShrU, kind: Kind.Shr };
const SAR: Shift = { op: Op.ShrS, kind: Kind.Sar };
export const shl = shift(SHL, 'immediate');
export const shr = shift(SHR, 'immediate');
export const sar = shift(SAR, 'immediate');
export const shlCl = shift(SHL, 'CL');
export const shrCl = shift(SHR, 'CL');
export const sarCl = shift(SAR, 'CL');

// ---- ROL, ROR -------------------------------------------------------------------------------------------------------

/** They write CF and OF only: the bit that comes in at one end, and what it makes of the top. */
const rotate =
  (direction: 'left' | 'right', from: CountFrom): Emit =>
  (g) => {
    const { w } = g;
    g.takeDst(L.A, 'write');
    counted(g, from, L.B, () => {
      pushRotated(g, direction);
      w.set(L.V);
      g.putDst(L.V);
      if (g.flagsAreDead) return;
      if (direction === 'left') pushLeftBits(g, () => pushBitOfResult(g, 0));
      else pushRightBits(g, () => pushBitOfResult(g, bitsOf(g) - 1));
      w.set(L.B);
      replaceArith(g, CF | OF, L.B);
    });
  };

function pushRotated(g: FunctionCode, direction: 'left' | 'right'): void {
  const { w } = g;
  const bits = bitsOf(g);
  if (bits === 32) {
    w.get(L.A);
    w.get(L.B);
    w.op(direction === 'left' ? Op.Rotl : Op.Rotr);
    return;
  }
  pushMasked(g, L.A);
  w.set(L.A);
  w.get(L.B);
  w.opConst(Op.And, bits - 1);
  w.set(L.B);
  w.get(L.A);
  w.get(L.B);
  w.op(direction === 'left' ? Op.Shl : Op.ShrU);
  w.get(L.A);
  w.const(bits);
  w.get(L.B);
  w.op(Op.Sub);
  w.op(direction === 'left' ? Op.ShrU : Op.Shl);
  w.op(Op.Or);
  w.opConst(Op.And, (1 << bits) - 1);
}

function pushBitOfResult(g: FunctionCode, bit: number): void {
  g.w.get(L.V);
  if (bit > 0) g.w.opConst(Op.ShrU, bit);
  g.w.opConst(Op.And, 1);
}

export const rol = rotate('left', 'immediate');
export const ror = rotate('right', 'immediate');
export const rolCl = rotate('left', 'CL');
export const rorCl = rotate('right', 'CL');

// ---- RCL, RCR -------------------------------------------------------------------------------------------------------

/** Through CF: CF and operand together, 9, 17 or 33 bits, are rotated in 64. */
const rotateThroughCarry =
  (direction: 'left' | 'right', from: CountFrom): Emit =>
  (g) => {
    const { w } = g;
    g.takeDst(L.A, 'write');
    counted(g, from, L.B, () => {
      const bits = bitsOf(g);
      w.get(L.B);
      w.opConst(Op.RemU, bits + 1);
      w.set(L.B);
      pushCarry(g);
      w.op(Op.ExtendU);
      g.pushLong(bits);
      w.op(Op.Shl64);
      pushMasked(g, L.A);
      w.op(Op.ExtendU);
      w.op(Op.Or64);
      w.set(L.Wide);
      pushWide(g, direction === 'left' ? Op.Shl64 : Op.ShrU64, 'count');
      pushWide(g, direction === 'left' ? Op.ShrU64 : Op.Shl64, 'rest');
      w.op(Op.Or64);
      w.set(L.Wide);
      w.get(L.Wide);
      w.op(Op.Wrap);
      w.set(L.V);
      pushMasked(g, L.V);
      w.set(L.V);
      g.putDst(L.V);
      const pushOut = (): void => {
        w.get(L.Wide);
        g.pushLong(bits);
        w.op(Op.ShrU64);
        w.op(Op.Wrap);
        w.opConst(Op.And, 1);
      };
      if (direction === 'left') pushLeftBits(g, pushOut);
      else pushRightBits(g, pushOut);
      w.set(L.B);
      replaceArith(g, CF | OF, L.B);
    });
  };

/** L.Wide moved by the count, or by what is left of the whole turn. */
function pushWide(g: FunctionCode, op: Op, by: 'count' | 'rest'): void {
  const { w } = g;
  w.get(L.Wide);
  if (by === 'rest') w.const(bitsOf(g) + 1);
  w.get(L.B);
  if (by === 'rest') w.op(Op.Sub);
  w.op(Op.ExtendU);
  w.op(op);
}

export const rcl = rotateThroughCarry('left', 'immediate');
export const rcr = rotateThroughCarry('right', 'immediate');
export const rclCl = rotateThroughCarry('left', 'CL');
export const rcrCl = rotateThroughCarry('right', 'CL');

// ---- SHLD, SHRD of 32 bits ------------------------------------------------------------------------------------------

const doubleShift =
  (direction: 'left' | 'right', from: CountFrom): Emit =>
  (g) => {
    const { w } = g;
    g.takeDst(L.A, 'write');
    counted(g, from, L.B, () => {
      const [near, far] = direction === 'left' ? [Op.Shl, Op.ShrU] : [Op.ShrU, Op.Shl];
      const pushRest = (): void => {
        w.const(32);
        w.get(L.B);
        w.op(Op.Sub);
      };
      w.get(L.A);
      w.get(L.B);
      w.op(near);
      g.pushReg(g.regField, 4, 'zero');
      pushRest();
      w.op(far);
      w.op(Op.Or);
      w.set(L.V);
      g.putDst(L.V);
      if (direction === 'left') {
        pushLeftBits(g, () => {
          w.get(L.A);
          pushRest();
          w.op(Op.ShrU);
          w.opConst(Op.And, 1);
        });
      } else pushRightBits(g, () => pushOutAtBottom(g, Op.ShrU));
      w.opConst(Op.Or, AF);
      w.set(L.T);
      setFlags(g, Kind.Result, L.V, L.T, L.A);
    });
  };
export const shldImm = doubleShift('left', 'immediate');
export const shrdImm = doubleShift('right', 'immediate');
export const shldCl = doubleShift('left', 'CL');
export const shrdCl = doubleShift('right', 'CL');
