import { describe, expect, it } from 'vitest';
import { CopyFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import { frameMap, SHARED } from '../../../src/observe/frame-map.ts';
import {
  containersOf,
  controlsOf,
  framesOf,
  freeBlocksOf,
  pinsOf,
  zoneBlocksOf,
} from '../../../src/observe/physmem-view.ts';
import { FrameState } from '../../../src/physmem/base-frames.ts';
import { BenchTop } from '../physmem/bench-top.ts';

/** A parent with a page of its own, and a child that owns one page and shares another with the parent. */
function family(): BenchTop {
  const top = new BenchTop();
  const child = top.split(top.root, 100);
  top.task(1);
  const a = top.container();
  const b = top.container(child);
  top.must(top.allocate(a, 0, 2));
  top.must(top.allocate(b, 0, 1));
  for (const page of [0, 1]) top.poke(1, a, page, 7);
  top.poke(1, b, 0, 8);
  top.must(top.copy(a, 1, b, 16, 1, CopyFlag.SHARED));
  return top;
}

describe('the view of pins', () => {
  it('joins neighbouring blocks, says what devices may do and how long it lasts; quarantine has its payer', () => {
    const top = new BenchTop();
    top.drivers.add(1);
    const a = top.container();
    top.must(top.allocate(a, 0, 7));
    const words = [0, 7 * 4096, 5000, 0];
    const [, , address] = top.must(top.call(Op.PIN, a, words)).words as number[];
    const frame = address! / 4096;
    const until = top.kernel.time;
    top.must(top.deallocate(a, 4, 2));
    const { pins, quarantine } = pinsOf(top.physmem, top.kernel.time);
    expect(pins).toHaveLength(1);
    expect(pins[0]).toMatchObject({ task: 1, control: 1, state: 'live', access: 'rw', frames: [[frame, 7]] });
    expect(pins[0]!.leftCycles).toBeGreaterThan(4000 - (top.kernel.time - until));
    expect(quarantine).toEqual([{ frame: frame + 4, count: 2, control: 1 }]);
  });
});

describe('the view of frames', () => {
  it('gives each bound frame to the control that is charged for it, and shared ones to nobody alone', () => {
    const { physmem } = family();
    const { state, owner, owners } = framesOf(physmem);
    const count = (who: number): number =>
      Array.from(state).filter((s, frame) => s === FrameState.BOUND && owner[frame] === who).length;
    expect(owners).toEqual(['control 1 (root)', 'control 2']);
    expect(count(1)).toBe(1);
    expect(count(SHARED)).toBe(1);
  });

  it('knows a copy-on-write frame of two controls as shared, until the copy is broken', () => {
    const top = new BenchTop();
    const child = top.split(top.root, 100);
    top.task(1);
    const a = top.container();
    const b = top.container(child);
    top.must(top.allocate(a, 0, 1));
    top.poke(1, a, 0, 7);
    const shared = (): number =>
      Array.from(framesOf(top.physmem).owner).filter((who) => who === SHARED).length;
    expect(shared()).toBe(0);
    top.must(top.copy(a, 0, b, 0, 1));
    expect(shared()).toBe(1);
    top.poke(1, b, 0, 8);
    expect(shared()).toBe(0);
  });

  it('has the free blocks that the buddy allocator has', () => {
    const { physmem } = family();
    const { zones, tuning } = physmem.store;
    const frames = framesOf(physmem);
    const counted = zoneBlocksOf(frames, tuning.maxOrder);
    const inZones = zones.zones.filter(({ buddy }) => buddy.end > buddy.base);
    expect(counted).toEqual(
      inZones.map(({ name, buddy }) => ({ name, freeBlocks: buddy.free.map((blocks) => blocks.count) })),
    );
    const free = freeBlocksOf(frames).reduce((sum, { order }) => sum + 2 ** order, 0);
    expect(free).toBe(zones.freeFrames);
    const legend = frameMap(frames, { cellsPerRow: 64, maxRows: 24 }).legend;
    expect(legend.find((item) => item.glyph === '.')?.frames).toBe(free);
  });

  it('is a copy: what happens later does not change it', () => {
    const top = family();
    const before = framesOf(top.physmem);
    const kept = before.state.slice();
    const more = top.container();
    top.must(top.allocate(more, 0, 1));
    top.poke(1, more, 0, 1);
    expect(before.state).toEqual(kept);
    expect(framesOf(top.physmem).state).not.toEqual(kept);
  });
});

describe('the view of controls and containers', () => {
  it('tells credit that adds up, and who pays for which tasks', () => {
    const controls = controlsOf(family().physmem);
    for (const { total, free, charged, given } of controls) expect(total).toBe(free + charged + given);
    expect(controls.map(({ id, parent, note }) => [id, parent, note])).toEqual([
      [1, 0, '(root) task 1'],
      [2, 1, ''],
    ]);
    expect(controls[1]).toMatchObject({ total: 100, charged: 2 });
  });

  it('lists entries by address with their frames and sharing', () => {
    const containers = containersOf(family().physmem);
    const child = containers.find(({ control }) => control === 2);
    expect(
      child?.entries.map(({ start, order, references, cow }) => [start, order, references, cow]),
    ).toEqual([
      [0, 0, 1, ''],
      [16 * 4096, 0, 2, ''],
    ]);
    expect(child?.entries.every(({ frame }) => frame !== null)).toBe(true);
  });
});
