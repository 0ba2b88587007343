/**
 * String instructions with REP (SDM vol. 2, REP). Each iteration commits its registers and counts as one instruction;
 * when a fault, the end of the budget or an outside event comes between iterations, EIP stays at the instruction.
 * MOVS, STOS, SCAS and CMPS with REP go upwards in whole runs inside a page; the result is that of single steps.
 * `npm run bench cpu` measures both: rep movsd upwards goes in runs, downwards in steps.
 */
import { Flag, R, Seg } from '../../arch/core-layout.ts';
import { CURRENT_EIP, PEND } from '../../mem/memory-layout.ts';
import { type CpuCore, signExtend } from '../cpu-core.ts';
import { setSub, zero } from '../flags.ts';
import { F_REP, F_REPNE, I_FLAGS } from '../record.ts';
import { checkPorts, portIn, portOut } from './ports.ts';

const ECX = R.ECX as number;
const ESI = R.ESI as number;
const EDI = R.EDI as number;

type Step = (c: CpuCore, i: number) => void;

function index(c: CpuCore, i: number, n: number): number {
  return c.addressIs32(i) ? c.r[n] : c.h[n * 2];
}

function advance(c: CpuCore, i: number, n: number, by: number): void {
  if (c.addressIs32(i)) c.r[n] += by;
  else c.h[n * 2] += by;
}

const stride = (c: CpuCore, i: number): number =>
  (c.r[R.EFLAGS] & Flag.DF) !== 0 ? -c.width(i) : c.width(i);

/** Runs `step` once, or as often as the prefix and the budget say. `until`: also stop by ZF (CMPS, SCAS). */
function repeat(c: CpuCore, i: number, step: Step, until: 'count' | 'zf', bulk: Bulk | null): void {
  const prefix = c.ops[i + I_FLAGS] & (F_REP | F_REPNE);
  if (prefix === 0) {
    step(c, i);
    return;
  }
  if (index(c, i, ECX) === 0) return;
  for (;;) {
    const done = bulk === null ? 0 : bulk(c, i);
    if (done > 0) {
      advance(c, i, ECX, -done);
      c.left -= done - 1;
    } else {
      step(c, i);
      if (c.faulted()) return;
      advance(c, i, ECX, -1);
    }
    if (index(c, i, ECX) === 0) return;
    if (until === 'zf' && zero(c.r) !== (prefix === F_REP)) return;
    if (c.left <= c.stop || c.r[PEND] !== 0) {
      // What comes between iterations finds RF set, so that a breakpoint here hits once (SDM vol. 3 §17.3.1.1).
      c.r[R.EFLAGS] |= Flag.RF;
      c.jump(c.r[CURRENT_EIP]);
      return;
    }
    c.left--;
  }
}

/** Does up to the remaining budget's iterations at once and advances ESI/EDI; 0 = do one step instead. */
type Bulk = (c: CpuCore, i: number) => number;

/** Iterations that stay inside the page of `va`, going up. */
function inPage(va: number, width: number): number {
  return ((4096 - (va & 4095)) / width) | 0;
}

/** How many iterations a bulk step may take; the first one is already paid for. */
function allowance(c: CpuCore): number {
  return Math.min(c.r[ECX] >>> 0, c.left - c.stop + 1);
}

const bulkMovs: Bulk = (c, i) => {
  if (!c.flatSegments || !c.addressIs32(i) || (c.r[R.EFLAGS] & Flag.DF) !== 0 || c.seg(i) > Seg.DS) return 0;
  const w = c.width(i);
  const from = c.r[ESI];
  const to = c.r[EDI];
  const source = c.flat[from >>> 12];
  const target = c.flat[to >>> 12];
  if ((source & c.readMask) === 0 || (target & c.writeMask) === 0) return 0;
  const count = Math.min(inPage(from, w), inPage(to, w), allowance(c));
  const bytes = count * w;
  const at = ((source & ~4095) ^ from) >>> 0;
  const into = ((target & ~4095) ^ to) >>> 0;
  if (count < 4 || (into > at && into < at + bytes)) return 0;
  c.u8.copyWithin(into, at, at + bytes);
  c.r[ESI] = from + bytes;
  c.r[EDI] = to + bytes;
  return count;
};

const bulkStos: Bulk = (c, i) => {
  if (!c.flatSegments || !c.addressIs32(i) || (c.r[R.EFLAGS] & Flag.DF) !== 0) return 0;
  const w = c.width(i);
  const to = c.r[EDI];
  const target = c.flat[to >>> 12];
  if ((target & c.writeMask) === 0) return 0;
  const count = Math.min(inPage(to, w), allowance(c));
  const at = ((target & ~4095) ^ to) >>> 0;
  if (count < 4) return 0;
  const value = c.r[0];
  if (w === 1) c.u8.fill(value, at, at + count);
  else if (w === 4 && (at & 3) === 0) c.i32.fill(value, at >>> 2, (at >>> 2) + count);
  else return 0;
  c.r[EDI] = to + count * w;
  return count;
};

/** Element `n` of width `w` from host offset `at` on, sign-extended. */
function element(c: CpuCore, at: number, n: number, w: number): number {
  if (w === 1) return (c.u8[at + n] << 24) >> 24;
  return w === 4 ? c.view.getInt32(at + n * 4, true) : c.view.getInt16(at + n * 2, true);
}

