/**
 * A disk's medium: sectors of 512 bytes, plain data in memory. The bytes that the host gave are configuration and are
 * never changed; sectors that the guest has written lie beside them, and only those are saved in a snapshot. A
 * written sector is a new array each time, so that snapshots share the ones that did not change.
 */
import type { PlainData, Snapshotable } from '../arch/ports.ts';

export const SECTOR_BYTES = 512;
/** What 28 bits of sector number can address. */
export const MAX_SECTORS = 2 ** 28;

export class DiskImage implements Snapshotable {
  readonly sectorCount: number;
  private readonly original: Uint8Array;
  private written = new Map<number, Uint8Array>();

  /**
   * `bytes` belongs to the image afterwards. Throws RangeError when it is empty, too long for LBA28 or not a whole
   * number of sectors.
   */
  constructor(bytes: Uint8Array) {
    const sectors = bytes.length / SECTOR_BYTES;
    if (!Number.isInteger(sectors) || sectors === 0 || sectors > MAX_SECTORS) {
      throw new RangeError(
        `a disk of ${bytes.length} bytes: one or more whole sectors of 512 bytes are needed`,
      );
    }
    this.original = bytes;
    this.sectorCount = sectors;
  }

  /** Sectors that the guest has written. */
  get writtenCount(): number {
    return this.written.size;
  }

  /** Copies sector `lba` (below sectorCount) into `into` at `offset`. */
  read(lba: number, into: Uint8Array, offset: number): void {
    const at = lba * SECTOR_BYTES;
    into.set(this.written.get(lba) ?? this.original.subarray(at, at + SECTOR_BYTES), offset);
  }

  /** Writes the sector's worth of bytes at `offset` of `from` to sector `lba`. */
  write(lba: number, from: Uint8Array, offset: number): void {
    this.written.set(lba, from.slice(offset, offset + SECTOR_BYTES));
  }

  /** The whole medium as it is now. */
  bytes(): Uint8Array {
    const all = this.original.slice();
    for (const [lba, sector] of this.written) all.set(sector, lba * SECTOR_BYTES);
    return all;
  }

  save(): PlainData {
    const sectors = [...this.written.keys()].sort((a, b) => a - b);
    return { sectors: Int32Array.from(sectors), data: sectors.map((lba) => this.written.get(lba)!) };
  }

  load(state: PlainData): void {
    const { sectors, data } = state as unknown as { sectors: Int32Array; data: readonly Uint8Array[] };
    this.written = new Map(Array.from(sectors, (lba, i) => [lba, data[i]!]));
  }
}
