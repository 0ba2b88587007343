/**
 * MUL, IMUL, DIV, IDIV and the decimal adjustments (SDM vol. 2). 64-bit intermediate values are pairs of words, as no
 * BigInt is made in a hot room.
 */
import { VEC_DE } from '../../arch/vectors.ts';
import { type CpuCore, signExtend } from '../cpu-core.ts';
import { arithFlags, PARITY, setArith, setResult } from '../flags.ts';

const CF = 1;
const AF = 16;
const ZF = 64;
const SF = 128;
const PF = 4;
const OF = 2048;

/** High word of the unsigned product. */
export function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const mid = a1 * b0 + ((a0 * b0) >>> 16);
  const mid2 = a0 * b1 + (mid % 65536);
  return (a1 * b1 + Math.floor(mid / 65536) + Math.floor(mid2 / 65536)) | 0;
}

function signedMulHigh(a: number, b: number): number {
  return (mulHigh(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
}

export function mul(c: CpuCore, i: number): void {
  const w = c.width(i);
  const b = c.dst(i);
  if (c.faulted()) return;
  let low: number;
  let high: number;
  if (w === 4) {
    const a = c.r[0];
    low = Math.imul(a, b);
    high = mulHigh(a, b);
    c.r[0] = low;
    c.r[2] = high;
  } else if (w === 2) {
    const product = c.h[0] * b;
    low = (product << 16) >> 16;
    high = product >>> 16;
    c.h[0] = product;
    c.h[4] = high;
  } else {
    const product = c.b[0] * b;
    low = (product << 24) >> 24;
    high = product >>> 8;
    c.h[0] = product;
  }
  setResult(c.r, low, high !== 0 ? CF | OF : 0);
}

export function imulOne(c: CpuCore, i: number): void {
  const w = c.width(i);
  const b = signExtend(c.dst(i), w);
  if (c.faulted()) return;
  let low: number;
  let fits: boolean;
  if (w === 4) {
    const a = c.r[0];
    low = Math.imul(a, b);
    const high = signedMulHigh(a, b);
    fits = high === low >> 31;
    c.r[0] = low;
    c.r[2] = high;
  } else if (w === 2) {
    const product = Math.imul(signExtend(c.h[0], 2), b);
    low = (product << 16) >> 16;
    fits = low === product;
    c.h[0] = product;
    c.h[4] = product >> 16;
  } else {
    const product = signExtend(c.b[0], 1) * b;
    low = (product << 24) >> 24;
    fits = low === product;
    c.h[0] = product;
  }
  setResult(c.r, low, fits ? 0 : CF | OF);
}

function imulInto(c: CpuCore, i: number, x: number, y: number): void {
  const w = c.width(i);
  const a = signExtend(x, w);
  const b = signExtend(y, w);
  if (c.faulted()) return;
  const product = Math.imul(a, b);
  const low = signExtend(product, w);
  const fits = w === 4 ? signedMulHigh(a, b) === low >> 31 : low === product;
  c.setReg(c.regField(i), w, low);
  setResult(c.r, low, fits ? 0 : CF | OF);
}

export function imulTwo(c: CpuCore, i: number): void {
  imulInto(c, i, c.reg(c.regField(i), c.width(i)), c.readRm(i, c.width(i)));
}

export function imulThree(c: CpuCore, i: number): void {
  imulInto(c, i, c.readRm(i, c.width(i)), c.imm(i));
}

export function div(c: CpuCore, i: number): void {
  const w = c.width(i);
  const divisor = c.dst(i) >>> 0;
  if (c.faulted()) return;
  if (divisor === 0) {
    c.raise(VEC_DE, 0);
    return;
  }
  if (w === 4) {
    divideWords(c, divisor);
    return;
  }
  const dividend = w === 2 ? ((c.h[4] << 16) | c.h[0]) >>> 0 : c.h[0];
  const quotient = Math.floor(dividend / divisor);
  if (quotient > (w === 2 ? 0xffff : 0xff)) {
    c.raise(VEC_DE, 0);
    return;
  }
  const rest = dividend - quotient * divisor;
  if (w === 2) {
    c.h[0] = quotient;
    c.h[4] = rest;
  } else c.h[0] = (rest << 8) | quotient;
}

/**
 * EDX:EAX / divisor in two steps of 16 quotient bits: each dividend stays below 2^48, so that the double division is
 * exact. Stores the quotient in EAX and the rest in EDX.
 */
function divideWords(c: CpuCore, divisor: number): void {
  const high = c.r[2] >>> 0;
  const low = c.r[0] >>> 0;
  if (high >= divisor) {
    c.raise(VEC_DE, 0);
    return;
  }
  const n1 = high * 65536 + (low >>> 16);
  const q1 = Math.floor(n1 / divisor);
  const n0 = (n1 - q1 * divisor) * 65536 + (low & 0xffff);
  const q0 = Math.floor(n0 / divisor);
  c.r[0] = (q1 * 65536 + q0) | 0;
  c.r[2] = (n0 - q0 * divisor) | 0;
}

export function idiv(c: CpuCore, i: number): void {
  const w = c.width(i);
  const divisor = signExtend(c.dst(i), w);
  if (c.faulted()) return;
  if (divisor === 0) {
    c.raise(VEC_DE, 0);
    return;
  }
  if (w === 4) {
    signedDivideWords(c, divisor);
    return;
  }
  const dividend = w === 2 ? (c.h[4] << 16) | c.h[0] : signExtend(c.h[0], 2);
  const quotient = Math.trunc(dividend / divisor);
  if (signExtend(quotient, w) !== quotient) {
    c.raise(VEC_DE, 0);
    return;
  }
  const rest = dividend - quotient * divisor;
  if (w === 2) {
    c.h[0] = quotient;
    c.h[4] = rest;
  } else c.h[0] = ((rest & 0xff) << 8) | (quotient & 0xff);
}

function signedDivideWords(c: CpuCore, divisor: number): void {
  const oldLow = c.r[0];
  const oldHigh = c.r[2];
  const negative = oldHigh < 0;
  if (negative) {
    c.r[0] = -oldLow | 0;
    c.r[2] = (~oldHigh + (oldLow === 0 ? 1 : 0)) | 0;
  }
  divideWords(c, Math.abs(divisor));
  if (!c.faulted()) {
    const magnitude = c.r[0] >>> 0;
    const flips = negative !== divisor < 0;
    if (magnitude <= (flips ? 0x80000000 : 0x7fffffff)) {
      c.r[0] = flips ? -magnitude | 0 : magnitude;
      c.r[2] = negative ? -c.r[2] | 0 : c.r[2];
      return;
    }
    c.raise(VEC_DE, 0);
  }
  c.r[0] = oldLow;
  c.r[2] = oldHigh;
}

// ---- decimal adjustments ------------------------------------------------------------------------------------------

const szp = (al: number): number => PARITY[al] | (al === 0 ? ZF : 0) | ((al & 0x80) !== 0 ? SF : 0);
const ALL = CF | PF | AF | ZF | SF | OF;

function decimalAdjust(c: CpuCore, sense: 1 | -1): void {
  const flags = arithFlags(c.r);
  const old = c.b[0];
  let al = old;
  let out = 0;
  if ((old & 15) > 9 || (flags & AF) !== 0) {
    const next = al + 6 * sense;
    out = AF | (sense < 0 && next < 0 ? CF : 0) | (flags & CF);
    al = next & 0xff;
  }
  if (old > 0x99 || (flags & CF) !== 0) {
    al = (al + 0x60 * sense) & 0xff;
    out |= CF;
  } else if (sense > 0) out &= ~CF;
  c.b[0] = al;
  setArith(c.r, ALL, out | szp(al));
}

export const daa = (c: CpuCore): void => decimalAdjust(c, 1);
export const das = (c: CpuCore): void => decimalAdjust(c, -1);

function asciiAdjust(c: CpuCore, sense: 1 | -1): void {
  const adjust = (c.b[0] & 15) > 9 || (arithFlags(c.r) & AF) !== 0;
  if (adjust) c.h[0] = c.h[0] + 0x106 * sense;
  c.b[0] &= 15;
  setArith(c.r, ALL, (adjust ? CF | AF : 0) | szp(c.b[0]));
}

export const aaa = (c: CpuCore): void => asciiAdjust(c, 1);
export const aas = (c: CpuCore): void => asciiAdjust(c, -1);

export function aam(c: CpuCore, i: number): void {
  const base = c.imm(i) & 0xff;
  if (base === 0) {
    c.raise(VEC_DE, 0);
    return;
  }
  const al = c.b[0];
  c.b[1] = Math.floor(al / base);
  c.b[0] = al % base;
  setArith(c.r, ALL, szp(c.b[0]));
}

export function aad(c: CpuCore, i: number): void {
  c.b[0] = c.b[0] + c.b[1] * (c.imm(i) & 0xff);
  c.b[1] = 0;
  setArith(c.r, ALL, szp(c.b[0]));
}
