/**
 * The architectural TLB of every core (SDM vol. 3 §4.10): finite, set-associative, and the only one. An entry stays
 * until it is replaced or invalidated, whatever happens to the page table; the flat tables are a subset of it and lose
 * a page in the same moment. Not modelled: paging-structure caches (every miss reads both levels).
 */
import { CoreF } from '../arch/core-layout.ts';
import { Ev } from '../arch/events.ts';
import { PTE_A, PTE_D, PTE_U, PTE_W } from '../arch/paging.ts';
import type { EventPort } from '../arch/ports.ts';
import type { Bus } from './bus.ts';
import type { SharedMemory } from './memory.ts';
import { FLAT_WORDS, PEND, PEND_REFETCH } from './memory-layout.ts';
import {
  BITS_REFERENCED,
  TAG_GLOBAL,
  TAG_LARGE,
  TAG_VALID,
  TLB_BASE,
  TLB_BITS,
  TLB_ENTRY_WORDS,
  TLB_ORDER,
  TLB_PDE_ADDR,
  TLB_PDE_VALUE,
  TLB_PTE_ADDR,
  TLB_PTE_VALUE,
  TLB_STATE_LARGE,
  TLB_STATE_RANDOM,
  TLB_STATE_TIME,
  TLB_STATE_WORDS,
  TLB_TAG,
  type TlbReplacement,
} from './tlb-entry.ts';

export type TlbSide = 'data' | 'instr';

/** One entry as data, for display. Addresses are unsigned. */
export interface TlbEntryView {
  readonly index: number;
  readonly side: TlbSide | 'unified';
  readonly va: number;
  readonly pa: number;
  readonly sizeBytes: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly dirty: boolean;
  readonly global: boolean;
  /** The tables in RAM that it was made from now say something else (A and D ignored). */
  readonly stale: boolean;
}

/** Reasons in the TlbFlush event. */
export const FLUSH_NON_GLOBAL = 0;
export const FLUSH_ALL = 1;

/** First word of a part in a core's TLB array and its shape. */
interface Part {
  readonly base: number;
  readonly entries: number;
  readonly ways: number;
  readonly setMask: number;
}

/** Replacement policies as numbers; from POLICY_CLOCK on, hits have to be seen. */
const POLICIES: readonly TlbReplacement[] = ['fifo', 'random', 'clock', 'lru'];
const POLICY_FIFO = 0;
const POLICY_RANDOM = 1;
const POLICY_CLOCK = 2;
const POLICY_LRU = 3;

const NOT_AD = ~(PTE_A | PTE_D);

export class Tlb {
  /** Whether uses of stale entries are events: 'on' sends every access down the slow path. Change with setShadow. */
  shadow: 'off' | 'on' = 'off';
  /** True while hits may bypass the TLB through the flat tables. */
  flatAllowed: boolean;
  readonly unified: boolean;
  private readonly data: Part;
  private readonly instr: Part;
  /** POLICY_* number of the replacement. */
  private readonly policy: number;
  /** Per core: 1024-page chunks of the flat tables that hold identity words from before paging. */
  private readonly unpagedChunks: readonly Uint8Array[];

  constructor(
    private readonly memory: SharedMemory,
    private readonly bus: Bus,
    private readonly events: EventPort,
  ) {
    const { data, instr, replacement, seed } = memory.geometry;
    const part = (base: number, p: { entries: number; ways: number }): Part => ({
      base,
      entries: p.entries,
      ways: p.ways,
      setMask: p.entries / p.ways - 1,
    });
    this.data = part(TLB_STATE_WORDS, data);
    this.unified = instr === null;
    this.instr = instr === null ? this.data : part(TLB_STATE_WORDS + data.entries * TLB_ENTRY_WORDS, instr);
    this.policy = POLICIES.indexOf(replacement);
    this.flatAllowed = this.policy < POLICY_CLOCK;
    this.unpagedChunks = memory.r.map(() => new Uint8Array(FLAT_WORDS / 1024));
    for (let core = 0; core < memory.tlb.length; core++) {
      memory.tlb[core][TLB_STATE_RANDOM] = (seed + core * 0x9e3779b9) | 0 || 1;
    }
    bus.onFrameFlag({ frameFlagged: (frame, flag) => this.forgetFrame(frame, flag) });
  }

