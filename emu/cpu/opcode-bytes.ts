/**
 * The bytes at a core's EIP as it would fetch them now, for events and explanations: no TLB entry is made, no A bit set, no
 * fault raised. Bytes beyond a page that cannot be fetched are missing.
 */
import { R, Seg } from '../arch/core-layout.ts';
import type { Mmu } from '../mem/mmu.ts';
import { ACCESS_FETCH, ACCESS_USER } from '../mem/walk.ts';

/** Up to `count` bytes from CS:`eip` of `core`. */
export function opcodeBytes(mmu: Mmu, core: number, eip: number, count: number): Uint8Array {
  const r = mmu.memory.r[core];
  const access = ACCESS_FETCH | (r[R.CPL] === 3 ? ACCESS_USER : 0);
  const bytes = new Uint8Array(count);
  let done = 0;
  while (done < count) {
    const va = (r[R.BASE + Seg.CS] + eip + done) >>> 0;
    const { pa } = mmu.explainWalk(core, va, access);
    if (pa === null) break;
    const part = bytes.subarray(done, Math.min(count, done + 4096 - (va & 4095)));
    mmu.bus.readBytes(pa, part);
    done += part.length;
  }
  return bytes.subarray(0, done);
}

/** Four bytes as one word that reads in their order when it is written in hexadecimal; missing bytes are 0. */
export const wordOfBytes = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset] ?? 0) << 24) |
  ((bytes[offset + 1] ?? 0) << 16) |
  ((bytes[offset + 2] ?? 0) << 8) |
  (bytes[offset + 3] ?? 0);
