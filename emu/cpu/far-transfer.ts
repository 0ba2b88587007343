/**
 * Far JMP, CALL and RET between segments and rings, call gates with the stack switch through the TSS (SDM vol. 3 §5.8).
 * Transfers through a TSS or task gate are refused with #GP(selector): this machine does no hardware task switches.
 */
import { R, Seg } from '../arch/core-layout.ts';
import { VEC_GP, VEC_NP, VEC_PF, VEC_SS, VEC_TS } from '../arch/vectors.ts';
import type { CpuCore } from './cpu-core.ts';
import {
  DESC_BIG,
  DESC_CODE,
  DESC_CONFORMING,
  DESC_PRESENT,
  DESC_SEGMENT,
  type Descriptor,
  dplOf,
  dropPrivilegedSegments,
  limitOf,
  markAccessed,
  readDescriptor,
  readStackDescriptor,
  setCode,
  setRealSegment,
  setSegment,
  typeOf,
} from './segments.ts';

const code: Descriptor = { address: 0, lo: 0, hi: 0 };
const stack: Descriptor = { address: 0, lo: 0, hi: 0 };

const isCode = (hi: number): boolean => (hi & (DESC_SEGMENT | DESC_CODE)) === (DESC_SEGMENT | DESC_CODE);
const isConforming = (hi: number): boolean => (hi & DESC_CONFORMING) !== 0;

function refuse(c: CpuCore, vector: number, selector: number): boolean {
  c.raise(vector, selector & 0xfffc);
  return false;
}

/** Checks that `eip` lies in the segment; #GP(0) otherwise. */
function inLimit(c: CpuCore, d: Descriptor, eip: number): boolean {
  if (eip >>> 0 <= limitOf(d) >>> 0) return true;
  c.raise(VEC_GP, 0);
  return false;
}

/** Direct far transfer to a code descriptor without change of privilege. */
function directAllowed(c: CpuCore, selector: number): boolean {
  const cpl = c.r[R.CPL];
  const dpl = dplOf(code.hi);
  const allowed = isConforming(code.hi) ? dpl <= cpl : (selector & 3) <= cpl && dpl === cpl;
  if (!allowed) return refuse(c, VEC_GP, selector);
  return (code.hi & DESC_PRESENT) !== 0 || refuse(c, VEC_NP, selector);
}

/** JMP FAR. `eip` is already cut to the operand size. */
export function farJump(c: CpuCore, selector: number, eip: number): void {
  if (!c.protectedMode) {
    realFar(c, selector, eip);
    return;
  }
  if ((selector & 0xfffc) === 0) {
    c.raise(VEC_GP, 0);
    return;
  }
  if (!readDescriptor(c, selector, code)) return;
  let target = selector;
  let offset = eip;
  if (!isCode(code.hi)) {
    if (!readGate(c, selector) || !readGateTarget(c, 'jump')) return;
    target = gateSelector;
    offset = gateOffset;
  } else if (!directAllowed(c, selector)) return;
  if (!inLimit(c, code, offset)) return;
  markAccessed(c, code);
  if (c.faulted()) return;
  setCode(c, target, code, c.r[R.CPL]);
  c.jump(offset);
}

function realFar(c: CpuCore, selector: number, eip: number): void {
  if (eip >>> 0 > c.r[R.LIMIT + Seg.CS] >>> 0) {
    c.raise(VEC_GP, 0);
    return;
  }
  setRealSegment(c, Seg.CS, selector);
  c.jump(eip);
}

let gateSelector = 0;
let gateOffset = 0;
let gateCount = 0;
let gateWidth = 4;

/** Takes the call gate in `code` apart; refuses anything else. DPL rule: gate DPL >= max(CPL, RPL). */
function readGate(c: CpuCore, selector: number): boolean {
  const { lo, hi } = code;
  const type = typeOf(hi);
  if ((hi & DESC_SEGMENT) !== 0 || (type !== 4 && type !== 12)) return refuse(c, VEC_GP, selector);
  if (dplOf(hi) < Math.max(c.r[R.CPL], selector & 3)) return refuse(c, VEC_GP, selector);
  if ((hi & DESC_PRESENT) === 0) return refuse(c, VEC_NP, selector);
  gateWidth = type === 12 ? 4 : 2;
  gateSelector = lo >>> 16;
  gateOffset = type === 12 ? (hi & 0xffff0000) | (lo & 0xffff) : lo & 0xffff;
  gateCount = hi & 31;
  return true;
}

