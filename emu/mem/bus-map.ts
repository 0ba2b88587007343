/**
 * What answers at each physical frame: one byte per frame of the 4 GiB space (kind in bits 0..1, flags above), the
 * MMIO regions and the ROMs. Only bookkeeping; accesses are in bus.ts.
 *
 *   7     4   3     2    1  0
 *  |  0    | OBS | CODE | kind |     kind: 0 hole, 1 RAM, 2 ROM, 3 MMIO
 */
import { LOW_RAM_END, ROM_BASE, ROM_SIZE, VGA_HOLE_END } from '../arch/address-map.ts';
import type { MmioRegion } from '../arch/ports.ts';
import type { SharedMemory } from './memory.ts';

export const FRAME_KIND = 3;
export const KIND_HOLE = 0;
export const KIND_RAM = 1;
export const KIND_ROM = 2;
export const KIND_MMIO = 3;
/** An engine holds decoded or translated code of this frame: writes must be told. */
export const FRAME_CODE = 4;
/** A watchpoint or observer wants to see accesses. */
export const FRAME_OBSERVED = 8;

/** Read-only memory outside the firmware window: byte `pa - base` of `bytes`. */
export interface Rom {
  readonly base: number;
  readonly bytes: Uint8Array;
}

export class BusMap {
  readonly frames: Uint8Array;
  private readonly mmio: MmioRegion[] = [];
  private readonly roms: Rom[] = [];

  constructor(private readonly memory: SharedMemory) {
    this.frames = new Uint8Array(memory.buffer, memory.layout.frames, 1 << 20);
    this.frames.fill(KIND_HOLE);
    const ramFrames = memory.layout.ramBytes >>> 12;
    this.frames.fill(KIND_RAM, 0, ramFrames);
    this.frames.fill(KIND_HOLE, LOW_RAM_END >>> 12, VGA_HOLE_END >>> 12);
  }

  /** Claims every frame that the region touches. @throws RangeError if one of them is RAM, ROM or claimed. */
  addMmio(region: MmioRegion): void {
    this.claim(region.base, region.sizeBytes, KIND_MMIO, region.name);
    this.mmio.push(region);
  }

  /**
   * Adds read-only memory. A ROM inside the firmware window is copied into the shared buffer (code there runs at full
   * speed); others keep `bytes`, which the caller must not change afterwards.
   */
  addRom(base: number, bytes: Uint8Array): void {
    this.claim(base, bytes.length, KIND_ROM, 'ROM');
    if (base >= ROM_BASE && base + bytes.length <= ROM_BASE + ROM_SIZE) {
      this.memory.u8.set(bytes, this.memory.layout.rom + (base - ROM_BASE));
    } else {
      this.roms.push({ base, bytes });
    }
  }

  private claim(base: number, sizeBytes: number, kind: number, name: string): void {
    const first = base >>> 12;
    const end = Math.ceil((base + sizeBytes) / 4096);
    for (let frame = first; frame < end; frame++) {
      if ((this.frames[frame] & FRAME_KIND) !== KIND_HOLE) {
        throw new RangeError(`${name} at 0x${base.toString(16)}: frame 0x${frame.toString(16)} is taken`);
      }
      this.frames[frame] = kind;
    }
  }

  isObserved(pa: number): boolean {
    return (this.frames[pa >>> 12] & FRAME_OBSERVED) !== 0;
  }

  /** Host offset of `pa` if its frame lies in the shared buffer (RAM, firmware ROM), else -1. */
  hostOffset(pa: number): number {
    const kind = this.frames[pa >>> 12] & FRAME_KIND;
    if (kind === KIND_RAM) return this.memory.layout.ram + pa;
    if (kind === KIND_ROM && pa >= ROM_BASE) return this.memory.layout.rom + (pa - ROM_BASE);
    return -1;
  }

  /** The region at `pa`, or null inside an MMIO frame's unused part. */
  regionAt(pa: number): MmioRegion | null {
    for (const region of this.mmio) {
      if (pa >= region.base && pa < region.base + region.sizeBytes) return region;
    }
    return null;
  }

  /** The ROM outside the shared buffer that holds all of the frame of `pa`, or null. */
  romOfFrame(pa: number): Rom | null {
    const first = (pa & ~4095) >>> 0;
    for (const rom of this.roms) {
      if (first >= rom.base && first + 4096 <= rom.base + rom.bytes.length) return rom;
    }
    return null;
  }

  /** One byte of ROM; all ones past the end of a ROM's last frame. */
  romByte(pa: number): number {
    if (pa >= ROM_BASE) return this.memory.u8[this.memory.layout.rom + (pa - ROM_BASE)];
    for (const rom of this.roms) {
      if (pa >= rom.base && pa < rom.base + rom.bytes.length) return rom.bytes[pa - rom.base];
    }
    return 0xff;
  }
}
