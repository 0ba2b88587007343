import { describe, expect, it } from 'vitest';
import { DMA_DISK_CHANNEL, PORT_DMA_DISK } from '../../../emu/arch/dma.ts';
import { DiskImage } from '../../../emu/dev/disk-image.ts';
import {
  CONTROL_INTERRUPT,
  DiskCommand,
  DiskError,
  DiskReg,
  DiskStatus,
  DMA_TIMEOUT_CYCLES,
  DmaDisk,
} from '../../../emu/dev/dma-disk.ts';
import { Dma8237 } from '../../../emu/dev/dma8237.ts';
import { DmaReg } from '../../../emu/dev/dma8237-chip.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import {
  dmaPort,
  MODE_SINGLE,
  makeWorld,
  Ports,
  program,
  TRANSFER_CYCLES,
  TYPE_READ,
  TYPE_WRITE,
} from './dma-fixture.ts';
import { FakeLine } from './fixtures.ts';

const SECTORS = 200;
const COMMAND_CYCLES = 1000;
const SECTOR_CYCLES = 400;
/** Medium and controller one after the other, byte by byte on channel 3. */
const CYCLES_PER_SECTOR = SECTOR_CYCLES + 512 * TRANSFER_CYCLES;
const BUFFER = 0x40000;

/** Sector n is full of bytes that tell n and the place in it. */
const sectorByte = (sector: number, i: number): number => (sector * 7 + i * 3 + 1) & 0xff;
const medium = Uint8Array.from({ length: SECTORS * 512 }, (_, i) => sectorByte(Math.floor(i / 512), i % 512));
const sectorsOf = (first: number, count: number) => [...medium.subarray(first * 512, (first + count) * 512)];

function make(channel = DMA_DISK_CHANNEL) {
  const world = makeWorld(1 << 20);
  const { clock, events } = world;
  const dma = new Dma8237({
    clock,
    events,
    memory: new Array(8).fill(world.port),
    transferCycles: TRANSFER_CYCLES,
    quiet: () => {},
  });
  const irq = new FakeLine();
  const disk = new DmaDisk(new DiskImage(medium), {
    clock,
    events,
    irq,
    channel,
    request: dma.line(channel),
    commandCycles: COMMAND_CYCLES,
    sectorCycles: SECTOR_CYCLES,
  });
  dma.connect(channel, disk);
  const ports = new Ports([...dma.portRanges, disk]);
  const out = (register: DiskReg, value: number, size: 1 | 4 = 1) =>
    ports.out(PORT_DMA_DISK + register, value, size);
  const get = (register: DiskReg, size: 1 | 4 = 1) => ports.in(PORT_DMA_DISK + register, size);
  const start = (command: DiskCommand, sector: number, count: number) => {
    out(DiskReg.Control, CONTROL_INTERRUPT);
    out(DiskReg.Sector, sector, 4);
    out(DiskReg.Count, count);
    out(DiskReg.Command, command);
  };
  const aim = (length: number, type: number) =>
    program(ports, { channel, address: BUFFER, length, mode: MODE_SINGLE | type });
  const at = (pa: number, count: number) => [...world.memory.subarray(pa, pa + count)];
  return { ...world, dma, disk, irq, ports, out, get, start, aim, at };
}

type World = ReturnType<typeof make>;

const result = ({ get }: World) => ({
  status: get(DiskReg.Command),
  error: get(DiskReg.Control),
  left: get(DiskReg.Count),
  sector: get(DiskReg.Sector, 4),
});

