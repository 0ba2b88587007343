/** MOV, MOVZX/SX, LEA, XCHG, XLAT, conversions, PUSH/POP and frames (SDM vol. 2). */
import { R, Seg } from '../../arch/core-layout.ts';
import { VEC_BR } from '../../arch/vectors.ts';
import { type CpuCore, signExtend } from '../cpu-core.ts';
import { setArith } from '../flags.ts';
import { I_DISP, I_LINK } from '../record.ts';

const ZF = 64;

export function mov(c: CpuCore, i: number): void {
  const value = c.src(i);
  if (!c.faulted()) c.setDst(i, value);
}

export function movFromOffset(c: CpuCore, i: number): void {
  const value = c.load(c.seg(i), c.ops[i + I_DISP], c.width(i));
  if (!c.faulted()) c.setReg(0, c.width(i), value);
}

export function movToOffset(c: CpuCore, i: number): void {
  c.store(c.seg(i), c.ops[i + I_DISP], c.width(i), c.reg(0, c.width(i)));
}

export function movzxByte(c: CpuCore, i: number): void {
  const value = c.readRm(i, 1);
  if (!c.faulted()) c.setReg(c.regField(i), c.width(i), value);
}

export function movzxWord(c: CpuCore, i: number): void {
  const value = c.readRm(i, 2);
  if (!c.faulted()) c.setReg(c.regField(i), c.width(i), value);
}

export function movsxByte(c: CpuCore, i: number): void {
  const value = signExtend(c.readRm(i, 1), 1);
  if (!c.faulted()) c.setReg(c.regField(i), c.width(i), value);
}

export function movsxWord(c: CpuCore, i: number): void {
  const value = signExtend(c.readRm(i, 2), 2);
  if (!c.faulted()) c.setReg(c.regField(i), c.width(i), value);
}

export function lea(c: CpuCore, i: number): void {
  c.setReg(c.regField(i), c.width(i), c.ea(i));
}

export function xchg(c: CpuCore, i: number): void {
  const w = c.width(i);
  const a = c.dstForWrite(i);
  if (c.faulted()) return;
  const n = c.regField(i);
  const b = c.reg(n, w);
  c.writeRm(i, w, b);
  c.setReg(n, w, a);
}

/** XCHG eAX, reg (90+r): the opcode's register is the destination. */
export function xchgAccumulator(c: CpuCore, i: number): void {
  const w = c.width(i);
  const n = c.regField(i);
  const a = c.reg(0, w);
  c.setReg(0, w, c.reg(n, w));
  c.setReg(n, w, a);
}

export function xlat(c: CpuCore, i: number): void {
  const off = (c.addressIs32(i) ? c.r[3] : c.h[6]) + c.b[0];
  const value = c.load(c.seg(i), c.addressIs32(i) ? off | 0 : off & 0xffff, 1);
  if (!c.faulted()) c.b[0] = value;
}

/** CBW / CWDE. */
export function convertAccumulator(c: CpuCore, i: number): void {
  if (c.width(i) === 4) c.r[0] = (c.r[0] << 16) >> 16;
  else c.h[0] = signExtend(c.b[0], 1);
}

/** CWD / CDQ. */
export function extendAccumulator(c: CpuCore, i: number): void {
  if (c.width(i) === 4) c.r[2] = c.r[0] >> 31;
  else c.h[4] = signExtend(c.h[0], 2) >> 15;
}

export function push(c: CpuCore, i: number): void {
  const value = c.dst(i);
  if (!c.faulted()) c.push(value, c.width(i));
}

export function pushImm(c: CpuCore, i: number): void {
  c.push(c.imm(i), c.width(i));
}

export function popReg(c: CpuCore, i: number): void {
  const w = c.width(i);
  const value = c.peekStack(0, w);
  if (c.faulted()) return;
  c.dropStack(w);
  c.setReg(c.regField(i), w, value);
}

/** POP r/m: an ESP-based address uses ESP after the pop (SDM vol. 2, POP); ESP is restored when the write faults. */
export function popRm(c: CpuCore, i: number): void {
  const w = c.width(i);
  const value = c.peekStack(0, w);
  if (c.faulted()) return;
  const esp = c.r[R.ESP];
  c.dropStack(w);
  c.writeRm(i, w, value);
  if (c.faulted()) c.r[R.ESP] = esp;
}

