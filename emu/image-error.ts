/**
 * An image that cannot be loaded. The message is one sentence that names the offset or the field and what would be
 * right; the CLI prints it after the file's name and exits with status 2.
 */
export class ImageError extends Error {}

export const hex = (n: number): string => `0x${n.toString(16)}`;

/** Little-endian reads of an untrusted file: beyond the end is an ImageError, never an exception of another kind. */
export class ImageReader {
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(offset: number, what: string): number {
    this.check(offset, 2, what);
    return this.view.getUint16(offset, true);
  }

  u32(offset: number, what: string): number {
    this.check(offset, 4, what);
    return this.view.getUint32(offset, true);
  }

  /** `length` bytes at `offset`, not copied. */
  slice(offset: number, length: number, what: string): Uint8Array {
    this.check(offset, length, what);
    return this.bytes.subarray(offset, offset + length);
  }

  private check(offset: number, length: number, what: string): void {
    if (offset + length <= this.bytes.length) return;
    const end = hex(offset + length);
    throw new ImageError(
      `${what} at offset ${hex(offset)} ends at ${end}, the file at ${hex(this.bytes.length)}`,
    );
  }
}
