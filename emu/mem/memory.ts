/**
 * RAM provider: allocates the shared buffer (memory-layout.ts) and makes the typed-array views that all rooms use.
 * Nobody else allocates RAM (machine.md §2): an engine that must own the heap passes its own provider.
 * The buffer never grows, so that no view is ever detached.
 */
import { MAX_CORES, MAX_RAM, MIN_RAM } from '../arch/address-map.ts';
import { CORE_BLOCK_BYTES } from '../arch/core-layout.ts';
import { FLAT_WORDS, layoutMemory, type MemoryLayout } from './memory-layout.ts';
import { DEFAULT_TLB, type TlbGeometry, tlbBytes } from './tlb-entry.ts';

/** The part of the WebAssembly namespace that is used here; `lib` has no DOM, so it is declared by hand. */
declare const WebAssembly: {
  Memory: new (descriptor: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

/** A buffer of at least the wanted size; `owner` is kept for the engine that needs it (a WebAssembly.Memory). */
export interface ProvidedMemory {
  readonly buffer: ArrayBuffer;
  readonly owner: object;
}
export type MemoryProvider = (totalBytes: number) => ProvidedMemory;

export const wasmMemory: MemoryProvider = (totalBytes) => {
  const pages = Math.ceil(totalBytes / 65536);
  const owner = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return { buffer: owner.buffer, owner };
};

export interface MemoryOptions {
  readonly ramBytes: number;
  readonly coreCount: number;
  readonly tlb?: TlbGeometry;
  readonly provider?: MemoryProvider;
}

/** All views of the shared buffer. Plain holder; the rules are in bus.ts, tlb.ts and mmu.ts. */
export interface SharedMemory {
  readonly layout: MemoryLayout;
  readonly geometry: TlbGeometry;
  readonly owner: object;
  readonly buffer: ArrayBuffer;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  /** Unaligned access of all widths at host offsets, little-endian. */
  readonly view: DataView;
  /** RAM alone: index = physical address. */
  readonly ram: Uint8Array;
  /** Core blocks (R indices) and their Float64 views (CoreF indices). */
  readonly r: readonly Int32Array[];
  readonly f: readonly Float64Array[];
  /** Flat tables per core, indexed by virtual page. */
  readonly flatData: readonly Int32Array[];
  readonly flatInstr: readonly Int32Array[];
  /** TLB arrays per core (tlb-entry.ts). */
  readonly tlb: readonly Int32Array[];
}

/**
 * Allocates the machine's memory. Everything is zero.
 * @throws RangeError when the configuration is outside MIN_RAM..MAX_RAM (multiple of 4096) or 1..MAX_CORES; callers
 * check user input first, this is the last line.
 */
export function createMemory(options: MemoryOptions): SharedMemory {
  const { ramBytes, coreCount } = options;
  if (!(ramBytes >= MIN_RAM && ramBytes <= MAX_RAM && ramBytes % 4096 === 0)) {
    throw new RangeError(
      `RAM must be a multiple of 4096 from ${MIN_RAM} to ${MAX_RAM} bytes, not ${ramBytes}`,
    );
  }
  if (!(Number.isInteger(coreCount) && coreCount >= 1 && coreCount <= MAX_CORES)) {
    throw new RangeError(`The machine has 1 to ${MAX_CORES} cores, not ${coreCount}`);
  }
  const geometry = options.tlb ?? DEFAULT_TLB;
  const perCore = tlbBytes(geometry);
  const layout = layoutMemory(coreCount, ramBytes, perCore);
  const { buffer, owner } = (options.provider ?? wasmMemory)(layout.totalBytes);
  const words = (offset: number, count: number): Int32Array => new Int32Array(buffer, offset, count);
  const cores = Array.from({ length: coreCount }, (_, i) => i);
  return {
    layout,
    geometry,
    owner,
    buffer,
    u8: new Uint8Array(buffer),
    u16: new Uint16Array(buffer),
    i32: new Int32Array(buffer),
    view: new DataView(buffer),
    ram: new Uint8Array(buffer, layout.ram, ramBytes),
    r: cores.map((i) => words(i * CORE_BLOCK_BYTES, CORE_BLOCK_BYTES / 4)),
    f: cores.map((i) => new Float64Array(buffer, i * CORE_BLOCK_BYTES, CORE_BLOCK_BYTES / 8)),
    flatData: cores.map((i) => words(layout.flatData + i * FLAT_WORDS * 4, FLAT_WORDS)),
    flatInstr: cores.map((i) => words(layout.flatInstr + i * FLAT_WORDS * 4, FLAT_WORDS)),
    tlb: cores.map((i) => words(layout.tlb + i * perCore, perCore / 4)),
  };
}