  /** Turns the debug shadow on or off; costs nothing while off. */
  setShadow(shadow: 'off' | 'on'): void {
    this.shadow = shadow;
    this.flatAllowed = shadow === 'off' && this.policy < POLICY_CLOCK;
    for (let core = 0; core < this.memory.r.length; core++) this.dropFlat(core);
  }

  private part(side: TlbSide): Part {
    return side === 'instr' ? this.instr : this.data;
  }

  /** Word offset of the entry that translates `va` in the core's array, or -1. Updates LRU and clock state. */
  find(core: number, side: TlbSide, va: number): number {
    const t = this.memory.tlb[core];
    const part = this.part(side);
    let at = this.probe(t, part, va >>> 12, (va & 0xfffff000) | TAG_VALID, 0xfffff000);
    if (at < 0 && t[TLB_STATE_LARGE] !== 0) {
      at = this.probe(t, part, va >>> 22, (va & 0xffc00000) | TAG_LARGE | TAG_VALID, 0xffc00000);
    }
    if (at >= 0 && this.policy >= POLICY_CLOCK) {
      if (this.policy === POLICY_LRU) t[at + TLB_ORDER] = ++t[TLB_STATE_TIME];
      else t[at + TLB_BITS] |= BITS_REFERENCED;
    }
    return at;
  }

  private probe(t: Int32Array, part: Part, number: number, tag: number, mask: number): number {
    const first = part.base + (number & part.setMask) * part.ways * TLB_ENTRY_WORDS;
    const end = first + part.ways * TLB_ENTRY_WORDS;
    for (let at = first; at < end; at += TLB_ENTRY_WORDS) {
      if ((t[at] & (mask | TAG_LARGE | TAG_VALID)) === (tag | 0)) return at;
    }
    return -1;
  }

  /**
   * Caches a translation, replacing one of its set if need be. Returns the entry's word offset; the caller fills
   * BASE, BITS and the source words. `tag`: page | TAG_VALID | TAG_LARGE | TAG_GLOBAL.
   */
  insert(core: number, side: TlbSide, tag: number): number {
    const t = this.memory.tlb[core];
    const part = this.part(side);
    const large = (tag & TAG_LARGE) !== 0;
    const set = (large ? tag >>> 22 : tag >>> 12) & part.setMask;
    const first = part.base + set * part.ways * TLB_ENTRY_WORDS;
    let at = -1;
    for (let way = 0; way < part.ways && at < 0; way++) {
      if ((t[first + way * TLB_ENTRY_WORDS] & TAG_VALID) === 0) at = first + way * TLB_ENTRY_WORDS;
    }
    if (at < 0) {
      at = first + this.victim(t, first, part.ways) * TLB_ENTRY_WORDS;
      this.remove(core, at);
    }
    t[at + TLB_TAG] = tag;
    if (large) t[TLB_STATE_LARGE]++;
    if (this.policy === POLICY_LRU) t[at + TLB_ORDER] = ++t[TLB_STATE_TIME];
    return at;
  }

  private victim(t: Int32Array, first: number, ways: number): number {
    switch (this.policy) {
      case POLICY_FIFO: {
        const way = t[first + TLB_ORDER];
        t[first + TLB_ORDER] = (way + 1) & (ways - 1);
        return way;
      }
      case POLICY_RANDOM: {
        let x = t[TLB_STATE_RANDOM];
        x ^= x << 13;
        x ^= x >>> 17;
        x ^= x << 5;
        t[TLB_STATE_RANDOM] = x;
        return (x >>> 8) & (ways - 1);
      }
      case POLICY_CLOCK:
        return this.clockVictim(t, first, ways);
      default:
        return this.oldest(t, first, ways);
    }
  }

  private clockVictim(t: Int32Array, first: number, ways: number): number {
    for (;;) {
      const way = t[first + TLB_ORDER];
      t[first + TLB_ORDER] = (way + 1) & (ways - 1);
      const bits = first + way * TLB_ENTRY_WORDS + TLB_BITS;
      if ((t[bits] & BITS_REFERENCED) === 0) return way;
      t[bits] &= ~BITS_REFERENCED;
    }
  }

