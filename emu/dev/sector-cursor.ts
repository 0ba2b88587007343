/**
 * A place in a disk's medium that moves on as bytes are taken or put, for devices which pass a sector piece by piece.
 * A sector is read when its first byte is wanted and written when its last one has come; what is put into a sector
 * that never fills is lost, as in a drive's buffer.
 */
import type { PlainData, Snapshotable } from '../arch/ports.ts';
import { type DiskImage, SECTOR_BYTES } from './disk-image.ts';

export class SectorCursor implements Snapshotable {
  readonly image: DiskImage;
  private readonly buffer = new Uint8Array(SECTOR_BYTES);
  private current = 0;
  private offset = 0;

  constructor(image: DiskImage) {
    this.image = image;
  }

  /** The sector that the next byte belongs to. */
  get sector(): number {
    return this.current;
  }

  /** Bytes up to the end of that sector. */
  get bytesInSector(): number {
    return SECTOR_BYTES - this.offset;
  }

  /** Goes to the start of `sector`, which exists. */
  seek(sector: number): void {
    this.current = sector;
    this.offset = 0;
  }

  /** The next bytes of the medium; `into` ends at or before the end of the sector. */
  take(into: Uint8Array): void {
    if (this.offset === 0) this.image.read(this.current, this.buffer, 0);
    into.set(this.buffer.subarray(this.offset, this.offset + into.length));
    this.advance(into.length);
  }

  /** The next bytes for the medium; `from` ends at or before the end of the sector. */
  put(from: Uint8Array): void {
    this.buffer.set(from, this.offset);
    if (from.length === this.bytesInSector) this.image.write(this.current, this.buffer, 0);
    this.advance(from.length);
  }

  save(): PlainData {
    const { current, offset } = this;
    return { current, offset, buffer: this.buffer.slice(), image: this.image.save() };
  }

  load(data: PlainData): void {
    const saved = data as unknown as {
      current: number;
      offset: number;
      buffer: Uint8Array;
      image: PlainData;
    };
    this.current = saved.current;
    this.offset = saved.offset;
    this.buffer.set(saved.buffer);
    this.image.load(saved.image);
  }

  private advance(bytes: number): void {
    this.offset += bytes;
    if (this.offset < SECTOR_BYTES) return;
    this.offset = 0;
    this.current++;
  }
}
