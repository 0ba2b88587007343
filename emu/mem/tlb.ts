/**
 * The architectural TLB of every core (SDM vol. 3 §4.10): finite, set-associative, and the only one. An entry stays
 * until it is replaced or invalidated, whatever happens to the page table; the flat tables are a subset of it and lose
 * a page in the same moment. Not modelled: paging-structure caches (every miss reads both levels).
 */
import { CoreF, R } from '../arch/core-layout.ts';
import { Ev } from '../arch/events.ts';
import { PTE_A, PTE_D, PTE_FRAME_MASK, PTE_U, PTE_W } from '../arch/paging.ts';
import type { EventPort } from '../arch/ports.ts';
import type { Bus } from './bus.ts';
import { FlatTables } from './flat-tables.ts';
import type { SharedMemory } from './memory.ts';
import { PEND, PEND_REFETCH, USED_BYTES } from './memory-layout.ts';
import {
  BITS_REFERENCED,
  entriesEnd,
  TAG_GLOBAL,
  TAG_LARGE,
  TAG_PAGE,
  TAG_SPACE,
  TAG_SPACE_SHIFT,
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
  TLB_STATE_NEXT_SPACE,
  TLB_STATE_RANDOM,
  TLB_STATE_SPACE,
  TLB_STATE_TIME,
  TLB_STATE_WORDS,
  type TlbPart,
} from './tlb-entry.ts';
import { POLICIES, POLICY_CLOCK, POLICY_LRU, victimWay } from './tlb-victim.ts';

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
  /** Number of the address space that it belongs to; 0 without address-space tags. */
  readonly space: number;
  /** The tables in RAM that it was made from now say something else (A and D ignored). */
  readonly stale: boolean;
}

/** Reasons in the TlbFlush event. */
export const FLUSH_NON_GLOBAL = 0;
export const FLUSH_ALL = 1;
/** A space that is not the present one: its number was given to another page directory, or software asked for it. */
export const FLUSH_SPACE = 2;

/** A part of a core's TLB array: its first word, and the shape of its sets. */
export interface TlbPlace {
  readonly base: number;
  readonly ways: number;
  readonly setMask: number;
  readonly setWords: number;
}

const NOT_AD = ~(PTE_A | PTE_D);

const place = (base: number, part: TlbPart): TlbPlace => ({
  base,
  ways: part.ways,
  setMask: part.entries / part.ways - 1,
  setWords: part.ways * TLB_ENTRY_WORDS,
});

export class Tlb {
  /** Whether uses of stale entries are events: 'on' sends every access down the slow path. Change with setShadow. */
  shadow: 'off' | 'on' = 'off';
  /** True while hits may bypass the TLB through the flat tables. */
  flatAllowed: boolean;
  readonly unified: boolean;
  readonly data: TlbPlace;
  readonly instr: TlbPlace;
  readonly flat: FlatTables;
  /** Number of address spaces that are told apart; 0 = none. */
  readonly spaces: number;
  /** POLICY_* number of the replacement. */
  private readonly policy: number;
  private readonly endWords: number;
  /**
   * Per core one bit for each entry that may be valid, so that a flush looks only at those: of 16,384 entries it looked
   * at 512 KiB (`npm run bench cpu`, TLB fill). Not state: nothing depends on bits that are set for nothing.
   */
  private readonly used: readonly Int32Array[];

  constructor(
    private readonly memory: SharedMemory,
    private readonly bus: Bus,
    private readonly events: EventPort,
  ) {
    const { data, instr, replacement, seed, tags } = memory.geometry;
    this.endWords = entriesEnd(memory.geometry);
    this.spaces = tags ?? 0;
    this.data = place(TLB_STATE_WORDS, data);
    this.unified = instr === null;
    this.instr = instr === null ? this.data : place(TLB_STATE_WORDS + data.entries * TLB_ENTRY_WORDS, instr);
    this.policy = POLICIES.indexOf(replacement);
    this.flatAllowed = this.policy < POLICY_CLOCK;
    this.flat = new FlatTables(memory, this.endWords);
    const entries = (this.endWords - TLB_STATE_WORDS) / TLB_ENTRY_WORDS;
    const usedAt = (core: number): number => memory.layout.used + core * USED_BYTES;
    this.used = memory.tlb.map(
      (_, core) => new Int32Array(memory.buffer, usedAt(core), (entries + 31) >>> 5),
    );
    for (const used of this.used) used.fill(0);
    for (let core = 0; core < memory.tlb.length; core++) {
      memory.tlb[core][TLB_STATE_RANDOM] = (seed + core * 0x9e3779b9) | 0 || 1;
    }
    bus.onFrameFlag(this.flat);
  }

