/**
 * The translating engine (machine.md §2): the interpreter, with hot code of one page at a time as WebAssembly. Everything
 * that has a rule of its own stays with the interpreter: slices, interrupts, faults, single steps, breakpoints, segments
 * that are not flat, fetching across pages, instructions without translation, and the end of a budget inside a block.
 *
 * Translated code is entered only if the flat instruction table maps EIP's page, so only with what the TLB holds, and
 * leaves whenever the interpreter's inner loop would look at r[PEND]. What is translated, and when, changes nothing that
 * a guest or an observer can see, except that observers called from inside an instruction find the general registers
 * in the core block as they were when translated code was entered.
 */
import { CoreF, Flag, R } from '../../arch/core-layout.ts';
import {
  CURRENT_EIP,
  ENGINE_REGIONS,
  FLAT_WORDS,
  PEND,
  PEND_FAULT,
  PEND_JUMP,
} from '../../mem/memory-layout.ts';
import { ACCESS_WRITE } from '../../mem/walk.ts';
import type { EngineContext } from '../context.ts';
import type { CpuCore } from '../cpu-core.ts';
import { Interpreter } from '../interpreter.ts';
import { I_ENTRY } from '../record.ts';
import { HANDLERS } from '../table/table.ts';
import { type Dispatch, dispatcherBytes } from './dispatcher.ts';
import { arithOf, Kind, normalise } from './flag-kinds.ts';
import { RegionCache, type TranslatedRegion } from './region-cache.ts';
import {
  BASE_WORD,
  REGION_WORD,
  SITE_BUDGET,
  SITE_JUMP,
  SITE_WORD,
  WALK_CORE_WORD,
  WALK_TLB_WORD,
  WALKS_WORD,
} from './region-frame.ts';
import { functionTable, isWasmMemory, tryInstantiate } from './wasm-api.ts';

/**
 * Instructions that the interpreter does in a page before it is translated: about 0.15 ms of work, where a small region
 * takes 0.5 ms to make. With 1,500 the guests of the story spent more time in V8 than they saved.
 */
const THRESHOLD = 20_000;
/** Budgets below this are left to the interpreter: getting in and out would take longer. */
const LEAST_BUDGET = 12;
/** What going to the interpreter and back costs, in instructions that it would do in that time. */
const ENTRY_COST = 16;
/** Longest and shortest stretch of the interpreter between two looks at where it is. */
const BURST_MAX = 255;
const BURST_MIN = 32;
/**
 * A run of translated code below SHORT_RUN instructions costs more than the interpreter would. After MANY_SHORT of them
 * with no LONG_RUN between, the interpreter goes on by itself for a while, each time twice as long (`bench cpu`: INT, page
 * fault).
 */
const SHORT_RUN = 24;
const LONG_RUN = 64;
const MANY_SHORT = 8;
const REST_MIN = 512;
const REST_MAX = 8192;
/** Largest budget that is given to translated code at once. */
const MAX_LEFT = 1 << 30;

export interface TranslatorOptions {
  /** See THRESHOLD; 1 translates what has been decoded once. */
  readonly threshold?: number;
  /** See LEAST_BUDGET. */
  readonly leastBudget?: number;
  /** Translations before their pace is limited; see Heat. */
  readonly freeTranslations?: number;
}

export class Translator extends Interpreter {
  override readonly name: string = 'translator';
  private readonly regions: RegionCache;
  /** Null when memory is not WebAssembly's, or the host lets nothing be compiled. */
  private readonly dispatch: Dispatch | null;
  private readonly isEager: boolean;
  private readonly leastBudget: number;
  /** The core that runs now. */
  private core: CpuCore;
  /** The region that last called `fill`: its own walk may have written its code, and so dropped it. */
  private filling: TranslatedRegion | null = null;
  /** Part of the budget that translated code was not given. */
  private beyond = 0;
  private burst = 0;
  private shortRuns = 0;
  /** Instructions that the interpreter does before translated code is tried again. */
  private rest = 0;
  private nextRest = REST_MIN;
  /** Instructions begun in translated code; for tests and benches. */
  translatedInstructions = 0;

  constructor(context: EngineContext, options: TranslatorOptions = {}) {
    super(context);
    const threshold = options.threshold ?? THRESHOLD;
    this.isEager = threshold === 1;
    this.leastBudget = options.leastBudget ?? LEAST_BUDGET;
    this.core = this.cores[0];
    const { owner } = context.memory;
    const table = functionTable(ENGINE_REGIONS);
    const shared = isWasmMemory(owner)
      ? tryInstantiate(dispatcherBytes(context.memory), { memory: owner, table, ...this.callbacks() })
      : null;
    this.dispatch = (shared?.['dispatch'] as Dispatch | undefined) ?? null;
    const env = { memory: owner, ...shared };
    this.regions = new RegionCache(context, this.cache, table, env, threshold, options.freeTranslations);
  }

