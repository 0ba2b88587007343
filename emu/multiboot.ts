/**
 * Boots a bare image: checks where its pieces go, lays the multiboot information structure (Multiboot
 * Specification 0.6.96 §3.3) into low RAM and modules behind the image. `planMultiboot` decides everything and
 * touches nothing; `loadPlan` only writes. The firmware jumps to the entry (emu/arch/boot-info.ts, BOOT_BARE).
 */
import { LOW_RAM_END, VGA_HOLE_END } from './arch/address-map.ts';
import { E820_RAM, E820_RESERVED } from './arch/boot-info.ts';
import type { DmaPort } from './arch/ports.ts';
import { PAGE_SIZE } from './arch/types.ts';
import { hex, ImageError } from './image-error.ts';
import type { BareImage } from './machine-config.ts';
import { type ImagePiece, readMultibootImage } from './multiboot-image.ts';

export interface MultibootModule {
  readonly bytes: Uint8Array;
  readonly commandLine: string;
}

export interface MultibootRequest {
  readonly image: Uint8Array;
  readonly ramBytes: number;
  readonly commandLine?: string;
  readonly modules?: readonly MultibootModule[];
}

/** What will be written where; also the `bare` part of the machine's configuration. */
export interface LoadPlan extends BareImage {
  readonly writes: readonly { readonly address: number; readonly bytes: Uint8Array }[];
}

/** Information structure, memory map, strings: the last 60 KiB below the extended BIOS data area. */
const INFO_BASE = 0x90000;
const INFO_END = 0x9f000;
/** Low memory that the firmware uses until it jumps (firmware/layout.inc). */
const FIRMWARE_END = 0x6000;
const EBDA_BASE = 0x9fc00;
const INFO_BYTES = 116;
const MMAP_ENTRY_BYTES = 24;
const MODULE_ENTRY_BYTES = 16;
const MAX_MODULES = 32;
const LOADER_NAME = 'physmem firmware';

enum InfoFlag {
  Memory = 1 << 0,
  CommandLine = 1 << 2,
  Modules = 1 << 3,
  MemoryMap = 1 << 6,
  LoaderName = 1 << 9,
}

/** Decides how `request.image` is loaded. Throws ImageError with one sentence when it cannot be. */
export function planMultiboot(request: MultibootRequest): LoadPlan {
  const { entry, pieces } = readMultibootImage(request.image);
  for (const piece of pieces) checkPlace(piece, request.ramBytes);
  checkDisjoint(pieces);
  if (!pieces.some(({ address, memoryBytes }) => entry >= address && entry < address + memoryBytes)) {
    throw new ImageError(`the entry point ${hex(entry)} lies in no loaded part of the image`);
  }
  const imageEnd = Math.max(VGA_HOLE_END, ...pieces.map(({ address, memoryBytes }) => address + memoryBytes));
  const modules = placeModules(request.modules ?? [], imageEnd, request.ramBytes);
  const info = buildInfo(request, modules);
  const writes = [...pieces, ...modules, { address: INFO_BASE, bytes: info }].map(({ address, bytes }) => ({
    address,
    bytes,
  }));
  return { entry, multibootInfo: INFO_BASE, writes };
}

/** Writes what the plan says into the RAM of a machine that has not run yet (its RAM is zero). */
export function loadPlan(plan: LoadPlan, ram: DmaPort): void {
  for (const { address, bytes } of plan.writes) ram.write(address, bytes);
}

function checkPlace({ address, memoryBytes }: ImagePiece, ramBytes: number): void {
  const end = address + memoryBytes;
  if (address >= FIRMWARE_END && end <= INFO_BASE) return;
  if (address >= VGA_HOLE_END && end <= ramBytes) return;
  const range = `${hex(address)}-${hex(end - 1)}`;
  if (address >= VGA_HOLE_END) {
    throw new ImageError(`the image wants memory at ${range}, RAM ends at ${hex(ramBytes - 1)}`);
  }
  throw new ImageError(
    `the image wants memory at ${range}, below 1 MiB only ${hex(FIRMWARE_END)}-${hex(INFO_BASE - 1)} is free`,
  );
}

