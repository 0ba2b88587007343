/**
 * The usual case of interrupt delivery and IRET at once: 32-bit gate, flat segments with their accessed bits set, every
 * word that is touched in a page that the flat data table has. Then no access can fault or walk, so the order of the
 * checks in interrupts.ts and far-transfer.ts is not visible, and the result is theirs. Anything else: nothing is done,
 * the caller goes the general way. Measured by `npm run bench cpu` (INT and IRET of a guest kernel): 2.5 times as fast.
 */
import { CoreF, Flag, R, Seg } from '../arch/core-layout.ts';
import { CR0_AM } from '../arch/paging.ts';
import { ERROR_CODES, VEC_DB } from '../arch/vectors.ts';
import {
  PEND,
  PEND_ATTENTION,
  PEND_FAULT,
  PEND_JUMP,
  PEND_MODE,
  PEND_REFETCH,
} from '../mem/memory-layout.ts';
import { ACCESS_USER } from '../mem/walk.ts';
import type { CpuCore } from './cpu-core.ts';
import { forgetArith, materialise, POPF_BITS } from './flags.ts';
import { DESC_ATTR, dplOf, dropPrivilegedSegments } from './segments.ts';

/** Low and high word of a flat descriptor that is present and accessed; DPL and AVL are free. */
const FLAT_LOW = 0x0000ffff;
const FLAT_FREE = 0x6000 | 0x100000;
const FLAT_CODE_HIGH = 0x00cf9b00;
const FLAT_DATA_HIGH = 0x00cf9300;
/** Present 32-bit interrupt (0) or trap (1) gate. */
const GATE_MASK = 0x9f00 & ~0x100;
const GATE_32 = 0x8e00;
const GATE_TRAP = 0x100;
/** A busy 32-bit TSS. */
const TYPE_TSS32 = 0xb;

/**
 * Index in `i32` of `words` aligned words at `va`, all in one page that the flat table allows with `mask`; -1 otherwise.
 */
function wordsAt(c: CpuCore, va: number, words: number, mask: number): number {
  const word = c.flat[va >>> 12];
  if ((word & mask) === 0 || (va & 3) !== 0 || (va & 4095) + words * 4 > 4096) return -1;
  return ((word & ~4095) ^ va) >>> 2;
}

/** Index of the descriptor of a GDT selector, -1 if it must be looked at in the general way. */
function descriptorAt(c: CpuCore, selector: number): number {
  const offset = selector & 0xfff8;
  if ((selector & 4) !== 0 || offset === 0 || offset + 7 > c.r[R.GDT_LIMIT]) return -1;
  return wordsAt(c, c.r[R.GDT_BASE] + offset, 2, 1);
}

const isFlat = (c: CpuCore, at: number, high: number): boolean =>
  c.i32[at] === FLAT_LOW && (c.i32[at + 1] & ~FLAT_FREE) === high;

/**
 * The transfer is done: what the inner loop must look at. It may go on at once when no event waits and neither TF nor
 * RF was set, because then the slice would find nothing to do; the rights of the new ring are set here.
 */
function arrive(c: CpuCore, eip: number): void {
  const { r } = c;
  r[R.EIP] = eip;
  const user = r[R.CPL] === 3 ? ACCESS_USER : 0;
  if (c.user !== user) {
    c.user = user;
    c.readMask = user === 0 ? 1 : 4;
    c.writeMask = user === 0 ? 2 : 8;
  }
  const isQuiet = (r[R.ATTENTION] | (r[R.EFLAGS] & (Flag.TF | Flag.RF)) | (r[R.CR0] & CR0_AM)) === 0;
  r[PEND] |= isQuiet ? PEND_JUMP : PEND_JUMP | PEND_MODE | PEND_ATTENTION;
  c.codePage = -1;
}