export function pusha(c: CpuCore, i: number): void {
  const w = c.width(i);
  const sp = c.sp();
  const values = c.r;
  if (!c.canPush(w, 8)) return;
  for (let n = 0; n < 8; n++) c.store(Seg.SS, c.wrapSp(sp - (n + 1) * w), w, values[n]);
  if (!c.faulted()) c.setSp(c.wrapSp(sp - 8 * w));
}

export function popa(c: CpuCore, i: number): void {
  const w = c.width(i);
  for (let n = 0; n < 8; n++) {
    c.peekStack(n * w, w);
    if (c.faulted()) return;
  }
  const sp = c.sp();
  for (let n = 0; n < 8; n++) {
    if (n !== 3) c.setReg(7 - n, w, c.load(Seg.SS, c.wrapSp(sp + n * w), w));
  }
  c.setSp(c.wrapSp(sp + 8 * w));
}

/** ENTER size, level (SDM vol. 2). All stack words are probed first, so that a fault changes nothing. */
export function enter(c: CpuCore, i: number): void {
  const w = c.width(i);
  const bytes = c.imm(i) & 0xffff;
  const level = c.ops[i + I_LINK] & 31;
  if (!c.canPush(w, level + 1)) return;
  // FrameTemp is all of ESP, also on a 16-bit stack (seen on the reference processor).
  const frame = c.stack32 ? (c.r[R.ESP] - w) | 0 : (c.r[R.ESP] & ~0xffff) | ((c.r[R.ESP] - w) & 0xffff);
  for (let n = 1; n < level; n++) {
    const from = c.wrapSp((c.stack32 ? c.r[R.EBP] : c.r[R.EBP] & 0xffff) - n * w);
    c.load(Seg.SS, from, w);
    if (c.faulted()) return;
  }
  const end = c.wrapSp(frame - level * w - bytes);
  if (!c.canStore(Seg.SS, end, w)) return;
  c.store(Seg.SS, c.wrapSp(frame), w, c.reg(R.EBP, w));
  for (let n = 1; n < level; n++) {
    const from = c.wrapSp((c.stack32 ? c.r[R.EBP] : c.r[R.EBP] & 0xffff) - n * w);
    c.store(Seg.SS, c.wrapSp(frame - n * w), w, c.load(Seg.SS, from, w));
  }
  if (level > 0) c.store(Seg.SS, c.wrapSp(frame - level * w), w, frame);
  c.setReg(R.EBP, w, frame);
  c.setSp(end);
}

export function leave(c: CpuCore, i: number): void {
  const w = c.width(i);
  const base = c.wrapSp(c.r[R.EBP]);
  const value = c.load(Seg.SS, base, w);
  if (c.faulted()) return;
  c.setSp(c.wrapSp(base + w));
  c.setReg(R.EBP, w, value);
}

export function bound(c: CpuCore, i: number): void {
  const w = c.width(i);
  const off = c.ea(i);
  const low = signExtend(c.load(c.seg(i), off, w), w);
  const high = signExtend(c.load(c.seg(i), c.addressIs32(i) ? (off + w) | 0 : (off + w) & 0xffff, w), w);
  if (c.faulted()) return;
  const index = signExtend(c.reg(c.regField(i), w), w);
  if (index < low || index > high) c.raise(VEC_BR, 0);
}

/** CMPXCHG8B m64: one operand of eight bytes, which does not wrap at 64 KiB. */
export function cmpxchg8b(c: CpuCore, i: number): void {
  const seg = c.seg(i);
  const off = c.ea(i);
  const next = (off + 4) | 0;
  if (!c.canStore(seg, off, 4) || !c.canStore(seg, next, 4)) return;
  const low = c.load(seg, off, 4);
  const high = c.load(seg, next, 4);
  if (c.faulted()) return;
  const equal = low === c.r[0] && high === c.r[2];
  c.store(seg, off, 4, equal ? c.r[3] : low);
  c.store(seg, next, 4, equal ? c.r[1] : high);
  if (!equal) {
    c.r[0] = low;
    c.r[2] = high;
  }
  setArith(c.r, ZF, equal ? ZF : 0);
}
