import { describe, expect, it } from 'vitest';
import { type FrameMapInput, frameMap, SHARED } from '../../../src/observe/frame-map.ts';
import { frameMapText } from '../../../src/observe/frame-map-text.ts';
import { ansiPaint, PLAIN_STYLE } from '../../../src/observe/text-style.ts';
import { FrameState } from '../../../src/physmem/base-frames.ts';

type Paint = { first: number; count: number; state: FrameState; owner?: number; order?: number };

/** `frames` free frames of one or two zones, with some painted. */
function input(frames: number, dmaEnd: number, paints: readonly Paint[]): FrameMapInput {
  const state = new Uint8Array(frames);
  const owner = new Int16Array(frames).fill(-1);
  const order = new Int8Array(frames);
  for (const { first, count, state: name, owner: who = -1, order: size = 0 } of paints) {
    for (let frame = first; frame < first + count; frame++) {
      state[frame] = name;
      owner[frame] = who;
      order[frame] = (frame - first) % 2 ** size === 0 ? size : -1;
    }
  }
  const dma = { name: 'DMA', first: 0, end: Math.min(dmaEnd, frames) };
  const zones = frames > dmaEnd ? [dma, { name: 'Normal', first: dmaEnd, end: frames }] : [dma];
  return { zones, state, owner, order, owners: ['control 1 (root)', 'control 2'] };
}

describe('the frame map', () => {
  it('shows a frame per cell while that fits: capital letters begin blocks, small ones continue them', () => {
    const map = frameMap(
      input(1024, 4096, [
        { first: 0, count: 2, state: FrameState.RESERVED },
        { first: 4, count: 4, state: FrameState.BOUND, owner: 0, order: 2 },
        { first: 8, count: 2, state: FrameState.BOUND, owner: 1, order: 0 },
        { first: 10, count: 1, state: FrameState.PAGE_TABLE },
        { first: 11, count: 1, state: FrameState.BOUND, owner: SHARED },
      ]),
      { cellsPerRow: 64, maxRows: 24 },
    );
    expect(map.framesPerCell).toBe(1);
    expect(map.rows[0]).toEqual({
      zone: 0,
      address: 0,
      cells: `##..AaaaBB+*${'.'.repeat(52)}`,
      repeats: 0,
    });
    expect(map.rows.slice(1)).toEqual([{ zone: 0, address: 0x40000, cells: '.'.repeat(64), repeats: 14 }]);
  });

  it('is scaled until it fits, and then a capital letter fills its cell', () => {
    const stripes = Array.from({ length: 256 }, (_, i) => ({
      first: i * 32,
      count: i % 2 === 0 ? 16 : 3,
      state: FrameState.BOUND,
      owner: 0,
    }));
    const map = frameMap(input(8192, 4096, stripes), { cellsPerRow: 64, maxRows: 8 });
    expect(map.framesPerCell).toBe(16);
    expect(map.rows[0]?.cells.slice(0, 8)).toBe('A.a.A.a.');
    expect(map.rows.length).toBeLessThanOrEqual(8);
  });

  it('begins a new row at the zone boundary whatever the scale', () => {
    const map = frameMap(input(786_432, 4096, [{ first: 5000, count: 1, state: FrameState.SERVER }]), {
      cellsPerRow: 64,
      maxRows: 3,
    });
    expect(map.rows.map((row) => row.zone)).toContain(1);
    expect(map.rows.find((row) => row.zone === 1)?.address).toBe(16 << 20);
  });

  it('counts every frame exactly once in its legend', () => {
    const map = frameMap(
      input(8192, 4096, [
        { first: 100, count: 8, state: FrameState.BOUND, owner: 1, order: 2 },
        { first: 200, count: 1, state: FrameState.QUARANTINE },
      ]),
      { cellsPerRow: 64, maxRows: 24 },
    );
    expect(map.legend.reduce((sum, item) => sum + item.frames, 0)).toBe(8192);
    expect(map.legend[0]).toEqual({
      glyph: 'B',
      meaning: 'control 2',
      frames: 8,
      blocks: [0, 0, 2],
      owner: 1,
    });
  });

  it('gives owners beyond the alphabet a common sign', () => {
    const many = input(64, 4096, [{ first: 0, count: 1, state: FrameState.BOUND, owner: 30 }]);
    expect(frameMap(many, { cellsPerRow: 64, maxRows: 24 }).rows[0]?.cells[0]).toBe('@');
  });
});

describe('the text of the frame map', () => {
  const small = input(8192, 4096, [
    { first: 0, count: 16, state: FrameState.RESERVED },
    { first: 32, count: 4, state: FrameState.BOUND, owner: 0, order: 2 },
    { first: 4096, count: 1, state: FrameState.BOUND, owner: 1 },
  ]);

  it('names rows by physical address, draws the DMA boundary and explains every sign', () => {
    expect(frameMapText(small, PLAIN_STYLE)).toBe(
      [
        'one cell is one frame of 4 KiB; a capital letter begins a block',
        `00000000  ################................Aaaa${'.'.repeat(28)}`,
        `00040000  ${'.'.repeat(64)}`,
        '       *  62 more rows like this',
        '---------- 16 MiB: zone DMA above, zone Normal below ---------------------',
        `01000000  B${'.'.repeat(63)}`,
        `01040000  ${'.'.repeat(64)}`,
        '       *  62 more rows like this',
        '',
        '  A      4    16 KiB  control 1 (root)            1 x 16K',
        '  B      1     4 KiB  control 2                   1 x 4K',
        '  .  8,171  31.9 MiB  free',
        '  #     16    64 KiB  firmware, kernel, reserved',
        '',
      ].join('\n'),
    );
  });

  it('stays inside the columns', () => {
    for (const columns of [60, 80, 200]) {
      const lines = frameMapText(small, { ...PLAIN_STYLE, columns }).split('\n');
      const map = lines.filter((line) => /^[0-9a-f]{8} /.test(line));
      expect(Math.max(...map.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
  });

  it('says the same without its colours', () => {
    const coloured = frameMapText(small, { ...PLAIN_STYLE, paint: ansiPaint });
    expect(coloured).not.toBe(frameMapText(small, PLAIN_STYLE));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is
    expect(coloured.replace(/\u001b\[[0-9;]*m/g, '')).toBe(frameMapText(small, PLAIN_STYLE));
  });
});
