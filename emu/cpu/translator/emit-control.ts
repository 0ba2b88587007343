/** Translations of near transfers. Targets are inside a flat segment, so no limit is checked. */
import { R } from '../../arch/core-layout.ts';
import { I_ENTRY } from '../record.ts';
import { ENTRIES } from '../table/table.ts';
import { pushCondition } from './emit-flags.ts';
import type { Emit } from './function-code.ts';
import { endOf, targetOf } from './reach.ts';
import { L } from './region-frame.ts';
import { Op } from './wasm-op.ts';

const ECX = L.Reg + R.ECX;
const ESP = L.Reg + R.ESP;

type G = Parameters<Emit>[0];

/** To the branch target if the value on the stack is not 0, else to the next instruction. */
function branch(g: G): void {
  g.w.open(Op.If);
  g.jumpTo(targetOf(g.ops, g.i));
  g.w.close();
  g.jumpTo(endOf(g.ops, g.i));
}

export const jcc: Emit = (g) => {
  g.settleKind();
  pushCondition(g, ENTRIES[g.ops[g.i + I_ENTRY]].opcode & 15);
  branch(g);
};

export const loop: Emit = (g) => {
  g.settleKind();
  g.w.get(ECX);
  g.w.opConst(Op.Sub, 1);
  g.w.tee(ECX);
  branch(g);
};

export const jecxz: Emit = (g) => {
  g.settleKind();
  g.w.get(ECX);
  g.w.op(Op.Eqz);
  branch(g);
};

export const jmp: Emit = (g) => g.jumpTo(targetOf(g.ops, g.i));

/** Pushes the address of the next instruction; `first`: no other access of this instruction comes before. */
function pushReturn(g: G, miss: 'fill' | 'leave'): void {
  g.stackAddress(-4, 'write', miss);
  g.pushAddress(endOf(g.ops, g.i));
  g.w.set(L.A);
  g.store(4, L.A);
  g.copy(L.Va, ESP);
}

export const call: Emit = (g) => {
  pushReturn(g, 'fill');
  g.jumpTo(targetOf(g.ops, g.i));
};

export const jmpIndirect: Emit = (g) => {
  g.pushRm(4, 'zero');
  g.w.set(L.Eip);
  g.jumpIndirect();
};

export const callIndirect: Emit = (g) => {
  g.pushRm(4, 'zero');
  g.w.set(L.Eip);
  pushReturn(g, g.isMem ? 'leave' : 'fill');
  g.jumpIndirect();
};

export const ret: Emit = (g) => {
  g.stackAddress(0, 'read', 'fill');
  g.w.get(L.Va);
  g.w.opConst(Op.Add, 4 + (g.imm & 0xffff));
  g.w.set(ESP);
  g.load(4, 'zero');
  g.w.set(L.Eip);
  g.jumpIndirect();
};
