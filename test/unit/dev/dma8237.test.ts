import { describe, expect, it } from 'vitest';
import { DMA_PAGE_PORTS } from '../../../emu/arch/dma.ts';
import { DmaReg } from '../../../emu/dev/dma8237-chip.ts';
import {
  dmaPort,
  MODE_AUTOINIT,
  MODE_BLOCK,
  MODE_CASCADE,
  MODE_DECREMENT,
  MODE_SINGLE,
  makeController,
  program,
  TRANSFER_CYCLES,
  TYPE_READ,
  TYPE_VERIFY,
  TYPE_WRITE,
} from './dma-fixture.ts';

const NAMES = [0, 1, 2, 3, 5, 6, 7];

describe('the registers of the 8237 pair', () => {
  it.each(NAMES)('channel %i keeps address and count, low byte first, behind the flip-flop', (channel) => {
    const { ports } = makeController();
    program(ports, { channel, address: 0x123456, length: 0x200, mode: MODE_SINGLE | TYPE_WRITE });
    const word = (register: number) => {
      const low = ports.in(dmaPort(channel, register));
      return low | (ports.in(dmaPort(channel, register)) << 8);
    };
    const i = channel & 3;
    const unit = channel < 4 ? 1 : 2;
    expect(word(2 * i)).toBe((0x123456 / unit) & 0xffff);
    expect(word(2 * i + 1)).toBe(0x200 / unit - 1);
    expect(ports.in(DMA_PAGE_PORTS[channel]!)).toBe(0x12);
    ports.in(dmaPort(channel, 2 * i));
    ports.out(dmaPort(channel, DmaReg.ClearFlipFlop), 0);
    expect(ports.in(dmaPort(channel, 2 * i))).toBe((0x123456 / unit) & 0xff);
  });

  it('mask at reset and at master clear, one by one, all, and none', () => {
    const { ports } = makeController();
    const masks = () => ports.in(dmaPort(0, DmaReg.AllMask));
    expect(masks()).toBe(0xf);
    ports.out(dmaPort(0, DmaReg.SingleMask), 2);
    expect(masks()).toBe(0xb);
    ports.out(dmaPort(0, DmaReg.ClearMask), 0);
    expect(masks()).toBe(0);
    ports.out(dmaPort(0, DmaReg.AllMask), 0x5);
    expect(masks()).toBe(0x5);
    ports.out(dmaPort(0, DmaReg.SingleMask), 4 | 1);
    expect(masks()).toBe(0x7);
    ports.out(dmaPort(0, DmaReg.MasterClear), 0);
    expect(masks()).toBe(0xf);
  });

  it('keep the unused cells of the page register chip, and read ones where nothing can be read', () => {
    const { ports } = makeController();
    ports.out(0x84, 0x5a);
    expect(ports.in(0x84)).toBe(0x5a);
    expect(ports.in(dmaPort(0, DmaReg.Mode))).toBe(0xff);
    expect(ports.in(dmaPort(0, DmaReg.MasterClear))).toBe(0);
  });

  it('show requests and terminal counts in the status, and forget the latter when it is read', () => {
    const { ports, attach, clock } = makeController();
    const { line } = attach(2);
    line.set(1);
    expect(ports.in(dmaPort(2, DmaReg.Command))).toBe(0x40);
    program(ports, { channel: 2, address: 0x1000, length: 4, mode: MODE_SINGLE | TYPE_WRITE });
    clock.advance(1000);
    expect(ports.in(dmaPort(2, DmaReg.Command))).toBe(0x44);
    expect(ports.in(dmaPort(2, DmaReg.Command))).toBe(0x40);
  });
});

