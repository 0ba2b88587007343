/** Near and far transfers, software interrupts, flag instructions (SDM vol. 2). */
import { CoreF, Flag, R, RunState, Seg, SHADOW_INTERRUPTS } from '../../arch/core-layout.ts';
import { CR0_EM, CR0_MP, CR0_TS } from '../../arch/paging.ts';
import { VEC_BP, VEC_GP, VEC_NM, VEC_OF, VEC_UD } from '../../arch/vectors.ts';
import { PEND, PEND_ATTENTION, PEND_EXIT } from '../../mem/memory-layout.ts';
import type { CpuCore } from '../cpu-core.ts';
import { farCall, farJump, farReturn } from '../far-transfer.ts';
import { arithFlags, carry, condition, materialise, overflow, setArith, zero } from '../flags.ts';
import { deliverSoftware, interruptReturn, writeFlags } from '../interrupts.ts';
import { I_LINK } from '../record.ts';

const SZAPC = 0xd5;

/** Target of a near transfer cut to the operand size; #GP(0) when it leaves the code segment. */
function nearTarget(c: CpuCore, eip: number, width: number): number {
  const target = width === 2 ? eip & 0xffff : eip | 0;
  if (target >>> 0 > c.r[R.LIMIT + Seg.CS] >>> 0) c.raise(VEC_GP, 0);
  return target;
}

function nearJump(c: CpuCore, eip: number, width: number): void {
  const target = nearTarget(c, eip, width);
  if (!c.faulted()) c.jump(target);
}

export function jmpRel(c: CpuCore, i: number): void {
  nearJump(c, c.r[R.EIP] + c.imm(i), c.width(i));
}

/** Jcc with condition number `code`. */
export const jcc =
  (code: number) =>
  (c: CpuCore, i: number): void => {
    if (condition(c.r, code)) nearJump(c, c.r[R.EIP] + c.imm(i), c.width(i));
  };

export function jmpRm(c: CpuCore, i: number): void {
  const target = c.dst(i);
  if (!c.faulted()) nearJump(c, target, c.width(i));
}

function nearCall(c: CpuCore, eip: number, width: number): void {
  const target = nearTarget(c, eip, width);
  if (c.faulted()) return;
  c.push(c.r[R.EIP], width);
  if (!c.faulted()) c.jump(target);
}

export function callRel(c: CpuCore, i: number): void {
  nearCall(c, c.r[R.EIP] + c.imm(i), c.width(i));
}

export function callRm(c: CpuCore, i: number): void {
  const target = c.dst(i);
  if (!c.faulted()) nearCall(c, target, c.width(i));
}

/** RET and RET imm16 (the immediate is 0 for RET). */
export function ret(c: CpuCore, i: number): void {
  const w = c.width(i);
  const target = nearTarget(c, c.peekStack(0, w), w);
  if (c.faulted()) return;
  c.dropStack(w + (c.imm(i) & 0xffff));
  c.jump(target);
}

const counter = (c: CpuCore, i: number): number => (c.addressIs32(i) ? c.r[1] : c.h[2]);

function setCounter(c: CpuCore, i: number, value: number): void {
  if (c.addressIs32(i)) c.r[1] = value;
  else c.h[2] = value;
}

/** LOOP, LOOPE, LOOPNE: the counter changes only if the jump target is good. */
function loopWhile(c: CpuCore, i: number, also: boolean): void {
  const left = (counter(c, i) - 1) | 0;
  const isZero = c.addressIs32(i) ? left === 0 : (left & 0xffff) === 0;
  if (!isZero && also) nearJump(c, c.r[R.EIP] + c.imm(i), c.width(i));
  if (!c.faulted()) setCounter(c, i, left);
}

export const loop = (c: CpuCore, i: number): void => loopWhile(c, i, true);
export const loope = (c: CpuCore, i: number): void => loopWhile(c, i, zero(c.r));
export const loopne = (c: CpuCore, i: number): void => loopWhile(c, i, !zero(c.r));

export function jcxz(c: CpuCore, i: number): void {
  if (counter(c, i) === 0) nearJump(c, c.r[R.EIP] + c.imm(i), c.width(i));
}

const cut = (value: number, width: number): number => (width === 2 ? value & 0xffff : value);

export function jmpFar(c: CpuCore, i: number): void {
  farJump(c, c.ops[i + I_LINK] & 0xffff, cut(c.imm(i), c.width(i)));
}

export function callFar(c: CpuCore, i: number): void {
  farCall(c, c.ops[i + I_LINK] & 0xffff, cut(c.imm(i), c.width(i)), c.width(i));
}

/** Far pointer in memory: offset first, then the selector. */
function farPointer(
  c: CpuCore,
  i: number,
  use: (selector: number, eip: number, width: number) => void,
): void {
  const w = c.width(i);
  const off = c.ea(i);
  const eip = c.load(c.seg(i), off, w);
  const selector = c.load(c.seg(i), c.addressIs32(i) ? (off + w) | 0 : (off + w) & 0xffff, 2);
  if (!c.faulted()) use(selector, eip, w);
}

