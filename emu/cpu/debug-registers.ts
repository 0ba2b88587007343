/**
 * DR0-3, DR6, DR7 (SDM vol. 3 §17.2). Data breakpoints are traps: hits are collected while the instruction runs and
 * raise #DB after it. Instruction breakpoints are faults, suppressed by EFLAGS.RF. I/O breakpoints (CR4.DE) are not
 * modelled. Nothing here runs while DR7 enables no breakpoint.
 */
import { R } from '../arch/core-layout.ts';
import type { CpuCore } from './cpu-core.ts';

const RW_EXECUTE = 0;
const RW_WRITE = 1;
const RW_BOTH = 3;

/** LEN field to bytes; 2 is undefined here (8 bytes on later processors). */
const LENGTHS = [1, 2, 8, 4];

/** Collects DR6 bits for an access of `size` bytes at linear `va`. */
export function noteDataAccess(c: CpuCore, va: number, size: number, write: number): void {
  const dr7 = c.r[R.DR7];
  for (let n = 0; n < 4; n++) {
    if (((dr7 >> (n * 2)) & 3) === 0) continue;
    const control = (dr7 >>> (16 + n * 4)) & 15;
    const kind = control & 3;
    if (kind !== RW_BOTH && !(kind === RW_WRITE && write !== 0)) continue;
    const length = LENGTHS[control >> 2];
    const start = (c.r[R.DR0 + n] & -length) >>> 0;
    const at = va >>> 0;
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
