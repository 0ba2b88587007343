/**
 * Which base frames are whose at boot: the firmware's memory map, minus what firmware keeps, minus the kernel's own
 * frames. What is left (boot modules included) is for the memory server.
 */
import { LOW_RAM_END } from '../../emu/arch/address-map.ts';
import { type BootInfo, E820_RAM } from '../../emu/arch/boot-info.ts';
import { IO_BITMAP_FRAMES } from './layout.ts';

export interface PlannedRange {
  readonly frame: number;
  readonly count: number;
  readonly use: 'free' | 'reserved' | 'kernel' | 'hole';
}

export interface MemoryPlan {
  /** Covers 0 .. top of RAM without gap or overlap; neighbours differ in use. */
  readonly ranges: readonly PlannedRange[];
  /** Kernel page (GDTs, TSSs), page directory and system table of cores without a task. */
  readonly kernelFrame: number;
  readonly idleDirectory: number;
  readonly idleSystemTable: number;
  /** First frames of the I/O permission bitmaps: as many driver tasks can have ports at a time. */
  readonly ioBitmaps: readonly number[];
}

type Use = PlannedRange['use'];
const KERNEL_FRAMES = 3;
const IO_BITMAPS = 4;
const FIRST_FRAME_ABOVE_HOLE = 0x100;

/**
 * The plan, or one sentence that says why there is none. Only a system that may have drivers keeps memory for their
 * ports.
 */
export function planMemory(info: BootInfo, drivers: 'none' | 'some' = 'none'): MemoryPlan | string {
  const bitmaps = drivers === 'none' ? 0 : IO_BITMAPS;
  const needed = KERNEL_FRAMES + bitmaps * IO_BITMAP_FRAMES;
  const frames = Math.floor(info.ramBytes / 4096);
  const uses = new Array<Use>(frames).fill('hole');
  for (const { base, length, type } of info.e820) {
    const inward = type === E820_RAM;
    const first = inward ? Math.ceil(base / 4096) : Math.floor(base / 4096);
    const end = inward ? Math.floor((base + length) / 4096) : Math.ceil((base + length) / 4096);
    for (let frame = first; frame < Math.min(end, frames); frame++) {
      if (uses[frame] !== 'reserved') uses[frame] = inward ? 'free' : 'reserved';
    }
  }
  uses.fill('reserved', 0, Math.min(frames, Math.ceil(info.firmwareEnd / 4096)));
  const kernelFrame = placeKernel(info, uses, needed);
  if (kernelFrame < 0) return `No ${needed} free frames for the kernel in ${info.ramBytes} bytes of RAM.`;
  uses.fill('kernel', kernelFrame, kernelFrame + needed);
  return {
    ranges: collect(uses),
    kernelFrame,
    idleDirectory: kernelFrame + 1,
    idleSystemTable: kernelFrame + 2,
    ioBitmaps: Array.from({ length: bitmaps }, (_, i) => kernelFrame + KERNEL_FRAMES + i * IO_BITMAP_FRAMES),
  };
}

/** First place for the kernel's frames: low memory above the firmware, else from 1 MiB up; not in a module. */
function placeKernel(info: BootInfo, uses: readonly Use[], needed: number): number {
  const fits = (frame: number): boolean => {
    for (let i = frame; i < frame + needed; i++) {
      if (uses[i] !== 'free') return false;
      if (info.modules.some((m) => i * 4096 < m.end && (i + 1) * 4096 > m.start)) return false;
    }
    return true;
  };
  for (let frame = 1; frame + needed <= LOW_RAM_END / 4096; frame++) if (fits(frame)) return frame;
  for (let frame = FIRST_FRAME_ABOVE_HOLE; frame + needed <= uses.length; frame++) {
    if (fits(frame)) return frame;
  }
  return -1;
}

function collect(uses: readonly Use[]): PlannedRange[] {
  const ranges: PlannedRange[] = [];
  for (let first = 0; first < uses.length; ) {
    const use = uses[first]!;
    let end = first + 1;
    while (end < uses.length && uses[end] === use) end++;
    ranges.push({ frame: first, count: end - first, use });
    first = end;
  }
  return ranges;
}
