/** Shifts, rotates, double shifts (SDM vol. 2). Counts are modulo 32; count 0 changes no flag. */
import { type CpuCore, signExtend } from '../cpu-core.ts';
import { arithFlags, carry, setArith, setResult } from '../flags.ts';

const CF = 1;
/** Undefined by the manual; set by shifts on the reference processor (see flags.ts). */
const AF = 16;
const OF = 2048;

const maskOf = (w: number): number => (w === 4 ? -1 : (1 << (w * 8)) - 1);

/** CF and OF bits from a result and the bit shifted out; OF = msb XOR CF as after a left shift by one. */
function leftBits(result: number, out: number, w: number): number {
  const msb = (result >>> (w * 8 - 1)) & 1;
  return out | ((msb ^ out) !== 0 ? OF : 0);
}

/** As leftBits for right rotates: OF = XOR of the two most significant bits. */
function rightBits(result: number, out: number, w: number): number {
  const top = (result >>> (w * 8 - 2)) & 3;
  return out | (top === 1 || top === 2 ? OF : 0);
}

export function shl(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = c.dstForWrite(i) & maskOf(w);
  const count = c.src(i) & 31;
  if (c.faulted() || count === 0) return;
  const bits = w * 8;
  const out = count <= bits ? (a >>> (bits - count)) & 1 : 0;
  const result = count < bits ? signExtend(a << count, w) : 0;
  c.setDst(i, result);
  setResult(c.r, result, AF | leftBits(result, out, w));
}

export function shr(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = (c.dstForWrite(i) & maskOf(w)) >>> 0;
  const count = c.src(i) & 31;
  if (c.faulted() || count === 0) return;
  const result = signExtend(a >>> count, w);
  const out = (a >>> (count - 1)) & 1;
  c.setDst(i, result);
  setResult(c.r, result, AF | rightBits(result, out, w));
}

export function sar(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = signExtend(c.dstForWrite(i), w);
  const count = c.src(i) & 31;
  if (c.faulted() || count === 0) return;
  const result = a >> count;
  c.setDst(i, result);
  setResult(c.r, result, AF | ((a >> (count - 1)) & CF));
}

export function rol(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = c.dstForWrite(i) & maskOf(w);
  const count = c.src(i) & 31;
  if (c.faulted() || count === 0) return;
  const bits = w * 8;
  const by = count % bits;
  const result = by === 0 ? a : ((a << by) | (a >>> (bits - by))) & maskOf(w);
  c.setDst(i, result);
  setArith(c.r, CF | OF, leftBits(result, result & 1, w));
}

export function ror(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = c.dstForWrite(i) & maskOf(w);
  const count = c.src(i) & 31;
  if (c.faulted() || count === 0) return;
  const bits = w * 8;
  const by = count % bits;
  const result = by === 0 ? a : ((a >>> by) | (a << (bits - by))) & maskOf(w);
  c.setDst(i, result);
  setArith(c.r, CF | OF, rightBits(result, (result >>> (bits - 1)) & 1, w));
}

export function rcl(c: CpuCore, i: number): void {
  const w = c.width(i);
  let value = c.dstForWrite(i) & maskOf(w);
  const bits = w * 8;
  const masked = c.src(i) & 31;
  if (c.faulted() || masked === 0) return;
  const count = masked % (bits + 1);
  let cf = carry(c.r);
  for (let n = 0; n < count; n++) {
    const out = (value >>> (bits - 1)) & 1;
    value = ((value << 1) | cf) & maskOf(w);
    cf = out;
  }
  c.setDst(i, value);
  setArith(c.r, CF | OF, leftBits(value, cf, w));
}

export function rcr(c: CpuCore, i: number): void {
  const w = c.width(i);
  let value = c.dstForWrite(i) & maskOf(w);
  const bits = w * 8;
  const masked = c.src(i) & 31;
  if (c.faulted() || masked === 0) return;
  const count = masked % (bits + 1);
  let cf = carry(c.r);
  for (let n = 0; n < count; n++) {
    const out = value & 1;
    value = (value >>> 1) | (cf << (bits - 1));
    cf = out;
  }
  c.setDst(i, value);
  setArith(c.r, CF | OF, rightBits(value, cf, w));
}

/** Count of SHLD/SHRD: an immediate or CL (the reg field is the source register). */
const shldCl = (c: CpuCore, _i: number): number => c.r[1] & 31;
const shldImm = (c: CpuCore, i: number): number => c.imm(i) & 31;

function doubleShift(c: CpuCore, i: number, count: number, direction: 'left' | 'right'): void {
  const w = c.width(i);
  const bits = w * 8;
  const a = c.dstForWrite(i) & maskOf(w);
  const b = c.reg(c.regField(i), w) & maskOf(w);
  if (c.faulted() || count === 0) return;
  let value = a;
  let fill = b;
  let out = 0;
  // Bit by bit: counts above the width (16-bit operands) rotate the pair further, as current processors do.
  for (let n = 0; n < count; n++) {
    if (direction === 'left') {
      out = (value >>> (bits - 1)) & 1;
      value = ((value << 1) | ((fill >>> (bits - 1)) & 1)) & maskOf(w);
      fill = ((fill << 1) | out) & maskOf(w);
    } else {
      out = value & 1;
      value = (value >>> 1) | ((fill & 1) << (bits - 1));
      fill = (fill >>> 1) | (out << (bits - 1));
    }
  }
  const result = signExtend(value, w);
  c.setDst(i, result);
  const flags = direction === 'left' ? leftBits(result, out, w) : rightBits(result, out, w);
  setResult(c.r, result, AF | flags);
}

export const shldByImm = (c: CpuCore, i: number): void => doubleShift(c, i, shldImm(c, i), 'left');
export const shldByCl = (c: CpuCore, i: number): void => doubleShift(c, i, shldCl(c, i), 'left');
export const shrdByImm = (c: CpuCore, i: number): void => doubleShift(c, i, shldImm(c, i), 'right');
export const shrdByCl = (c: CpuCore, i: number): void => doubleShift(c, i, shldCl(c, i), 'right');

/** SALC (undocumented D6): AL = CF ? FF : 0. */
export function salc(c: CpuCore): void {
  c.b[0] = (arithFlags(c.r) & CF) !== 0 ? 0xff : 0;
}
