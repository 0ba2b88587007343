import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SPEC } from '../../../src/abi/policy-spec.ts';
import { namedPolicy } from '../../../src/physmem/compact/named.ts';
import { BLOCK, type FakeBlocks, fakeView } from './fake-view.ts';

const ahead = namedPolicy({ ...DEFAULT_POLICY_SPEC, mode: 'background', low: 10, high: 30 });
const asked = (state: 'resting' | 'working', blocks: Omit<FakeBlocks, 'movable'>) =>
  ahead.background(fakeView({ movable: [512, 512, 512, 512, 512], ...blocks }), state);

describe('work in the background', () => {
  it.each([
    [0.09, null, null],
    [0.1, null, null],
    [0.2, null, 0],
    [0.3, null, 0],
    [0.31, 0, 0],
  ])(
    'with %f of the free memory unusable begins above the high mark and goes on to the low one',
    (index, resting, working) => {
      expect(asked('resting', { unusable: [index] })?.zone ?? null).toBe(resting);
      expect(asked('working', { unusable: [index] })?.zone ?? null).toBe(working);
    },
  );

  it('is for the worst zone', () => {
    const zones = [{}, {}, {}];
    expect(asked('resting', { zones, unusable: [0.5, 0.8, 0.4] })).toEqual({ zone: 1, order: 10 });
  });

  it('is not worth it where free memory is less than two blocks', () => {
    const unusable = [0.9];
    expect(asked('resting', { unusable, zones: [{ freeFrames: 2 * BLOCK - 1 }] })).toBeNull();
    expect(asked('resting', { unusable, zones: [{ freeFrames: 2 * BLOCK }] })).not.toBeNull();
  });
});

describe('a shortage', () => {
  it.each([
    ['none', BLOCK, 'fail'],
    ['on-demand', BLOCK - 1, 'fail'],
    ['on-demand', BLOCK, 'compact'],
    ['background', BLOCK - 1, 'fail'],
    ['background', BLOCK, 'compact'],
  ] as const)('under %s with %i free frames for a block of 1024: %s', (mode, freeFrames, answer) => {
    const view = fakeView({ movable: [512, 512, 512], zones: [{ freeFrames }] });
    const policy = namedPolicy({ ...DEFAULT_POLICY_SPEC, mode });
    expect(policy.onShortage(view, { zone: 0, order: 10 })).toBe(answer);
  });
});
