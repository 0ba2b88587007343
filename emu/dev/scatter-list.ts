/**
 * The bus master's list of descriptors, as read from RAM, and what it refuses (docs/dma.md). A list may change its
 * direction between descriptors; the place on the disk runs on through all of them.
 */
import { SECTOR_BYTES } from './disk-image.ts';

export enum TransferError {
  None = 0,
  /** No descriptors, more than MAX_DESCRIPTORS, or a list that is not at a multiple of 4. */
  BadList = 0x02,
  /** Sectors beyond the end of the disk. */
  NoSector = 0x04,
  Aborted = 0x08,
  /** Length 0, end beyond 4 GiB, or reserved bits. */
  BadDescriptor = 0x10,
  /** A direction ends inside a sector. */
  HalfSector = 0x20,
  /** The I/O protection unit held an access back. */
  Blocked = 0x40,
}

export const DESCRIPTOR_BYTES = 16;
export const MAX_DESCRIPTORS = 64;
const SPACE_END = 2 ** 32;
const FLAG_TO_MEMORY = 1;

export interface Descriptor {
  readonly address: number;
  readonly length: number;
  readonly direction: 'to-memory' | 'from-memory';
}

/** The descriptors in `bytes`, a multiple of DESCRIPTOR_BYTES; BadDescriptor when one of them cannot be. */
export function readDescriptors(bytes: Uint8Array): Descriptor[] | TransferError {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const list: Descriptor[] = [];
  for (let at = 0; at < bytes.length; at += DESCRIPTOR_BYTES) {
    const [address, length, flags, reserved] = [0, 4, 8, 12].map((offset) =>
      view.getUint32(at + offset, true),
    ) as [number, number, number, number];
    const isPossible = length > 0 && address + length <= SPACE_END && reserved === 0;
    if (!isPossible || (flags & ~FLAG_TO_MEMORY) !== 0) return TransferError.BadDescriptor;
    list.push({ address, length, direction: (flags & FLAG_TO_MEMORY) !== 0 ? 'to-memory' : 'from-memory' });
  }
  return list;
}

/** Why a list cannot be done on a disk with `sectorsLeft` from the first sector on (below 0: beyond the end). */
export function listError(list: readonly Descriptor[], sectorsLeft: number): TransferError {
  let bytes = 0;
  for (const [i, { length, direction }] of list.entries()) {
    const turns = i > 0 && list[i - 1]!.direction !== direction;
    if (turns && bytes % SECTOR_BYTES !== 0) return TransferError.HalfSector;
    bytes += length;
  }
  if (bytes % SECTOR_BYTES !== 0) return TransferError.HalfSector;
  return bytes > sectorsLeft * SECTOR_BYTES ? TransferError.NoSector : TransferError.None;
}
