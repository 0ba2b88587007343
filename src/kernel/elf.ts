/**
 * Loader for static ELF32 i386 executables (System V ABI, i386 supplement ch. 4-5). A pure parse of bytes that
 * nobody trusts: the result is a list of segments, or one sentence with the file offset that is to blame. Memory
 * is not touched; the caller allocates `runs` and copies the segments' bytes.
 */
import { USER_BOTTOM, USER_TOP } from '../abi/message.ts';

export interface ElfSegment {
  readonly vaddr: number;
  readonly memoryBytes: number;
  readonly fileOffset: number;
  readonly fileBytes: number;
  /** READ = 1, WRITE = 2, EXECUTE = 4. */
  readonly access: number;
}

/** Whole pages with one access; a page that two segments share has the access of both. */
export interface PageRun {
  readonly vaddr: number;
  readonly pages: number;
  readonly access: number;
}

export interface ElfImage {
  readonly entry: number;
  /** In the order of addresses, without overlap. */
  readonly segments: readonly ElfSegment[];
  readonly runs: readonly PageRun[];
  /** First page boundary above the image. */
  readonly end: number;
}

export interface ElfError {
  readonly offset: number;
  /** One sentence: what is wrong and what would be right. */
  readonly sentence: string;
}

export type ElfResult =
  | { readonly ok: true; readonly image: ElfImage }
  | { readonly ok: false; readonly error: ElfError };

/** A range of linear addresses that the image must leave free (boot page, initial stack). */
export interface KeptRange {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

export interface ElfLimits {
  /** Most bytes of memory that all segments may take together. */
  readonly maxBytes: number;
  readonly kept: readonly KeptRange[];
}

export const DEFAULT_ELF_LIMITS: ElfLimits = { maxBytes: 256 << 20, kept: [] };

const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const ET_EXEC = 2;
const EM_386 = 3;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;
const EXECUTE = 4;
const TYPE_NAMES = [
  'no type',
  'a relocatable object',
  'an executable',
  'a shared object or PIE',
  'a core dump',
];

const hex = (value: number): string => `0x${value.toString(16)}`;
const fail = (offset: number, sentence: string): ElfError => ({ offset, sentence });
const isError = (value: object): value is ElfError => 'sentence' in value;

/** Parses the file. Never throws, whatever the bytes are. */
export function parseElf(file: Uint8Array, limits: ElfLimits = DEFAULT_ELF_LIMITS): ElfResult {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const error = checkHeader(view);
  if (error !== null) return { ok: false, error };
  const segments = readSegments(view, limits);
  if (isError(segments)) return { ok: false, error: segments };
  const entry = view.getUint32(24, true);
  if (
    !segments.some((s) => (s.access & EXECUTE) !== 0 && entry >= s.vaddr && entry < s.vaddr + s.memoryBytes)
  ) {
    return { ok: false, error: fail(24, `The entry point ${hex(entry)} is not in an executable segment.`) };
  }
  const runs = pageRuns(segments);
  const last = runs[runs.length - 1]!;
  return { ok: true, image: { entry, segments, runs, end: last.vaddr + last.pages * 4096 } };
}

function checkHeader(view: DataView): ElfError | null {
  const size = view.byteLength;
  if (size < 4 || view.getUint32(0, false) !== 0x7f454c46) {
    return fail(0, 'This is not an ELF file: it does not begin with 7f 45 4c 46.');
  }
  if (size < HEADER_BYTES) {
    return fail(size, `The file ends inside the ELF header: ${size} bytes, ${HEADER_BYTES} are needed.`);
  }
  const elfClass = view.getUint8(4);
  if (elfClass === 2) return fail(4, 'This is a 64-bit ELF file; build it with -m32 (ELF32).');
  if (elfClass !== 1) return fail(4, `The ELF class is ${elfClass}; 1 (32-bit) is needed.`);
  if (view.getUint8(5) !== 1) return fail(5, 'The file is not little-endian (data encoding 1).');
  if (view.getUint8(6) !== 1) return fail(6, `The ELF version is ${view.getUint8(6)}; 1 is needed.`);
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC) {
    const name = TYPE_NAMES[type] ?? `type ${type}`;
    return fail(16, `The file is ${name}; a static executable is needed (link with -static -no-pie).`);
  }
  const machine = view.getUint16(18, true);
  if (machine !== EM_386) return fail(18, `The file is for machine ${machine}; 3 (Intel 80386) is needed.`);
  return null;
}

function readSegments(view: DataView, limits: ElfLimits): ElfSegment[] | ElfError {
  const table = view.getUint32(28, true);
  const entryBytes = view.getUint16(42, true);
  const count = view.getUint16(44, true);
  if (count === 0) return fail(44, 'The file has no program headers, so there is nothing to load.');
  if (entryBytes < PROGRAM_HEADER_BYTES) {
    return fail(42, `Program headers are ${entryBytes} bytes long; ${PROGRAM_HEADER_BYTES} are needed.`);
  }
  if (table + count * entryBytes > view.byteLength) {
    return fail(28, `The ${count} program headers at ${hex(table)} lie beyond the end of the file.`);
  }
  const segments: ElfSegment[] = [];
  for (let i = 0; i < count; i++) {
    const found = readProgramHeader(view, table + i * entryBytes, limits);
    if (found === null) continue;
    if (isError(found)) return found;
    segments.push(found);
  }
  if (segments.length === 0) return fail(table, 'The file has no loadable segment.');
  return checkTogether(segments, table, limits);
}