  private oldest(t: Int32Array, first: number, ways: number): number {
    let best = 0;
    for (let way = 1; way < ways; way++) {
      const age =
        t[first + way * TLB_ENTRY_WORDS + TLB_ORDER] - t[first + best * TLB_ENTRY_WORDS + TLB_ORDER];
      if (age < 0) best = way;
    }
    return best;
  }

  /** Empties the entry and takes its pages out of the flat tables at once. */
  private remove(core: number, at: number): void {
    const t = this.memory.tlb[core];
    const tag = t[at + TLB_TAG];
    if ((tag & TAG_VALID) === 0) return;
    t[at + TLB_TAG] = 0;
    const isInstr = this.unified || at >= this.instr.base;
    const isData = this.unified || !isInstr;
    if (isData) this.clearFlat(this.memory.flatData[core], tag);
    if (isInstr) {
      this.clearFlat(this.memory.flatInstr[core], tag);
      this.memory.r[core][PEND] |= PEND_REFETCH;
    }
    if ((tag & TAG_LARGE) !== 0) t[TLB_STATE_LARGE]--;
  }

  private clearFlat(flat: Int32Array, tag: number): void {
    const page = tag >>> 12;
    if ((tag & TAG_LARGE) !== 0) flat.fill(0, page, page + 1024);
    else flat[page] = 0;
  }

  /** INVLPG: removes the translation of `va` on `core` from both parts, global or not. */
  invalidatePage(core: number, va: number): void {
    this.removePage(core, va);
    this.memory.r[core][PEND] |= PEND_REFETCH;
    const sink = this.events.sink;
    if (sink !== null)
      sink.emit(Ev.TlbInvalidate, core, this.memory.f[core][CoreF.CYCLES], va >>> 0, 0, 0, 0);
  }

  /** As invalidatePage without event: a page fault drops the entry that it came from (SDM vol. 3 §4.10.4.1). */
  removePage(core: number, va: number): void {
    for (let at = this.find(core, 'data', va); at >= 0; at = this.find(core, 'data', va))
      this.remove(core, at);
    if (this.unified) return;
    for (let at = this.find(core, 'instr', va); at >= 0; at = this.find(core, 'instr', va))
      this.remove(core, at);
  }

  /** MOV CR3: removes all but global entries. */
  flushNonGlobal(core: number): void {
    this.flush(core, TAG_GLOBAL, FLUSH_NON_GLOBAL);
  }

  /** Change of CR4.PGE/PSE or CR0.PG, reset: removes everything. */
  flushAll(core: number): void {
    this.dropUnpaged(core);
    this.flush(core, 0, FLUSH_ALL);
  }

  private flush(core: number, keep: number, reason: number): void {
    const t = this.memory.tlb[core];
    let pages = 0;
    for (let at = TLB_STATE_WORDS; at < t.length; at += TLB_ENTRY_WORDS) {
      const tag = t[at];
      if ((tag & TAG_VALID) !== 0 && (tag & keep) === 0) {
        this.remove(core, at);
        pages++;
      }
    }
    this.memory.r[core][PEND] |= PEND_REFETCH;
    const sink = this.events.sink;
    if (sink !== null) sink.emit(Ev.TlbFlush, core, this.memory.f[core][CoreF.CYCLES], reason, pages, 0, 0);
  }

  /** Makes the flat tables empty and leaves the TLB alone: a snapshot was restored, WP or the shadow changed. */
  dropFlat(core: number): void {
    const t = this.memory.tlb[core];
    for (let at = TLB_STATE_WORDS; at < t.length; at += TLB_ENTRY_WORDS) {
      const tag = t[at];
      if ((tag & TAG_VALID) === 0) continue;
      this.clearFlat(this.memory.flatData[core], tag);
      this.clearFlat(this.memory.flatInstr[core], tag);
    }
    this.dropUnpaged(core);
    this.memory.r[core][PEND] |= PEND_REFETCH;
  }