  /** Turns the debug shadow on or off; costs nothing while off. */
  setShadow(shadow: 'off' | 'on'): void {
    this.shadow = shadow;
    this.flatAllowed = shadow === 'off' && this.policy < POLICY_CLOCK;
    for (let core = 0; core < this.memory.r.length; core++) this.dropFlat(core);
  }

  /**
   * Word offset in the core's array of the entry of `part` (data or instr) that translates `va`, or -1. Updates LRU and
   * clock state.
   */
  find(core: number, part: TlbPlace, va: number): number {
    const t = this.memory.tlb[core];
    const small = (va & 0xfffff000) | TAG_VALID;
    let at = probe(
      t,
      part.base + ((va >>> 12) & part.setMask) * part.setWords,
      part.setWords,
      small,
      TAG_PAGE,
    );
    if (at < 0 && t[TLB_STATE_LARGE] !== 0) {
      const large = (va & 0xffc00000) | TAG_LARGE | TAG_VALID;
      const first = part.base + ((va >>> 22) & part.setMask) * part.setWords;
      at = probe(t, first, part.setWords, large, 0xffc00000 | (TAG_PAGE & 0xfff));
    }
    if (this.policy >= POLICY_CLOCK && at >= 0) {
      if (this.policy === POLICY_LRU) t[at + TLB_ORDER] = ++t[TLB_STATE_TIME];
      else t[at + TLB_BITS] |= BITS_REFERENCED;
    }
    return at;
  }

  /**
   * Caches a translation for the present space, replacing one of its set if need be. Returns the entry's word offset; the
   * caller fills BASE, BITS and the source words. `tag`: page | TAG_VALID | TAG_LARGE | TAG_GLOBAL.
   */
  insert(core: number, part: TlbPlace, tag: number): number {
    const t = this.memory.tlb[core];
    const large = (tag & TAG_LARGE) !== 0;
    const number = large ? tag >>> 22 : tag >>> 12;
    const first = part.base + (number & part.setMask) * part.setWords;
    const end = first + part.setWords;
    let at = first;
    while (at < end && (t[at] & TAG_VALID) !== 0) at += TLB_ENTRY_WORDS;
    if (at === end) {
      at = first + victimWay(t, this.policy, first, part.ways) * TLB_ENTRY_WORDS;
      this.remove(core, at);
    }
    t[at] = tag | t[TLB_STATE_SPACE];
    const index = (at - TLB_STATE_WORDS) >>> 3;
    this.used[core][index >>> 5] |= 1 << (index & 31);
    if (large) t[TLB_STATE_LARGE]++;
    if (this.policy === POLICY_LRU) t[at + TLB_ORDER] = ++t[TLB_STATE_TIME];
    return at;
  }

  /** Empties a valid entry and takes its pages out of the flat tables at once. */
  private remove(core: number, at: number): void {
    const { memory } = this;
    const t = memory.tlb[core];
    const tag = t[at];
    t[at] = 0;
    this.clearFlat(core, at, tag);
    if ((tag & TAG_LARGE) !== 0) t[TLB_STATE_LARGE]--;
  }

  private clearFlat(core: number, at: number, tag: number): void {
    const { memory } = this;
    const isInstr = at >= this.instr.base;
    if (this.unified || !isInstr) this.flat.clearTag(memory.flatData[core], tag);
    if (!isInstr) return;
    this.flat.clearTag(memory.flatInstr[core], tag);
    memory.r[core][PEND] |= PEND_REFETCH;
  }

