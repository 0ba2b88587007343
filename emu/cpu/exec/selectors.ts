/** Instructions on selectors: MOV/PUSH/POP Sreg, LxS, LLDT/LTR, SLDT/STR, LAR, LSL, VERR, VERW, ARPL (SDM vol. 2). */
import { R, Seg, SHADOW_DEBUG, SHADOW_INTERRUPTS } from '../../arch/core-layout.ts';
import { VEC_GP, VEC_NP, VEC_UD } from '../../arch/vectors.ts';
import { PEND, PEND_ATTENTION } from '../../mem/memory-layout.ts';
import type { CpuCore } from '../cpu-core.ts';
import { setArith } from '../flags.ts';
import {
  DESC_CODE,
  DESC_CONFORMING,
  DESC_PRESENT,
  DESC_RW,
  DESC_SEGMENT,
  type Descriptor,
  dplOf,
  limitOf,
  loadSegment,
  peekDescriptor,
  readDescriptor,
  setSegment,
  typeOf,
} from '../segments.ts';

const ZF = 64;
const d: Descriptor = { address: 0, lo: 0, hi: 0 };

/** After SS is written, interrupts and debug traps wait for one instruction. */
function shadowAfter(c: CpuCore, seg: number): void {
  if (seg !== Seg.SS || c.faulted()) return;
  c.r[R.SHADOW] = SHADOW_INTERRUPTS | SHADOW_DEBUG;
  c.r[PEND] |= PEND_ATTENTION;
}

export function movToSeg(c: CpuCore, i: number): void {
  const seg = c.regField(i);
  const selector = c.readRm(i, 2);
  if (c.faulted()) return;
  loadSegment(c, seg, selector);
  shadowAfter(c, seg);
}

/** MOV r/m, Sreg: a 32-bit register is zero-extended, memory gets 16 bits. */
export function movFromSeg(c: CpuCore, i: number): void {
  c.writeRm(i, c.isMem(i) ? 2 : c.width(i), c.r[R.SEL + c.regField(i)]);
}

export const pushSeg =
  (seg: Seg) =>
  (c: CpuCore, i: number): void => {
    c.push(c.r[R.SEL + seg], c.width(i));
  };

export const popSeg =
  (seg: Seg) =>
  (c: CpuCore, i: number): void => {
    const w = c.width(i);
    const selector = c.peekStack(0, w) & 0xffff;
    if (c.faulted()) return;
    const wide = c.stack32;
    loadSegment(c, seg, selector);
    if (c.faulted()) return;
    // The pop moves the pointer by the rules of the old stack; POP SS itself is one instruction.
    if (wide) c.r[R.ESP] += w;
    else c.h[R.ESP * 2] += w;
    shadowAfter(c, seg);
  };

/** LES, LDS, LSS, LFS, LGS: offset, then selector. */
export const loadFarPointer =
  (seg: Seg) =>
  (c: CpuCore, i: number): void => {
    const w = c.width(i);
    const off = c.ea(i);
    const value = c.load(c.seg(i), off, w);
    const selector = c.load(c.seg(i), c.addressIs32(i) ? (off + w) | 0 : (off + w) & 0xffff, 2);
    if (c.faulted()) return;
    loadSegment(c, seg, selector);
    if (!c.faulted()) c.setReg(c.regField(i), w, value);
  };

/** The instructions of group 0F 00 and their relatives exist in protected mode only. */
function needProtected(c: CpuCore): boolean {
  if (c.protectedMode) return true;
  c.raise(VEC_UD, 0);
  return false;
}

function loadSystem(c: CpuCore, i: number, seg: number, types: readonly number[]): void {
  if (!needProtected(c) || !c.privileged()) return;
  const selector = c.readRm(i, 2);
  if (c.faulted()) return;
  const error = selector & 0xfffc;
  if (error === 0) {
    if (seg === Seg.TR) c.raise(VEC_GP, 0);
    else {
      c.r[R.SEL + seg] = selector;
      c.r[R.ATTR + seg] = 0;
      c.r[R.LIMIT + seg] = 0;
    }
    return;
  }
  if ((selector & 4) !== 0) {
    c.raise(VEC_GP, error);
    return;
  }
  if (!readDescriptor(c, selector, d)) return;
  if ((d.hi & DESC_SEGMENT) !== 0 || !types.includes(typeOf(d.hi))) {
    c.raise(VEC_GP, error);
    return;
  }
  if ((d.hi & DESC_PRESENT) === 0) {
    c.raise(VEC_NP, error);
    return;
  }
  if (seg === Seg.TR) {
    d.hi |= 1 << 9;
    c.systemStore((d.address + 5) | 0, 1, (d.hi >>> 8) & 0xff);
    if (c.faulted()) return;
  }
  setSegment(c, seg, selector, d);
}

