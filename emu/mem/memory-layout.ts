/**
 * Layout of the one buffer that holds everything the engines share (machine.md §2, last paragraph). All parts start
 * at a multiple of 4096 bytes counted from the start of the buffer, so that a host offset and a page offset can be
 * joined by XOR (see flat tables below).
 *
 *   +0            core blocks             coreCount × CORE_BLOCK_BYTES          (emu/arch/core-layout.ts)
 *   tlb           TLB arrays              coreCount × tlbBytesPerCore           (tlb-entry.ts)
 *   flatData      flat data tables        coreCount × 2^20 words
 *   flatInstr     flat instruction tables coreCount × 2^20 words
 *   engine        tables of the engine    not architectural, in no snapshot
 *   frames        one byte per frame      2^20 bytes (bus-map.ts); here, so that translated code can read it
 *   used          bits of the TLB entries coreCount × USED_BYTES (tlb.ts)
 *   rom           firmware ROM            ROM_SIZE bytes
 *   ram           RAM                     ramBytes
 *
 * A flat table has one word per virtual page: the upper 20 bits are (host page XOR virtual page), the lower bits are
 * FLAT_* permissions; 0 means "ask the MMU". So host offset = (word & ~4095) ^ va, one load and one test per access.
 * Flat tables hold nothing that the architectural TLB does not hold: they may be dropped at any time without a
 * visible difference.
 */
import { ROM_SIZE } from '../arch/address-map.ts';
import { CORE_BLOCK_BYTES } from '../arch/core-layout.ts';

/** Supervisor may read, supervisor may write, user may read, user may write. */
export const FLAT_SUPER_READ = 1;
export const FLAT_SUPER_WRITE = 2;
export const FLAT_USER_READ = 4;
export const FLAT_USER_WRITE = 8;

export const FLAT_WORDS = 1 << 20;
/** Tables of the translator: one page for each of so many regions, then one word per page of ROM and RAM. */
export const ENGINE_REGIONS = 512;

/** One bit for each entry of a core's TLB, of which there are at most 2^17. */
export const USED_BYTES = 1 << 14;

/** Words of the core block's engine scratch area (128..255) that emu/mem and the engines share. */
export const PEND = 128;
/** EIP of the instruction in progress, for events; exact whenever an engine is in its slow path. */
export const CURRENT_EIP = 129;

/** Bits of r[PEND]: why the engine must leave its inner loop after the current instruction. */
export const PEND_FAULT = 1;
/** The translation of the running code page may be gone: look it up again. */
export const PEND_REFETCH = 2;
/** EIP was set by the instruction. */
export const PEND_JUMP = 4;
/** CPL, segments, paging or debug state changed: take the mode from the core block again. */
export const PEND_MODE = 8;
/** Look at ATTENTION, SHADOW and EFLAGS.TF. */
export const PEND_ATTENTION = 16;
/** HLT, shutdown or a trap to the host: leave the slice. */
export const PEND_EXIT = 32;

export interface MemoryLayout {
  readonly coreCount: number;
  readonly ramBytes: number;
  readonly tlb: number;
  readonly tlbBytesPerCore: number;
  readonly flatData: number;
  readonly flatInstr: number;
  readonly engine: number;
  readonly frames: number;
  readonly used: number;
  readonly rom: number;
  readonly ram: number;
  readonly totalBytes: number;
}

const pageUp = (n: number): number => Math.ceil(n / 4096) * 4096;

/** Places all parts. `ramBytes` is a multiple of 4096; sizes are bytes, results are offsets in the buffer. */
export function layoutMemory(coreCount: number, ramBytes: number, tlbBytesPerCore: number): MemoryLayout {
  const tlb = pageUp(coreCount * CORE_BLOCK_BYTES);
  const flatData = pageUp(tlb + coreCount * tlbBytesPerCore);
  const flatInstr = flatData + coreCount * FLAT_WORDS * 4;
  const engine = flatInstr + coreCount * FLAT_WORDS * 4;
  const frames = engine + ENGINE_REGIONS * 4096 + pageUp((ROM_SIZE + ramBytes) / 1024);
  const used = frames + FLAT_WORDS;
  const rom = used + coreCount * USED_BYTES;
  const ram = rom + ROM_SIZE;
  const totalBytes = ram + ramBytes;
  const tables = { tlb, tlbBytesPerCore, flatData, flatInstr, engine, frames, used };
  return { coreCount, ramBytes, ...tables, rom, ram, totalBytes };
}