/** True if this compare ends the repetition: REPNE ends with equal operands, REPE with different ones. */
const ends = (c: CpuCore, i: number, a: number, b: number): boolean =>
  (a === b) === ((c.ops[i + I_FLAGS] & F_REPNE) !== 0);

const bulkScas: Bulk = (c, i) => {
  if (!c.flatSegments || !c.addressIs32(i) || (c.r[R.EFLAGS] & Flag.DF) !== 0) return 0;
  const w = c.width(i);
  const to = c.r[EDI];
  const target = c.flat[to >>> 12];
  const count = Math.min(inPage(to, w), allowance(c));
  if ((target & c.readMask) === 0 || count < 4) return 0;
  const at = ((target & ~4095) ^ to) >>> 0;
  const a = signExtend(c.reg(0, w), w);
  let n = 0;
  let b = 0;
  do {
    b = element(c, at, n, w);
    n++;
  } while (n < count && !ends(c, i, a, b));
  setSub(c.r, a, b, signExtend(a - b, w));
  c.r[EDI] = to + n * w;
  return n;
};

const bulkCmps: Bulk = (c, i) => {
  if (!c.flatSegments || !c.addressIs32(i) || (c.r[R.EFLAGS] & Flag.DF) !== 0 || c.seg(i) > Seg.DS) return 0;
  const w = c.width(i);
  const from = c.r[ESI];
  const to = c.r[EDI];
  const source = c.flat[from >>> 12];
  const target = c.flat[to >>> 12];
  const count = Math.min(inPage(from, w), inPage(to, w), allowance(c));
  if ((source & target & c.readMask) === 0 || count < 4) return 0;
  const first = ((source & ~4095) ^ from) >>> 0;
  const second = ((target & ~4095) ^ to) >>> 0;
  let n = 0;
  let a = 0;
  let b = 0;
  do {
    a = element(c, first, n, w);
    b = element(c, second, n, w);
    n++;
  } while (n < count && !ends(c, i, a, b));
  setSub(c.r, a, b, signExtend(a - b, w));
  c.r[ESI] = from + n * w;
  c.r[EDI] = to + n * w;
  return n;
};

const stepMovs: Step = (c, i) => {
  const w = c.width(i);
  const value = c.load(c.seg(i), index(c, i, ESI), w);
  if (c.faulted()) return;
  c.store(Seg.ES, index(c, i, EDI), w, value);
  if (c.faulted()) return;
  const by = stride(c, i);
  advance(c, i, ESI, by);
  advance(c, i, EDI, by);
};

const stepStos: Step = (c, i) => {
  c.store(Seg.ES, index(c, i, EDI), c.width(i), c.r[0]);
  if (!c.faulted()) advance(c, i, EDI, stride(c, i));
};

const stepLods: Step = (c, i) => {
  const w = c.width(i);
  const value = c.load(c.seg(i), index(c, i, ESI), w);
  if (c.faulted()) return;
  c.setReg(0, w, value);
  advance(c, i, ESI, stride(c, i));
};

const stepScas: Step = (c, i) => {
  const w = c.width(i);
  const b = signExtend(c.load(Seg.ES, index(c, i, EDI), w), w);
  if (c.faulted()) return;
  const a = signExtend(c.reg(0, w), w);
  setSub(c.r, a, b, signExtend(a - b, w));
  advance(c, i, EDI, stride(c, i));
};

/** When both operands fault, the one at ES:eDI is reported: the reference processor reads it first. */
const stepCmps: Step = (c, i) => {
  const w = c.width(i);
  const b = signExtend(c.load(Seg.ES, index(c, i, EDI), w), w);
  const a = signExtend(c.load(c.seg(i), index(c, i, ESI), w), w);
  if (c.faulted()) return;
  setSub(c.r, a, b, signExtend(a - b, w));
  const by = stride(c, i);
  advance(c, i, ESI, by);
  advance(c, i, EDI, by);
};

/** INS probes its target before the port is read, so that a fault loses no byte. */
const stepIns: Step = (c, i) => {
  const w = c.width(i);
  const off = index(c, i, EDI);
  if (!c.canStore(Seg.ES, off, w)) return;
  c.store(Seg.ES, off, w, portIn(c, c.h[R.EDX * 2], w));
  advance(c, i, EDI, stride(c, i));
};

const stepOuts: Step = (c, i) => {
  const w = c.width(i);
  const value = c.load(c.seg(i), index(c, i, ESI), w);
  if (c.faulted()) return;
  portOut(c, c.h[R.EDX * 2], w, value);
  advance(c, i, ESI, stride(c, i));
};

export const movs = (c: CpuCore, i: number): void => repeat(c, i, stepMovs, 'count', bulkMovs);
export const stos = (c: CpuCore, i: number): void => repeat(c, i, stepStos, 'count', bulkStos);
export const lods = (c: CpuCore, i: number): void => repeat(c, i, stepLods, 'count', null);
export const scas = (c: CpuCore, i: number): void => repeat(c, i, stepScas, 'zf', bulkScas);
export const cmps = (c: CpuCore, i: number): void => repeat(c, i, stepCmps, 'zf', bulkCmps);

export function ins(c: CpuCore, i: number): void {
  if (checkPorts(c, c.h[R.EDX * 2], c.width(i))) repeat(c, i, stepIns, 'count', null);
}

export function outs(c: CpuCore, i: number): void {
  if (checkPorts(c, c.h[R.EDX * 2], c.width(i))) repeat(c, i, stepOuts, 'count', null);
}