  /** INVLPG: removes the translation of `va` in the present space on `core` from both parts, global or not. */
  invalidatePage(core: number, va: number): void {
    this.removePage(core, va);
    // Where each look-up is seen. Else removing the running page's entry says so (`npm run bench engines`, fault: 5 %).
    if (!this.flatAllowed) this.memory.r[core][PEND] |= PEND_REFETCH;
    const sink = this.events.sink;
    if (sink !== null)
      sink.emit(Ev.TlbInvalidate, core, this.memory.f[core][CoreF.CYCLES], va >>> 0, 0, 0, 0);
  }

  /** As invalidatePage without event: a page fault drops the entry that it came from (SDM vol. 3 §4.10.4.1). */
  removePage(core: number, va: number): void {
    for (let at = this.find(core, this.data, va); at >= 0; at = this.find(core, this.data, va))
      this.remove(core, at);
    if (this.unified) return;
    for (let at = this.find(core, this.instr, va); at >= 0; at = this.find(core, this.instr, va))
      this.remove(core, at);
  }

  /**
   * MOV CR3. Without address-space tags: removes all but global entries. With tags, the TLB keeps a small number per page
   * directory and entries of several spaces side by side: loading the directory that is loaded already flushes the
   * present space (so that software's way to flush goes on working); loading another one flushes nothing and changes
   * the space, whose entries are as they were left, stale or not. When the numbers are used up, the oldest one is given
   * to the new directory and its entries go. CR3's other bits play no part.
   */
  loadDirectory(core: number, cr3: number): void {
    if (this.spaces === 0 || !this.selectSpace(core, cr3)) this.flushNonGlobal(core);
  }

  /** Number of the present space. */
  presentSpace(core: number): number {
    return this.memory.tlb[core][TLB_STATE_SPACE] >> TAG_SPACE_SHIFT;
  }

  /** Makes the space of a page directory the present one. False if it was already, or there are no tags. */
  selectSpace(core: number, cr3: number): boolean {
    if (this.spaces === 0) return false;
    const t = this.memory.tlb[core];
    const directory = (cr3 & PTE_FRAME_MASK) | 1;
    const present = t[TLB_STATE_SPACE] >> TAG_SPACE_SHIFT;
    if (t[this.endWords + present] === directory) return false;
    this.leaveSpace(core);
    t[TLB_STATE_SPACE] = this.numberOf(core, directory) << TAG_SPACE_SHIFT;
    return true;
  }

  /** Takes what only the present space may use out of the flat tables; the TLB keeps it. */
  private leaveSpace(core: number): void {
    const t = this.memory.tlb[core];
    const space = t[TLB_STATE_SPACE] | TAG_VALID;
    for (let at = TLB_STATE_WORDS; at < this.endWords; at += TLB_ENTRY_WORDS) {
      if ((t[at] & (TAG_SPACE | TAG_GLOBAL | TAG_VALID)) === space) this.clearFlat(core, at, t[at]);
    }
    this.memory.r[core][PEND] |= PEND_REFETCH;
  }

  /** Number of a page directory's space; takes the oldest number when it has none. */
  private numberOf(core: number, directory: number): number {
    const t = this.memory.tlb[core];
    const known = t.indexOf(directory, this.endWords) - this.endWords;
    if (known >= 0) return known;
    const number = t[TLB_STATE_NEXT_SPACE];
    t[TLB_STATE_NEXT_SPACE] = (number + 1) % this.spaces;
    this.flushNumber(core, number);
    t[this.endWords + number] = directory;
    return number;
  }

  /** Removes all but global entries of a page directory's space, present or not; nothing without address-space tags. */
  flushSpace(core: number, cr3: number): void {
    if (this.spaces === 0) return;
    const at = this.memory.tlb[core].indexOf((cr3 & PTE_FRAME_MASK) | 1, this.endWords);
    if (at >= 0) this.flushNumber(core, at - this.endWords);
  }

