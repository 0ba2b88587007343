/**
 * What the firmware leaves for the next stage, and what the machine tells the firmware.
 *
 * Boot information block, little-endian words at BOOT_INFO_BASE (written by firmware/, read by src/kernel):
 *
 *   +0   magic 'PMBI' (0x49424d50)
 *   +4   coreCount
 *   +8   bspApicId
 *   +12  e820Count                 (at most 16)
 *   +16  moduleCount               (at most 32)
 *   +20  ramBytesFound             (end of RAM as the POST sized it)
 *   +24  firmwareEnd               (first byte above the low area that firmware keeps: trampoline, IDT, stack)
 *   +32  apicId of core i, 16 words
 *   +96  e820 entries, 20 bytes each: base lo, base hi, length lo, length hi, type (1 RAM, 2 reserved)
 *   +416 module entries, 48 bytes each: start, end (physical, page aligned start), name: 40 bytes NUL-padded
 *
 * Module archive at MODULE_WINDOW_BASE (made by the host, found and copied to RAM by the firmware):
 *
 *   +0   magic 'PMOD' (0x444f4d50), +4 count, then count headers of 48 bytes: offset (from the window's
 *   base, 4 KiB aligned), sizeBytes, name (40 bytes), then the bytes.
 *
 * Configuration selectors (ports 0x510/0x511, bytes little-endian): 0 signature 'PMCF', 1 boot mode
 * (u32: BOOT_HOSTED or BOOT_BARE), 2 entry point of the bare image (u32), 3 core count (u32),
 * 4 physical address of the multiboot information structure (u32).
 */
export const BOOT_INFO_BASE = 0x1000;
export const BOOT_INFO_MAGIC = 0x49424d50;
export const BOOT_INFO_MODULES_OFFSET = 416;
export const BOOT_INFO_E820_OFFSET = 96;
export const BOOT_MODULE_ENTRY_BYTES = 48;
export const BOOT_MODULE_NAME_BYTES = 40;
export const MODULE_ARCHIVE_MAGIC = 0x444f4d50;
/** Firmware copies boot modules upwards from here, each at a page boundary. */
export const MODULE_LOAD_BASE = 0x00200000;

export const BOOT_HOSTED = 0;
export const BOOT_BARE = 1;

export const E820_RAM = 1;
export const E820_RESERVED = 2;

export interface E820Entry {
  readonly base: number;
  readonly length: number;
  readonly type: number;
}

export interface BootModule {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface BootInfo {
  readonly coreCount: number;
  readonly ramBytes: number;
  readonly firmwareEnd: number;
  readonly e820: readonly E820Entry[];
  readonly modules: readonly BootModule[];
}
