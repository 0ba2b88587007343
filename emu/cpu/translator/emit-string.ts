/**
 * Translations of single string instructions with 32-bit addresses: what the steps of exec/string.ts do. With a REP prefix
 * they are left to the interpreter, which moves whole runs at once.
 */
import { R } from '../../arch/core-layout.ts';
import { setFlags } from './emit-flags.ts';
import { Kind } from './flag-kinds.ts';
import type { Emit, FunctionCode } from './function-code.ts';
import { L } from './region-frame.ts';
import { Op } from './wasm-op.ts';

const EAX = L.Reg + R.EAX;
const ESI = L.Reg + R.ESI;
const EDI = L.Reg + R.EDI;
const DF_SHIFT = 10;

/** Moves an index register on by the operand's width, down with DF. */
function advance(g: FunctionCode, ...registers: number[]): void {
  const { w } = g;
  w.const(g.width);
  w.get(L.Core);
  w.memory(Op.Load, R.EFLAGS * 4);
  w.opConst(Op.ShrU, DF_SHIFT);
  w.opConst(Op.And, 1);
  w.opConst(Op.Mul, g.width * 2);
  w.op(Op.Sub);
  w.set(L.T);
  for (const register of registers) {
    w.get(register);
    w.get(L.T);
    w.op(Op.Add);
    w.set(register);
  }
}

/** Host offset of [register] in L.Host. */
function at(g: FunctionCode, register: number, access: 'read' | 'write', miss: 'fill' | 'leave'): void {
  g.w.get(register);
  g.translate(access, g.width, miss);
}

export const movs: Emit = (g) => {
  at(g, ESI, 'read', 'fill');
  g.load(g.width, 'zero');
  g.w.set(L.V);
  at(g, EDI, 'write', 'leave');
  g.store(g.width, L.V);
  advance(g, ESI, EDI);
};

export const stos: Emit = (g) => {
  at(g, EDI, 'write', 'fill');
  g.store(g.width, EAX);
  advance(g, EDI);
};

export const lods: Emit = (g) => {
  at(g, ESI, 'read', 'fill');
  g.load(g.width, 'zero');
  g.w.set(L.V);
  g.setReg(0, g.width, L.V);
  advance(g, ESI);
};

function compare(g: FunctionCode): void {
  g.w.get(L.A);
  g.w.get(L.B);
  g.w.op(Op.Sub);
  g.extend();
  g.w.set(L.V);
  setFlags(g, Kind.Sub, L.V, L.B, L.A);
}

export const scas: Emit = (g) => {
  at(g, EDI, 'read', 'fill');
  g.load(g.width, 'sign');
  g.w.set(L.B);
  g.pushReg(0, g.width, 'sign');
  g.w.set(L.A);
  advance(g, EDI);
  compare(g);
};

export const cmps: Emit = (g) => {
  at(g, EDI, 'read', 'fill');
  g.load(g.width, 'sign');
  g.w.set(L.B);
  at(g, ESI, 'read', 'leave');
  g.load(g.width, 'sign');
  g.w.set(L.A);
  advance(g, ESI, EDI);
  compare(g);
};
