/** Page offsets that a decoded record leads to. */
import { I_IMM, I_POS } from '../record.ts';

/** Page offset behind the record. */
export const endOf = (ops: Int32Array, i: number): number =>
  (ops[i + I_POS] & 0xffff) + (ops[i + I_POS] >>> 16);

/** Target of a direct near transfer as a page offset; outside 0..4095 when it leaves the page. */
export const targetOf = (ops: Int32Array, i: number): number => endOf(ops, i) + ops[i + I_IMM];