  private flushNumber(core: number, number: number): void {
    const tag = TAG_VALID | (number << TAG_SPACE_SHIFT);
    this.flush(core, TAG_SPACE | TAG_GLOBAL | TAG_VALID, tag, FLUSH_SPACE);
  }

  /** Removes all but global entries of the present space. */
  flushNonGlobal(core: number): void {
    const tag = TAG_VALID | this.memory.tlb[core][TLB_STATE_SPACE];
    this.flush(core, TAG_SPACE | TAG_GLOBAL | TAG_VALID, tag, FLUSH_NON_GLOBAL);
  }

  /** Removes all but global entries of every space. */
  flushAllSpaces(core: number): void {
    this.flush(core, TAG_GLOBAL | TAG_VALID, TAG_VALID, FLUSH_NON_GLOBAL);
  }

  /** Change of CR4.PGE/PSE or CR0.PG, reset: removes everything and forgets which space is whose. */
  flushAll(core: number): void {
    const t = this.memory.tlb[core];
    this.flat.dropUnpaged(core);
    this.flush(core, TAG_VALID, TAG_VALID, FLUSH_ALL);
    if (this.spaces === 0) return;
    t.fill(0, this.endWords);
    t[this.endWords] = (this.memory.r[core][R.CR3] & PTE_FRAME_MASK) | 1;
    t[TLB_STATE_SPACE] = 0;
    t[TLB_STATE_NEXT_SPACE] = 1;
  }

  /** Removes the entries whose tag has the bits `wanted` under `mask`. */
  private flush(core: number, mask: number, wanted: number, reason: number): void {
    const t = this.memory.tlb[core];
    const used = this.used[core];
    let pages = 0;
    for (let group = 0; group < used.length; group++) {
      let kept = used[group];
      for (let rest = kept; rest !== 0; rest &= rest - 1) {
        const at = TLB_STATE_WORDS + (group * 32 + 31 - Math.clz32(rest & -rest)) * TLB_ENTRY_WORDS;
        const tag = t[at];
        if ((tag & mask) === wanted) {
          t[at] = 0;
          this.clearFlat(core, at, tag);
          if ((tag & TAG_LARGE) !== 0) t[TLB_STATE_LARGE]--;
          pages++;
        } else if ((tag & TAG_VALID) !== 0) continue;
        kept &= ~(rest & -rest);
      }
      used[group] = kept;
    }
    this.memory.r[core][PEND] |= PEND_REFETCH;
    const sink = this.events.sink;
    if (sink !== null) sink.emit(Ev.TlbFlush, core, this.memory.f[core][CoreF.CYCLES], reason, pages, 0, 0);
  }

  /** Makes the flat tables empty and leaves the TLB alone: a snapshot is restored, WP or the shadow changed. */
  dropFlat(core: number): void {
    this.flat.drop(core);
    // The array may be overwritten now.
    const entries = (this.endWords - TLB_STATE_WORDS) / TLB_ENTRY_WORDS;
    this.used[core].fill(-1);
    if ((entries & 31) !== 0) this.used[core][entries >>> 5] = (1 << (entries & 31)) - 1;
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
    for (let at = TLB_STATE_WORDS, index = 0; at < this.endWords; at += TLB_ENTRY_WORDS, index++) {
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
        space: (tag & TAG_SPACE) >> TAG_SPACE_SHIFT,
        stale: this.isStale(core, at),
      });
    }
    return views;
  }
}

/** The entry of a set whose tag is `tag` under `mask` and that is of the present space or global; -1 if there is none. */
function probe(t: Int32Array, first: number, setWords: number, tag: number, mask: number): number {
  for (let at = first; at < first + setWords; at += TLB_ENTRY_WORDS) {
    const found = t[at];
    if (((found ^ tag) & mask) !== 0) continue;
    if (((found ^ t[TLB_STATE_SPACE]) & TAG_SPACE) === 0 || (found & TAG_GLOBAL) !== 0) return at;
  }
  return -1;
}
