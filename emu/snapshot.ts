/**
 * The parts of a machine that have state, saved to and restored from plain data (machine.md §4). What only caches
 * (flat tables, decoded code, the engine's scratch words) is left out and made anew; a restored machine goes on
 * exactly as the saved one would have.
 */
import type { Engine, TrapMode } from './arch/engine.ts';
import type { PlainData } from './arch/ports.ts';
import type { Board } from './board.ts';
import type { EmulatedClock } from './clock.ts';
import type { EngineContext } from './cpu/index.ts';
import type { SharedMemory, Tlb } from './mem/index.ts';
import type { RamPageStore } from './ram-pages.ts';
import type { Schedule } from './schedule.ts';

export interface MachineParts {
  readonly memory: SharedMemory;
  readonly tlb: Tlb;
  readonly pages: RamPageStore;
  readonly board: Board;
  readonly clock: EmulatedClock;
  readonly engine: Engine;
  readonly schedule: Schedule;
  readonly context: EngineContext;
}

const VERSION = 2;
/** First word of a core block that is engine scratch (emu/arch/core-layout.ts). */
const SCRATCH_FIRST_WORD = 128;

interface PartsState {
  readonly version: number;
  readonly shape: string;
  readonly cores: readonly Int32Array[];
  readonly tlb: readonly Int32Array[];
  readonly ram: PlainData;
  readonly board: PlainData;
  readonly clock: PlainData;
  readonly schedule: PlainData;
  readonly trapMode: TrapMode;
}

/** What two machines must have in common for one to load the other's snapshot. */
function shapeOf({ memory, board }: MachineParts): string {
  const { coreCount, ramBytes } = memory.layout;
  const disks = board.disks.map((disk) => disk?.sectorCount ?? 0).join(' and ');
  const tlb = JSON.stringify(memory.geometry);
  return `${coreCount} cores, ${ramBytes} bytes of RAM, disks of ${disks} sectors${board.dma.shape}, TLB ${tlb}`;
}

export function saveParts(parts: MachineParts): { readonly [key: string]: PlainData } {
  const { memory } = parts;
  const state = {
    version: VERSION,
    shape: shapeOf(parts),
    cores: memory.r.map(withoutScratch),
    tlb: memory.tlb.map((words) => words.slice()),
    ram: { ...parts.pages.save() },
    board: parts.board.save(),
    clock: parts.clock.save(),
    schedule: parts.schedule.save(),
    trapMode: parts.context.trapMode,
  } satisfies PartsState;
  return state;
}

/** Throws RangeError when the snapshot is of another version or of a machine of another shape; nothing changes then. */
export function loadParts(parts: MachineParts, data: PlainData): void {
  const state = data as unknown as PartsState;
  const { memory, tlb } = parts;
  if (state.version !== VERSION)
    throw new RangeError(`the snapshot has version ${state.version}, not ${VERSION}`);
  if (state.shape !== shapeOf(parts)) {
    throw new RangeError(`the snapshot is of a machine with ${state.shape}, this one has ${shapeOf(parts)}`);
  }
  for (const [core, block] of state.cores.entries()) {
    // Before the TLB is overwritten: it tells which few words of the flat tables are not zero.
    tlb.dropFlat(core);
    memory.r[core]!.set(block);
    memory.tlb[core]!.set(state.tlb[core]!);
  }
  parts.pages.load(state.ram);
  parts.engine.reset();
  parts.board.load(state.board);
  parts.clock.load(state.clock);
  parts.schedule.load(state.schedule);
  parts.context.trapMode = state.trapMode;
}

function withoutScratch(block: Int32Array): Int32Array {
  return block.slice().fill(0, SCRATCH_FIRST_WORD);
}
