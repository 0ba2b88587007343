/**
 * Reads a multiboot version 1 image (Multiboot Specification 0.6.96 §3.1): finds the header, then the pieces to
 * load, from the header's address fields or from the ELF32 program headers. Nothing is written here, and nothing
 * in the file is trusted. Refused: required features other than page alignment, memory information and video mode
 * (there is none to set; an image that asks for one gets text mode).
 */
import { hex, ImageError, ImageReader } from './image-error.ts';

/** Bytes that go to `address`; memory up to `memoryBytes` is zero behind them. */
export interface ImagePiece {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly memoryBytes: number;
}

export interface ImageLayout {
  readonly entry: number;
  readonly pieces: readonly ImagePiece[];
}

const HEADER_MAGIC = 0x1badb002;
const SEARCH_BYTES = 8192;
const FLAG_ADDRESSES = 1 << 16;
const KNOWN_REQUIRED = 0x7;

const ELF_MAGIC = 0x464c457f;
const ELF_CLASS_32_LSB = 0x0101;
const ELF_EXEC = 2;
const ELF_386 = 3;
const PT_LOAD = 1;
const PROGRAM_HEADER_BYTES = 32;
const MAX_PROGRAM_HEADERS = 256;

/** The pieces and the entry point of `file`. Throws ImageError. */
export function readMultibootImage(file: Uint8Array): ImageLayout {
  const reader = new ImageReader(file);
  const header = findHeader(reader);
  const flags = reader.u32(header + 4, 'multiboot flags');
  const unknown = flags & 0xffff & ~KNOWN_REQUIRED;
  if (unknown !== 0) {
    throw new ImageError(
      `multiboot flags at offset ${hex(header + 4)} require ${hex(unknown)}, which is unknown`,
    );
  }
  return (flags & FLAG_ADDRESSES) !== 0 ? readAddressFields(reader, header) : readElf(reader);
}

function findHeader(reader: ImageReader): number {
  const end = Math.min(SEARCH_BYTES, reader.bytes.length) - 12;
  for (let offset = 0; offset <= end; offset += 4) {
    if (reader.u32(offset, 'header') !== HEADER_MAGIC) continue;
    const sum = HEADER_MAGIC + reader.u32(offset + 4, 'flags') + reader.u32(offset + 8, 'checksum');
    if (sum >>> 0 === 0) return offset;
  }
  throw new ImageError(
    'no multiboot header: the magic 0x1badb002 with its checksum is needed at a multiple of 4 in the first 8192 bytes',
  );
}

/** Flat image: §3.1.3, address fields. */
function readAddressFields(reader: ImageReader, header: number): ImageLayout {
  const field = (index: number, name: string) => reader.u32(header + 12 + 4 * index, name);
  const headerAddress = field(0, 'header_addr');
  const loadAddress = field(1, 'load_addr');
  const loadEnd = field(2, 'load_end_addr');
  const bssEnd = field(3, 'bss_end_addr');
  const entry = field(4, 'entry_addr');
  const start = header - (headerAddress - loadAddress);
  if (loadAddress > headerAddress || start < 0) {
    throw new ImageError(
      `load_addr ${hex(loadAddress)} and header_addr ${hex(headerAddress)} do not fit a header at offset ${hex(header)}`,
    );
  }
  const length = loadEnd === 0 ? reader.bytes.length - start : loadEnd - loadAddress;
  if (length <= 0)
    throw new ImageError(`load_end_addr ${hex(loadEnd)} is not above load_addr ${hex(loadAddress)}`);
  if (bssEnd !== 0 && bssEnd < loadAddress + length) {
    throw new ImageError(
      `bss_end_addr ${hex(bssEnd)} is below the end of the load ${hex(loadAddress + length)}`,
    );
  }
  const bytes = reader.slice(start, length, 'load area');
  const memoryBytes = bssEnd === 0 ? length : bssEnd - loadAddress;
  return { entry, pieces: [{ address: loadAddress, bytes, memoryBytes }] };
}

/** ELF32: the loadable segments at their physical addresses. */
function readElf(reader: ImageReader): ImageLayout {
  if (reader.u32(0, 'ELF magic') !== ELF_MAGIC) {
    throw new ImageError('the multiboot header has no address fields (flag bit 16) and the file is not ELF');
  }
  expectField('ELF class and data', reader.u16(4, 'ELF class'), ELF_CLASS_32_LSB, '32-bit little-endian');
  expectField('e_type', reader.u16(16, 'e_type'), ELF_EXEC, 'an executable');
  expectField('e_machine', reader.u16(18, 'e_machine'), ELF_386, 'i386');
  expectField('e_phentsize', reader.u16(42, 'e_phentsize'), PROGRAM_HEADER_BYTES, '32 bytes');
  const count = reader.u16(44, 'e_phnum');
  if (count > MAX_PROGRAM_HEADERS)
    throw new ImageError(`e_phnum is ${count}, at most ${MAX_PROGRAM_HEADERS}`);
  const table = reader.u32(28, 'e_phoff');
  const segments = Array.from({ length: count }, (_, i) =>
    readSegment(reader, table + i * PROGRAM_HEADER_BYTES),
  );
  const loaded = segments.filter((segment) => segment !== null);
  if (loaded.length === 0) throw new ImageError('the ELF file has no loadable segment');
  return { entry: physicalEntry(reader.u32(24, 'e_entry'), loaded), pieces: loaded };
}

interface Segment extends ImagePiece {
  readonly virtualAddress: number;
}

function readSegment(reader: ImageReader, at: number): Segment | null {
  const field = (index: number) => reader.u32(at + 4 * index, 'program header');
  if (field(0) !== PT_LOAD) return null;
  const [offset, virtualAddress, address, fileBytes, memoryBytes] = [1, 2, 3, 4, 5].map(
    field,
  ) as SegmentFields;
  if (memoryBytes === 0) return null;
  if (fileBytes > memoryBytes) {
    throw new ImageError(
      `p_filesz ${hex(fileBytes)} at offset ${hex(at + 16)} is above p_memsz ${hex(memoryBytes)}`,
    );
  }
  return { address, virtualAddress, bytes: reader.slice(offset, fileBytes, 'segment'), memoryBytes };
}
type SegmentFields = [number, number, number, number, number];

/** A kernel linked high names its entry by the virtual address; paging is off, so the load address is meant. */
function physicalEntry(entry: number, segments: readonly Segment[]): number {
  for (const { virtualAddress, address, memoryBytes } of segments) {
    if (entry >= virtualAddress && entry < virtualAddress + memoryBytes)
      return entry - virtualAddress + address;
  }
  return entry;
}

function expectField(name: string, found: number, wanted: number, meaning: string): void {
  if (found !== wanted)
    throw new ImageError(`${name} is ${hex(found)}, ${hex(wanted)} (${meaning}) is needed`);
}