/** One program header: a segment, null when it loads nothing, or what is wrong with it. */
function readProgramHeader(view: DataView, at: number, limits: ElfLimits): ElfSegment | ElfError | null {
  const type = view.getUint32(at, true);
  if (type === PT_INTERP)
    return fail(at, 'The file wants a dynamic linker (PT_INTERP); link it with -static.');
  if (type === PT_DYNAMIC)
    return fail(at, 'The file is dynamically linked (PT_DYNAMIC); link it with -static.');
  if (type !== PT_LOAD) return null;
  const flags = view.getUint32(at + 24, true);
  const segment: ElfSegment = {
    vaddr: view.getUint32(at + 8, true),
    memoryBytes: view.getUint32(at + 20, true),
    fileOffset: view.getUint32(at + 4, true),
    fileBytes: view.getUint32(at + 16, true),
    access:
      ((flags & PF_R) !== 0 ? 1 : 0) | ((flags & PF_W) !== 0 ? 2 : 0) | ((flags & PF_X) !== 0 ? EXECUTE : 0),
  };
  if (segment.memoryBytes === 0 && segment.fileBytes === 0) return null;
  return checkSegment(view, at, segment, limits) ?? segment;
}

function checkSegment(view: DataView, at: number, segment: ElfSegment, limits: ElfLimits): ElfError | null {
  const { vaddr, memoryBytes, fileOffset, fileBytes } = segment;
  if (fileBytes > memoryBytes) {
    return fail(at + 16, `A segment has ${fileBytes} bytes in the file but only ${memoryBytes} in memory.`);
  }
  if (fileOffset + fileBytes > view.byteLength) {
    return fail(
      at + 4,
      `A segment's bytes ${hex(fileOffset)}-${hex(fileOffset + fileBytes)} lie beyond the end of the file.`,
    );
  }
  const end = vaddr + memoryBytes;
  if (vaddr < USER_BOTTOM || end > USER_TOP) {
    return fail(
      at + 8,
      `A segment at ${hex(vaddr)}-${hex(end)} is outside user space (${hex(USER_BOTTOM)}-${hex(USER_TOP)}).`,
    );
  }
  if (memoryBytes > limits.maxBytes) {
    return fail(at + 20, `A segment takes ${memoryBytes} bytes of memory; the limit is ${limits.maxBytes}.`);
  }
  const kept = limits.kept.find(
    (range) => Math.floor(vaddr / 4096) * 4096 < range.end && Math.ceil(end / 4096) * 4096 > range.start,
  );
  if (kept !== undefined) {
    return fail(
      at + 8,
      `A segment at ${hex(vaddr)}-${hex(end)} overlaps the ${kept.name} at ${hex(kept.start)}-${hex(kept.end)}.`,
    );
  }
  return null;
}

function checkTogether(segments: ElfSegment[], table: number, limits: ElfLimits): ElfSegment[] | ElfError {
  segments.sort((a, b) => a.vaddr - b.vaddr);
  let total = 0;
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i]!;
    total += segment.memoryBytes;
    const before = segments[i - 1];
    if (before !== undefined && before.vaddr + before.memoryBytes > segment.vaddr) {
      return fail(table, `The segments at ${hex(before.vaddr)} and ${hex(segment.vaddr)} overlap.`);
    }
  }
  if (total > limits.maxBytes) {
    return fail(
      table,
      `The segments take ${total} bytes of memory together; the limit is ${limits.maxBytes}.`,
    );
  }
  return segments;
}

/** Pages that the segments cover. */
function pageRuns(segments: readonly ElfSegment[]): PageRun[] {
  const runs: PageRun[] = [];
  for (const { vaddr, memoryBytes, access } of segments) {
    let first = Math.floor(vaddr / 4096);
    const end = Math.ceil((vaddr + memoryBytes) / 4096);
    const last = runs[runs.length - 1];
    if (last !== undefined && last.vaddr / 4096 + last.pages > first) {
      runs.pop();
      if (last.pages > 1) runs.push({ ...last, pages: last.pages - 1 });
      addRun(runs, first, 1, last.access | access);
      first++;
    }
    addRun(runs, first, end - first, access);
  }
  return runs;
}

function addRun(runs: PageRun[], page: number, pages: number, access: number): void {
  if (pages <= 0) return;
  const last = runs[runs.length - 1];
  if (last !== undefined && last.access === access && last.vaddr / 4096 + last.pages === page) {
    runs[runs.length - 1] = { ...last, pages: last.pages + pages };
  } else {
    runs.push({ vaddr: page * 4096, pages, access });
  }
}
