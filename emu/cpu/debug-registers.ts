/**
 * DR0-3, DR6, DR7 (SDM vol. 3 §17.2). Data breakpoints are traps: hits are collected while the instruction runs and
 * raise #DB after it; port breakpoints (CR4.DE) likewise. Instruction breakpoints are faults, suppressed by EFLAGS.RF.
 * Nothing here runs while DR7 enables no breakpoint.
 */
import { R } from '../arch/core-layout.ts';
import { CR4_DE } from '../arch/paging.ts';
import type { CpuCore } from './cpu-core.ts';

const RW_EXECUTE = 0;
const RW_WRITE = 1;
const RW_PORT = 2;
const RW_BOTH = 3;

/** LEN field to bytes; 2 is undefined here (8 bytes on later processors). */
const LENGTHS = [1, 2, 8, 4];

/** Collects DR6 bits for an access of `size` bytes at linear `va`. */
export function noteDataAccess(c: CpuCore, va: number, size: number, write: number): void {
  noteAccess(c, va >>> 0, size, write === 0 ? RW_BOTH : RW_WRITE);
}

/** Collects DR6 bits for an access of `size` ports from `port`; before the port is accessed or after it. */
export function notePortAccess(c: CpuCore, port: number, size: number): void {
  if ((c.r[R.CR4] & CR4_DE) !== 0) noteAccess(c, port, size, RW_PORT);
}

/** `kind`: R/W field that sees the access; RW_BOTH sees writes too. Addresses are compared with their low bits masked. */
function noteAccess(c: CpuCore, at: number, size: number, kind: number): void {
  const dr7 = c.r[R.DR7];
  for (let n = 0; n < 4; n++) {
    if (((dr7 >> (n * 2)) & 3) === 0) continue;
    const control = (dr7 >>> (16 + n * 4)) & 15;
    const wanted = control & 3;
    if (wanted !== kind && !(wanted === RW_BOTH && kind === RW_WRITE)) continue;
    const length = LENGTHS[control >> 2];
    const start = (c.r[R.DR0 + n] & -length) >>> 0;
    if (at < start + length && at + size > start) c.debugHits |= 1 << n;
  }
}

/** DR6 bits of instruction breakpoints at linear `va`. */
export function instructionHits(c: CpuCore, va: number): number {
  const dr7 = c.r[R.DR7];
  let hits = 0;
  for (let n = 0; n < 4; n++) {
    if (((dr7 >> (n * 2)) & 3) === 0 || ((dr7 >>> (16 + n * 4)) & 3) !== RW_EXECUTE) continue;
    if (c.r[R.DR0 + n] === (va | 0)) hits |= 1 << n;
  }
  return hits;
}