  /** Empties both flat tables completely; for a restored snapshot, whose TLB no longer tells what they hold. */
  resetFlat(core: number): void {
    this.memory.flatData[core].fill(0);
    this.memory.flatInstr[core].fill(0);
    this.unpagedChunks[core].fill(0);
    this.memory.r[core][PEND] |= PEND_REFETCH;
  }

  /** The MMU put identity words for `page` into the flat tables while paging was off. */
  noteUnpaged(core: number, page: number): void {
    this.unpagedChunks[core][page >>> 10] = 1;
  }

  private dropUnpaged(core: number): void {
    const chunks = this.unpagedChunks[core];
    for (let chunk = chunks.indexOf(1); chunk >= 0; chunk = chunks.indexOf(1, chunk + 1)) {
      this.memory.flatData[core].fill(0, chunk << 10, (chunk + 1) << 10);
      this.memory.flatInstr[core].fill(0, chunk << 10, (chunk + 1) << 10);
      chunks[chunk] = 0;
    }
  }

  /** `frame` may no longer be written (observed: nor read or fetched) directly: takes it out of the flat tables. */
  private forgetFrame(frame: number, flag: 'code' | 'observed'): void {
    for (let core = 0; core < this.memory.r.length; core++) {
      this.forgetIn(this.memory.flatData[core], core, frame);
      if (flag === 'code') continue;
      this.forgetIn(this.memory.flatInstr[core], core, frame);
      this.memory.r[core][PEND] |= PEND_REFETCH;
    }
  }

  private forgetIn(flat: Int32Array, core: number, frame: number): void {
    const t = this.memory.tlb[core];
    if (this.unpagedChunks[core].includes(1)) {
      flat[frame] = 0;
      flat[frame ^ 0x100] = 0;
    }
    for (let at = TLB_STATE_WORDS; at < t.length; at += TLB_ENTRY_WORDS) {
      const tag = t[at];
      if ((tag & TAG_VALID) === 0) continue;
      const base = t[at + TLB_BASE] >>> 12;
      if ((tag & TAG_LARGE) === 0 && base === frame) flat[tag >>> 12] = 0;
      if ((tag & TAG_LARGE) !== 0 && base === (frame & ~1023)) flat[(tag >>> 12) + (frame & 1023)] = 0;
    }
  }

  /** True if the table entries in RAM differ from what the entry at `at` was made from (A and D ignored). */
  isStale(core: number, at: number): boolean {
    const t = this.memory.tlb[core];
    const pde = this.peek(t[at + TLB_PDE_ADDR]);
    if (((pde ^ t[at + TLB_PDE_VALUE]) & NOT_AD) !== 0) return true;
    const pte = this.peek(t[at + TLB_PTE_ADDR]);
    return ((pte ^ t[at + TLB_PTE_VALUE]) & NOT_AD) !== 0;
  }

  private peek(pa: number): number {
    const host = this.bus.map.hostOffset(pa >>> 0);
    return host < 0 ? -1 : this.memory.view.getInt32(host, true);
  }

  /** What the TLB of `core` holds now, in array order. */
  entries(core: number): TlbEntryView[] {
    const t = this.memory.tlb[core];
    const views: TlbEntryView[] = [];
    for (let at = TLB_STATE_WORDS, index = 0; at < t.length; at += TLB_ENTRY_WORDS, index++) {
      const tag = t[at];
      if ((tag & TAG_VALID) === 0) continue;
      views.push({
        index,
        side: this.unified ? 'unified' : at >= this.instr.base ? 'instr' : 'data',
        va: (tag & 0xfffff000) >>> 0,
        pa: t[at + TLB_BASE] >>> 0,
        sizeBytes: (tag & TAG_LARGE) !== 0 ? 4 << 20 : 4096,
        writable: (t[at + TLB_BITS] & PTE_W) !== 0,
        user: (t[at + TLB_BITS] & PTE_U) !== 0,
        dirty: (t[at + TLB_BITS] & PTE_D) !== 0,
        global: (tag & TAG_GLOBAL) !== 0,
        stale: this.isStale(core, at),
      });
    }
    return views;
  }
}
