import { describe, expect, it } from 'vitest';
import { type PinsView, pinText } from '../../../src/observe/pin-text.ts';
import { PLAIN_STYLE } from '../../../src/observe/text-style.ts';

const NOTHING: PinsView = { pins: [], quarantine: [], devices: [], unallowed: [], wraps: 0 };
const text = (view: Partial<PinsView>): string[] =>
  pinText({ ...NOTHING, ...view }, PLAIN_STYLE)
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());

describe('pins, quarantine and devices as text', () => {
  it('are nothing when nothing is held and no device went wrong', () => {
    expect(pinText(NOTHING, PLAIN_STYLE)).toBe('');
  });

  it('tell of each pin who has it, what devices may do, when it ends and where it is', () => {
    const pin = { id: 1, task: 2, control: 3, state: 'live', leftCycles: 12_345, access: 'rw' } as const;
    const lines = text({
      pins: [
        { ...pin, frames: [[16, 2]] },
        {
          ...pin,
          id: 2,
          state: 'draining',
          access: '',
          frames: [1, 3, 5, 7, 9, 11].map((f) => [f, 1] as const),
        },
      ],
    });
    expect(lines).toEqual([
      'pin  task  control  frames  devices  ends',
      '  1     2        3       2  rw       in 12,345 cycles',
      '     0x00010000-0x00011fff',
      '  2     2        3       6  -        when the device is quiet',
      '     0x00001000-0x00001fff 0x00003000-0x00003fff 0x00005000-0x00005fff',
      '     0x00007000-0x00007fff 0x00009000-0x00009fff and 1 more',
    ]);
  });

  it('tell what is in quarantine, what devices aim at, and what they did that no pin allowed', () => {
    const last = { lastChannel: 3, lastAddress: 0x5000, lastDirection: 'write' } as const;
    const lines = text({
      quarantine: [{ frame: 5, count: 1, control: 3 }],
      devices: [
        { device: 'dma-disk', address: 0x5100, sizeBytes: 0x100, direction: 'to-memory', state: 'running' },
      ],
      unallowed: [{ outcome: 'blocked', count: 4, ...last }],
      wraps: 1,
    });
    expect(lines).toEqual([
      'quarantine 0x00005000-0x00005fff, 1 frame, charged to control 3',
      'dma-disk writes to memory 0x00005100-0x000051ff, running',
      '4 accesses of devices without a live pin: blocked; the last a write at 0x00005000, channel 3',
      '1 time a channel went round at the end of its 64 KiB',
    ]);
  });
});
