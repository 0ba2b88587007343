/**
 * From EIP to the decoded record: instruction TLB, code cache, decoding. Called at every change of page; inside a page
 * records follow each other. The instruction side of the TLB is asked once per visit of a page, not per instruction.
 */

import { ROM_BASE } from '../arch/address-map.ts';
import { R, Seg } from '../arch/core-layout.ts';
import { VEC_GP } from '../arch/vectors.ts';
import { PEND, PEND_REFETCH } from '../mem/memory-layout.ts';
import { ACCESS_FETCH } from '../mem/walk.ts';
import type { CodeCache } from './code-cache.ts';
import type { CpuCore } from './cpu-core.ts';
import { MAX_LENGTH } from './decode.ts';
import { RECORD_WORDS } from './record.ts';

/** Loose bytes of an instruction; filled and used within one call. */
const window = new Uint8Array(16);

/**
 * Arena position of the instruction at `eip`, or -1 after a fault (#PF, or #GP(0) past the CS limit). Sets codeBase,
 * codePage and codeSlot of the core.
 */
export function lookup(c: CpuCore, cache: CodeCache, eip: number): number {
  const r = c.r;
  const limit = r[R.LIMIT + Seg.CS] >>> 0;
  if (eip >>> 0 > limit) {
    c.raise(VEC_GP, 0);
    return -1;
  }
  const base = r[R.BASE + Seg.CS];
  const linear = (base + eip) | 0;
  const page = linear >>> 12;
  const offset = linear & 4095;
  const codeBase = (eip - offset) | 0;
  // A page that the CS limit cuts is run instruction by instruction, each with its own check.
  const isCut = (codeBase + 4095) >>> 0 > limit && codeBase >>> 0 <= limit;
  const word = c.flatInstr[page];
  if ((word & c.readMask) === 0) {
    c.sync();
    const pa = c.mmu.translate(c.id, linear, c.user | ACCESS_FETCH);
    if (pa < 0) return -1;
    r[PEND] &= ~PEND_REFETCH;
    const { map } = c.context.bus;
    const isCached =
      !isCut && !map.isObserved(pa) && (map.hostOffset(pa) >= 0 || map.romOfFrame(pa) !== null);
    if (!isCached) return loose(c, cache, eip, linear);
    return enter(c, cache, pa >>> 12, linear, codeBase);
  }
  if (isCut) return loose(c, cache, eip, linear);
  const host = ((word & ~4095) ^ (page << 12)) >>> 0;
  const { layout } = c.context.memory;
  const pa = host >= layout.ram ? host - layout.ram : host - layout.rom + ROM_BASE;
  return enter(c, cache, pa >>> 12, linear, codeBase);
}

/** Makes `frame` the running code page; the record at the page offset of `linear`, decoded if need be. */
function enter(c: CpuCore, cache: CodeCache, frame: number, linear: number, codeBase: number): number {
  const offset = linear & 4095;
  c.codeBase = codeBase;
  c.codePage = linear >>> 12;
  const slot = cache.findSlot(frame, c.mode);
  if (slot >= 0) {
    c.codeSlot = slot * 4096;
    const i = cache.index[slot * 4096 + offset];
    if (i !== 0) return i;
  }
  const i = cache.decodeRun(frame, c.mode, offset);
  c.codeSlot = cache.slotOf(frame, c.mode) * 4096;
  return i;
}

/**
 * Position of the instruction behind the Crossing record at `i`: the kept one if the second page is in the instruction
 * TLB and still has its bytes, else read anew (`npm run bench cpu`: the loop over a page end).
 */
export function crossing(c: CpuCore, cache: CodeCache, i: number, eip: number): number {
  if (c.flatSegments) {
    const page = (c.codePage + 1) & 0xfffff;
    const word = c.flatInstr[page];
    if ((word & c.readMask) !== 0 && cache.tailMatches(i, ((word & ~4095) ^ (page << 12)) >>> 0)) {
      return i + RECORD_WORDS;
    }
  }
  const read = loose(c, cache, eip, (eip + c.r[R.BASE + Seg.CS]) | 0);
  if (read > 0) cache.keepCrossing(i, read, window, c.mode);
  return read;
}

/**
 * Decodes one instruction from bytes fetched one by one, through the TLB: it crosses into another page, its frame is
 * observed or no memory, or the CS limit is near. A fault counts only if the instruction needs the byte.
 */
export function loose(c: CpuCore, cache: CodeCache, eip: number, linear: number): number {
  const r = c.r;
  const limit = r[R.LIMIT + Seg.CS] >>> 0;
  const offset = linear & 4095;
  c.codeBase = (eip - offset) | 0;
  c.codePage = -1;
  c.sync();
  const bus = c.context.bus;
  let pa = -1;
  let first = -1;
  for (let count = 0; count < MAX_LENGTH; count++) {
    if ((eip >>> 0) + count > limit) {
      c.raise(VEC_GP, 0);
      return -1;
    }
    const va = (linear + count) | 0;
    if (pa < 0 || (va & 4095) === 0) {
      pa = c.mmu.translate(c.id, va, c.user | ACCESS_FETCH);
      if (pa < 0) return -1;
      if (count === 0) first = pa;
    } else pa++;
    window[count] = bus.fetchByte(pa, c.id);
    const i = cache.decodeLoose(c.id, window, count + 1, c.mode, offset);
    if (i !== 0) {
      r[PEND] &= ~PEND_REFETCH;
      const inFirst = Math.min(count + 1, 4096 - offset);
      bus.noteFetch(first, inFirst, c.id);
      if (inFirst <= count) bus.noteFetch((pa & ~4095) >>> 0, count + 1 - inFirst, c.id);
      return i;
    }
  }
  return cache.decodeLoose(c.id, window, MAX_LENGTH, c.mode, offset);
}