function checkDisjoint(pieces: readonly ImagePiece[]): void {
  const sorted = [...pieces].sort((a, b) => a.address - b.address);
  for (const [i, piece] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined && piece.address + piece.memoryBytes > next.address) {
      throw new ImageError(`segments at ${hex(piece.address)} and ${hex(next.address)} overlap`);
    }
  }
}

interface PlacedModule extends MultibootModule {
  readonly address: number;
}

function placeModules(modules: readonly MultibootModule[], from: number, ramBytes: number): PlacedModule[] {
  if (modules.length > MAX_MODULES) throw new ImageError(`${modules.length} modules, at most ${MAX_MODULES}`);
  let next = from;
  return modules.map((module, i) => {
    const address = Math.ceil(next / PAGE_SIZE) * PAGE_SIZE;
    next = address + module.bytes.length;
    if (next > ramBytes) {
      throw new ImageError(`module ${i + 1} ends at ${hex(next)}, RAM ends at ${hex(ramBytes - 1)}`);
    }
    return { ...module, address };
  });
}

/** The information area at INFO_BASE: structure, memory map, module list, strings. */
function buildInfo(request: MultibootRequest, modules: readonly PlacedModule[]): Uint8Array {
  const map = memoryMap(request.ramBytes);
  const mapAt = INFO_BASE + INFO_BYTES;
  const modulesAt = mapAt + map.length * MMAP_ENTRY_BYTES;
  const area = new Uint8Array(INFO_END - INFO_BASE);
  const strings = new StringArea(area, modulesAt + modules.length * MODULE_ENTRY_BYTES);
  const view = new DataView(area.buffer);
  const put = (address: number, ...words: number[]) => {
    for (const [i, word] of words.entries()) view.setUint32(address - INFO_BASE + 4 * i, word, true);
  };
  const { Memory, CommandLine, Modules, MemoryMap, LoaderName } = InfoFlag;
  put(INFO_BASE, Memory | CommandLine | Modules | MemoryMap | LoaderName);
  put(INFO_BASE + 4, EBDA_BASE >>> 10, (request.ramBytes - VGA_HOLE_END) >>> 10);
  put(INFO_BASE + 16, strings.add(request.commandLine ?? ''), modules.length, modulesAt);
  put(INFO_BASE + 44, map.length * MMAP_ENTRY_BYTES, mapAt);
  put(INFO_BASE + 64, strings.add(LOADER_NAME));
  for (const [i, [base, length, type]] of map.entries()) {
    put(mapAt + i * MMAP_ENTRY_BYTES, MMAP_ENTRY_BYTES - 4, base, 0, length, 0, type);
  }
  for (const [i, { address, bytes, commandLine }] of modules.entries()) {
    put(modulesAt + i * MODULE_ENTRY_BYTES, address, address + bytes.length, strings.add(commandLine), 0);
  }
  return area.subarray(0, strings.end - INFO_BASE);
}

/** The firmware's own map (firmware/memory.s), as far as it concerns RAM. */
function memoryMap(ramBytes: number): [base: number, length: number, type: number][] {
  return [
    [0, EBDA_BASE, E820_RAM],
    [EBDA_BASE, LOW_RAM_END - EBDA_BASE, E820_RESERVED],
    [0xf0000, 0x10000, E820_RESERVED],
    [VGA_HOLE_END, ramBytes - VGA_HOLE_END, E820_RAM],
  ];
}

/** Zero-terminated strings, one after the other, at the end of the information area. */
class StringArea {
  end: number;
  private readonly area: Uint8Array;

  constructor(area: Uint8Array, start: number) {
    this.area = area;
    this.end = start;
  }

  /** Address of the string; characters beyond ASCII become question marks. */
  add(text: string): number {
    const address = this.end;
    if (address + text.length + 1 > INFO_END) {
      throw new ImageError(
        `command lines do not fit into the ${INFO_END - INFO_BASE} bytes for boot information`,
      );
    }
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      this.area[address - INFO_BASE + i] = code < 128 ? code : 0x3f;
    }
    this.end = address + text.length + 1;
    return address;
  }
}
