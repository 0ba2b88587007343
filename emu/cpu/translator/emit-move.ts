/** Translations of moves, stack instructions, bit tests and the flag instructions that touch no privilege. */
import { Flag, R } from '../../arch/core-layout.ts';
import { I_DISP, I_ENTRY } from '../record.ts';
import { ENTRIES } from '../table/table.ts';
import { pushArith, pushCarry, pushCondition, replaceArith } from './emit-flags.ts';
import type { Access, Emit, FunctionCode } from './function-code.ts';
import { L } from './region-frame.ts';
import { Op } from './wasm-op.ts';

const EAX = L.Reg + R.EAX;
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
  g.copy(EAX, L.A);
  g.copy(L.Reg + g.regField, L.B);
  g.setReg(0, g.width, L.B);
  g.setReg(g.regField, g.width, L.A);
};

/** CBW, CWDE. */
export const convertAccumulator: Emit = (g) => {
  g.w.get(EAX);
  g.w.op(g.width === 4 ? Op.Extend16 : Op.Extend8);
  g.w.set(L.V);
  g.setReg(0, g.width, L.V);
};

/** CWD, CDQ. */
export const extendAccumulator: Emit = (g) => {
  g.pushReg(0, g.width, 'sign');
  g.w.opConst(Op.ShrS, 31);
  g.w.set(L.V);
  g.setReg(R.EDX, g.width, L.V);
};

export const xlat: Emit = (g) => {
  const { w } = g;
  w.get(L.Reg + R.EBX);
  g.pushReg(0, 1, 'zero');
  w.op(Op.Add);
  g.translate('read', 1, 'fill');
  g.load(1, 'zero');
  w.set(L.V);
  g.setReg(0, 1, L.V);
};

export const salc: Emit = (g) => {
  g.w.const(0);
  pushCarry(g);
  g.w.op(Op.Sub);
  g.w.set(L.V);
  g.setReg(0, 1, L.V);
};

/** AH, and the flags that it holds: all arithmetic ones but OF. */
const AH = 4;
const SZAPC = 0xd5;

export const lahf: Emit = (g) => {
  pushArith(g);
  g.w.opConst(Op.And, SZAPC);
  g.w.opConst(Op.Or, 2);
  g.w.set(L.V);
  g.setReg(AH, 1, L.V);
};

export const sahf: Emit = (g) => {
  g.pushReg(AH, 1, 'zero');
  g.w.opConst(Op.And, SZAPC);
  g.w.set(L.B);
  replaceArith(g, SZAPC, L.B);
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

/** Word with the bit in L.A: a register number reaches outside a memory operand, by words of it. */
function takeBits(g: FunctionCode, access: Access): void {
  const { w } = g;
  if (!g.isMem || g.srcIsImmediate) {
    g.takeDst(L.A, access);
    return;
  }
  g.pushEa();
  g.pushReg(g.regField, 4, 'sign');
  w.opConst(Op.ShrS, 5);
  w.opConst(Op.Shl, 2);
  w.op(Op.Add);
  g.translate(access, 4, 'fill');
  g.load(4, 'zero');
  w.set(L.A);
}

/** BT, BTS, BTR, BTC of 32 bits: bit number in L.B, of which WebAssembly's shifts take five bits. */
const bitTest =
  (change: 'none' | 'set' | 'reset' | 'complement'): Emit =>
  (g) => {
    const { w } = g;
    takeBits(g, change === 'none' ? 'read' : 'write');
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