  /** What translated code calls; see Import. */
  private callbacks(): Record<string, (...args: [number, number, number, number]) => number> {
    return {
      fillRead: (va, site, left) => this.fill(va, site, left, 0),
      fillWrite: (va, site, left) => this.fill(va, site, left, ACCESS_WRITE),
      arith: (kind, dst, src, aux) => arithOf(this.core.r, kind, dst, src, aux),
    };
  }

  /** Regions translated so far. */
  get translations(): number {
    return this.regions.made;
  }

  /** Regions that are kept now. */
  get regionsKept(): number {
    return this.regions.kept;
  }

  /** Bytes of WebAssembly that are kept. */
  get codeBytesKept(): number {
    return this.regions.codeBytes;
  }

  override invalidateCode(frameNo: number): void {
    super.invalidateCode(frameNo);
    this.regions.codeWritten(frameNo, 0, 4096);
  }

  override reset(): void {
    super.reset();
    this.regions.reset();
  }

  protected override stretch(c: CpuCore): void {
    const isPlain = c.stop === 0 && c.flatSegments && c.left >= this.leastBudget;
    if (this.dispatch === null || !isPlain || !this.context.tlb.flatAllowed) {
      super.stretch(c);
      return;
    }
    this.core = c;
    if (this.rest > 0 && this.goOnInterpreting(c)) return;
    while (c.left > 0) {
      this.regions.synchronise();
      if (
        this.translated(c, this.dispatch) ||
        (c.left > 0 && c.r[SITE_WORD] === SITE_JUMP && this.interpret(c)) ||
        (c.left > 0 && this.rest > 0 && this.goOnInterpreting(c))
      )
        return;
    }
    normalise(c.r);
  }

  /** Key of the page that EIP is in, -1 when the instruction TLB does not have it. */
  private keyHere(c: CpuCore): number {
    const page = c.r[R.EIP] >>> 12;
    const word = c.flatInstr[page];
    if ((word & c.readMask) === 0) return -1;
    return this.regions.keyOf((word >>> 12) ^ page, c.user === 0 ? 0 : 1);
  }

  /** Interprets what is left of `rest`. True when the stretch is over. */
  private goOnInterpreting(c: CpuCore): boolean {
    const { r } = c;
    normalise(r);
    const before = c.left;
    c.stop = Math.max(0, before - this.rest);
    super.stretch(c);
    c.stop = 0;
    this.rest -= before - c.left;
    this.regions.rested(before - c.left);
    if (c.left > 0 && r[PEND] === 0) r[R.EFLAGS] &= ~Flag.RF;
    return c.left === 0 || r[PEND] !== 0;
  }

  /** Keeps count of what a run of `count` translated instructions tells. */
  private noteRun(count: number): void {
    if (count >= LONG_RUN) {
      this.shortRuns = 0;
      this.nextRest = REST_MIN;
    } else if (count < SHORT_RUN && ++this.shortRuns >= MANY_SHORT && !this.isEager) {
      this.shortRuns = MANY_SHORT >> 1;
      this.rest = this.nextRest;
      this.nextRest = Math.min(REST_MAX, this.nextRest * 2);
    }
  }

  /** Interprets until a translated entry, for a while at most. True when the stretch is over. */
  private interpret(c: CpuCore): boolean {
    const { r } = c;
    normalise(r);
    const before = c.left;
    const key = this.keyHere(c);
    const offset = r[R.EIP] & 4095;
    c.enterBelow = before - 1;
    c.stop = Math.max(0, before - this.nextBurst() - (key < 0 ? 0 : this.repetitions(c, key, offset)));
    super.stretch(c);
    c.enterBelow = -1;
    c.stop = 0;
    // A REP instruction that the burst cut has set RF; nothing has come between.
    if (c.left > 0 && r[PEND] === 0) r[R.EFLAGS] &= ~Flag.RF;
    this.regions.synchronise();
    if (key >= 0) this.regions.warm(key, offset, before - c.left + ENTRY_COST);
    return r[PEND] !== 0;
  }

  /** Lengths differ, so that no loop keeps in step with them. */
  private nextBurst(): number {
    if (this.isEager) return 1;
    this.burst = (this.burst + 73) & BURST_MAX;
    return BURST_MIN + this.burst;
  }

  /** Iterations of the REP instruction at `offset`, which a burst must not cut into pieces; 0 when there is none. */
  private repetitions(c: CpuCore, key: number, offset: number): number {
    const byte = c.u8[this.regions.hostOffset(key) + offset];
    return byte === 0xf3 || byte === 0xf2 ? c.r[R.ECX] >>> 0 : 0;
  }