export const lldt = (c: CpuCore, i: number): void => loadSystem(c, i, Seg.LDTR, [2]);
/** LTR takes an available 16- or 32-bit TSS and marks it busy. */
export const ltr = (c: CpuCore, i: number): void => loadSystem(c, i, Seg.TR, [1, 9]);

function storeSelector(c: CpuCore, i: number, seg: number): void {
  if (needProtected(c)) c.writeRm(i, c.isMem(i) ? 2 : c.width(i), c.r[R.SEL + seg]);
}

export const sldt = (c: CpuCore, i: number): void => storeSelector(c, i, Seg.LDTR);
export const str = (c: CpuCore, i: number): void => storeSelector(c, i, Seg.TR);

/** Descriptor of the operand if it is visible at max(CPL, RPL); `systemTypes`: bit per allowed system type. */
function visible(c: CpuCore, selector: number, systemTypes: number): boolean {
  if (!peekDescriptor(c, selector, d)) return false;
  if ((d.hi & DESC_SEGMENT) === 0 && ((systemTypes >> typeOf(d.hi)) & 1) === 0) return false;
  const conforming = DESC_SEGMENT | DESC_CODE | DESC_CONFORMING;
  if ((d.hi & conforming) === conforming) return true;
  return dplOf(d.hi) >= Math.max(selector & 3, c.r[R.CPL]);
}

/** System types that LAR and LSL know: TSS 1, 3, 9, B, LDT 2; LAR also gates 4, 5, C. */
const LSL_TYPES = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 9) | (1 << 11);
const LAR_TYPES = LSL_TYPES | (1 << 4) | (1 << 5) | (1 << 12);

export function lar(c: CpuCore, i: number): void {
  if (!needProtected(c)) return;
  const selector = c.readRm(i, 2);
  if (c.faulted()) return;
  const good = visible(c, selector, LAR_TYPES);
  if (c.faulted()) return;
  if (good) c.setReg(c.regField(i), c.width(i), d.hi & 0x00ffff00);
  setArith(c.r, ZF, good ? ZF : 0);
}

export function lsl(c: CpuCore, i: number): void {
  if (!needProtected(c)) return;
  const selector = c.readRm(i, 2);
  if (c.faulted()) return;
  const good = visible(c, selector, LSL_TYPES);
  if (c.faulted()) return;
  if (good) c.setReg(c.regField(i), c.width(i), limitOf(d));
  setArith(c.r, ZF, good ? ZF : 0);
}

function verify(c: CpuCore, i: number, access: 'read' | 'write'): void {
  if (!needProtected(c)) return;
  const selector = c.readRm(i, 2);
  if (c.faulted()) return;
  let good = visible(c, selector, 0);
  if (c.faulted()) return;
  const code = (d.hi & DESC_CODE) !== 0;
  const rw = (d.hi & DESC_RW) !== 0;
  if (good) good = access === 'read' ? !code || rw : !code && rw;
  setArith(c.r, ZF, good ? ZF : 0);
}

export const verr = (c: CpuCore, i: number): void => verify(c, i, 'read');
export const verw = (c: CpuCore, i: number): void => verify(c, i, 'write');

/**
 * ARPL: raises the destination's RPL to the source's. Memory that need not change is only read, and need not be
 * writable, as on the reference processor.
 */
export function arpl(c: CpuCore, i: number): void {
  if (!needProtected(c)) return;
  const value = c.readRm(i, 2);
  if (c.faulted()) return;
  const rpl = c.reg(c.regField(i), 2) & 3;
  const raise = (value & 3) < rpl;
  if (raise) c.writeRm(i, 2, (value & ~3) | rpl);
  if (c.faulted()) return;
  setArith(c.r, ZF, raise ? ZF : 0);
}
