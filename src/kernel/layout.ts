/**
 * The kernel page: per core a GDT and a TSS in RAM, at KERNEL_PAGE_VA in every address space (supervisor only,
 * global), and the hidden segment parts that follow from them (SDM vol. 3 §3.4.5, §3.5, §7.2.1).
 *
 *   page + core * 256:  +0  GDT, 8 descriptors:  0 null       1 kernel code  2 kernel data  3 user code
 *                                                4 user data  5 thread (GS)  6 TSS          7 free
 *                       +64 TSS, 104 bytes       +168 kernel stack of the core (ESP0 is the end of the block)
 *
 * After it comes the message frame, then the two pages of the task's I/O permission bitmap, if it has one: the limit
 * of the TSS reaches to their end. As its last byte counts as the byte behind the bitmap, the last 8 ports are closed.
 */
import { KERNEL_PAGE_VA, MESSAGE_AREA_BYTES } from '../abi/message.ts';

export const CORE_BLOCK_IN_PAGE = 256;
export const GDT_ENTRIES = 8;
export const GDT_BYTES = GDT_ENTRIES * 8;
export const TSS_OFFSET = GDT_BYTES;
export const TSS_ESP0 = 4;
export const TSS_SS0 = 8;
export const TSS_IOMAP = 100;
export const IO_BITMAP_VA = KERNEL_PAGE_VA + 0x2000;
export const IO_BITMAP_FRAMES = 2;
export const IO_BITMAP_BYTES = IO_BITMAP_FRAMES * 4096;
/** Offset of the bitmap, in the TSS, of a task without ports: beyond every limit. */
export const NO_IO_MAP = 0xffff;

export const SEL_KERNEL_CODE = 0x08;
export const SEL_KERNEL_DATA = 0x10;
export const SEL_USER_CODE = 0x1b;
export const SEL_USER_DATA = 0x23;
export const SEL_THREAD = 0x2b;
export const SEL_TSS = 0x30;

/** Interrupt vectors of the kernel; a higher class is served first. Lines of the I/O APIC have VEC_LINE + line. */
export const VEC_LINE = 0x40;
/** A device has let memory go that the memory server waits for (server-tick.ts). */
export const VEC_DEVICE_QUIET = 0xd8;
export const VEC_TIMER = 0xe0;
export const VEC_RESCHEDULE = 0xf0;
export const VEC_SHOOTDOWN = 0xf8;

/** Descriptor: type and S, DPL, P in bits 8..15 and AVL, D/B, G in 20..23 of the high word. */
const PRESENT = 1 << 15;
const DPL3 = 3 << 13;
const CODE = 0x1b << 8;
const DATA = 0x13 << 8;
const TSS_BUSY = 0x0b << 8;
const BIG = 1 << 22;
const GRANULAR = 1 << 23;

export interface SegmentDef {
  readonly base: number;
  /** In bytes, unsigned. */
  readonly limitBytes: number;
  /** High descriptor word, bits 8..15 and 20..23 in place. */
  readonly attributes: number;
}

const flat = (attributes: number): SegmentDef => ({
  base: 0,
  limitBytes: 0xffffffff,
  attributes: attributes | PRESENT | BIG | GRANULAR,
});

export const NULL_SEGMENT: SegmentDef = { base: 0, limitBytes: 0, attributes: 0 };
export const KERNEL_CODE = flat(CODE);
export const KERNEL_DATA = flat(DATA);
export const USER_CODE = flat(CODE | DPL3);
export const USER_DATA = flat(DATA | DPL3);
/** The running thread's message area; the base is filled in at each dispatch. */
export const THREAD_ATTRIBUTES = DATA | DPL3 | PRESENT | BIG;
export const TSS_ATTRIBUTES = TSS_BUSY | PRESENT;

export const coreBlockVa = (core: number): number => KERNEL_PAGE_VA + core * CORE_BLOCK_IN_PAGE;
export const tssVa = (core: number): number => coreBlockVa(core) + TSS_OFFSET;
/** Bytes from the TSS of a core to the end of the bitmap. */
export const tssBytes = (core: number): number => IO_BITMAP_VA + IO_BITMAP_BYTES - tssVa(core);

export const threadSegment = (areaVa: number): SegmentDef => ({
  base: areaVa,
  limitBytes: MESSAGE_AREA_BYTES - 1,
  attributes: THREAD_ATTRIBUTES,
});

/** Low word of a descriptor. */
export function descriptorLow(segment: SegmentDef): number {
  const limit = encodedLimit(segment);
  return (((segment.base & 0xffff) << 16) | (limit & 0xffff)) >>> 0;
}

/** High word of a descriptor. */
export function descriptorHigh(segment: SegmentDef): number {
  const base = segment.base;
  const limit = encodedLimit(segment);
  return ((base & 0xff000000) | ((base >>> 16) & 0xff) | (limit & 0xf0000) | segment.attributes) >>> 0;
}

const encodedLimit = (segment: SegmentDef): number =>
  (segment.attributes & GRANULAR) !== 0 ? segment.limitBytes >>> 12 : segment.limitBytes;
