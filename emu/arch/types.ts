/**
 * Branded scalar types of the machine. A brand costs nothing at run time and stops a frame number from being
 * passed where a physical address is wanted. Casts to a brand are made here and nowhere else.
 */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** Physical byte address, 0 .. 2^32-1, kept unsigned (`>>> 0`). */
export type PhysAddr = Brand<number, 'PhysAddr'>;
/** Linear (after segmentation, before paging) byte address, 0 .. 2^32-1, kept unsigned. */
export type VirtAddr = Brand<number, 'VirtAddr'>;
/** Number of a 4 KiB base frame: physical address / 4096. */
export type FrameNo = Brand<number, 'FrameNo'>;
/** Number of a 4 KiB virtual page: linear address / 4096. */
export type PageNo = Brand<number, 'PageNo'>;
/** Index of a core, 0 .. coreCount-1; equal to its local APIC ID. */
export type CoreId = Brand<number, 'CoreId'>;
/** Emulated clock cycles since reset (an exact integer below 2^53). */
export type Cycles = Brand<number, 'Cycles'>;

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
/** Base pages in one 4 MiB large page. */
export const LARGE_PAGE_PAGES = 1024;
export const LARGE_PAGE_ORDER = 10;

export const physAddr = (n: number): PhysAddr => (n >>> 0) as PhysAddr;
export const virtAddr = (n: number): VirtAddr => (n >>> 0) as VirtAddr;
export const frameNo = (n: number): FrameNo => n as FrameNo;
export const pageNo = (n: number): PageNo => n as PageNo;
export const coreId = (n: number): CoreId => n as CoreId;
export const cycles = (n: number): Cycles => n as Cycles;

export const frameOf = (pa: PhysAddr): FrameNo => (pa >>> PAGE_SHIFT) as FrameNo;
export const addressOf = (f: FrameNo): PhysAddr => ((f << PAGE_SHIFT) >>> 0) as PhysAddr;
export const pageOf = (va: VirtAddr): PageNo => (va >>> PAGE_SHIFT) as PageNo;
