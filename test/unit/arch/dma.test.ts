import { describe, expect, it } from 'vitest';
import { BUS_MASTER_CHANNEL, type DmaRule, explainDma } from '../../../emu/arch/dma.ts';

const RAM = 32 << 20;
const explain = (address: number, length: number, channel = 3, ramBytes = RAM) =>
  explainDma({ address, length, channel, ramBytes });

describe('explainDma', () => {
  it.each([
    [0, 1, 3],
    [0x2ff00, 0x100, 0],
    [0x30000, 0x10000, 3],
    [0xff0000, 0x10000, 1],
    [0x20000, 0x20000, 5],
    [0x9f000, 0x1000, 2],
    [0x1fffe00, 0x200, BUS_MASTER_CHANNEL],
    [0x2ff01, 0x10001, BUS_MASTER_CHANNEL],
  ])('has nothing against %i + %i on channel %i', (address, length, channel) => {
    expect(explain(address, length, channel)).toBeNull();
  });

  it.each<[string, number, number, number, DmaRule, string]>([
    ['no bytes', 0x1000, 0, 3, 'zero length', 'a transfer of 0 bytes moves nothing: at least 1 is needed'],
    [
      'fewer than none',
      0x1000,
      -5,
      3,
      'zero length',
      'a transfer of -5 bytes moves nothing: at least 1 is needed',
    ],
    [
      'memory above 16 MiB',
      0x1000000,
      512,
      3,
      'above the reach',
      '0x01000000-0x010001ff goes beyond 0x00ffffff: channel 3 has 24 address bits and reaches the first 16 MiB only',
    ],
    [
      'an end above 16 MiB',
      0xffff00,
      0x101,
      2,
      'above the reach',
      '0x00ffff00-0x01000000 goes beyond 0x00ffffff: channel 2 has 24 address bits and reaches the first 16 MiB only',
    ],
    [
      'an address below 0',
      -1,
      4,
      3,
      'above the reach',
      'address -1 goes beyond 0x00ffffff: channel 3 has 24 address bits and reaches the first 16 MiB only',
    ],
    [
      'a 64 KiB edge',
      0x2ff00,
      0x200,
      3,
      'crosses a DMA page',
      '0x0002ff00-0x000300ff crosses 0x00030000: channel 3 counts inside 64 KiB, after 256 bytes it would go on at 0x00020000',
    ],
    [
      'a 128 KiB edge',
      0x3ff00,
      0x200,
      6,
      'crosses a DMA page',
      '0x0003ff00-0x000400ff crosses 0x00040000: channel 6 counts inside 128 KiB, after 256 bytes it would go on at 0x00020000',
    ],
    [
      'more than it can count',
      0x100000,
      0x10001,
      3,
      'longer than the counter',
      '65537 bytes are more than the 65536 that channel 3 can count',
    ],
    [
      'an odd address of words',
      0x100001,
      2,
      5,
      'odd for a word channel',
      'channel 5 moves 16-bit words, the address 0x00100001 is odd',
    ],
    [
      'an odd length of words',
      0x100000,
      3,
      5,
      'odd for a word channel',
      'channel 5 moves 16-bit words, the length 3 is odd',
    ],
    [
      'the cascade',
      0x1000,
      1,
      4,
      'no such channel',
      'channel 4 joins the two controllers and moves nothing: 0 to 3 move bytes, 5 to 7 words',
    ],
    [
      'a channel that is none',
      0x1000,
      1,
      11,
      'no such channel',
      'there is no DMA channel 11: 0 to 3 move bytes, 5 to 7 words',
    ],
    [
      'the hole below 1 MiB',
      0x9fff0,
      0x20,
      3,
      'beyond RAM',
      '0x0009fff0-0x000a000f touches 0x000a0000-0x000fffff, where there is no RAM',
    ],
    [
      'more than 32 bits',
      0xffffff00,
      0x200,
      BUS_MASTER_CHANNEL,
      'above the reach',
      '0xffffff00-0x1000000ff goes beyond 0xffffffff: the bus master has 32 address bits',
    ],
    [
      'memory that is not there',
      RAM - 256,
      512,
      BUS_MASTER_CHANNEL,
      'beyond RAM',
      '0x01ffff00-0x020000ff goes beyond the last byte of RAM, 0x01ffffff',
    ],
  ])('refuses %s with its numbers', (_what, address, length, channel, rule, sentence) => {
    expect(explain(address, length, channel)).toEqual({ rule, sentence });
  });

  it('names the end of RAM of a machine with less than 16 MiB, and does not look at RAM when it is not told', () => {
    expect(explain(0x800000, 1, 3, 8 << 20)).toMatchObject({ rule: 'beyond RAM' });
    expect(explainDma({ address: 0x800000, length: 1, channel: 3 })).toBeNull();
  });
});