export const jmpFarMem = (c: CpuCore, i: number): void =>
  farPointer(c, i, (selector, eip) => farJump(c, selector, eip));
export const callFarMem = (c: CpuCore, i: number): void =>
  farPointer(c, i, (selector, eip, width) => farCall(c, selector, eip, width));

export function retFar(c: CpuCore, i: number): void {
  farReturn(c, c.width(i), c.imm(i) & 0xffff);
}

export function iret(c: CpuCore, i: number): void {
  interruptReturn(c, c.width(i));
}

/**
 * INT n, INT3, INTO: hosted tasks leave to the kernel with EIP behind the instruction; otherwise the event goes through
 * the IDT, and a fault on the way belongs to this instruction.
 */
function softwareInterrupt(c: CpuCore, vector: number): void {
  const r = c.r;
  c.sync();
  if (c.context.trapMode === 'hosted' && r[R.CPL] === 3) {
    r[R.EXIT_VECTOR] = vector;
    r[R.EXIT_SOFT] = 1;
    r[R.FAULT_ERROR] = 0;
    c.f[CoreF.TRAPS]++;
    c.f[CoreF.CYCLES] += c.context.costs.trapEntry;
    r[PEND] |= PEND_EXIT;
    return;
  }
  deliverSoftware(c, vector);
}

export const int3 = (c: CpuCore): void => softwareInterrupt(c, VEC_BP);
export const intN = (c: CpuCore, i: number): void => softwareInterrupt(c, c.imm(i) & 0xff);

export function into(c: CpuCore): void {
  if (overflow(c.r)) softwareInterrupt(c, VEC_OF);
}

export function ud(c: CpuCore): void {
  c.raise(VEC_UD, 0);
}

/** A byte string longer than 15 bytes. */
export function tooLong(c: CpuCore): void {
  c.raise(VEC_GP, 0);
}

/** x87 without a unit: #NM when CR0.EM or TS asks for it, else #UD. */
export function x87(c: CpuCore): void {
  c.raise((c.r[R.CR0] & (CR0_EM | CR0_TS)) !== 0 ? VEC_NM : VEC_UD, 0);
}

/** WAIT waits for nothing: #NM when CR0.MP and TS are set. */
export function wait(c: CpuCore): void {
  const both = CR0_MP | CR0_TS;
  if ((c.r[R.CR0] & both) === both) c.raise(VEC_NM, 0);
}

export function nop(): void {}

export function hlt(c: CpuCore): void {
  if (!c.privileged()) return;
  c.r[R.RUN_STATE] = RunState.Halted;
  c.r[PEND] |= PEND_EXIT;
}

// ---- flags ----------------------------------------------------------------------------------------------------------

export const clc = (c: CpuCore): void => setArith(c.r, 1, 0);
export const stc = (c: CpuCore): void => setArith(c.r, 1, 1);
export const cmc = (c: CpuCore): void => setArith(c.r, 1, carry(c.r) ^ 1);

export function cld(c: CpuCore): void {
  c.r[R.EFLAGS] &= ~Flag.DF;
}

export function std(c: CpuCore): void {
  c.r[R.EFLAGS] |= Flag.DF;
}

const iopl = (c: CpuCore): number => (c.r[R.EFLAGS] >> 12) & 3;

export function cli(c: CpuCore): void {
  if (c.protectedMode && c.r[R.CPL] > iopl(c)) c.gp(0);
  else c.r[R.EFLAGS] &= ~Flag.IF;
}

/** STI opens interrupts after the next instruction, if they were shut. */
export function sti(c: CpuCore): void {
  if (c.protectedMode && c.r[R.CPL] > iopl(c)) {
    c.gp(0);
    return;
  }
  if ((c.r[R.EFLAGS] & Flag.IF) !== 0) return;
  c.r[R.EFLAGS] |= Flag.IF;
  c.r[R.SHADOW] = SHADOW_INTERRUPTS;
  c.r[PEND] |= PEND_ATTENTION;
}

export function pushf(c: CpuCore, i: number): void {
  c.push(materialise(c.r) & ~(Flag.RF | Flag.VM), c.width(i));
}

export function popf(c: CpuCore, i: number): void {
  const w = c.width(i);
  const image = c.peekStack(0, w);
  if (c.faulted()) return;
  c.dropStack(w);
  writeFlags(c, image & ~Flag.RF, w, c.protectedMode ? c.r[R.CPL] : 0, iopl(c));
}

export function lahf(c: CpuCore): void {
  c.b[1] = (arithFlags(c.r) & SZAPC) | 2;
}

export function sahf(c: CpuCore): void {
  setArith(c.r, SZAPC, c.b[1]);
}

/** INT1 (F1): #DB as a trap-like software event without DPL check. */
export function int1(c: CpuCore): void {
  c.debugHits |= 1 << 16;
  c.r[PEND] |= PEND_ATTENTION;
}
