/** The inner loop: see `execute`. */
import { R, Seg } from '../arch/core-layout.ts';
import { CURRENT_EIP, PEND, PEND_FAULT, PEND_JUMP } from '../mem/memory-layout.ts';
import type { CodeCache } from './code-cache.ts';
import type { CpuCore } from './cpu-core.ts';
import { lookup, loose } from './fetch.ts';
import { OP_CROSSING, OP_END, OP_GOTO, OP_LOOKUP } from './forms.ts';
import { I_ENTRY, I_LINK, I_OP, I_POS, RECORD_WORDS } from './record.ts';
import { HANDLERS } from './table/table.ts';

export function execute(c: CpuCore, cache: CodeCache): void {
  const r = c.r;
  const ops = cache.ops;
  const stop = c.stop;
  let left = c.left;
  let i = lookup(c, cache, r[R.EIP]);
  while (i >= 0) {
    switch (ops[i + I_OP]) {
      case OP_GOTO:
        i = ops[i + I_LINK];
        continue;
      case OP_END:
      case OP_LOOKUP:
        c.left = left;
        r[R.EIP] = (c.codeBase + (ops[i + I_POS] & 0xffff)) | 0;
        if (left === stop) return;
        i = lookup(c, cache, r[R.EIP]);
        continue;
      case OP_CROSSING: {
        c.left = left;
        const eip = (c.codeBase + (ops[i + I_POS] & 0xffff)) | 0;
        r[R.EIP] = eip;
        if (left === stop) return;
        i = loose(c, cache, eip, (eip + r[R.BASE + Seg.CS]) | 0);
        continue;
      }
    }
    const pos = ops[i + I_POS];
    const eip = (c.codeBase + (pos & 0xffff)) | 0;
    if (left === stop) {
      c.left = left;
      r[R.EIP] = eip;
      return;
    }
    left--;
    c.left = left;
    r[CURRENT_EIP] = eip;
    r[R.EIP] = (eip + (pos >>> 16)) | 0;
    HANDLERS[ops[i + I_ENTRY]](c, i);
    left = c.left;
    const pend = r[PEND];
    if (pend === 0) i += RECORD_WORDS;
    else if (pend === PEND_JUMP) {
      r[PEND] = 0;
      if (left === stop) return;
      i = lookup(c, cache, r[R.EIP]);
    } else {
      if ((pend & PEND_FAULT) !== 0) r[R.EIP] = eip;
      return;
    }
  }
  // The fetch faulted: EIP is the instruction that could not be fetched; the attempt uses up one of the budget.
  c.left = left - 1;
  r[CURRENT_EIP] = r[R.EIP];
}
