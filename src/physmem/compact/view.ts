/** The server's state as policies see it: counters only, read only. One view per server; it reads the present moment. */
import { FrameState } from '../base-frames.ts';
import type { Store } from '../store.ts';
import type { Zone } from '../zone.ts';
import { fragmentationIndex, unusableIndex } from './indexes.ts';
import type { PolicyView, PolicyZone, RegionCount } from './policy.ts';

export class StoreView implements PolicyView {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  get maxOrder(): number {
    return this.#store.tuning.maxOrder;
  }
  get blockFrames(): number {
    return 1 << this.#store.base.counts.shift;
  }
  get blocks(): number {
    return this.#store.base.counts.blocks;
  }
  get now(): number {
    return this.#store.port.now();
  }
  get memory(): Int32Array {
    return this.#store.compaction.memory;
  }
  get zones(): readonly PolicyZone[] {
    return this.#store.zones.zones.map(({ name, buddy }) => ({
      name,
      first: buddy.base,
      end: buddy.end,
      freeFrames: buddy.freeFrames,
    }));
  }

  free(block: number): number {
    return this.#store.base.counts.free[block] ?? 0;
  }
  movable(block: number): number {
    return this.#store.base.counts.movable[block] ?? 0;
  }
  pinned(block: number): number {
    return this.#store.base.counts.pinned[block] ?? 0;
  }
  fixed(block: number): number {
    return block >= 0 && block < this.blocks ? this.#store.base.counts.fixed(block) : 0;
  }
  region(frame: number, order: number): RegionCount {
    return countRegion(this.#store, frame, order);
  }

  freeBlocks(zone: number, order: number): number {
    return this.#store.zones.zones[zone]?.buddy.blockCount(order) ?? 0;
  }
  unusableIndex(zone: number, order: number): number {
    return unusableIndex(freeBlocksOf(this.#store.zones.zones[zone]), order);
  }
  fragmentationIndex(zone: number, order: number): number {
    return fragmentationIndex(freeBlocksOf(this.#store.zones.zones[zone]), order);
  }
}

/** Free blocks of a zone per order. */
export const freeBlocksOf = (zone: Zone | undefined): readonly number[] =>
  zone === undefined
    ? []
    : Array.from({ length: zone.buddy.maxOrder + 1 }, (_, order) => zone.buddy.blockCount(order));

/** Counts of an aligned region of at most one 4 MiB block; steps over blocks, so large ones cost one step. */
export function countRegion(store: Store, frame: number, order: number): RegionCount {
  const { base } = store;
  const end = Math.min(frame + 2 ** order, base.count);
  const found = { free: 0, movable: 0, pinned: 0, fixed: 0 };
  if (!Number.isInteger(frame) || frame < 0 || order > base.counts.shift) return found;
  for (let at = frame; at < end; ) {
    const head = base.headOf(at);
    const next = Math.min(end, head + (1 << base.order[head]!));
    const state = base.state[head]!;
    const size = next - at;
    if (state === FrameState.FREE) found.free += size;
    else if (state === FrameState.QUARANTINE) found.pinned += size;
    else if (state !== FrameState.BOUND && state !== FrameState.SOFT) found.fixed += size;
    else if (base.pins[head] === 0) found.movable += size;
    else found.pinned += size;
    at = next;
  }
  return found;
}
