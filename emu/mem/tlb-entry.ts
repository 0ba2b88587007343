/**
 * Geometry of the architectural TLB and the layout of its entries in the shared buffer (SDM vol. 3 §4.10.2).
 *
 *   per core:  16 state words, then the data (or unified) part, the instruction part, and for address-space tags one
 *              word per space: its page directory | 1
 *   entry:     TAG   31..12 virtual page (31..22 for 4 MiB), 11..4 space, G, LARGE, VALID
 *              BASE  physical address of the page
 *              BITS  W and U: the AND over both levels; D: the leaf's dirty bit when it was cached
 *              PTE_ADDR, PTE_VALUE   leaf entry that it was made from
 *              PDE_ADDR, PDE_VALUE   directory entry that it was made from
 *              ORDER  LRU: time of last use. In way 0 of FIFO and clock: the next way to look at
 */
export const TLB_STATE_WORDS = 16;
/** State words: xorshift32 state of the random policy; use counter of LRU. */
export const TLB_STATE_RANDOM = 0;
export const TLB_STATE_TIME = 1;
/** Number of valid 4 MiB entries: the second look-up is skipped while it is 0. */
export const TLB_STATE_LARGE = 2;
/** Present space, in place for TAG; the space that is given away next, as a number. Both 0 without address-space tags. */
export const TLB_STATE_SPACE = 3;
export const TLB_STATE_NEXT_SPACE = 4;

export const TLB_ENTRY_WORDS = 8;
export const TLB_TAG = 0;
export const TLB_BASE = 1;
export const TLB_BITS = 2;
export const TLB_PTE_ADDR = 3;
export const TLB_PTE_VALUE = 4;
export const TLB_PDE_ADDR = 5;
export const TLB_PDE_VALUE = 6;
export const TLB_ORDER = 7;

export const TAG_VALID = 1;
export const TAG_LARGE = 2;
export const TAG_GLOBAL = 4;
export const TAG_SPACE_SHIFT = 4;
export const TAG_SPACE = 0xff << TAG_SPACE_SHIFT;
/** Bits of a tag that must be equal, whatever the space. */
export const TAG_PAGE = ~(TAG_SPACE | TAG_GLOBAL | 8);

/** BITS beside PTE_W, PTE_U and PTE_D: the clock policy's reference bit. */
export const BITS_REFERENCED = 1 << 16;

export interface TlbPart {
  /** Power of two, 1..65536. */
  readonly entries: number;
  /** Power of two, 1..entries. */
  readonly ways: number;
}

/**
 * `fifo` and `random` need no update on a hit and so leave the flat tables usable. `clock` and `lru` see every
 * access: with them each access takes the slow path (`npm run bench cpu` measures a loop with and without).
 */
export type TlbReplacement = 'fifo' | 'random' | 'clock' | 'lru';

export interface TlbGeometry {
  readonly data: TlbPart;
  /** `null`: unified, instructions share the data part. */
  readonly instr: TlbPart | null;
  readonly replacement: TlbReplacement;
  /** Seed of the random policy. */
  readonly seed: number;
  /**
   * Address-space tags: how many page directories the TLB tells apart (2..256), so that MOV CR3 need not flush. Absent
   * or 0: none, as on a Pentium. What changes for a guest is described at Tlb.loadDirectory.
   */
  readonly tags?: number;
}

/** The Pentium's shape: 64-entry 4-way data and 32-entry 4-way instruction TLB. */
export const DEFAULT_TLB: TlbGeometry = {
  data: { entries: 64, ways: 4 },
  instr: { entries: 32, ways: 4 },
  replacement: 'fifo',
  seed: 1,
};

const isPowerOfTwo = (n: number): boolean => Number.isInteger(n) && n > 0 && (n & (n - 1)) === 0;

function checkPart(part: TlbPart, name: string): void {
  if (!isPowerOfTwo(part.entries) || part.entries > 65536) {
    throw new RangeError(`TLB ${name}: entries must be a power of two up to 65536, not ${part.entries}`);
  }
  if (!isPowerOfTwo(part.ways) || part.ways > part.entries) {
    throw new RangeError(`TLB ${name}: ways must be a power of two up to ${part.entries}, not ${part.ways}`);
  }
}

/** Bytes of one core's TLB arrays. @throws RangeError for an impossible geometry. */
export function tlbBytes(geometry: TlbGeometry): number {
  checkPart(geometry.data, 'data');
  if (geometry.instr !== null) checkPart(geometry.instr, 'instruction');
  const tags = geometry.tags ?? 0;
  if (tags !== 0 && !(Number.isInteger(tags) && tags >= 2 && tags <= 256)) {
    throw new RangeError(`TLB tags: 0 or a whole number from 2 to 256, not ${tags}`);
  }
  return (entriesEnd(geometry) + tags) * 4;
}

/** Word offset behind the last entry of a core's array. */
export function entriesEnd(geometry: TlbGeometry): number {
  const entries = geometry.data.entries + (geometry.instr?.entries ?? 0);
  return TLB_STATE_WORDS + entries * TLB_ENTRY_WORDS;
}
