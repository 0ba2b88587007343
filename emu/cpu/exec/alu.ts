/**
 * Two-operand arithmetic and logic, INC/DEC/NEG/NOT (SDM vol. 2). Every handler works for all widths and operand forms:
 * the record says where operands are. Undefined flags: see flags.ts.
 */
import { type CpuCore, signExtend } from '../cpu-core.ts';
import { carry, setAdd, setResult, setSub } from '../flags.ts';

const AF = 16;
const OF = 2048;

export function add(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dstForWrite(i), w);
  const b = signExtend(c.src(i), w);
  if (c.faulted()) return;
  const result = signExtend(a + b, w);
  c.setDst(i, result);
  setAdd(c.r, a, b, result);
}

export function adc(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dstForWrite(i), w);
  const b = signExtend(c.src(i), w);
  if (c.faulted()) return;
  const result = signExtend(a + b + carry(c.r), w);
  const out = ((a & b) | ((a | b) & ~result)) >>> 31;
  c.setDst(i, result);
  setResult(c.r, result, out | ((a ^ b ^ result) & AF) | (((a ^ result) & (b ^ result)) < 0 ? OF : 0));
}

export function sub(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dstForWrite(i), w);
  const b = signExtend(c.src(i), w);
  if (c.faulted()) return;
  const result = signExtend(a - b, w);
  c.setDst(i, result);
  setSub(c.r, a, b, result);
}

export function sbb(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dstForWrite(i), w);
  const b = signExtend(c.src(i), w);
  if (c.faulted()) return;
  const result = signExtend(a - b - carry(c.r), w);
  const borrow = ((~a & b) | ((~a | b) & result)) >>> 31;
  c.setDst(i, result);
  setResult(c.r, result, borrow | ((a ^ b ^ result) & AF) | (((a ^ b) & (a ^ result)) < 0 ? OF : 0));
}

export function cmp(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dst(i), w);
  const b = signExtend(c.src(i), w);
  if (!c.faulted()) setSub(c.r, a, b, signExtend(a - b, w));
}

export function and(c: CpuCore, i: number): void {
  const a = c.dstForWrite(i);
  const b = c.src(i);
  if (!c.faulted()) logic(c, i, a & b);
}

export function or(c: CpuCore, i: number): void {
  const a = c.dstForWrite(i);
  const b = c.src(i);
  if (!c.faulted()) logic(c, i, a | b);
}

export function xor(c: CpuCore, i: number): void {
  const a = c.dstForWrite(i);
  const b = c.src(i);
  if (!c.faulted()) logic(c, i, a ^ b);
}

function logic(c: CpuCore, i: number, value: number): void {
  const result = signExtend(value, c.width(i));
  c.setDst(i, result);
  setResult(c.r, result, 0);
}

export function test(c: CpuCore, i: number): void {
  const a = c.dst(i);
  const b = c.src(i);
  if (!c.faulted()) setResult(c.r, signExtend(a & b, c.width(i)), 0);
}

export function inc(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dstForWrite(i), w);
  if (c.faulted()) return;
  const result = signExtend(a + 1, w);
  const bits = carry(c.r) | ((result & 15) === 0 ? AF : 0) | ((~a & result) < 0 ? OF : 0);
  c.setDst(i, result);
  setResult(c.r, result, bits);
}

export function dec(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dstForWrite(i), w);
  if (c.faulted()) return;
  const result = signExtend(a - 1, w);
  const bits = carry(c.r) | ((result & 15) === 15 ? AF : 0) | ((a & ~result) < 0 ? OF : 0);
  c.setDst(i, result);
  setResult(c.r, result, bits);
}

export function neg(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dstForWrite(i), w);
  if (c.faulted()) return;
  const result = signExtend(-a, w);
  c.setDst(i, result);
  setSub(c.r, 0, a, result);
}

export function not(c: CpuCore, i: number): void {
  const a = c.dstForWrite(i);
  if (!c.faulted()) c.setDst(i, ~a);
}

/**
 * XADD: the source register gets the old destination, the destination the sum. With a memory destination the register
 * is written last, because the address may be made of it.
 */
export function xadd(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dstForWrite(i), w);
  const b = signExtend(c.src(i), w);
  if (c.faulted()) return;
  const result = signExtend(a + b, w);
  if (c.isMem(i)) c.setDst(i, result);
  c.setReg(c.regField(i), w, a);
  if (!c.isMem(i)) c.setDst(i, result);
  setAdd(c.r, a, b, result);
}

/** CMPXCHG: the destination is written in both cases, so a read-only page faults even when they differ. */
export function cmpxchg(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dstForWrite(i), w);
  if (c.faulted()) return;
  const expected = signExtend(c.reg(0, w), w);
  if (expected === a) c.setDst(i, c.src(i));
  else {
    c.setDst(i, a);
    c.setReg(0, w, a);
  }
  setSub(c.r, expected, a, signExtend(expected - a, w));
}
