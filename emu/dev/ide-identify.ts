/**
 * The 256 words that IDENTIFY DEVICE returns (ATA/ATAPI-5 ch. 8): a fixed disk with LBA, PIO up to mode 4,
 * no DMA. The geometry is the customary one of 16 heads and 63 sectors.
 */
export interface IdentityFacts {
  readonly sectorCount: number;
  /** 0 for the first drive of the channel, 1 for the second. */
  readonly unit: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
  /** Sectors per block of READ and WRITE MULTIPLE; 0 = off. */
  readonly multiple: number;
}

export const DEFAULT_HEADS = 16;
export const DEFAULT_SECTORS_PER_TRACK = 63;
/** The most that a block of READ or WRITE MULTIPLE can hold. */
export const MAX_MULTIPLE = 16;

const MAX_CYLINDERS = 16_383;
const CAPABILITIES_LBA_IORDY = 0x0a00;
const MODES_1_TO_5 = 0x003e;
const FLUSH_CACHE_SUPPORTED = 0x5000;

/** Cylinders of the geometry that the device shows. */
export const cylindersOf = (sectorCount: number, heads: number, sectorsPerTrack: number): number =>
  Math.min(MAX_CYLINDERS, Math.floor(sectorCount / (heads * sectorsPerTrack)));

/** The identity as 512 bytes, little-endian words. */
export function identityBlock(facts: IdentityFacts): Uint8Array {
  const { sectorCount, unit, heads, sectorsPerTrack, multiple } = facts;
  const block = new Uint8Array(512);
  const words = new DataView(block.buffer);
  const put = (word: number, ...values: number[]) => {
    for (const [i, value] of values.entries()) words.setUint16(2 * (word + i), value, true);
  };
  const dword = (word: number, value: number) => words.setUint32(2 * word, value, true);
  const cylinders = cylindersOf(sectorCount, heads, sectorsPerTrack);
  put(0, 0x0040, cylindersOf(sectorCount, DEFAULT_HEADS, DEFAULT_SECTORS_PER_TRACK));
  put(3, DEFAULT_HEADS);
  put(6, DEFAULT_SECTORS_PER_TRACK);
  putText(block, 10, 10, `PM${unit}`);
  putText(block, 23, 4, '1.0');
  putText(block, 27, 20, 'PHYSMEM DISK');
  put(47, 0x8000 | MAX_MULTIPLE);
  put(49, CAPABILITIES_LBA_IORDY, 0x4000, 0x0200);
  put(53, 0x0003, cylinders, heads, sectorsPerTrack);
  dword(57, Math.min(sectorCount, cylinders * heads * sectorsPerTrack));
  put(59, multiple === 0 ? 0 : 0x0100 | multiple);
  dword(60, sectorCount);
  put(64, 0x0003);
  put(67, 120, 120);
  put(80, MODES_1_TO_5);
  put(83, FLUSH_CACHE_SUPPORTED, 0x4000);
  put(86, FLUSH_CACHE_SUPPORTED & ~0x4000, 0x4000);
  return block;
}

/** ASCII padded with blanks; the first character of each pair is in the high byte of its word. */
function putText(block: Uint8Array, word: number, wordCount: number, text: string): void {
  const padded = text.padEnd(2 * wordCount);
  for (let i = 0; i < 2 * wordCount; i++) block[2 * word + (i ^ 1)] = padded.charCodeAt(i);
}