function setFlatSegment(r: Int32Array, seg: number, selector: number, high: number): void {
  r[R.SEL + seg] = selector;
  r[R.BASE + seg] = 0;
  r[R.LIMIT + seg] = -1;
  r[R.ATTR + seg] = high & DESC_ATTR;
}

/**
 * Delivers `vector` through the IDT if the case is the usual one. `error`: error code, or -1 for none; `lowestDpl`: the
 * gate's DPL must not be below it; `setFlags`: more bits for the flags that are pushed. False: nothing has changed.
 */
export function deliverFlat(
  c: CpuCore,
  vector: number,
  error: number,
  lowestDpl: number,
  setFlags: number,
): boolean {
  const { r, i32 } = c;
  if (!c.flatSegments || vector * 8 + 7 > r[R.IDT_LIMIT]) return false;
  const gateAt = wordsAt(c, r[R.IDT_BASE] + vector * 8, 2, 1);
  if (gateAt < 0) return false;
  const gate = i32[gateAt + 1];
  if ((gate & GATE_MASK) !== GATE_32 || dplOf(gate) < lowestDpl) return false;
  const selector = i32[gateAt] >>> 16;
  const codeAt = descriptorAt(c, selector);
  if (codeAt < 0 || !isFlat(c, codeAt, FLAT_CODE_HIGH)) return false;
  const code = i32[codeAt + 1];
  const cpl = r[R.CPL];
  const dpl = dplOf(code);
  if (dpl > cpl) return false;
  const words = (dpl < cpl ? 5 : 3) + (error >= 0 ? 1 : 0);
  let esp = r[R.ESP];
  let stack = 0;
  let stackSelector = 0;
  if (dpl < cpl) {
    const tss = 4 + dpl * 8;
    if (((r[R.ATTR + Seg.TR] >> 8) & 15) !== TYPE_TSS32 || tss + 5 > r[R.LIMIT + Seg.TR] >>> 0) return false;
    const tssAt = wordsAt(c, (r[R.BASE + Seg.TR] + tss) | 0, 2, 1);
    if (tssAt < 0) return false;
    esp = i32[tssAt];
    stackSelector = i32[tssAt + 1] & 0xffff;
    const stackAt = descriptorAt(c, stackSelector);
    if (stackAt < 0 || !isFlat(c, stackAt, FLAT_DATA_HIGH)) return false;
    stack = i32[stackAt + 1];
    if (dplOf(stack) !== dpl || (stackSelector & 3) !== dpl) return false;
  }
  let at = wordsAt(c, (esp - words * 4) | 0, words, dpl === 3 ? 8 : 2);
  if (at < 0) return false;
  const flags = materialise(r);
  if (error >= 0) i32[at++] = error;
  i32[at] = r[R.EIP];
  i32[at + 1] = r[R.SEL + Seg.CS];
  i32[at + 2] = flags | setFlags;
  if (dpl < cpl) {
    i32[at + 3] = r[R.ESP];
    i32[at + 4] = r[R.SEL + Seg.SS];
    setFlatSegment(r, Seg.SS, stackSelector, stack);
    r[R.CPL] = dpl;
  }
  r[R.ESP] = (esp - words * 4) | 0;
  setFlatSegment(r, Seg.CS, (selector & 0xfffc) | dpl, code);
  const clear = (gate & GATE_TRAP) === 0 ? Flag.IF : 0;
  r[R.EFLAGS] = flags & ~(clear | Flag.TF | Flag.NT | Flag.RF | Flag.VM);
  c.stepHeld = true;
  arrive(c, (gate & 0xffff0000) | (i32[gateAt] & 0xffff));
  return true;
}

/**
 * Delivers the pending fault of the instruction at EIP from within the inner loop, if the case is the usual one and
 * nobody listens: what Interpreter.fault and the slice would have done (`npm run bench engines`, fault). False: nothing
 * has changed.
 */
