/**
 * Segment registers and descriptors (SDM vol. 3 §3.4, §5; real mode: vol. 3 §20.1). A load checks everything, then
 * writes selector and hidden part together. Faults name the selector as error code.
 */
import { R, Seg } from '../arch/core-layout.ts';
import { VEC_GP, VEC_NP, VEC_SS } from '../arch/vectors.ts';
import type { CpuCore } from './cpu-core.ts';

export const DESC_PRESENT = 1 << 15;
/** S: code or data segment (else a system descriptor). */
export const DESC_SEGMENT = 1 << 12;
export const DESC_CODE = 1 << 11;
/** Code: conforming. Data: expand-down. */
export const DESC_CONFORMING = 1 << 10;
/** Code: readable. Data: writable. */
export const DESC_RW = 1 << 9;
export const DESC_ACCESSED = 1 << 8;
export const DESC_BIG = 1 << 22;
const DESC_GRANULAR = 1 << 23;
/** What ATTR keeps of the high descriptor word. */
export const DESC_ATTR = 0x00f0ff00;

export const dplOf = (hi: number): number => (hi >> 13) & 3;
export const typeOf = (hi: number): number => (hi >> 8) & 15;

/** A descriptor as read; `address` is its linear address (for the accessed and busy bits). */
export interface Descriptor {
  address: number;
  lo: number;
  hi: number;
}

export const baseOf = (d: Descriptor): number => (d.lo >>> 16) | ((d.hi & 0xff) << 16) | (d.hi & 0xff000000);

export function limitOf(d: Descriptor): number {
  const raw = (d.lo & 0xffff) | (d.hi & 0xf0000);
  return (d.hi & DESC_GRANULAR) !== 0 ? (raw << 12) | 0xfff : raw;
}

/**
 * Reads the descriptor that `selector` names into `into`. False after a fault: #GP(selector), or `vector`(selector),
 * when it lies outside its table; #PF while reading it.
 */
export function readDescriptor(c: CpuCore, selector: number, into: Descriptor, vector = VEC_GP): boolean {
  const r = c.r;
  const local = (selector & 4) !== 0;
  const base = local ? r[R.BASE + Seg.LDTR] : r[R.GDT_BASE];
  const limit = local ? r[R.LIMIT + Seg.LDTR] >>> 0 : r[R.GDT_LIMIT];
  const offset = selector & 0xfff8;
  if (offset + 7 > limit || (local && (r[R.ATTR + Seg.LDTR] & DESC_PRESENT) === 0)) {
    c.raise(vector, selector & 0xfffc);
    return false;
  }
  into.address = (base + offset) | 0;
  into.lo = c.systemLoad(into.address, 4);
  into.hi = c.systemLoad((into.address + 4) | 0, 4);
  return !c.faulted();
}

/** As readDescriptor, but out of range is no fault: for LAR, LSL, VERR, VERW. */
export function peekDescriptor(c: CpuCore, selector: number, into: Descriptor): boolean {
  const r = c.r;
  const local = (selector & 4) !== 0;
  const limit = local ? r[R.LIMIT + Seg.LDTR] >>> 0 : r[R.GDT_LIMIT];
  if ((selector & 0xfffc) === 0 || (selector & 0xfff8) + 7 > limit) return false;
  if (local && (r[R.ATTR + Seg.LDTR] & DESC_PRESENT) === 0) return false;
  return readDescriptor(c, selector, into);
}

/** Writes a segment register with its hidden part. */
export function setSegment(c: CpuCore, seg: number, selector: number, d: Descriptor): void {
  const r = c.r;
  r[R.SEL + seg] = selector;
  r[R.BASE + seg] = baseOf(d);
  r[R.LIMIT + seg] = limitOf(d);
  r[R.ATTR + seg] = d.hi & DESC_ATTR;
  c.changedMode();
}

/** Sets the accessed bit in the table, as a locked update, if it is not set. */
export function markAccessed(c: CpuCore, d: Descriptor): void {
  if ((d.hi & DESC_ACCESSED) !== 0) return;
  d.hi |= DESC_ACCESSED;
  c.systemStore((d.address + 5) | 0, 1, (d.hi >>> 8) & 0xff);
}

