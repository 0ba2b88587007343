/** Builds ELF32 files for the tests of the loader. */
export interface Header {
  readonly type?: number;
  readonly offset?: number;
  readonly vaddr?: number;
  readonly fileBytes?: number;
  readonly memoryBytes?: number;
  readonly flags?: number;
}

export interface FileSpec {
  readonly headers?: readonly Header[];
  readonly entry?: number;
  readonly size?: number;
  /** Bytes to overwrite at the end: offset, width, value. */
  readonly patch?: readonly (readonly [number, 1 | 2 | 4, number])[];
}

export const TEXT: Header = {
  type: 1,
  offset: 0x1000,
  vaddr: 0x400000,
  fileBytes: 0x800,
  memoryBytes: 0x800,
  flags: 5,
};
export const DATA: Header = {
  type: 1,
  offset: 0x1800,
  vaddr: 0x402800,
  fileBytes: 0x100,
  memoryBytes: 0x3000,
  flags: 6,
};

export function elfFile(spec: FileSpec = {}): Uint8Array {
  const headers = spec.headers ?? [TEXT, DATA];
  const bytes = new Uint8Array(spec.size ?? 0x2000);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 3, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, spec.entry ?? 0x400010, true);
  view.setUint32(28, 52, true);
  view.setUint16(40, 52, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, headers.length, true);
  headers.forEach((header, i) => {
    const at = 52 + i * 32;
    const words = [
      header.type ?? 1,
      header.offset ?? 0,
      header.vaddr ?? 0,
      header.vaddr ?? 0,
      header.fileBytes ?? 0,
      header.memoryBytes ?? 0,
      header.flags ?? 4,
      4096,
    ];
    words.forEach((word, j) => {
      view.setUint32(at + j * 4, word, true);
    });
  });
  for (const [offset, width, value] of spec.patch ?? []) {
    if (width === 1) view.setUint8(offset, value);
    else if (width === 2) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
  }
  return bytes;
}