export function faultFlat(c: CpuCore): boolean {
  const { r, f, context } = c;
  const isHosted = context.trapMode === 'hosted' && r[R.CPL] === 3;
  if (isHosted || context.events.sink !== null || (r[PEND] & ~(PEND_FAULT | PEND_REFETCH)) !== 0)
    return false;
  const vector = r[R.FAULT_VECTOR];
  const eip = r[R.EIP];
  if (vector === VEC_DB) return false;
  const error = ((ERROR_CODES >>> vector) & 1) !== 0 ? r[R.FAULT_ERROR] : -1;
  if (!deliverFlat(c, vector, error, 0, Flag.RF)) return false;
  c.sync();
  c.debugHits = 0;
  r[PEND] &= ~(PEND_FAULT | PEND_REFETCH);
  r[R.FAULT_EIP] = eip;
  f[CoreF.INSTRUCTIONS] -= 1;
  f[CoreF.FAULTED] += 1;
  f[CoreF.TRAPS] += 1;
  f[CoreF.CYCLES] += context.costs.trapEntry;
  return true;
}

/** IRETD if the case is the usual one: to flat segments of the same or an outer ring. False: nothing has changed. */
export function returnFlat(c: CpuCore): boolean {
  const { r, i32 } = c;
  if (!c.flatSegments || (r[R.EFLAGS] & Flag.NT) !== 0) return false;
  const cpl = r[R.CPL];
  const at = wordsAt(c, r[R.ESP], 3, c.readMask);
  if (at < 0) return false;
  const selector = i32[at + 1] & 0xffff;
  const image = i32[at + 2];
  const rpl = selector & 3;
  if ((image & Flag.VM) !== 0 || rpl < cpl) return false;
  const codeAt = descriptorAt(c, selector);
  if (codeAt < 0 || !isFlat(c, codeAt, FLAT_CODE_HIGH) || dplOf(i32[codeAt + 1]) !== rpl) return false;
  if (rpl !== cpl && !outerStack(c, at, rpl)) return false;
  if (rpl === cpl) r[R.ESP] += 12;
  setFlatSegment(r, Seg.CS, selector, i32[codeAt + 1]);
  r[R.CPL] = rpl;
  // Changes the mode (PEND_MODE) if DS or ES goes.
  if (rpl !== cpl) dropPrivilegedSegments(c, rpl);
  r[R.NMI_BLOCKED] = 0;
  c.f[CoreF.CYCLES] += c.context.costs.trapReturn;
  let mask = POPF_BITS | Flag.RF;
  if (cpl !== 0) mask &= ~Flag.IOPL;
  if (cpl > ((r[R.EFLAGS] >> 12) & 3)) mask &= ~Flag.IF;
  // The mask has all arithmetic flags: what was in them need not be known.
  forgetArith(r);
  let flags = (r[R.EFLAGS] & ~mask) | (image & mask) | Flag.ONE;
  // The start of the next instruction clears RF. There is nothing to watch, so that is now, unless the slice ends here.
  if ((flags & (Flag.RF | Flag.TF)) === Flag.RF && r[R.ATTENTION] === 0 && c.left > 0) flags &= ~Flag.RF;
  r[R.EFLAGS] = flags;
  arrive(c, i32[at]);
  return true;
}

/** SS:ESP of the outer ring `rpl` from the frame at `at`. False: nothing has changed. */
function outerStack(c: CpuCore, at: number, rpl: number): boolean {
  const { r, i32 } = c;
  if (wordsAt(c, r[R.ESP], 5, c.readMask) < 0) return false;
  const selector = i32[at + 4] & 0xffff;
  const stackAt = descriptorAt(c, selector);
  if (stackAt < 0 || !isFlat(c, stackAt, FLAT_DATA_HIGH)) return false;
  const stack = i32[stackAt + 1];
  if (dplOf(stack) !== rpl || (selector & 3) !== rpl) return false;
  r[R.ESP] = i32[at + 3];
  setFlatSegment(r, Seg.SS, selector, stack);
  return true;
}
