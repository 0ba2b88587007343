/**
 * The flat tables (memory-layout.ts) as a cache of the TLB: who puts a word in says where to find it again, so that it
 * can be taken out in the moment when its reason goes. Dropping words is never visible to a guest.
 */
import { R } from '../arch/core-layout.ts';
import type { FrameFlagListener } from './bus.ts';
import type { SharedMemory } from './memory.ts';
import { FLAT_WORDS, PEND, PEND_REFETCH } from './memory-layout.ts';
import { TAG_LARGE, TAG_VALID, TLB_BASE, TLB_ENTRY_WORDS, TLB_STATE_WORDS, TLB_TAG } from './tlb-entry.ts';

const CHUNK_PAGES = 1024;
/** Frame number bit of address bit 20: with the A20 gate shut, two pages lead to one frame. */
const A20_FRAME = 0x100;

export class FlatTables implements FrameFlagListener {
  /** Per core: chunks of the tables that hold identity words from before paging. */
  private readonly unpagedChunks: readonly Uint8Array[];

  /** `endWords`: where the entries of a core's TLB array end. */
  constructor(
    private readonly memory: SharedMemory,
    private readonly endWords: number,
  ) {
    this.unpagedChunks = memory.r.map(() => new Uint8Array(FLAT_WORDS / CHUNK_PAGES));
  }

  /** Takes the pages of an entry with this tag out of `flat`. */
  clearTag(flat: Int32Array, tag: number): void {
    const page = tag >>> 12;
    if ((tag & TAG_LARGE) !== 0) flat.fill(0, page, page + 1024);
    else flat[page] = 0;
  }

  /** The MMU put identity words for `page` in while paging was off. */
  noteUnpaged(core: number, page: number): void {
    this.unpagedChunks[core][page >>> 10] = 1;
  }

  dropUnpaged(core: number): void {
    const chunks = this.unpagedChunks[core];
    for (let chunk = chunks.indexOf(1); chunk >= 0; chunk = chunks.indexOf(1, chunk + 1)) {
      this.memory.flatData[core].fill(0, chunk * CHUNK_PAGES, (chunk + 1) * CHUNK_PAGES);
      this.memory.flatInstr[core].fill(0, chunk * CHUNK_PAGES, (chunk + 1) * CHUNK_PAGES);
      chunks[chunk] = 0;
    }
  }

  /** Makes both tables of `core` empty. Must come before the TLB array is overwritten, which tells what they hold. */
  drop(core: number): void {
    const t = this.memory.tlb[core];
    for (let at = TLB_STATE_WORDS; at < this.endWords; at += TLB_ENTRY_WORDS) {
      const tag = t[at + TLB_TAG];
      if ((tag & TAG_VALID) === 0) continue;
      this.clearTag(this.memory.flatData[core], tag);
      this.clearTag(this.memory.flatInstr[core], tag);
    }
    this.dropUnpaged(core);
    this.memory.r[core][PEND] |= PEND_REFETCH;
  }

  /** `frame` may no longer be written (observed: nor read or fetched) directly, by any core. */
  frameFlagged(frame: number, flag: 'code' | 'observed'): void {
    for (let core = 0; core < this.memory.r.length; core++) {
      this.forgetIn(this.memory.flatData[core], core, frame);
      if (flag === 'code') continue;
      this.forgetIn(this.memory.flatInstr[core], core, frame);
      this.memory.r[core][PEND] |= PEND_REFETCH;
    }
  }

  private forgetIn(flat: Int32Array, core: number, frame: number): void {
    const t = this.memory.tlb[core];
    const reached = this.memory.r[core][R.A20_MASK] >>> 12;
    if (this.unpagedChunks[core].includes(1)) {
      flat[frame] = 0;
      flat[frame ^ A20_FRAME] = 0;
    }
    for (let at = TLB_STATE_WORDS; at < this.endWords; at += TLB_ENTRY_WORDS) {
      const tag = t[at + TLB_TAG];
      if ((tag & TAG_VALID) === 0) continue;
      const base = (t[at + TLB_BASE] >>> 12) & reached;
      if ((tag & TAG_LARGE) === 0) {
        if (base === frame) flat[tag >>> 12] = 0;
      } else if (base === (frame & ~1023)) {
        const page = (tag >>> 12) + (frame & 1023);
        flat[page] = 0;
        flat[page ^ A20_FRAME] = 0;
      }
    }
  }
}
