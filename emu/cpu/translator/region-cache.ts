/**
 * Translated regions, by page of the shared buffer and privilege. A region lives until a byte of its code is written,
 * the decoded code is dropped, or its turn comes because the cache is full. Its table (one byte per page offset, see
 * region-code.ts) is a page of the layout's engine area. Marks in the interpreter's records are set and taken back here.
 */
import { ROM_BASE } from '../../arch/address-map.ts';
import { ENGINE_REGIONS } from '../../mem/memory-layout.ts';
import { type CodeCache, MODE_CODE32, MODE_FLAT } from '../code-cache.ts';
import type { EngineContext } from '../context.ts';
import { I_OP } from '../record.ts';
import { findRegion, type Region } from './blocks.ts';
import type { Site } from './function-code.ts';
import { Heat } from './heat.ts';
import { endOf } from './reach.ts';
import { type Charge, RegionCode } from './region-code.ts';
import { LOCALS, REGION_IMPORTS, REGION_TYPE } from './region-frame.ts';
import { type FunctionTable, tryInstantiate } from './wasm-api.ts';
import { moduleBytes } from './wasm-writer.ts';

/** Bytes of WebAssembly that are kept; machine code is about as large again. */
const MAX_CODE_BYTES = 16 << 20;
const MODE = MODE_CODE32 | MODE_FLAT;

/** One translated region. */
export class TranslatedRegion {
  /** False as soon as its code has changed; it may still be running then. */
  isValid = true;

  constructor(
    readonly key: number,
    readonly frame: number,
    /** Host offset of its table. */
    readonly table: number,
    readonly sites: readonly Site[],
    /** What its blocks take from the budget, by number. */
    readonly charges: readonly Charge[],
    /** 1 for each page offset that belongs to a translated instruction. */
    readonly covered: Uint8Array,
    /** Arena positions of the records that it has marked. */
    readonly marks: readonly number[],
    readonly codeBytes: number,
  ) {}
}

export class RegionCache {
  /**
   * Number + 1 of a region by key; 0 = none. A key is (host page − first page of the ROM) × 2 + (user ? 1 : 0). The
   * dispatcher reads it.
   */
  private readonly byKey: Uint16Array;
  private readonly firstPage: number;
  readonly regions: (TranslatedRegion | null)[] = [];
  /** Regions made so far. */
  made = 0;
  private readonly heat: Heat;
  private readonly seeds = new Map<number, number[]>();
  private readonly free: number[] = [];
  private readonly byFrame = new Map<number, number[]>();
  private generation: number;
  /** Bytes of the modules of all regions. */
  codeBytes = 0;
  /** The region that goes next when there is no room. */
  private hand = 0;

  constructor(
    private readonly context: EngineContext,
    private readonly cache: CodeCache,
    /** Functions of the regions, by number; room for ENGINE_REGIONS. */
    private readonly functions: FunctionTable,
    /** What code of a region imports: memory and REGION_IMPORTS. */
    private readonly env: Record<string, unknown>,
    /** See Heat. */
    threshold: number,
    freeTranslations?: number,
  ) {
    const { memory } = context;
    const { layout } = memory;
    const keys = ((layout.totalBytes - layout.rom) >>> 12) * 2;
    this.firstPage = layout.rom >>> 12;
    this.byKey = new Uint16Array(memory.buffer, layout.engine + ENGINE_REGIONS * 4096, keys);
    this.heat = new Heat(keys, threshold, freeTranslations);
    this.generation = cache.generation;
    context.bus.onCodeWrite({
      codeWritten: (frame, offset, length) => this.codeWritten(frame, offset, length),
    });
  }

  /** Forgets all regions if the decoded code that they were made from is gone; before every look-up. */
  synchronise(): void {
    if (this.generation !== this.cache.generation) this.dropAll();
  }

  /** Drops every region, and what is known of pages. */
  reset(): void {
    this.dropAll();
    this.heat.reset();
  }

  private dropAll(): void {
    for (const region of this.regions) if (region !== null) this.drop(region);
    this.generation = this.cache.generation;
    this.seeds.clear();
  }

  /** Key of a page of the buffer. */
  keyOf(hostPage: number, user: 0 | 1): number {
    return (hostPage - this.firstPage) * 2 + user;
  }

  get kept(): number {
    return this.regions.length - this.free.length;
  }

  /** The region of a key, or null. */
  find(key: number): TranslatedRegion | null {
    const n = this.byKey[key];
    return n === 0 ? null : this.regions[n - 1];
  }

  /**
   * The interpreter has begun at page offset `offset` of the page of `key`, in code that is not translated; `count`
   * tells what that has cost. Translates when it is worth it.
   */
  warm(key: number, offset: number, count: number): void {
    if (this.find(key)?.covered[offset] === 1) this.heat.earn(count);
    else if (this.heat.add(key, count)) this.translate(key, offset);
  }

  /** The interpreter has done `count` instructions that are of no page's account. */
  rested(count: number): void {
    this.heat.earn(count);
  }

