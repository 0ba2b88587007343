/**
 * The memory map of one Unicorn machine as a window on the flat tables of its core (emu/mem/memory-layout.ts): a page is
 * mapped in Unicorn, leading to the bytes of shared RAM, only while the flat tables, and so the TLB, hold its translation.
 * Pages come in one by one when they are missed; what the TLB has lost is taken out before Unicorn runs again. A page
 * whose instruction and data translations differ (one of them is stale) is mapped for one of the two uses at a time.
 */
import type { CpuCore } from '../cpu-core.ts';
import { MAP_EXECUTE, MAP_READ, MAP_WRITE, type UnicornCpu } from './unicorn-api.ts';

interface Mapping {
  /** Offset in the shared buffer of the page's bytes. */
  readonly host: number;
  readonly access: number;
}

export class PageWindow {
  private readonly mappings = new Map<number, Mapping>();
  /** Host offsets of pages whose code was written since the last `synchronise`. */
  private readonly written = new Set<number>();

  constructor(
    private readonly core: CpuCore,
    private readonly cpu: UnicornCpu,
  ) {}

  /** Pages that are mapped now. */
  get size(): number {
    return this.mappings.size;
  }

  /** Code in the page at `host` was written. */
  codeWritten(host: number): void {
    this.written.add(host);
  }

  /** Takes out what the flat tables no longer allow, and what holds code that was written. */
  synchronise(): void {
    for (const [page, mapping] of this.mappings) {
      const allowed = this.dataAccess(page, mapping.host) | this.codeAccess(page, mapping.host);
      const isStale = (mapping.access & ~allowed) !== 0 || this.written.has(mapping.host);
      if (isStale) this.drop(page, mapping);
    }
    this.written.clear();
  }

  /** Maps the page of code at linear `page`. False when the instruction TLB does not hold it. */
  showCode(page: number): boolean {
    const { core } = this;
    const word = core.flatInstr[page];
    if ((word & core.readMask) === 0) return false;
    this.show(page, hostOf(word, page));
    return true;
  }

  /** Maps the page of data at linear `page`, if the data TLB holds it and it is no code from elsewhere. */
  showData(page: number): void {
    const { core } = this;
    const word = core.flat[page];
    if ((word & core.readMask) !== 0) this.show(page, hostOf(word, page));
  }

  /** Takes everything out. */
  clear(): void {
    for (const [page, mapping] of this.mappings) this.drop(page, mapping);
    this.written.clear();
  }

  private show(page: number, host: number): void {
    const access = this.dataAccess(page, host) | this.codeAccess(page, host);
    const before = this.mappings.get(page);
    if (before !== undefined) {
      if (before.host === host && before.access === access) return;
      this.drop(page, before);
    }
    this.cpu.mapPage(page * 4096, this.core.u8.subarray(host, host + 4096), access);
    this.mappings.set(page, { host, access });
  }

  private drop(page: number, { access }: Mapping): void {
    if ((access & MAP_EXECUTE) !== 0) this.cpu.forgetCode(page * 4096);
    this.cpu.unmapPage(page * 4096);
    this.mappings.delete(page);
  }

  private dataAccess(page: number, host: number): number {
    const { core } = this;
    const word = core.flat[page];
    if ((word & core.readMask) === 0 || hostOf(word, page) !== host) return 0;
    return (word & core.writeMask) === 0 ? MAP_READ : MAP_READ | MAP_WRITE;
  }

  private codeAccess(page: number, host: number): number {
    const { core } = this;
    const word = core.flatInstr[page];
    return (word & core.readMask) !== 0 && hostOf(word, page) === host ? MAP_EXECUTE : 0;
  }
}

/** Host offset that a flat word gives for its page. */
export const hostOf = (word: number, page: number): number => ((word & ~4095) ^ (page << 12)) >>> 0;
