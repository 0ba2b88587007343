/** BT family, BSF, BSR, BSWAP, SETcc, CMOVcc (SDM vol. 2). */
import { type CpuCore, signExtend } from '../cpu-core.ts';
import { condition, setArith } from '../flags.ts';

const CF = 1;
const ZF = 64;

type BitChange = (value: number, bit: number) => number;

/**
 * Bit string operand: with a register index and memory, the index reaches outside the operand (signed), so that the
 * word at ea + (index >> 3, rounded down to the width) is used.
 */
function bitTest(
  c: CpuCore,
  i: number,
  index: number,
  reach: 'string' | 'operand',
  change: BitChange | null,
): void {
  const w = c.width(i);
  const bit = index & (w * 8 - 1);
  if (!c.isMem(i)) {
    const value = c.dst(i);
    if (change !== null) c.setDst(i, change(value, 1 << bit));
    setArith(c.r, CF, (value >>> bit) & 1);
    return;
  }
  const seg = c.seg(i);
  let off = c.ea(i);
  if (reach === 'string') off = (off + (signExtend(index, w) >> (w === 4 ? 5 : 4)) * w) | 0;
  if (!c.addressIs32(i)) off &= 0xffff;
  if (change !== null && !c.canStore(seg, off, w)) return;
  const value = c.load(seg, off, w);
  if (c.faulted()) return;
  if (change !== null) c.store(seg, off, w, change(value, 1 << bit));
  setArith(c.r, CF, (value >>> bit) & 1);
}

const set: BitChange = (value, bit) => value | bit;
const reset: BitChange = (value, bit) => value & ~bit;
const complement: BitChange = (value, bit) => value ^ bit;

export const bt = (c: CpuCore, i: number): void =>
  bitTest(c, i, c.reg(c.regField(i), c.width(i)), 'string', null);
export const bts = (c: CpuCore, i: number): void =>
  bitTest(c, i, c.reg(c.regField(i), c.width(i)), 'string', set);
export const btr = (c: CpuCore, i: number): void =>
  bitTest(c, i, c.reg(c.regField(i), c.width(i)), 'string', reset);
export const btc = (c: CpuCore, i: number): void =>
  bitTest(c, i, c.reg(c.regField(i), c.width(i)), 'string', complement);
export const btImm = (c: CpuCore, i: number): void => bitTest(c, i, c.imm(i), 'operand', null);
export const btsImm = (c: CpuCore, i: number): void => bitTest(c, i, c.imm(i), 'operand', set);
export const btrImm = (c: CpuCore, i: number): void => bitTest(c, i, c.imm(i), 'operand', reset);
export const btcImm = (c: CpuCore, i: number): void => bitTest(c, i, c.imm(i), 'operand', complement);

export function bsf(c: CpuCore, i: number): void {
  const w = c.width(i);
  const value = c.readRm(i, w);
  if (c.faulted()) return;
  if (value !== 0) c.setReg(c.regField(i), w, 31 - Math.clz32(value & -value));
  setArith(c.r, ZF, value === 0 ? ZF : 0);
}

export function bsr(c: CpuCore, i: number): void {
  const w = c.width(i);
  const value = c.readRm(i, w);
  if (c.faulted()) return;
  if (value !== 0) c.setReg(c.regField(i), w, 31 - Math.clz32(value));
  setArith(c.r, ZF, value === 0 ? ZF : 0);
}

/** BSWAP of a 16-bit register is undefined; it gives 0 here, as on current processors. */
export function bswap(c: CpuCore, i: number): void {
  const n = c.regField(i);
  if (c.width(i) === 2) {
    c.setReg(n, 2, 0);
    return;
  }
  const v = c.r[n];
  c.r[n] = (v << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | (v >>> 24);
}

/** SETcc with condition number `code`. */
export const setcc =
  (code: number) =>
  (c: CpuCore, i: number): void => {
    c.writeRm(i, 1, condition(c.r, code) ? 1 : 0);
  };

/** CMOVcc: the source is read whether or not the condition holds. */
export const cmovcc =
  (code: number) =>
  (c: CpuCore, i: number): void => {
    const w = c.width(i);
    const value = c.readRm(i, w);
    if (!c.faulted() && condition(c.r, code)) c.setReg(c.regField(i), w, value);
  };