  /** Host offset of the page of a key. */
  hostOffset(key: number): number {
    return (this.firstPage + (key >>> 1)) * 4096;
  }

  private frameOf(key: number): number {
    const { layout } = this.context.memory;
    const host = this.hostOffset(key);
    return host >= layout.ram ? (host - layout.ram) >>> 12 : (host - layout.rom + ROM_BASE) >>> 12;
  }

  private translate(key: number, offset: number): void {
    const frame = this.frameOf(key);
    const slot = this.cache.findSlot(frame, MODE);
    if (slot < 0) return;
    const seed = this.runStart(slot * 4096, offset);
    if (seed < 0) return;
    this.heat.spend(key);
    const old = this.find(key);
    const seeds = old === null ? [] : (this.seeds.get(key) ?? []);
    if (!seeds.includes(seed)) seeds.push(seed);
    if (old !== null) this.drop(old);
    const region = findRegion(this.cache, slot * 4096, seeds);
    if (region.entries.length === 0) return;
    this.seeds.set(key, seeds);
    this.install(key, frame, slot * 4096, region);
  }

  /** First page offset of the straight run of decoded instructions that `offset` is in; -1 = nothing decoded there. */
  private runStart(base: number, offset: number): number {
    const { ops, index } = this.cache;
    let at = offset;
    let i = index[base + at];
    if (i === 0) return -1;
    for (;;) {
      const before = i - 8;
      const start = ops[before + 1] & 0xffff;
      if (start >= at || index[base + start] !== before || endOf(ops, before) !== at) return at;
      at = start;
      i = before;
    }
  }

  private install(key: number, frame: number, base: number, region: Region): void {
    while (this.codeBytes > MAX_CODE_BYTES) this.evict();
    const n = this.takeIndex();
    const table = this.context.memory.layout.engine + n * 4096;
    const code = new RegionCode(this.cache.ops, (key & 1) !== 0, region, table);
    code.emitRegion();
    const run = { name: 'run', type: REGION_TYPE, locals: LOCALS, body: code.w };
    const bytes = moduleBytes({ imports: REGION_IMPORTS, functions: [run] });
    const compiled = tryInstantiate(bytes, this.env);
    if (compiled === null) {
      this.free.push(n);
      this.heat.refused(key);
      return;
    }
    this.codeBytes += bytes.length;
    this.functions.set(n, compiled['run']);
    const covered = new Uint8Array(4096);
    for (const { start, end } of region.blocks) covered.fill(1, start, end);
    const marks = this.mark(base, region, table);
    this.made++;
    this.regions[n] = new TranslatedRegion(
      key,
      frame,
      table,
      code.sites,
      code.charges(),
      covered,
      marks,
      bytes.length,
    );
    this.byKey[key] = n + 1;
    const sameFrame = this.byFrame.get(frame);
    if (sameFrame === undefined) this.byFrame.set(frame, [n]);
    else sameFrame.push(n);
  }

  /** Drops one region, in turn. There is one. */
  private evict(): void {
    let region: TranslatedRegion | null;
    do {
      region = this.regions[this.hand] ?? null;
      this.hand = (this.hand + 1) % this.regions.length;
    } while (region === null);
    this.drop(region);
  }

  private takeIndex(): number {
    const reused = this.free.pop();
    if (reused !== undefined) return reused;
    if (this.regions.length === ENGINE_REGIONS) {
      this.evict();
      return this.free.pop()!;
    }
    this.regions.push(null);
    return this.regions.length - 1;
  }

  /** Fills the region's table and marks the records of its entries. */
  private mark(base: number, region: Region, table: number): number[] {
    const { ops, index } = this.cache;
    const { u8 } = this.context.memory;
    u8.fill(0, table, table + 4096);
    const marks: number[] = [];
    region.entries.forEach((block, n) => {
      const { start } = region.blocks[block];
      u8[table + start] = n + 1;
      const i = index[base + start];
      if (ops[i + I_OP] >= 0 && this.cache.mark(i)) marks.push(i);
    });
    return marks;
  }

  private drop(region: TranslatedRegion): void {
    const n = this.byKey[region.key] - 1;
    region.isValid = false;
    this.byKey[region.key] = 0;
    this.functions.set(n, null);
    this.regions[n] = null;
    this.free.push(n);
    const sameFrame = this.byFrame.get(region.frame)!;
    sameFrame.splice(sameFrame.indexOf(n), 1);
    if (sameFrame.length === 0) this.byFrame.delete(region.frame);
    this.codeBytes -= region.codeBytes;
    if (this.generation !== this.cache.generation) return;
    for (const i of region.marks) this.cache.unmark(i);
  }

  /** Bytes of a frame are about to change: drops the regions whose code they belong to. */
  codeWritten(frame: number, offset: number, length: number): void {
    const sameFrame = this.byFrame.get(frame);
    if (sameFrame === undefined) return;
    for (const n of [...sameFrame]) {
      const region = this.regions[n]!;
      if (!region.covered.subarray(offset, offset + length).includes(1)) continue;
      this.drop(region);
      this.heat.written(region.key);
    }
  }
}