describe('a transfer of the 8237', () => {
  it('writes memory upwards, masks the channel at its terminal count and tells the device', () => {
    const { ports, attach, clock, at, log, quiet } = makeController();
    const { device, line } = attach(3);
    program(ports, { channel: 3, address: 0x20000, length: 300, mode: MODE_SINGLE | TYPE_WRITE });
    line.set(1);
    clock.advance(10_000);
    expect(at(0x20000, 3)).toEqual([1, 2, 3]);
    expect(at(0x20000 + 299, 2)).toEqual([300 & 0xff, 0]);
    expect(device.terminalCounts).toBe(1);
    expect(ports.in(dmaPort(3, DmaReg.AllMask))).toBe(0xf);
    expect(log).toEqual(['dma:start 3 20000 12c 1', 'dma:done 3 20000 12c 1']);
    expect(quiet).toEqual([3]);
  });

  it('takes its cycles: bytes are not there before the bus cycles are over', () => {
    const { ports, attach, clock, at } = makeController();
    const { line } = attach(3);
    program(ports, { channel: 3, address: 0x20000, length: 256, mode: MODE_SINGLE | TYPE_WRITE });
    line.set(1);
    clock.advance(128 * TRANSFER_CYCLES - 1);
    expect(at(0x20000, 1)).toEqual([0]);
    clock.advance(128 * TRANSFER_CYCLES);
    expect(at(0x20000 + 127, 2)).toEqual([128, 0]);
    clock.advance(256 * TRANSFER_CYCLES);
    expect(at(0x20000 + 128, 1)).toEqual([129]);
  });

  it('reads memory for the device', () => {
    const { ports, attach, clock, memory } = makeController();
    const { device, line } = attach(1);
    memory.set([9, 8, 7, 6], 0x34567);
    program(ports, { channel: 1, address: 0x34567, length: 4, mode: MODE_SINGLE | TYPE_READ });
    line.set(1);
    clock.advance(1000);
    expect(device.taken).toEqual([9, 8, 7, 6]);
  });

  it('moves words on the second controller, in a page of 128 KiB whose odd page bit is not used', () => {
    const { ports, attach, clock, at, log } = makeController();
    const { line } = attach(5);
    program(ports, { channel: 5, address: 0x1fffc, length: 4, mode: MODE_SINGLE | TYPE_WRITE });
    line.set(1);
    clock.advance(1000);
    expect(at(0x1fffc, 5)).toEqual([1, 2, 3, 4, 0]);
    expect(log[0]).toBe('dma:start 5 1fffc 4 1');
  });

  it('goes downwards when told so, words with their bytes in order', () => {
    const { ports, attach, clock, at } = makeController();
    const bytes = attach(0);
    const words = attach(6);
    program(ports, {
      channel: 0,
      address: 0x5003,
      length: 4,
      mode: MODE_SINGLE | TYPE_WRITE | MODE_DECREMENT,
    });
    program(ports, {
      channel: 6,
      address: 0x6002,
      length: 4,
      mode: MODE_SINGLE | TYPE_WRITE | MODE_DECREMENT,
    });
    bytes.line.set(1);
    words.line.set(1);
    clock.advance(1000);
    expect(at(0x5000, 5)).toEqual([4, 3, 2, 1, 0]);
    expect(at(0x6000, 5)).toEqual([3, 4, 1, 2, 0]);
  });

  it('only counts when the type is verify', () => {
    const { ports, attach, clock, memory, log } = makeController();
    const { device, line } = attach(3);
    program(ports, { channel: 3, address: 0x20000, length: 16, mode: MODE_SINGLE | TYPE_VERIFY });
    line.set(1);
    clock.advance(1000);
    expect(device.terminalCounts).toBe(1);
    expect(memory[0x20000]).toBe(0);
    expect(log).toEqual([]);
  });

  it('begins again by itself with autoinit', () => {
    const { ports, attach, clock, at } = makeController();
    const { device, line } = attach(3);
    program(ports, {
      channel: 3,
      address: 0x20000,
      length: 64,
      mode: MODE_SINGLE | TYPE_WRITE | MODE_AUTOINIT,
    });
    line.set(1);
    clock.advance(64 * TRANSFER_CYCLES * 3);
    expect(device.terminalCounts).toBe(3);
    expect(at(0x20000, 1)).toEqual([129]);
    expect(ports.in(dmaPort(3, DmaReg.AllMask))).toBe(0x7);
  });

  it('wraps inside its 64 KiB, and an event tells where it should have gone and where it went', () => {
    const { ports, attach, clock, at, log } = makeController();
    const { line } = attach(3);
    program(ports, { channel: 3, address: 0x2fffe, length: 4, mode: MODE_SINGLE | TYPE_WRITE });
    line.set(1);
    clock.advance(1000);
    expect(at(0x2fffe, 3)).toEqual([1, 2, 0]);
    expect(at(0x20000, 3)).toEqual([3, 4, 0]);
    expect(log).toContain('dma:page_wrap 3 30000 20000 1');
  });

  it('that ends at the edge of its 64 KiB does not wrap, downwards neither', () => {
    const { ports, attach, clock, log } = makeController();
    const up = attach(3);
    const down = attach(2);
    program(ports, { channel: 3, address: 0x2fffe, length: 2, mode: MODE_SINGLE | TYPE_WRITE });
    program(ports, {
      channel: 2,
      address: 0x40001,
      length: 2,
      mode: MODE_SINGLE | TYPE_WRITE | MODE_DECREMENT,
    });
    up.line.set(1);
    down.line.set(1);
    clock.advance(1000);
    expect(log.filter((line) => line.includes('wrap'))).toEqual([]);
    expect(log.filter((line) => line.includes('done'))).toHaveLength(2);
  });

  it('wraps downwards and over 128 KiB likewise', () => {
    const { ports, attach, clock, at, log } = makeController();
    const down = attach(2);
    const words = attach(7);
    program(ports, {
      channel: 2,
      address: 0x40000,
      length: 2,
      mode: MODE_SINGLE | TYPE_WRITE | MODE_DECREMENT,
    });
    program(ports, { channel: 7, address: 0x7fffe, length: 4, mode: MODE_SINGLE | TYPE_WRITE });
    down.line.set(1);
    words.line.set(1);
    clock.advance(1000);
    expect([at(0x40000, 1), at(0x4ffff, 1)]).toEqual([[1], [2]]);
    expect([at(0x7fffe, 2), at(0x60000, 2)]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(log).toContain('dma:page_wrap 2 3ffff 4ffff 1');
    expect(log).toContain('dma:page_wrap 7 80000 60000 1');
  });

  it('cannot name an address above 16 MiB: the page register has eight bits', () => {
    const { ports, attach, clock, log } = makeController();
    const { line } = attach(3);
    program(ports, { channel: 3, address: 0x1234_5600, length: 1, mode: MODE_SINGLE | TYPE_WRITE });
    line.set(1);
    clock.advance(1000);
    expect(log[0]).toBe('dma:start 3 345600 1 1');
  });

  it('waits while it is masked, and stops in the middle when it is masked', () => {
    const { ports, attach, clock, at, log, quiet } = makeController();
    const { device, line } = attach(3);
    program(ports, { channel: 3, address: 0x20000, length: 512, mode: MODE_SINGLE | TYPE_WRITE });
    ports.out(dmaPort(3, DmaReg.SingleMask), 4 | 3);
    line.set(1);
    clock.advance(5000);
    expect(device.given).toBe(0);
    ports.out(dmaPort(3, DmaReg.SingleMask), 3);
    clock.advance(5000 + 130 * TRANSFER_CYCLES);
    ports.out(dmaPort(3, DmaReg.SingleMask), 4 | 3);
    clock.advance(20_000);
    expect(at(0x20000 + 127, 2)).toEqual([128, 0]);
    expect(log.at(-1)).toBe('dma:done 3 20000 80 1');
    expect(quiet).toEqual([3, 3]);
  });

  it('is stopped by a master clear and by the disable bit of the command register', () => {
    const { ports, attach, clock } = makeController();
    const { device, line } = attach(3);
    ports.out(dmaPort(3, DmaReg.Command), 4);
    program(ports, { channel: 3, address: 0x20000, length: 512, mode: MODE_SINGLE | TYPE_WRITE });
    line.set(1);
    clock.advance(5000);
    expect(device.given).toBe(0);
    ports.out(dmaPort(3, DmaReg.Command), 0);
    clock.advance(5000 + 130 * TRANSFER_CYCLES);
    ports.out(dmaPort(3, DmaReg.MasterClear), 0);
    clock.advance(20_000);
    expect(device.given).toBe(128);
  });

  it('of channels 0 to 3 goes through channel 4, which a PC’s firmware leaves open', () => {
    const { ports, attach, clock } = makeController();
    const { device, line } = attach(1);
    program(ports, { channel: 1, address: 0x20000, length: 8, mode: MODE_SINGLE | TYPE_WRITE });
    ports.out(dmaPort(4, DmaReg.MasterClear), 0);
    line.set(1);
    clock.advance(5000);
    expect(device.given).toBe(0);
    ports.out(dmaPort(4, DmaReg.Mode), MODE_CASCADE);
    ports.out(dmaPort(4, DmaReg.SingleMask), 0);
    clock.advance(10_000);
    expect(device.given).toBe(8);
  });

  it('can be asked for by software in block mode: nobody drives the bus then, so memory gets ones', () => {
    const { ports, clock, at, dma } = makeController();
    program(ports, { channel: 0, address: 0x20000, length: 4, mode: MODE_BLOCK | TYPE_WRITE });
    expect(dma.targets()).toEqual([]);
    ports.out(dmaPort(0, DmaReg.Request), 4);
    expect(dma.targets()).toMatchObject([{ device: 'software request', address: 0x20000, sizeBytes: 4 }]);
    clock.advance(1000);
    expect(at(0x20000, 5)).toEqual([255, 255, 255, 255, 0]);
    program(ports, { channel: 1, address: 0x20000, length: 4, mode: MODE_SINGLE | TYPE_WRITE });
    ports.out(dmaPort(1, DmaReg.Request), 4 | 1);
    clock.advance(2000);
    expect(ports.in(dmaPort(1, DmaReg.Command)) & 2).toBe(0);
  });
});
