/** Translations of moves, stack instructions, bit tests and the flag instructions that touch no privilege. */
import { Flag, R } from '../../arch/core-layout.ts';
import { I_DISP, I_ENTRY } from '../record.ts';
import { ENTRIES } from '../table/table.ts';
import { pushCarry, pushCondition, replaceArith } from './emit-flags.ts';
import type { Emit } from './function-code.ts';
import { L } from './region-frame.ts';
import { Op } from './wasm-op.ts';

const EAX = L.Reg + R.EAX;
const EDX = L.Reg + R.EDX;
const ESP = L.Reg + R.ESP;
const EBP = L.Reg + R.EBP;
const CF = 1;
const ZF = 64;

export const mov: Emit = (g) => {
  g.takeSrc(L.V);
  if (g.dstIsMem) g.address('write', g.width);
  g.putDst(L.V);
};

export const movFromOffset: Emit = (g) => {
  g.w.const(g.ops[g.i + I_DISP]);
  g.translate('read', g.width, 'fill');
  g.load(g.width, 'zero');
  g.w.set(L.V);
  g.setReg(0, g.width, L.V);
};

export const movToOffset: Emit = (g) => {
  g.w.const(g.ops[g.i + I_DISP]);
  g.translate('write', g.width, 'fill');
  g.store(g.width, EAX);
};

const extended =
  (from: 1 | 2, extend: 'zero' | 'sign'): Emit =>
  (g) => {
    g.pushRm(from, extend);
    g.w.set(L.V);
    g.setReg(g.regField, g.width, L.V);
  };
export const movzxByte = extended(1, 'zero');
export const movzxWord = extended(2, 'zero');
export const movsxByte = extended(1, 'sign');
export const movsxWord = extended(2, 'sign');

export const lea: Emit = (g) => {
  g.pushEa();
  g.w.set(L.V);
  g.setReg(g.regField, g.width, L.V);
};

export const xchg: Emit = (g) => {
  g.takeDst(L.A, 'write');
  g.pushReg(g.regField, g.width, 'sign');
  g.w.set(L.B);
  g.putDst(L.B);
  g.setReg(g.regField, g.width, L.A);
};

export const xchgAccumulator: Emit = (g) => {
  const other = L.Reg + g.regField;
  g.copy(EAX, L.A);
  g.copy(other, EAX);
  g.copy(L.A, other);
};

export const cwde: Emit = (g) => {
  g.w.get(EAX);
  g.w.op(Op.Extend16);
  g.w.set(EAX);
};

export const cdq: Emit = (g) => {
  g.w.get(EAX);
  g.w.opConst(Op.ShrS, 31);
  g.w.set(EDX);
};

export const bswap: Emit = (g) => {
  const { w } = g;
  const n = L.Reg + g.regField;
  w.get(n);
  w.opConst(Op.Rotl, 8);
  w.opConst(Op.And, 0x00ff00ff);
  w.get(n);
  w.opConst(Op.Rotr, 8);
  w.opConst(Op.And, 0xff00ff00);
  w.op(Op.Or);
  w.set(n);
};

/** Number of the condition in SETcc, CMOVcc and Jcc. */
const conditionOf = (entry: number): number => ENTRIES[entry].opcode & 15;

export const setcc: Emit = (g) => {
  if (g.dstIsMem) g.address('write', 1);
  pushCondition(g, conditionOf(g.ops[g.i + I_ENTRY]));
  g.w.opConst(Op.Ne, 0);
  g.w.set(L.V);
  g.putDst(L.V);
};

export const cmovcc: Emit = (g) => {
  const { w } = g;
  g.pushRm(g.width, 'sign');
  w.set(L.V);
  g.pushReg(g.regField, g.width, 'sign');
  w.set(L.A);
  pushCondition(g, conditionOf(g.ops[g.i + I_ENTRY]));
  w.set(L.B);
  w.get(L.V);
  w.get(L.A);
  w.get(L.B);
  w.op(Op.Select);
  w.set(L.V);
  g.setReg(g.regField, g.width, L.V);
};

// ---- stack ----------------------------------------------------------------------------------------------------------