export function setRealSegment(c: CpuCore, seg: number, selector: number): void {
  c.r[R.SEL + seg] = selector & 0xffff;
  c.r[R.BASE + seg] = (selector & 0xffff) << 4;
  c.changedMode();
}

const scratch: Descriptor = { address: 0, lo: 0, hi: 0 };

/**
 * Loads ES, SS, DS, FS or GS (MOV, POP, LxS). After a fault nothing has changed.
 * Faults: #GP(selector) wrong type or privilege, #NP(selector) or #SS(selector) not present.
 */
export function loadSegment(c: CpuCore, seg: number, selector: number): void {
  if (!c.protectedMode) {
    setRealSegment(c, seg, selector);
    return;
  }
  if (seg === Seg.SS) {
    loadStackSegment(c, selector, c.r[R.CPL], VEC_GP);
    return;
  }
  if ((selector & 0xfffc) === 0) {
    clearSegment(c, seg, selector);
    return;
  }
  const d = scratch;
  if (!readDescriptor(c, selector, d)) return;
  const error = selector & 0xfffc;
  const readable = (d.hi & DESC_SEGMENT) !== 0 && (d.hi & (DESC_CODE | DESC_RW)) !== DESC_CODE;
  const conforming = (d.hi & (DESC_CODE | DESC_CONFORMING)) === (DESC_CODE | DESC_CONFORMING);
  const privilege = Math.max(selector & 3, c.r[R.CPL]);
  if (!readable || (!conforming && dplOf(d.hi) < privilege)) {
    c.raise(VEC_GP, error);
    return;
  }
  if ((d.hi & DESC_PRESENT) === 0) {
    c.raise(VEC_NP, error);
    return;
  }
  markAccessed(c, d);
  if (!c.faulted()) setSegment(c, seg, selector, d);
}

/** Makes a data segment register null: selector kept, every use faults. */
export function clearSegment(c: CpuCore, seg: number, selector: number): void {
  c.r[R.SEL + seg] = selector;
  c.r[R.BASE + seg] = 0;
  c.r[R.LIMIT + seg] = 0;
  c.r[R.ATTR + seg] = 0;
  c.changedMode();
}

/** Checks a stack segment for privilege `cpl` into `d`; `vector` for a bad one (#GP, or #TS from a TSS). */
export function readStackDescriptor(
  c: CpuCore,
  selector: number,
  cpl: number,
  vector: number,
  d: Descriptor,
): boolean {
  const error = selector & 0xfffc;
  if (error === 0) {
    c.raise(vector, 0);
    return false;
  }
  if (!readDescriptor(c, selector, d, vector)) return false;
  const writable = (d.hi & (DESC_SEGMENT | DESC_CODE | DESC_RW)) === (DESC_SEGMENT | DESC_RW);
  if ((selector & 3) !== cpl || !writable || dplOf(d.hi) !== cpl) {
    c.raise(vector, error);
    return false;
  }
  if ((d.hi & DESC_PRESENT) === 0) {
    c.raise(VEC_SS, error);
    return false;
  }
  return true;
}

export function loadStackSegment(c: CpuCore, selector: number, cpl: number, vector: number): void {
  const d = scratch;
  if (!readStackDescriptor(c, selector, cpl, vector, d)) return;
  markAccessed(c, d);
  if (!c.faulted()) setSegment(c, Seg.SS, selector, d);
}

/** Loads CS for privilege `cpl` from a checked descriptor. */
export function setCode(c: CpuCore, selector: number, d: Descriptor, cpl: number): void {
  setSegment(c, Seg.CS, (selector & 0xfffc) | cpl, d);
  c.r[R.CPL] = cpl;
}

/** After a return to an outer ring: data segments that the new ring may not use become null (SDM vol. 2, RET). */
export function dropPrivilegedSegments(c: CpuCore, cpl: number): void {
  for (const seg of [Seg.ES, Seg.DS, Seg.FS, Seg.GS]) {
    const attr = c.r[R.ATTR + seg];
    const conforming = (attr & (DESC_CODE | DESC_CONFORMING)) === (DESC_CODE | DESC_CONFORMING);
    if (attr !== 0 && !conforming && dplOf(attr) < cpl) clearSegment(c, seg, 0);
  }
}