/** Reads the code segment that the gate leads to. A jump stays in its ring; a call may go inwards. */
function readGateTarget(c: CpuCore, transfer: 'jump' | 'call'): boolean {
  if ((gateSelector & 0xfffc) === 0) return refuse(c, VEC_GP, 0);
  if (!readDescriptor(c, gateSelector, code)) return false;
  const cpl = c.r[R.CPL];
  const dpl = dplOf(code.hi);
  const isInside = transfer === 'call' || isConforming(code.hi) ? dpl <= cpl : dpl === cpl;
  if (!isCode(code.hi) || !isInside) return refuse(c, VEC_GP, gateSelector);
  return (code.hi & DESC_PRESENT) !== 0 || refuse(c, VEC_NP, gateSelector);
}

/** CALL FAR; `width` is the operand size of the pushed words (a gate has its own). */
export function farCall(c: CpuCore, selector: number, eip: number, width: number): void {
  if (!c.protectedMode) {
    const cs = c.r[R.SEL + Seg.CS];
    const back = c.r[R.EIP];
    if (eip >>> 0 > c.r[R.LIMIT + Seg.CS] >>> 0) c.raise(VEC_GP, 0);
    if (!c.faulted() && pushPair(c, cs, back, width)) realFar(c, selector, eip);
    return;
  }
  if ((selector & 0xfffc) === 0) {
    c.raise(VEC_GP, 0);
    return;
  }
  if (!readDescriptor(c, selector, code)) return;
  if (!isCode(code.hi)) {
    if (readGate(c, selector)) callGate(c);
    return;
  }
  if (!directAllowed(c, selector) || !inLimit(c, code, eip)) return;
  if (!pushPair(c, c.r[R.SEL + Seg.CS], c.r[R.EIP], width)) return;
  markAccessed(c, code);
  if (c.faulted()) return;
  setCode(c, selector, code, c.r[R.CPL]);
  c.jump(eip);
}

/** Pushes two words, or nothing at all if one of them would fault. */
function pushPair(c: CpuCore, first: number, second: number, width: number): boolean {
  if (!c.canPush(width, 2)) return false;
  c.push(first, width);
  c.push(second, width);
  return true;
}

/** Pushes `words`. Where one does not fit into the segment, #SS has the error code `error`. */
export function pushAll(c: CpuCore, words: readonly number[], width: number, error: number): void {
  for (const word of words) if (!c.faulted()) c.push(word, width);
  if (c.faulted() && c.r[R.FAULT_VECTOR] === VEC_SS) c.r[R.FAULT_ERROR] = error;
}

function callGate(c: CpuCore): void {
  if (!readGateTarget(c, 'call') || !inLimit(c, code, gateOffset)) return;
  const cpl = c.r[R.CPL];
  const dpl = dplOf(code.hi);
  const selector = gateSelector;
  const offset = gateOffset;
  const width = gateWidth;
  if (isConforming(code.hi) || dpl === cpl) {
    if (!pushPair(c, c.r[R.SEL + Seg.CS], c.r[R.EIP], width)) return;
    markAccessed(c, code);
    if (c.faulted()) return;
    setCode(c, selector, code, cpl);
    c.jump(offset);
    return;
  }
  const params: number[] = [];
  for (let n = 0; n < gateCount; n++) params.push(c.peekStack(n * width, width));
  if (c.faulted()) return;
  const saved = saveStack(c);
  const words = [saved.selector, saved.esp, ...params.reverse(), c.r[R.SEL + Seg.CS], c.r[R.EIP]];
  if (!switchStack(c, dpl, 0)) return;
  pushAll(c, words, width, c.r[R.SEL + Seg.SS] & 0xfffc);
  if (!c.faulted()) markAccessed(c, code);
  if (c.faulted()) {
    restoreStack(c, saved);
    return;
  }
  setCode(c, selector, code, dpl);
  c.jump(offset);
}

/** SS:ESP and CPL as they were, to undo a transfer that faults half-way. */
export interface SavedStack {
  readonly selector: number;
  readonly base: number;
  readonly limit: number;
  readonly attr: number;
  readonly esp: number;
  readonly cpl: number;
}

export function saveStack(c: CpuCore): SavedStack {
  const r = c.r;
  return {
    selector: r[R.SEL + Seg.SS],
    base: r[R.BASE + Seg.SS],
    limit: r[R.LIMIT + Seg.SS],
    attr: r[R.ATTR + Seg.SS],
    esp: r[R.ESP],
    cpl: r[R.CPL],
  };
}

export function restoreStack(c: CpuCore, saved: SavedStack): void {
  const r = c.r;
  r[R.SEL + Seg.SS] = saved.selector;
  r[R.BASE + Seg.SS] = saved.base;
  r[R.LIMIT + Seg.SS] = saved.limit;
  r[R.ATTR + Seg.SS] = saved.attr;
  r[R.ESP] = saved.esp;
  r[R.CPL] = saved.cpl;
  c.refreshMode();
}

