import { describe, expect, it } from 'vitest';
import { DMA_PAGE_PORTS } from '../../../emu/arch/dma.ts';
import { DmaReg } from '../../../emu/dev/dma8237-chip.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import {
  dmaPort,
  MODE_AUTOINIT,
  MODE_BLOCK,
  MODE_DECREMENT,
  MODE_SINGLE,
  makeController,
  program,
  TRANSFER_CYCLES,
  TYPE_READ,
  TYPE_WRITE,
} from './dma-fixture.ts';

describe('several channels of the 8237', () => {
  const order = (command: number, mode: number) => {
    const { ports, attach, clock, log } = makeController();
    const channels = [0, 1, 2].map((channel) => ({ channel, ...attach(channel) }));
    ports.out(dmaPort(0, DmaReg.Command), command);
    for (const { channel, line } of channels) {
      program(ports, { channel, address: 0x10000 * (channel + 1), length: 256, mode: mode | TYPE_WRITE });
      line.set(1);
    }
    clock.advance(20_000);
    return log.map((line) => line.split(' ').slice(0, 2).join(' ').replace('dma:', ''));
  };

  it('are served by number with fixed priority', () => {
    expect(order(0, MODE_SINGLE)).toEqual(['start 0', 'done 0', 'start 1', 'done 1', 'start 2', 'done 2']);
  });

  it('take turns with rotating priority', () => {
    expect(order(0x10, MODE_SINGLE)).toEqual(['start 0', 'start 1', 'start 2', 'done 0', 'done 1', 'done 2']);
  });

  it('wait for one in block mode to come to its end, even with rotating priority', () => {
    expect(order(0x10, MODE_BLOCK)).toEqual(['start 0', 'done 0', 'start 1', 'done 1', 'start 2', 'done 2']);
  });
});

describe('what the 8237 says it aims at', () => {
  it('is every unmasked channel with a device, with what is left, in two pieces where it wraps', () => {
    const { ports, attach, clock, dma } = makeController();
    const { device, line } = attach(3);
    attach(1);
    expect(dma.targets()).toEqual([]);
    program(ports, { channel: 3, address: 0x2ff00, length: 512, mode: MODE_SINGLE | TYPE_WRITE });
    program(ports, { channel: 1, address: 0x1000, length: 64, mode: MODE_SINGLE | TYPE_READ });
    device.readyBytes = 128;
    line.set(1);
    clock.advance(128 * TRANSFER_CYCLES);
    const common = { device: 'device 3', channel: 3, direction: 'to-memory', state: 'running' };
    expect(dma.targets()).toEqual([
      {
        device: 'device 1',
        channel: 1,
        address: 0x1000,
        sizeBytes: 64,
        direction: 'from-memory',
        state: 'programmed',
      },
      { ...common, address: 0x2ff80, sizeBytes: 128 },
      { ...common, address: 0x20000, sizeBytes: 256 },
    ]);
  });

  it('changes with the page register of an open channel, which is told as quiet', () => {
    const { ports, attach, dma, quiet } = makeController();
    attach(3);
    program(ports, { channel: 3, address: 0x20000, length: 512, mode: MODE_SINGLE | TYPE_WRITE });
    expect(quiet).toEqual([]);
    ports.out(DMA_PAGE_PORTS[3]!, 0x7f);
    expect(quiet).toEqual([3]);
    expect(dma.targets()).toMatchObject([{ address: 0x7f0000 }]);
    ports.out(DMA_PAGE_PORTS[2]!, 0x7f);
    expect(quiet).toEqual([3]);
  });

  it('is the whole buffer of a channel that comes back to it, and reaches downwards', () => {
    const { ports, attach, dma } = makeController();
    attach(3);
    attach(2);
    program(ports, {
      channel: 3,
      address: 0x20000,
      length: 512,
      mode: MODE_SINGLE | TYPE_WRITE | MODE_AUTOINIT,
    });
    program(ports, {
      channel: 2,
      address: 0x300ff,
      length: 256,
      mode: MODE_SINGLE | TYPE_WRITE | MODE_DECREMENT,
    });
    expect(dma.targets()).toMatchObject([
      { channel: 2, address: 0x30000, sizeBytes: 256 },
      { channel: 3, address: 0x20000, sizeBytes: 512 },
    ]);
  });
});

describe('a channel that reloads itself for ever', () => {
  it('is served at most once a cycle, even if transfers cost nothing', () => {
    const { attach, ports, clock, log } = makeController(0);
    const { line } = attach(1);
    program(ports, {
      channel: 1,
      address: 0x20000,
      length: 128,
      mode: MODE_SINGLE | TYPE_WRITE | MODE_AUTOINIT,
    });
    line.set(1);
    clock.advance(100);
    expect(log).toHaveLength(200);
  });
});

describe('a snapshot of the 8237', () => {
  it('taken between two bursts goes on to the same memory', () => {
    const first = makeController();
    const a = first.attach(3);
    program(first.ports, { channel: 3, address: 0x2ff80, length: 512, mode: MODE_BLOCK | TYPE_WRITE });
    a.line.set(1);
    first.clock.advance(130 * TRANSFER_CYCLES);
    const before = first.log.length;
    const second = makeController();
    const b = second.attach(3);
    second.dma.load(decode(encode(first.dma.save())));
    b.device.given = a.device.given;
    second.memory.set(first.memory);
    second.clock.time = first.clock.time;
    second.clock.arm(second.dma, first.clock.deadline(first.dma)!);
    for (const world of [first, second]) world.clock.advance(10_000);
    expect(second.at(0x20000, 0x400)).toEqual(first.at(0x20000, 0x400));
    expect(second.at(0x2ff80, 0x80)).toEqual(first.at(0x2ff80, 0x80));
    expect(second.log).toEqual(first.log.slice(before));
    expect(second.dma.save()).toEqual(first.dma.save());
  });
});