describe('the DMA disk', () => {
  it.each([3, 1, 5])('reads sectors into memory over channel %i and interrupts at the end', (channel) => {
    const world = make(channel);
    const { clock, irq, at, get, log, aim, start } = world;
    aim(1024, TYPE_WRITE);
    start(DiskCommand.Read, 17, 2);
    expect(get(DiskReg.Command)).toBe(DiskStatus.Busy);
    expect(get(DiskReg.Channel)).toBe(channel);
    clock.advance(10_000);
    expect(irq.level).toBe(1);
    expect(result(world)).toEqual({
      status: DiskStatus.Ready | DiskStatus.Interrupt,
      error: DiskError.None,
      left: 0,
      sector: 19,
    });
    expect(at(BUFFER, 1025)).toEqual([...sectorsOf(17, 2), 0]);
    expect(log).toEqual([
      'block:block_rq_issue 2 1 11 2',
      `dma:start ${channel} 40000 400 1`,
      `dma:done ${channel} 40000 400 1`,
      'block:block_rq_complete 2 13 0 0',
    ]);
  });

  it('moves 128 sectors, 64 KiB, with one command, and takes the time that they take', () => {
    const { clock, irq, at, aim, start } = make();
    aim(65536, TYPE_WRITE);
    start(DiskCommand.Read, 0, 128);
    clock.advance(COMMAND_CYCLES + 128 * CYCLES_PER_SECTOR - 1);
    expect(irq.level).toBe(0);
    clock.advance(COMMAND_CYCLES + 128 * CYCLES_PER_SECTOR);
    expect(irq.level).toBe(1);
    expect(at(BUFFER, 65536)).toEqual(sectorsOf(0, 128));
  });

  it('moves a sector in quarters, so that half of it is there at half time', () => {
    const { clock, at, get, aim, start } = make();
    aim(512, TYPE_WRITE);
    start(DiskCommand.Read, 5, 1);
    clock.advance(COMMAND_CYCLES + CYCLES_PER_SECTOR / 2);
    expect(at(BUFFER, 258)).toEqual([...sectorsOf(5, 1).slice(0, 256), 0, 0]);
    expect(get(DiskReg.Count)).toBe(1);
    expect(get(DiskReg.Sector, 4)).toBe(5);
  });

  it('writes sectors from memory', () => {
    const { clock, irq, disk, memory, aim, start } = make();
    for (let i = 0; i < 1024; i++) memory[BUFFER + i] = (i * 5) & 0xff;
    aim(1024, TYPE_READ);
    start(DiskCommand.Write, 100, 2);
    clock.advance(COMMAND_CYCLES + 2 * CYCLES_PER_SECTOR);
    expect(irq.level).toBe(1);
    const written = disk.image.bytes().subarray(100 * 512, 102 * 512);
    expect([...written]).toEqual([...memory.subarray(BUFFER, BUFFER + 1024)]);
    expect(disk.image.writtenCount).toBe(2);
  });

  it('takes its interrupt back when it is acknowledged or gets a command, and keeps it to itself when not wanted', () => {
    const { clock, irq, get, out, aim, start } = make();
    aim(512, TYPE_WRITE);
    start(DiskCommand.Read, 0, 1);
    clock.advance(10_000);
    out(DiskReg.Command, DiskCommand.Acknowledge);
    expect([irq.level, get(DiskReg.Command)]).toEqual([0, DiskStatus.Ready]);
    out(DiskReg.Control, 0);
    aim(512, TYPE_WRITE);
    out(DiskReg.Count, 1);
    out(DiskReg.Command, DiskCommand.Read);
    clock.advance(20_000);
    expect([irq.level, get(DiskReg.Command)]).toEqual([0, DiskStatus.Ready | DiskStatus.Interrupt]);
    out(DiskReg.Control, CONTROL_INTERRUPT);
    expect(irq.level).toBe(1);
  });

  it('tells its size', () => {
    const { get, out, irq } = make();
    out(DiskReg.Command, DiskCommand.Capacity);
    expect(get(DiskReg.Sector, 4)).toBe(SECTORS);
    expect(irq.edges).toBe(0);
  });

  it('waits for a channel that is masked, and gives up after the time-out', () => {
    const world = make();
    world.start(DiskCommand.Read, 0, 1);
    world.clock.advance(COMMAND_CYCLES + SECTOR_CYCLES / 4);
    expect(world.get(DiskReg.Command)).toBe(DiskStatus.Busy | DiskStatus.DataRequest);
    world.clock.advance(COMMAND_CYCLES + SECTOR_CYCLES / 4 + DMA_TIMEOUT_CYCLES);
    expect(result(world)).toMatchObject({ error: DiskError.NoDma, left: 1, sector: 0 });
    expect(world.irq.level).toBe(1);
    // The request is gone: programming the channel now moves nothing.
    world.aim(512, TYPE_WRITE);
    world.clock.advance(3 * DMA_TIMEOUT_CYCLES);
    expect(world.memory[BUFFER]).toBe(0);
  });

  it('goes on when the channel is unmasked in time', () => {
    const world = make();
    world.start(DiskCommand.Read, 3, 1);
    world.clock.advance(DMA_TIMEOUT_CYCLES / 2);
    world.aim(512, TYPE_WRITE);
    world.clock.advance(DMA_TIMEOUT_CYCLES);
    expect(result(world)).toMatchObject({ error: DiskError.None, left: 0, sector: 4 });
    expect(world.at(BUFFER, 512)).toEqual(sectorsOf(3, 1));
  });

  it.each([
    ['a count of 0', DiskCommand.Read, 0, 0, DiskError.BadCount],
    ['a count of 129', DiskCommand.Write, 0, 129, DiskError.BadCount],
    ['sectors beyond the end', DiskCommand.Read, SECTORS - 1, 2, DiskError.NoSector],
    ['a sector number of 32 bits', DiskCommand.Read, 0xffffffff, 1, DiskError.NoSector],
    ['a command that is none', 0x77 as DiskCommand, 0, 1, DiskError.BadCommand],
  ])('refuses %s with an interrupt and moves nothing', (_what, command, sector, count, error) => {
    const world = make();
    world.aim(65536, TYPE_WRITE);
    world.start(command, sector, count);
    world.clock.advance(100_000);
    expect(result(world)).toMatchObject({ error, left: count, sector });
    expect(world.irq.level).toBe(1);
    expect(world.memory[BUFFER]).toBe(0);
  });

  it('ends at a terminal count that comes too early, and says what is missing', () => {
    const world = make();
    world.aim(640, TYPE_WRITE);
    world.start(DiskCommand.Read, 8, 3);
    world.clock.advance(100_000);
    expect(result(world)).toMatchObject({ error: DiskError.ShortCount, left: 2, sector: 9 });
    expect(world.at(BUFFER, 641)).toEqual([...sectorsOf(8, 2).slice(0, 640), 0]);
  });

  it('does not write a sector of which only a part has come', () => {
    const world = make();
    world.aim(640, TYPE_READ);
    world.start(DiskCommand.Write, 8, 3);
    world.clock.advance(100_000);
    expect(result(world)).toMatchObject({ error: DiskError.ShortCount, left: 2 });
    expect(world.disk.image.writtenCount).toBe(1);
  });

  it.each([
    [DiskCommand.Read, TYPE_READ],
    [DiskCommand.Write, TYPE_WRITE],
  ])('notices a channel whose direction is not that of command %i', (command, type) => {
    const world = make();
    world.aim(512, type);
    world.start(command, 8, 1);
    world.clock.advance(100_000);
    expect(result(world)).toMatchObject({ error: DiskError.WrongDirection, left: 1 });
    expect(world.disk.image.writtenCount).toBe(0);
  });

  it('stops at once when it is told to abort: no byte moves any more', () => {
    const world = make();
    world.aim(65536, TYPE_WRITE);
    world.start(DiskCommand.Read, 0, 128);
    world.clock.advance(COMMAND_CYCLES + 2 * CYCLES_PER_SECTOR);
    world.out(DiskReg.Command, DiskCommand.Abort);
    expect(result(world)).toMatchObject({ error: DiskError.Aborted, left: 126, sector: 2 });
    expect(world.irq.level).toBe(1);
    world.clock.advance(10_000_000);
    expect(world.at(BUFFER + 1024, 4)).toEqual([0, 0, 0, 0]);
    expect(world.dma.targets()).toMatchObject([{ address: BUFFER + 1024, state: 'running' }]);
    world.ports.out(dmaPort(3, DmaReg.SingleMask), 4 | 3);
    expect(world.dma.targets()).toEqual([]);
    world.out(DiskReg.Command, DiskCommand.Abort);
    expect(world.irq.edges).toBe(1);
  });

  it('forgets everything but its medium when it is reset', () => {
    const world = make();
    world.aim(65536, TYPE_WRITE);
    world.start(DiskCommand.Read, 0, 128);
    world.clock.advance(COMMAND_CYCLES + 2 * CYCLES_PER_SECTOR);
    world.out(DiskReg.Command, DiskCommand.Reset);
    world.clock.advance(10_000_000);
    expect(result(world)).toEqual({ status: DiskStatus.Ready, error: 0, left: 0, sector: 0 });
    expect(world.irq.edges).toBe(0);
  });

  it('ignores other commands and its task registers while it is busy', () => {
    const world = make();
    world.aim(512, TYPE_WRITE);
    world.start(DiskCommand.Read, 4, 1);
    world.start(DiskCommand.Write, 9, 7);
    world.out(DiskReg.Command, DiskCommand.Capacity);
    world.clock.advance(100_000);
    expect(result(world)).toMatchObject({ error: DiskError.None, left: 0, sector: 5 });
    expect(world.at(BUFFER, 512)).toEqual(sectorsOf(4, 1));
  });
});

