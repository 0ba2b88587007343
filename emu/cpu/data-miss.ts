/**
 * A hot form's load that the flat data table does not allow: asks the MMU as the instruction's own access would,
 * so that a TLB miss need not go through the instruction table (`npm run bench engines`, interpreter: fault, TLB fill).
 */
import { R } from '../arch/core-layout.ts';
import { CURRENT_EIP, PEND } from '../mem/memory-layout.ts';
import type { CpuCore } from './cpu-core.ts';
import { I_POS } from './record.ts';

/**
 * Flat word of `va` after the MMU was asked; 0 when the table's semantics must do the instruction at `i`: after a fault,
 * which they then find, or when its page is no plain memory, where asking again changes nothing. `left`: the budget
 * behind the instruction.
 */
export function dataMiss(c: CpuCore, i: number, va: number, left: number): number {
  if (!c.context.tlb.flatAllowed) return 0;
  const { r } = c;
  const pos = c.ops[i + I_POS];
  const eip = (c.codeBase + (pos & 0xffff)) | 0;
  c.left = left;
  c.sync();
  r[CURRENT_EIP] = eip;
  r[R.EIP] = eip + (pos >>> 16);
  c.mmu.translate(c.id, va, c.user);
  return r[PEND] === 0 ? c.flat[va >>> 12] : 0;
}
