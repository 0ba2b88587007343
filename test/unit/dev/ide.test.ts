import { describe, expect, it } from 'vitest';
import { DiskImage } from '../../../emu/dev/disk-image.ts';
import { COMMAND_CYCLES, IdeBench, numberedDisk, SECTOR_CYCLES } from './ide-fixture.ts';

const READY = 0x50;
const READY_DATA = 0x58;
const READY_ERROR = 0x51;
const BUSY = 0x80;

describe('the IDE channel', () => {
  it('reads a sector: busy, data and interrupt after the latency, no interrupt at the end', () => {
    const ide = new IdeBench(numberedDisk(4));
    ide.command(0x20, 2);
    expect(ide.in(0x1f7)).toBe(BUSY);
    ide.pass(COMMAND_CYCLES - 1);
    expect([ide.in(0x3f6), ide.irq.level]).toEqual([BUSY, 0]);
    ide.pass(1);
    expect([ide.in(0x3f6), ide.irq.level]).toEqual([READY_DATA, 1]);
    expect(ide.in(0x1f7)).toBe(READY_DATA);
    expect(ide.irq.level).toBe(0);
    expect(ide.readBytes(512)).toEqual(new Array(512).fill(3));
    expect([ide.in(0x1f7), ide.irq.level]).toEqual([READY, 0]);
    expect(ide.in(0x1f0, 2)).toBe(0xffff);
  });

  it('reads several sectors with an interrupt for each, and shows how far it came', () => {
    const ide = new IdeBench(numberedDisk(4));
    ide.command(0x21, 1, 3);
    const seen: number[] = [];
    for (let sector = 0; sector < 3; sector++) {
      ide.pass(sector === 0 ? COMMAND_CYCLES : SECTOR_CYCLES);
      expect(ide.irq.level).toBe(1);
      expect(ide.in(0x1f7)).toBe(READY_DATA);
      seen.push(ide.readBytes(512)[0]!);
    }
    expect(seen).toEqual([2, 3, 4]);
    expect([ide.in(0x1f2), ide.in(0x1f3)]).toEqual([0, 3]);
  });

  it('takes the first sector of a write at once, interrupts for the next one and at the end', () => {
    const ide = new IdeBench(numberedDisk(4));
    ide.command(0x30, 1, 2);
    expect([ide.in(0x1f7), ide.irq.level]).toEqual([READY_DATA, 0]);
    ide.writeBytes(0xaa, 512);
    expect(ide.in(0x1f7)).toBe(BUSY);
    ide.pass(SECTOR_CYCLES);
    expect([ide.irq.level, ide.in(0x1f7)]).toEqual([1, READY_DATA]);
    ide.writeBytes(0xbb, 512);
    ide.pass(SECTOR_CYCLES);
    expect([ide.irq.level, ide.in(0x1f7)]).toEqual([1, READY]);
    const bytes = ide.images[0]!.bytes();
    expect([511, 512, 1023, 1024, 1535, 1536].map((at) => bytes[at])).toEqual([1, 0xaa, 0xaa, 0xbb, 0xbb, 4]);
    expect(ide.images[0]!.writtenCount).toBe(2);
  });

  it('moves blocks of several sectors with READ and WRITE MULTIPLE, from power-on and as set', () => {
    const ide = new IdeBench(numberedDisk(20));
    ide.command(0xc4, 0, 18);
    ide.settle();
    expect(new Set(ide.readBytes(16 * 512)).size).toBe(16);
    expect(ide.settle()).toBe(READY_DATA);
    expect(ide.readBytes(1024).at(-1)).toBe(18);
    ide.command(0xc6, 0, 2);
    expect(ide.settle()).toBe(READY);
    ide.command(0xc5, 0, 3);
    ide.writeBytes(0x77, 1024);
    expect(ide.settle()).toBe(READY_DATA);
    ide.writeBytes(0x78, 512);
    expect(ide.settle()).toBe(READY);
    expect(ide.images[0]!.bytes()[2 * 512]).toBe(0x78);
  });

  it('refuses MULTIPLE when it was set to 0 or to no power of two', () => {
    for (const count of [0, 3, 32]) {
      const ide = new IdeBench(numberedDisk(4));
      ide.command(0xc6, 0, count);
      expect(ide.settle()).toBe(count === 0 ? READY : READY_ERROR);
      ide.command(0xc4, 0, 1);
      expect([ide.settle(), ide.in(0x1f1)]).toEqual([READY_ERROR, 0x04]);
      ide.command(0xc5, 0, 1);
      expect(ide.settle()).toBe(READY_ERROR);
    }
  });

  it('ends at a sector that does not exist: error, its number, what is left', () => {
    const ide = new IdeBench(numberedDisk(4));
    ide.command(0x20, 3, 4);
    ide.settle();
    expect(ide.readBytes(512)[0]).toBe(4);
    expect(ide.settle()).toBe(READY_ERROR);
    expect(ide.irq.edges).toBe(2);
    expect([0x1f1, 0x1f2, 0x1f3].map((port) => ide.in(port))).toEqual([0x10, 3, 4]);
    ide.command(0x30, 0x0fffffff);
    expect([ide.in(0x1f7), ide.in(0x1f1)]).toEqual([READY_ERROR, 0x10]);
    ide.command(0x40, 2, 2);
    expect(ide.settle()).toBe(READY);
    ide.command(0x40, 2, 3);
    expect(ide.settle()).toBe(READY_ERROR);
  });

  it('identifies itself: text, geometry, LBA, number of sectors', () => {
    const ide = new IdeBench(new Uint8Array(512 * 2016), numberedDisk(3));
    ide.command(0xec);
    expect(ide.settle()).toBe(READY_DATA);
    const bytes = Uint8Array.from(ide.readBytes(512));
    const word = (n: number) => bytes[2 * n]! | (bytes[2 * n + 1]! << 8);
    expect([0, 1, 3, 6, 47, 49].map(word)).toEqual([0x40, 2, 16, 63, 0x8010, 0x0a00]);
    expect(word(60) | (word(61) << 16)).toBe(2016);
    const model = bytes.slice(54, 94).map((_, i, text) => text[i ^ 1]!);
    expect(String.fromCharCode(...model).trim()).toBe('PHYSMEM DISK');
    expect(ide.in(0x1f7)).toBe(READY);
  });

  it('addresses by cylinder, head and sector, in the geometry that was set', () => {
    const ide = new IdeBench(numberedDisk(64));
    const chs = (cylinder: number, head: number, sector: number) => {
      for (const [port, value] of [
        [0x1f6, 0xa0 | head],
        [0x1f2, 1],
        [0x1f3, sector],
        [0x1f4, cylinder],
        [0x1f5, 0],
      ] as const)
        ide.out(port, value);
      ide.out(0x1f7, 0x20);
    };
    chs(0, 0, 1);
    ide.settle();
    expect(ide.readBytes(512)[0]).toBe(1);
    ide.out(0x1f6, 0xa1);
    ide.out(0x1f2, 4);
    ide.out(0x1f7, 0x91);
    expect(ide.settle()).toBe(READY);
    chs(2, 1, 3);
    ide.settle();
    expect(ide.readBytes(512)[0]).toBe((2 * 2 + 1) * 4 + 3);
    chs(0, 0, 5);
    expect([ide.settle(), ide.in(0x1f1)]).toEqual([READY_ERROR, 0x10]);
  });

  it('aborts what it does not know, DMA among it, and accepts PIO modes', () => {
    const ide = new IdeBench(numberedDisk(4));
    for (const command of [0x00, 0x24, 0xc8, 0xa1, 0xea, 0xff]) {
      ide.command(command);
      expect([ide.settle(), ide.in(0x1f1)]).toEqual([READY_ERROR, 0x04]);
    }
    for (const [feature, count, status] of [
      [0x03, 0x0c, READY],
      [0x03, 0x45, READY_ERROR],
      [0x82, 0, READY],
      [0x99, 0, READY_ERROR],
    ] as const) {
      ide.out(0x1f1, feature);
      ide.command(0xef, 0, count);
      expect(ide.settle()).toBe(status);
    }
    for (const command of [0xe7, 0xe0, 0xe1, 0x10, 0xe5]) {
      ide.command(command);
      expect(ide.settle()).toBe(READY);
    }
    expect(ide.in(0x1f2)).toBe(0xff);
  });

  it('keeps its interrupt to itself while nIEN is set', () => {
    const ide = new IdeBench(numberedDisk(4));
    ide.out(0x3f6, 2);
    ide.command(0x20, 0);
    ide.pass(COMMAND_CYCLES);
    expect([ide.in(0x3f6), ide.irq.level]).toEqual([READY_DATA, 0]);
    ide.out(0x3f6, 0);
    expect(ide.irq.level).toBe(1);
  });

  it('gives up a transfer at a software reset and shows its signature', () => {
    const ide = new IdeBench(numberedDisk(4), numberedDisk(2));
    ide.command(0x20, 0, 1, 1);
    ide.out(0x3f6, 4);
    ide.pass(1000);
    expect([ide.in(0x1f7), ide.irq.edges]).toEqual([BUSY, 0]);
    ide.out(0x3f6, 0);
    expect(ide.in(0x1f7)).toBe(BUSY);
    expect([ide.settle(), ide.irq.edges]).toEqual([READY, 0]);
    expect([0x1f1, 0x1f2, 0x1f3, 0x1f4, 0x1f5, 0x1f6].map((port) => ide.in(port))).toEqual([
      1, 1, 1, 0, 0, 0xa0,
    ]);
  });

  it('diagnoses both disks, whichever is selected, with an interrupt', () => {
    const ide = new IdeBench(numberedDisk(4), numberedDisk(2));
    ide.command(0x90, 0, 0, 1);
    expect(ide.in(0x1f7)).toBe(BUSY);
    ide.pass(COMMAND_CYCLES);
    expect([ide.irq.level, ide.in(0x1f7), ide.in(0x1f1)]).toEqual([1, READY, 1]);
  });

  it('keeps two disks apart', () => {
    const ide = new IdeBench(numberedDisk(4), numberedDisk(2).fill(0x99));
    ide.command(0x20, 1, 1, 1);
    ide.settle();
    expect(ide.readBytes(512)[0]).toBe(0x99);
    ide.command(0x20, 1, 1, 0);
    ide.settle();
    expect(ide.readBytes(512)[0]).toBe(2);
    ide.command(0x20, 2, 1, 1);
    expect(ide.settle()).toBe(READY_ERROR);
  });

  it('reads as 0 where the second disk is missing, and as all ones without any', () => {
    const one = new IdeBench(numberedDisk(4));
    one.out(0x1f6, 0xf0);
    expect([one.in(0x1f7), one.in(0x3f6)]).toEqual([0, 0]);
    one.out(0x1f7, 0x20);
    one.pass(1000);
    expect([one.in(0x1f7), one.irq.edges, one.in(0x1f0, 2)]).toEqual([0, 0, 0]);
    one.out(0x1f6, 0xe0);
    expect(one.in(0x1f7)).toBe(READY);
    const none = new IdeBench(null);
    none.out(0x1f6, 0xe0);
    expect([0x1f1, 0x1f2, 0x1f7, 0x3f6].map((port) => none.in(port))).toEqual([0xff, 0xff, 0xff, 0xff]);
  });

  it("ignores a busy disk's task file and a second command", () => {
    const ide = new IdeBench(numberedDisk(4));
    ide.command(0x20, 1);
    ide.out(0x1f3, 3);
    ide.out(0x1f7, 0xff);
    ide.settle();
    expect(ide.readBytes(512)[0]).toBe(2);
  });

  it('goes on from a snapshot in the middle of a block', () => {
    const ide = new IdeBench(numberedDisk(4));
    ide.command(0x30, 0, 2);
    ide.writeBytes(0x11, 512);
    ide.settle();
    ide.writeBytes(0x22, 100);
    const other = new IdeBench(numberedDisk(4));
    other.channel.load(ide.channel.save());
    other.writeBytes(0x22, 412);
    expect(other.settle()).toBe(READY);
    expect([...other.images[0]!.bytes()].slice(0, 1025)).toEqual([
      ...new Array(512).fill(0x11),
      ...new Array(512).fill(0x22),
      3,
    ]);
  });
});

describe('a disk image', () => {
  it('is whole sectors', () => {
    for (const length of [0, 1, 511, 513])
      expect(() => new DiskImage(new Uint8Array(length))).toThrow(RangeError);
  });

  it('never changes the bytes it was made of, and saves written sectors only', () => {
    const bytes = numberedDisk(3);
    const disk = new DiskImage(bytes);
    disk.write(1, new Uint8Array(512).fill(9), 0);
    expect(bytes[512]).toBe(2);
    const saved = disk.save() as { sectors: Int32Array; data: Uint8Array[] };
    expect([...saved.sectors]).toEqual([1]);
    disk.write(1, new Uint8Array(512), 0);
    expect(saved.data[0]![0]).toBe(9);
    disk.load(saved as never);
    expect(disk.bytes()[512]).toBe(9);
  });
});
