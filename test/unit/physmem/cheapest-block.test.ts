import { describe, expect, it } from 'vitest';
import { cheapestBlock } from '../../../src/physmem/compact/cheapest-block.ts';
import type { PolicyView } from '../../../src/physmem/compact/policy.ts';

const BLOCK = 1024;

/** A zone of blocks with so many movable frames each; the rest is free. */
const viewOf = (movable: readonly number[]): PolicyView => ({
  maxOrder: 10,
  blockFrames: BLOCK,
  blocks: movable.length,
  zones: [
    {
      first: 0,
      end: movable.length * BLOCK,
      freeFrames: movable.reduce((sum, n) => sum + BLOCK - n, 0),
    } as PolicyView['zones'][number],
  ],
  now: 0,
  memory: new Int32Array(16),
  free: (block) => BLOCK - movable[block]!,
  movable: (block) => movable[block]!,
  pinned: () => 0,
  fixed: () => 0,
  region: () => ({ movable: 0, pinned: 0, fixed: 0, free: 0 }),
  freeBlocks: () => 0,
  unusableIndex: () => 0,
  fragmentationIndex: () => 0,
});

describe('the chooser of the cheapest block', () => {
  it('empties the block with the fewest movable frames into the fullest others', () => {
    const proposal = cheapestBlock(viewOf([600, 300, 900]), { zone: 0, order: 10 });
    expect(proposal).toMatchObject({ frame: BLOCK, order: 10, into: [2, 0] });
  });

  it('never empties one block by filling another that is free as a whole: that could go on for ever', () => {
    expect(cheapestBlock(viewOf([600, 0, 0]), { zone: 0, order: 10 })).toBeNull();
    expect(cheapestBlock(viewOf([600, 800, 0]), { zone: 0, order: 10 })).toBeNull();
    expect(cheapestBlock(viewOf([600, 400, 0]), { zone: 0, order: 10 })).not.toBeNull();
  });
});
