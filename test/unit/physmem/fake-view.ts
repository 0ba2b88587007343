/** What a policy sees, as numbers: one zone or more of 4 MiB blocks, and their parts. */
import type { PolicyView, PolicyZone, RegionCount } from '../../../src/physmem/compact/policy.ts';

export const BLOCK = 1024;

/** Frames that cannot be moved away, by block; what is neither of the three is free. */
export interface FakeBlocks {
  readonly movable: readonly number[];
  readonly pinned?: readonly number[];
  readonly fixed?: readonly number[];
  /** Counts of each part of all blocks, for orders below a whole block. */
  readonly parts?: readonly Partial<RegionCount>[];
  readonly zones?: readonly Partial<PolicyZone>[];
  /** Unusable-free-space index by zone. */
  readonly unusable?: readonly number[];
}

export function fakeView({ movable, pinned, fixed, parts, zones, unusable }: FakeBlocks): PolicyView {
  const at = (row: readonly number[] | undefined, block: number): number => row?.[block] ?? 0;
  const free = (block: number): number => BLOCK - movable[block]! - at(pinned, block) - at(fixed, block);
  const whole = {
    name: 'all',
    first: 0,
    end: movable.length * BLOCK,
    freeFrames: movable.reduce((sum, _, block) => sum + free(block), 0),
  };
  return {
    maxOrder: 10,
    blockFrames: BLOCK,
    blocks: movable.length,
    zones: (zones ?? [{}]).map((zone) => ({ ...whole, ...zone })),
    now: 0,
    memory: new Int32Array(16),
    free,
    movable: (block) => movable[block]!,
    pinned: (block) => at(pinned, block),
    fixed: (block) => at(fixed, block),
    region: (frame, order) => ({
      ...{ free: 0, movable: 0, pinned: 0, fixed: 0 },
      ...parts?.[frame / 2 ** order],
    }),
    freeBlocks: () => 0,
    unusableIndex: (zone) => at(unusable, zone),
    fragmentationIndex: () => 0,
  };
}
