import { describe, expect, it } from 'vitest';
import { cheapestBlock } from '../../../src/physmem/compact/cheapest-block.ts';
import { twoScanner } from '../../../src/physmem/compact/two-scanner.ts';
import { BLOCK, fakeView } from './fake-view.ts';

const WHOLE = { zone: 0, order: 10 };
/** A half of a block. */
const HALF = { zone: 0, order: 9 };
const choosers = [
  ['the cheapest block', cheapestBlock],
  ['two scanners', twoScanner],
] as const;

describe.each(choosers)('a chooser: %s', (_, choose) => {
  it.each(['pinned', 'fixed'] as const)(
    'passes over blocks with %s memory when a whole one is wanted',
    (kind) => {
      const view = fakeView({ movable: [100, 300, 600], [kind]: [1, 0, 0] });
      expect(choose(view, WHOLE)).toMatchObject({ frame: BLOCK });
    },
  );

  it.each(['pinned', 'fixed'] as const)('passes over the parts of a block that have %s memory', (kind) => {
    const view = fakeView({
      movable: [300, 900],
      [kind]: [1, 0],
      parts: [{ movable: 100, [kind]: 1 }, { movable: 200 }, { movable: 450 }, { movable: 450 }],
    });
    expect(choose(view, HALF)).toMatchObject({ frame: BLOCK / 2, order: 9 });
  });

  it('takes the part of a block with the fewest frames to move', () => {
    const parts = [{ movable: 200 }, { movable: 100 }, { movable: 450 }, { movable: 450 }];
    expect(choose(fakeView({ movable: [300, 900], parts }), HALF)).toMatchObject({ frame: BLOCK / 2 });
  });

  it('leaves free blocks alone: nothing goes into one, and room in one is none', () => {
    const into = choose(fakeView({ movable: [300, 600, 900, 0] }), WHOLE)!.into!;
    expect(into.length).toBeGreaterThan(0);
    expect(into).not.toContain(3);
  });

  it('wants nothing where what it would move has no room', () => {
    expect(choose(fakeView({ movable: [900, 950, 1000] }), WHOLE)).toBeNull();
    expect(choose(fakeView({ movable: [0, 0] }), WHOLE)).toBeNull();
  });
});

describe('the chooser of the cheapest block', () => {
  it('empties the block with the fewest movable frames into the fullest others', () => {
    const proposal = cheapestBlock(fakeView({ movable: [600, 300, 900] }), WHOLE);
    expect(proposal).toMatchObject({ frame: BLOCK, order: 10, into: [2, 0] });
  });

  it('never empties one block by filling another that is free as a whole: that could go on for ever', () => {
    expect(cheapestBlock(fakeView({ movable: [600, 0, 0] }), WHOLE)).toBeNull();
    expect(cheapestBlock(fakeView({ movable: [600, 800, 0] }), WHOLE)).toBeNull();
    expect(cheapestBlock(fakeView({ movable: [600, 400, 0] }), WHOLE)).not.toBeNull();
  });
});

describe('two scanners', () => {
  it('take the lowest block, into those at the top until there is room', () => {
    const view = fakeView({ movable: [500, 100, 900, 900, 700] });
    expect(twoScanner(view, WHOLE)).toMatchObject({ frame: 0, into: [4, 3, 2] });
  });

  it('end where they meet: what is below a block is no room', () => {
    // 900 frames fit below block 1 and not above it.
    expect(twoScanner(fakeView({ movable: [100, 900, 1000] }), WHOLE)).toMatchObject({ frame: 0 });
    expect(twoScanner(fakeView({ movable: [100, 900, 1000], pinned: [1, 0, 0] }), WHOLE)).toBeNull();
  });
});
