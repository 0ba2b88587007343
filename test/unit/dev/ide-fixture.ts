/** An IDE channel on a fake clock, driven through its ports as a driver does. */
import type { PortRange } from '../../../emu/arch/ports.ts';
import { DiskImage } from '../../../emu/dev/disk-image.ts';
import { IdeChannel } from '../../../emu/dev/ide.ts';
import { FakeClock, FakeLine } from './fixtures.ts';

export const COMMAND_CYCLES = 100;
export const SECTOR_CYCLES = 10;

/** A disk whose sector n is filled with the byte n + 1. */
export function numberedDisk(sectors: number): Uint8Array {
  const bytes = new Uint8Array(sectors * 512);
  for (let i = 0; i < sectors; i++) bytes.fill(i + 1, i * 512, (i + 1) * 512);
  return bytes;
}

export class IdeBench {
  readonly clock = new FakeClock();
  readonly irq = new FakeLine();
  readonly images: readonly [DiskImage | null, DiskImage | null];
  readonly channel: IdeChannel;

  constructor(disk0: Uint8Array | null, disk1: Uint8Array | null = null) {
    this.images = [disk0 && new DiskImage(disk0), disk1 && new DiskImage(disk1)];
    this.channel = new IdeChannel(this.images, {
      clock: this.clock,
      events: { sink: null },
      irq: this.irq,
      commandCycles: COMMAND_CYCLES,
      sectorCycles: SECTOR_CYCLES,
    });
  }

  out(port: number, value: number, size: 1 | 2 | 4 = 1): void {
    this.range(port).write(port, size, value, 0);
  }

  in(port: number, size: 1 | 2 | 4 = 1): number {
    return this.range(port).read(port, size, 0) & (size === 1 ? 0xff : -1);
  }

  /** Task file for LBA `lba` of `drive`, then the command. */
  command(command: number, lba = 0, count = 1, drive = 0): void {
    this.out(0x1f6, 0xe0 | (drive << 4) | (lba >>> 24));
    this.out(0x1f2, count);
    this.out(0x1f3, lba);
    this.out(0x1f4, lba >>> 8);
    this.out(0x1f5, lba >>> 16);
    this.out(0x1f7, command);
  }

  pass(cycles: number): void {
    this.clock.advance(this.clock.time + cycles);
  }

  /** Lets a command come to its first data or its end. */
  settle(): number {
    this.pass(COMMAND_CYCLES + 16 * SECTOR_CYCLES);
    return this.in(0x1f7);
  }

  readBytes(count: number): number[] {
    const bytes: number[] = [];
    for (let i = 0; i < count; i += 4) {
      const word = this.in(0x1f0, 4);
      bytes.push(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
    }
    return bytes;
  }

  writeBytes(byte: number, count: number): void {
    for (let i = 0; i < count; i += 2) this.out(0x1f0, byte * 0x101, 2);
  }

  private range(port: number): PortRange {
    return this.channel.portRanges.find(({ first, last }) => port >= first && port <= last)!;
  }
}
