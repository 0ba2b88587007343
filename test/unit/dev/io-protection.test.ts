import { describe, expect, it } from 'vitest';
import { BUS_MASTER_CHANNEL, type IoProtectionMode } from '../../../emu/arch/dma.ts';
import { channelBit, IoAccess, IoProtection } from '../../../emu/dev/io-protection.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import { makeWorld } from './dma-fixture.ts';

const FRAMES = 64;
const RAM_BYTES = FRAMES * 4096;

function make(mode: IoProtectionMode = 'on') {
  const world = makeWorld(2 * RAM_BYTES);
  const { clock, events, port, memory } = world;
  const isRam = (pa: number) => pa < RAM_BYTES;
  const unit = new IoProtection(mode, FRAMES, { clock, events, memory: port, isRam });
  const read = (channel: number, pa: number, count: number) => {
    const bytes = new Uint8Array(count);
    return { outcome: unit.masters[channel]!.read(pa, bytes), bytes: [...bytes] };
  };
  const write = (channel: number, pa: number, bytes: readonly number[]) =>
    unit.masters[channel]!.write(pa, Uint8Array.from(bytes));
  return { ...world, memory, unit, read, write };
}

describe('I/O protection', () => {
  it('lets everything pass when it is off', () => {
    const { unit, read, write, log } = make('off');
    expect(write(3, 0x5000, [1, 2, 3])).toBe('done');
    expect(read(BUS_MASTER_CHANNEL, 0x5000, 3)).toEqual({ outcome: 'done', bytes: [1, 2, 3] });
    expect(unit.rights(5, 3)).toBe(IoAccess.Read | IoAccess.Write);
    unit.deny(5, 1);
    expect(write(3, 0x5000, [4])).toBe('done');
    expect([log, unit.blockedCount]).toEqual([[], 0]);
  });

  it('on, blocks and reports what is not allowed: reads give ones, writes are dropped', () => {
    const { unit, memory, read, write, log } = make();
    memory[0x5000] = 42;
    expect(read(3, 0x5000, 2)).toEqual({ outcome: 'blocked', bytes: [255, 255] });
    expect(write(3, 0x5000, [1])).toBe('blocked');
    expect(memory[0x5000]).toBe(42);
    expect(log).toEqual(['dma:blocked 3 5000 2 0', 'dma:blocked 3 5000 1 1']);
    expect(unit.blockedCount).toBe(2);
    expect(unit.lastBlocked).toEqual({ channel: 3, address: 0x5000, sizeBytes: 1, direction: 'write' });
  });

  it('reporting, lets everything pass and tells what is not allowed', () => {
    const { unit, memory, read, write, log } = make('report');
    unit.allow(5, 1, IoAccess.Write);
    expect([write(3, 0x5000, [7]), write(3, 0x6000, [8])]).toEqual(['done', 'done']);
    expect(read(3, 0x5000, 1)).toEqual({ outcome: 'done', bytes: [7] });
    expect(memory[0x6000]).toBe(8);
    expect(log).toEqual(['dma:unallowed 3 6000 1 1', 'dma:unallowed 3 5000 1 0']);
    expect([unit.unallowedCount, unit.blockedCount]).toEqual([2, 0]);
    expect(unit.lastBlocked).toEqual({ channel: 3, address: 0x5000, sizeBytes: 1, direction: 'read' });
  });

  it('tells its observer of what passes, page by page, and of nothing that is blocked', () => {
    const { unit, read, write } = make();
    const seen: unknown[] = [];
    unit.observer = (...access) => seen.push(access);
    unit.allow(5, 1, IoAccess.Read | IoAccess.Write);
    unit.allow(6, 1, IoAccess.Write);
    write(3, 0x5ffe, [1, 2, 3]);
    read(2, 0x5ffe, 3);
    expect(seen).toEqual([
      [3, 0x5ffe, 2, 'write'],
      [3, 0x6000, 1, 'write'],
      [2, 0x5ffe, 2, 'read'],
    ]);
  });

  it('allows reading and writing apart, for some channels or for all, and takes both away', () => {
    const { unit, read, write } = make();
    unit.allow(5, 2, IoAccess.Write, channelBit(3));
    unit.allow(5, 1, IoAccess.Read);
    expect(write(3, 0x5ffe, [1, 2, 3, 4])).toBe('done');
    expect(write(2, 0x5000, [1])).toBe('blocked');
    expect(read(8, 0x5ffe, 2)).toEqual({ outcome: 'done', bytes: [1, 2] });
    expect(read(3, 0x6000, 1)).toEqual({ outcome: 'blocked', bytes: [255] });
    expect([unit.rights(5, 3), unit.rights(6, 3), unit.rights(6, 2)]).toEqual([3, 2, 0]);
    unit.deny(5, 1, channelBit(3));
    expect([unit.rights(5, 3), unit.rights(5, 8)]).toEqual([0, IoAccess.Read]);
    unit.deny(5, 2);
    expect([unit.rights(5, 8), unit.rights(6, 3)]).toEqual([0, 0]);
  });

  it('blocks only the frames of an access that are not allowed', () => {
    const { unit, memory, write, log } = make();
    unit.allow(4, 1, IoAccess.Write);
    unit.allow(6, 1, IoAccess.Write);
    expect(write(8, 0x4ffe, new Array(4100).fill(7))).toBe('blocked');
    expect([memory[0x4ffe], memory[0x4fff], memory[0x5000], memory[0x5fff], memory[0x6000]]).toEqual([
      7, 7, 0, 0, 7,
    ]);
    expect(log).toEqual(['dma:blocked 8 5000 1000 1']);
  });

  it('tells the bus’s observers which channel is on the bus', () => {
    const { unit, port } = make('off');
    expect(unit.masterOnBus).toBe(-1);
    const seen: number[] = [];
    const { read } = port;
    port.read = (...args) => {
      seen.push(unit.masterOnBus);
      return read(...args);
    };
    unit.masters[5]!.read(0, new Uint8Array(1));
    expect([seen, unit.masterOnBus]).toEqual([[5], -1]);
  });

  it('reports accesses outside RAM as holes; on, nothing there is ever allowed', () => {
    const off = make('off');
    off.write(8, RAM_BYTES, [1, 2]);
    off.read(8, RAM_BYTES + 4, 1);
    expect(off.log).toEqual(['bus:hole_write 40000 2 0 0', 'bus:hole_read 40004 1 0 0']);
    const on = make('on');
    expect(on.write(8, RAM_BYTES, [1, 2])).toBe('blocked');
    expect(() => on.unit.allow(FRAMES - 1, 2, IoAccess.Read)).toThrow(RangeError);
    expect(on.read(8, 0xfffff000, 1)).toEqual({ outcome: 'blocked', bytes: [255] });
  });

  it('comes back from a snapshot with its table and its counts', () => {
    const { unit, write } = make();
    unit.allow(5, 2, IoAccess.Write, channelBit(3));
    unit.allow(FRAMES - 1, 1, IoAccess.Read);
    write(3, 0, [1]);
    const other = make().unit;
    other.allow(1, 1, IoAccess.Read);
    other.load(decode(encode(unit.save())));
    expect([other.rights(1, 8), other.rights(5, 3), other.rights(FRAMES - 1, 8)]).toEqual([0, 2, 1]);
    expect(other.save()).toEqual(unit.save());
    expect(other.lastBlocked).toEqual(unit.lastBlocked);
  });
});