/** Value in L.B to the stack. */
const pushValue = (g: Parameters<Emit>[0], miss: 'fill' | 'leave'): void => {
  g.stackAddress(-4, 'write', miss);
  g.store(4, L.B);
  g.copy(L.Va, ESP);
};

export const push: Emit = (g) => {
  g.takeDst(L.B, 'read');
  pushValue(g, g.dstIsMem ? 'leave' : 'fill');
};

export const pushImm: Emit = (g) => {
  g.w.const(g.imm);
  g.w.set(L.B);
  pushValue(g, 'fill');
};

export const pop: Emit = (g) => {
  g.stackAddress(0, 'read', 'fill');
  g.w.get(L.Va);
  g.w.opConst(Op.Add, 4);
  g.w.set(ESP);
  g.load(4, 'zero');
  g.w.set(L.Reg + g.regField);
};

export const leave: Emit = (g) => {
  g.w.get(EBP);
  g.translate('read', 4, 'fill');
  g.w.get(L.Va);
  g.w.opConst(Op.Add, 4);
  g.w.set(ESP);
  g.load(4, 'zero');
  g.w.set(EBP);
};

// ---- bits and flags -------------------------------------------------------------------------------------------------

/** BT, BTS, BTR, BTC of a register: bit number in L.B. */
const bitTest =
  (change: 'none' | 'set' | 'reset' | 'complement'): Emit =>
  (g) => {
    const { w } = g;
    g.takeDst(L.A, 'read');
    g.takeSrc(L.B);
    if (change !== 'none') {
      w.get(L.A);
      w.const(1);
      w.get(L.B);
      w.op(Op.Shl);
      if (change === 'reset') w.opConst(Op.Xor, -1);
      w.op(change === 'set' ? Op.Or : change === 'reset' ? Op.And : Op.Xor);
      w.set(L.V);
      g.putDst(L.V);
    }
    w.get(L.A);
    w.get(L.B);
    w.op(Op.ShrU);
    w.opConst(Op.And, 1);
    w.set(L.B);
    replaceArith(g, CF, L.B);
  };
export const bt = bitTest('none');
export const bts = bitTest('set');
export const btr = bitTest('reset');
export const btc = bitTest('complement');

/** BSF and BSR: with source 0 the destination stays. */
const bitScan =
  (direction: 'forward' | 'reverse'): Emit =>
  (g) => {
    const { w } = g;
    const target = L.Reg + g.regField;
    g.pushRm(4, 'zero');
    w.set(L.B);
    if (direction === 'reverse') w.const(31);
    w.get(L.B);
    w.op(direction === 'forward' ? Op.Ctz : Op.Clz);
    if (direction === 'reverse') w.op(Op.Sub);
    w.get(target);
    w.get(L.B);
    w.op(Op.Select);
    w.set(target);
    w.get(L.B);
    w.op(Op.Eqz);
    w.opConst(Op.Mul, ZF);
    w.set(L.B);
    replaceArith(g, ZF, L.B);
  };
export const bsf = bitScan('forward');
export const bsr = bitScan('reverse');

const setCarry =
  (to: 'clear' | 'set' | 'complement'): Emit =>
  (g) => {
    const { w } = g;
    if (to === 'complement') {
      pushCarry(g);
      w.op(Op.Eqz);
    } else w.const(to === 'set' ? 1 : 0);
    w.set(L.B);
    replaceArith(g, CF, L.B);
  };
export const clc = setCarry('clear');
export const stc = setCarry('set');
export const cmc = setCarry('complement');

const setDirection =
  (to: 'up' | 'down'): Emit =>
  (g) => {
    const { w } = g;
    w.get(L.Core);
    w.get(L.Core);
    w.memory(Op.Load, R.EFLAGS * 4);
    if (to === 'up') w.opConst(Op.And, ~Flag.DF);
    else w.opConst(Op.Or, Flag.DF);
    w.memory(Op.Store, R.EFLAGS * 4);
  };
export const cld = setDirection('up');
export const std = setDirection('down');

export const nop: Emit = () => {};