/**
 * Takes SS:ESP for ring `dpl` from the TSS and sets CPL to it, so that pushes go to the new stack with its rights.
 * False after #TS, #SS, #NP or #PF; then nothing has changed. `ext`: the EXT bit for error codes.
 */
export function switchStack(c: CpuCore, dpl: number, ext: number): boolean {
  const r = c.r;
  const wide = (typeOf(r[R.ATTR + Seg.TR]) & 8) !== 0;
  const slot = wide ? 4 + dpl * 8 : 2 + dpl * 4;
  const size = wide ? 4 : 2;
  // The pointer and the two bytes of the selector behind it.
  if (slot + size + 1 > r[R.LIMIT + Seg.TR] >>> 0) {
    c.raise(VEC_TS, (r[R.SEL + Seg.TR] & 0xfffc) | ext);
    return false;
  }
  const base = r[R.BASE + Seg.TR];
  const esp = c.systemLoad((base + slot) | 0, size);
  const selector = c.systemLoad((base + slot + size) | 0, 2);
  if (c.faulted()) return false;
  if (!readStackDescriptor(c, selector, dpl, VEC_TS, stack)) {
    if (r[R.FAULT_VECTOR] !== VEC_PF) r[R.FAULT_ERROR] |= ext;
    return false;
  }
  markAccessed(c, stack);
  if (c.faulted()) return false;
  setSegment(c, Seg.SS, selector, stack);
  r[R.CPL] = dpl;
  c.refreshMode();
  if ((stack.hi & DESC_BIG) !== 0) r[R.ESP] = esp;
  else c.h[R.ESP * 2] = esp;
  return true;
}

/** RET FAR: pops EIP, CS and, for an outer ring, ESP and SS; `extra` bytes are dropped from both stacks. */
export function farReturn(c: CpuCore, width: number, extra: number): void {
  // The selector is read first: where both words fault, the reference processor reports its address.
  const selector = c.peekStack(width, width) & 0xffff;
  const eip = c.peekStack(0, width);
  if (c.faulted()) return;
  if (!c.protectedMode) {
    if (eip >>> 0 > c.r[R.LIMIT + Seg.CS] >>> 0) {
      c.raise(VEC_GP, 0);
      return;
    }
    c.dropStack(width * 2 + extra);
    setRealSegment(c, Seg.CS, selector);
    c.jump(eip);
    return;
  }
  returnTo(c, selector, eip, width, width * 2, extra);
}

/**
 * The protected-mode part of RETF and IRET: checks CS, then returns to the same or an outer ring. `popped`: bytes of
 * the frame before ESP/SS, which are read first, as the reference processor does. True when done; after a fault nothing
 * has changed.
 */
export function returnTo(
  c: CpuCore,
  selector: number,
  eip: number,
  width: number,
  popped: number,
  extra: number,
): boolean {
  const r = c.r;
  const cpl = r[R.CPL];
  const rpl = selector & 3;
  const ss = rpl === cpl ? 0 : c.peekStack(popped + extra + width, width) & 0xffff;
  const esp = rpl === cpl ? 0 : c.peekStack(popped + extra, width);
  if (c.faulted()) return false;
  if ((selector & 0xfffc) === 0) return refuse(c, VEC_GP, 0);
  if (!readDescriptor(c, selector, code)) return false;
  const dpl = dplOf(code.hi);
  if (!isCode(code.hi) || rpl < cpl) return refuse(c, VEC_GP, selector);
  if (isConforming(code.hi) ? dpl > rpl : dpl !== rpl) return refuse(c, VEC_GP, selector);
  if ((code.hi & DESC_PRESENT) === 0) return refuse(c, VEC_NP, selector);
  if (rpl === cpl) {
    if (!inLimit(c, code, eip)) return false;
    markAccessed(c, code);
    if (c.faulted()) return false;
    c.dropStack(popped + extra);
    setCode(c, selector, code, cpl);
    c.jump(eip);
    return true;
  }
  if (!readStackDescriptor(c, ss, rpl, VEC_GP, stack) || !inLimit(c, code, eip)) return false;
  markAccessed(c, code);
  markAccessed(c, stack);
  if (c.faulted()) return false;
  setSegment(c, Seg.SS, ss, stack);
  setCode(c, selector, code, rpl);
  if ((stack.hi & DESC_BIG) !== 0) r[R.ESP] = (esp + extra) | 0;
  else c.h[R.ESP * 2] = esp + extra;
  dropPrivilegedSegments(c, rpl);
  c.jump(eip);
  return true;
}
