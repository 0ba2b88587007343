/** IN, OUT and the I/O permission check: IOPL, then the TSS bitmap (SDM vol. 1 §19.5). */
import { CoreF, R, Seg } from '../../arch/core-layout.ts';
import type { AccessSize } from '../../arch/ports.ts';
import { VEC_GP } from '../../arch/vectors.ts';
import { PEND, PEND_ATTENTION } from '../../mem/memory-layout.ts';
import type { CpuCore } from '../cpu-core.ts';
import { notePortAccess } from '../debug-registers.ts';
import { typeOf } from '../segments.ts';

const BITMAP_OFFSET = 102;

/** True if the core may access `size` ports from `port`; else #GP(0) (or the fault of reading the bitmap). */
export function checkPorts(c: CpuCore, port: number, size: number): boolean {
  const r = c.r;
  if (!c.protectedMode || r[R.CPL] <= ((r[R.EFLAGS] >> 12) & 3)) return true;
  const limit = r[R.LIMIT + Seg.TR] >>> 0;
  const wide = (typeOf(r[R.ATTR + Seg.TR]) & 13) === 9;
  if (wide && limit >= BITMAP_OFFSET + 1) {
    const base = r[R.BASE + Seg.TR];
    const at = c.systemLoad((base + BITMAP_OFFSET) | 0, 2) + (port >> 3);
    if (!c.faulted() && at + 1 <= limit) {
      const bits = c.systemLoad((base + at) | 0, 2);
      if (!c.faulted() && ((bits >> (port & 7)) & ((1 << size) - 1)) === 0) return true;
    }
  }
  c.raise(VEC_GP, 0);
  return false;
}

/** Reads a port; devices may want attention afterwards. */
export function portIn(c: CpuCore, port: number, size: number): number {
  c.sync();
  c.f[CoreF.CYCLES] += c.context.costs.portAccess;
  if (c.watching) notePortAccess(c, port, size);
  const value = c.context.io.read(port, size as AccessSize, c.id);
  if (c.r[R.ATTENTION] !== 0) c.r[PEND] |= PEND_ATTENTION;
  return value;
}

export function portOut(c: CpuCore, port: number, size: number, value: number): void {
  c.sync();
  c.f[CoreF.CYCLES] += c.context.costs.portAccess;
  if (c.watching) notePortAccess(c, port, size);
  const mask = size === 4 ? 0xffffffff : (1 << (size * 8)) - 1;
  c.context.io.write(port, size as AccessSize, (value & mask) >>> 0, c.id);
  if (c.r[R.ATTENTION] !== 0) c.r[PEND] |= PEND_ATTENTION;
}

function inFrom(c: CpuCore, i: number, port: number): void {
  const w = c.width(i);
  if (checkPorts(c, port, w)) c.setReg(0, w, portIn(c, port, w));
}

function outTo(c: CpuCore, i: number, port: number): void {
  const w = c.width(i);
  if (checkPorts(c, port, w)) portOut(c, port, w, c.reg(0, w));
}

export const inImm = (c: CpuCore, i: number): void => inFrom(c, i, c.imm(i) & 0xff);
export const inDx = (c: CpuCore, i: number): void => inFrom(c, i, c.h[R.EDX * 2]);
export const outImm = (c: CpuCore, i: number): void => outTo(c, i, c.imm(i) & 0xff);
export const outDx = (c: CpuCore, i: number): void => outTo(c, i, c.h[R.EDX * 2]);
