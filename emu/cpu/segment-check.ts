/**
 * The checks of one access through a segment register: presence, type, limit (SDM vol. 3 §5.3-5.5). Privilege was
 * checked when the register was loaded.
 */
import { R, Seg } from '../arch/core-layout.ts';
import { VEC_GP, VEC_SS } from '../arch/vectors.ts';
import type { CpuCore } from './cpu-core.ts';

const ATTR_BIG = 1 << 22;
const ATTR_PRESENT = 1 << 15;
const TYPE_CODE = 1 << 11;
const TYPE_EXPAND_DOWN = 1 << 10;
const TYPE_RW = 1 << 9;

/** Linear address of seg:off, or 0 after #GP(0) or #SS(0). `access`: 0 or ACCESS_WRITE. */
export function checkedLinear(c: CpuCore, seg: number, off: number, size: number, access: number): number {
  const r = c.r;
  const attr = r[R.ATTR + seg];
  const limit = r[R.LIMIT + seg] >>> 0;
  const first = off >>> 0;
  const last = first + size - 1;
  let good: boolean;
  if ((attr & (TYPE_CODE | TYPE_EXPAND_DOWN)) === TYPE_EXPAND_DOWN) {
    good = first > limit && last <= ((attr & ATTR_BIG) !== 0 ? 0xffffffff : 0xffff);
  } else {
    // An access that wraps past 4 GiB is good in a segment without limit, as in the flat path.
    good = last <= limit || limit === 0xffffffff;
  }
  if (c.protectedMode) {
    if ((attr & ATTR_PRESENT) === 0) good = false;
    else if (access !== 0) good = good && (attr & (TYPE_CODE | TYPE_RW)) === TYPE_RW;
    else good = good && (attr & (TYPE_CODE | TYPE_RW)) !== TYPE_CODE;
  }
  if (!good) {
    c.raise(seg === Seg.SS ? VEC_SS : VEC_GP, 0);
    return 0;
  }
  return (r[R.BASE + seg] + off) | 0;
}

/** CS (readable), SS, DS and ES are 4 GiB from 0: nothing to check and nothing to add. */
export function areSegmentsFlat(r: Int32Array): boolean {
  const isReadable = (r[R.ATTR + Seg.CS] & TYPE_RW) !== 0;
  const isCodeFlat = isReadable && r[R.BASE + Seg.CS] === 0 && r[R.LIMIT + Seg.CS] === -1;
  return isCodeFlat && isFlatData(r, Seg.SS) && isFlatData(r, Seg.DS) && isFlatData(r, Seg.ES);
}

/** A writable, expand-up data segment of 4 GiB from 0. */
function isFlatData(r: Int32Array, seg: number): boolean {
  const attr = r[R.ATTR + seg];
  return (
    r[R.BASE + seg] === 0 &&
    r[R.LIMIT + seg] === -1 &&
    (attr & (ATTR_PRESENT | TYPE_CODE | TYPE_EXPAND_DOWN | TYPE_RW)) === (ATTR_PRESENT | TYPE_RW)
  );
}