  /** Runs translated code, if there is any at EIP. True when the stretch is over; else SITE_WORD tells how it ended. */
  private translated(c: CpuCore, dispatch: Dispatch): boolean {
    const { r } = c;
    const { layout } = this.context.memory;
    const given = Math.min(c.left, MAX_LEFT);
    this.beyond = c.left - given;
    const tables = c.id * FLAT_WORDS * 4;
    const user = c.user === 0 ? 0 : 1;
    const shared = this.cores[0].r;
    shared[WALK_CORE_WORD] = r.byteOffset;
    // Fills are events: the MMU tells of them.
    shared[WALK_TLB_WORD] =
      this.context.events.sink === null ? layout.tlb + c.id * layout.tlbBytesPerCore : 0;
    const left = dispatch(r.byteOffset, layout.flatData + tables, layout.flatInstr + tables, user, given);
    this.countWalks(c);
    this.translatedInstructions += given - left;
    if (given >= LONG_RUN) this.noteRun(given - left);
    c.left = this.beyond + left;
    const site = r[SITE_WORD];
    if (site === SITE_JUMP) return false;
    const region = this.regions.regions[r[REGION_WORD]] ?? this.filling!;
    if (site >= 0) return this.atSite(c, region, site, left);
    return this.atBlock(c, region, SITE_BUDGET - site);
  }

  /** Brings the counters up to date with the walks of walk-code.ts. */
  private countWalks(c: CpuCore): void {
    const { r, f } = c;
    const walks = r[WALKS_WORD];
    if (walks === 0) return;
    r[WALKS_WORD] = 0;
    f[CoreF.TLB_MISSES] += walks;
    f[CoreF.PAGE_WALKS] += walks;
    f[CoreF.CYCLES] += walks * this.context.costs.pageWalk;
  }

  /** The budget ends inside a block, which was charged and not run. */
  private atBlock(c: CpuCore, region: TranslatedRegion, block: number): boolean {
    const { r } = c;
    const { start, count } = region.charges[block];
    r[R.EIP] = (r[BASE_WORD] + start) | 0;
    c.left += count;
    this.translatedInstructions -= count;
    normalise(r);
    return this.beyond === 0 ? this.tail(c) : this.interpret(c);
  }

  /** The end of a budget that is shorter than the next block. */
  private tail(c: CpuCore): boolean {
    super.stretch(c);
    return true;
  }

  /** The instruction of a site: has faulted in `fill`, or is done by its handler as the interpreter's loop would. */
  private atSite(c: CpuCore, region: TranslatedRegion, site: number, left: number): boolean {
    const { r } = c;
    const { record, offset, length, behind, kind } = region.sites[site];
    if (kind !== Kind.Unknown) r[R.CC_OP] = kind;
    normalise(r);
    const eip = (r[BASE_WORD] + offset) | 0;
    r[R.EIP] = eip;
    c.left = this.beyond + left + behind;
    if (c.left < 0) {
      c.left = 0;
      return true;
    }
    if ((r[PEND] & PEND_FAULT) !== 0) return true;
    r[CURRENT_EIP] = eip;
    r[R.EIP] = eip + length;
    HANDLERS[c.ops[record + I_ENTRY]](c, record);
    const pend = r[PEND];
    if (pend === 0) return false;
    if (pend === PEND_JUMP) {
      r[PEND] = 0;
      return false;
    }
    if ((pend & PEND_FAULT) !== 0) r[R.EIP] = eip;
    return true;
  }

  /**
   * The flat data table has no word that allows the access: asks the MMU, as the first access of the site's instruction
   * would. Returns the flat word, or 0 when the site must be left: a fault, a device, a frame that somebody watches,
   * code that is written, or r[PEND] that must be looked at behind the instruction. Asking again changes nothing then.
   */
  private fill(va: number, site: number, left: number, access: number): number {
    const c = this.core;
    const { r } = c;
    const region = this.regions.regions[r[REGION_WORD]]!;
    this.filling = region;
    const { offset, length, behind } = region.sites[site];
    c.left = this.beyond + left + behind;
    this.countWalks(c);
    c.sync();
    r[CURRENT_EIP] = r[BASE_WORD] + offset;
    r[R.EIP] = r[BASE_WORD] + offset + length;
    c.mmu.translate(c.id, va, c.user | access);
    if (r[PEND] !== 0 || !region.isValid) return 0;
    const word = c.flat[va >>> 12];
    return (word & (access === 0 ? c.readMask : c.writeMask)) !== 0 ? word : 0;
  }
}