describe('a snapshot of the DMA disk', () => {
  /** Runs a read and a write of two sectors; `at` is where it is saved and goes on in another world. */
  const run = (at: number) => {
    let world = make();
    const goTo = (time: number) => {
      if (at > world.clock.time && at <= time) {
        world.clock.advance(at);
        const other = make();
        other.memory.set(world.memory);
        other.log.push(...world.log);
        other.irq.level = world.irq.level;
        other.irq.edges = world.irq.edges;
        other.clock.time = world.clock.time;
        other.dma.load(decode(encode(world.dma.save())));
        other.disk.load(decode(encode(world.disk.save())));
        for (const [mine, theirs] of [
          [world.dma, other.dma],
          [world.disk, other.disk],
        ] as const) {
          const deadline = world.clock.deadline(mine);
          if (deadline !== undefined) other.clock.arm(theirs, deadline);
        }
        world = other;
      }
      world.clock.advance(time);
    };
    world.aim(1024, TYPE_WRITE);
    world.start(DiskCommand.Read, 1, 2);
    goTo(6000);
    world.aim(1024, TYPE_READ);
    world.start(DiskCommand.Write, 3, 2);
    goTo(12_000);
    const sum = (bytes: Uint8Array) => bytes.reduce((a, byte, i) => (a + byte * (i + 1)) >>> 0, 0);
    const ram = sum(world.memory.subarray(BUFFER, BUFFER + 2048));
    return {
      log: world.log,
      ...result(world),
      edges: world.irq.edges,
      ram,
      disk: sum(world.disk.image.bytes()),
    };
  };

  it('taken at any moment of a transfer goes on exactly', () => {
    const whole = run(0);
    expect(whole).toMatchObject({ error: 0, left: 0, sector: 5 });
    for (let at = 37; at < 12_000; at += 193) expect(run(at), `at ${at}`).toEqual(whole);
  });
});
