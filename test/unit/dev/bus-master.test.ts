import { describe, expect, it } from 'vitest';
import { PORT_BUS_MASTER } from '../../../emu/arch/dma.ts';
import { BusMaster, MasterCommand, MasterReg, MasterStatus } from '../../../emu/dev/bus-master.ts';
import { DiskImage } from '../../../emu/dev/disk-image.ts';
import type { DmaOutcome, DmaTarget } from '../../../emu/dev/dma-ports.ts';
import { MAX_DESCRIPTORS, TransferError } from '../../../emu/dev/scatter-list.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import { makeWorld, Ports } from './dma-fixture.ts';
import { FakeLine } from './fixtures.ts';

const SECTORS = 100;
const COMMAND_CYCLES = 1000;
const SECTOR_CYCLES = 400;
const LIST = 0x1000;

const medium = Uint8Array.from({ length: SECTORS * 512 }, (_, i) => (i * 7 + (i >> 9)) & 0xff);
type Piece = readonly [address: number, length: number, flags?: number];

function make() {
  const world = makeWorld(1 << 20);
  const { clock, events, memory } = world;
  const irq = new FakeLine();
  const quiet: number[] = [];
  const gate = { outcome: 'done' as DmaOutcome };
  const guarded = {
    read: (pa: number, into: Uint8Array) => world.port.read(pa, into) && gate.outcome,
    write: (pa: number, from: Uint8Array) => world.port.write(pa, from) && gate.outcome,
  };
  const disk = new BusMaster(new DiskImage(medium), {
    clock,
    events,
    irq,
    memory: guarded,
    commandCycles: COMMAND_CYCLES,
    sectorCycles: SECTOR_CYCLES,
    quiet: (channel) => void quiet.push(channel),
  });
  const ports = new Ports([disk]);
  const out = (register: MasterReg, value: number) => ports.out(PORT_BUS_MASTER + register, value, 4);
  const get = (register: MasterReg) => ports.in(PORT_BUS_MASTER + register, 4);
  /** Writes the list to RAM; flags default to disk-to-memory. */
  const list = (pieces: readonly Piece[]) => {
    const view = new DataView(memory.buffer);
    for (const [i, [address, length, flags = 1]] of pieces.entries()) {
      for (const [k, word] of [address, length, flags, 0].entries()) {
        view.setUint32(LIST + 16 * i + 4 * k, word, true);
      }
    }
    out(MasterReg.List, LIST);
    out(MasterReg.Count, pieces.length);
  };
  const start = (sector: number, pieces: readonly Piece[]) => {
    list(pieces);
    out(MasterReg.Sector, sector);
    out(MasterReg.Control, 1);
    out(MasterReg.Command, MasterCommand.Start);
  };
  const at = (pa: number, count: number) => [...memory.subarray(pa, pa + count)];
  return { ...world, disk, irq, quiet, gate, ports, out, get, list, start, at };
}

const bytesOf = (first: number, count: number) => [...medium.subarray(first, first + count)];

describe('the bus master', () => {
  it('scatters consecutive sectors over pieces of any length and place, and interrupts at the end', () => {
    const { clock, irq, get, at, log, start } = make();
    start(10, [
      [0x20003, 100],
      [0x30000, 700],
      [0x40001, 224],
    ]);
    clock.advance(10_000);
    expect(at(0x20003, 101)).toEqual([...bytesOf(5120, 100), 0]);
    expect(at(0x30000, 701)).toEqual([...bytesOf(5220, 700), 0]);
    expect(at(0x40001, 225)).toEqual([...bytesOf(5920, 224), 0]);
    expect(irq.level).toBe(1);
    expect(get(MasterReg.Command)).toBe(MasterStatus.Ready | MasterStatus.Interrupt);
    expect([get(MasterReg.Moved), get(MasterReg.Control)]).toEqual([1024, TransferError.None]);
    expect(log).toEqual([
      'block:block_rq_issue 3 1 a 2',
      'dma:start 8 20003 64 1',
      'dma:done 8 20003 64 1',
      'dma:start 8 30000 2bc 1',
      'dma:done 8 30000 2bc 1',
      'dma:start 8 40001 e0 1',
      'dma:done 8 40001 e0 1',
      'block:block_rq_complete 3 c 0 0',
    ]);
  });

  it('gathers pieces into sectors, and may turn round between sectors of one list', () => {
    const { clock, disk, memory, at, start } = make();
    for (let i = 0; i < 512; i++) memory[0x20000 + i] = i & 0x7f;
    start(50, [
      [0x20000, 12, 0],
      [0x2000c, 500, 0],
      [0x50000, 512, 1],
    ]);
    clock.advance(10_000);
    expect([...disk.image.bytes().subarray(50 * 512, 51 * 512)]).toEqual(at(0x20000, 512));
    expect(at(0x50000, 512)).toEqual(bytesOf(51 * 512, 512));
  });

  it('moves a quarter of a sector in a quarter of its time', () => {
    const { clock, irq, get, at, start } = make();
    start(0, [[0x20000, 512]]);
    clock.advance(COMMAND_CYCLES + SECTOR_CYCLES / 2 - 1);
    expect(get(MasterReg.Moved)).toBe(128);
    clock.advance(COMMAND_CYCLES + SECTOR_CYCLES / 2);
    expect(get(MasterReg.Moved)).toBe(256);
    expect(at(0x20000, 258)).toEqual([...bytesOf(0, 256), 0, 0]);
    clock.advance(COMMAND_CYCLES + SECTOR_CYCLES - 1);
    expect(irq.level).toBe(0);
    clock.advance(COMMAND_CYCLES + SECTOR_CYCLES);
    expect(irq.level).toBe(1);
  });

  it('has read its list once and for all when it moves: changing it then changes nothing', () => {
    const { clock, at, list, start } = make();
    start(0, [
      [0x20000, 512],
      [0x30000, 512],
    ]);
    clock.advance(COMMAND_CYCLES + 10);
    list([
      [0x60000, 512],
      [0x70000, 512],
    ]);
    clock.advance(10_000);
    expect(at(0x30000, 512)).toEqual(bytesOf(512, 512));
    expect(at(0x60000, 2)).toEqual([0, 0]);
  });

  it.each<[string, number, readonly Piece[], TransferError]>([
    ['an empty list', 0, [], TransferError.BadList],
    [
      'a list that is too long',
      0,
      new Array<Piece>(MAX_DESCRIPTORS + 1).fill([0x20000, 512]),
      TransferError.BadList,
    ],
    ['a length of 0', 0, [[0x20000, 0]], TransferError.BadDescriptor],
    ['an end beyond 4 GiB', 0, [[0xffffff00, 512]], TransferError.BadDescriptor],
    ['a flag that does not exist', 0, [[0x20000, 512, 3]], TransferError.BadDescriptor],
    ['half a sector', 0, [[0x20000, 700]], TransferError.HalfSector],
    [
      'a turn in mid-sector',
      0,
      [
        [0x20000, 100, 1],
        [0x20000, 412, 0],
      ],
      TransferError.HalfSector,
    ],
    ['sectors beyond the end', SECTORS - 1, [[0x20000, 1024]], TransferError.NoSector],
    ['a first sector beyond the end', 0xffffffff, [[0x20000, 512]], TransferError.NoSector],
  ])('refuses %s before a byte moves', (_what, sector, pieces, error) => {
    const { clock, irq, get, memory, log, start } = make();
    start(sector, pieces);
    clock.advance(100_000);
    expect([get(MasterReg.Control), get(MasterReg.Moved)]).toEqual([error, 0]);
    expect(irq.level).toBe(1);
    expect(memory[0x20000]).toBe(0);
    expect(log.filter((line) => line.startsWith('dma'))).toEqual([]);
  });

  it('refuses a list that is not at a multiple of 4', () => {
    const { clock, get, out, start } = make();
    start(0, [[0x20000, 512]]);
    out(MasterReg.Command, MasterCommand.Reset);
    out(MasterReg.List, LIST + 2);
    out(MasterReg.Count, 1);
    out(MasterReg.Command, MasterCommand.Start);
    clock.advance(10_000);
    expect(get(MasterReg.Control)).toBe(TransferError.BadList);
  });

  it('ends with an error when an access is blocked, of its list as of its data', () => {
    const { clock, gate, get, start } = make();
    start(0, [[0x20000, 512]]);
    gate.outcome = 'blocked';
    clock.advance(COMMAND_CYCLES);
    expect([get(MasterReg.Control), get(MasterReg.Moved)]).toEqual([TransferError.Blocked, 0]);
    gate.outcome = 'done';
    start(0, [[0x20000, 512]]);
    clock.advance(2 * COMMAND_CYCLES + SECTOR_CYCLES / 2);
    gate.outcome = 'blocked';
    clock.advance(10_000);
    expect([get(MasterReg.Control), get(MasterReg.Moved)]).toEqual([TransferError.Blocked, 256]);
  });

  it('stops at once when it is told to abort or reset, and tells that it is quiet', () => {
    const { clock, irq, quiet, log, get, out, at, start } = make();
    start(0, [
      [0x20000, 512],
      [0x30000, 512],
    ]);
    clock.advance(COMMAND_CYCLES + SECTOR_CYCLES / 2);
    out(MasterReg.Command, MasterCommand.Abort);
    expect([get(MasterReg.Control), get(MasterReg.Moved), irq.level]).toEqual([
      TransferError.Aborted,
      256,
      1,
    ]);
    expect(log.at(-1)).toBe('block:block_rq_complete 3 0 2 8');
    expect(log.at(-2)).toBe('dma:done 8 20000 100 1');
    clock.advance(10_000);
    expect(at(0x20000 + 256, 2)).toEqual([0, 0]);
    start(0, [[0x30000, 512]]);
    clock.advance(10_000 + COMMAND_CYCLES + SECTOR_CYCLES / 2);
    out(MasterReg.Command, MasterCommand.Reset);
    expect([get(MasterReg.Command), get(MasterReg.Moved), irq.level]).toEqual([MasterStatus.Ready, 0, 0]);
    expect(quiet).toEqual([8, 8]);
  });

  it('aims at its list first, then at what is left of it, then at nothing', () => {
    const { clock, disk, quiet, start } = make();
    expect(disk.targets()).toEqual([]);
    start(0, [
      [0x20000, 512],
      [0x30000, 512, 0],
    ]);
    const common = { device: 'bus-master', channel: 8, state: 'running' };
    const list: DmaTarget = {
      ...common,
      address: LIST,
      sizeBytes: 32,
      direction: 'from-memory',
    } as DmaTarget;
    expect(disk.targets()).toEqual([list]);
    clock.advance(COMMAND_CYCLES + SECTOR_CYCLES / 4);
    expect(disk.targets()).toEqual([
      { ...common, address: 0x20080, sizeBytes: 384, direction: 'to-memory' },
      { ...common, address: 0x30000, sizeBytes: 512, direction: 'from-memory' },
    ]);
    expect(quiet).toEqual([]);
    clock.advance(10_000);
    expect(disk.targets()).toEqual([]);
    expect(quiet).toEqual([8]);
  });

  it('has registers of 32 bits: narrower writes are dropped, narrower reads give a part', () => {
    const { ports, out, get } = make();
    out(MasterReg.Sector, 0x12345678);
    ports.out(PORT_BUS_MASTER + MasterReg.Sector, 0xff, 1);
    expect(get(MasterReg.Sector)).toBe(0x12345678);
    expect(ports.in(PORT_BUS_MASTER + MasterReg.Sector + 1, 1)).toBe(0x56);
    expect(get(MasterReg.Capacity)).toBe(SECTORS);
  });
});

describe('a snapshot of the bus master', () => {
  it('taken at any moment of a transfer goes on exactly', () => {
    const pieces: readonly Piece[] = [
      [0x20003, 100],
      [0x30000, 700],
      [0x40001, 224],
      [0x20000, 512, 0],
    ];
    const end = (world: ReturnType<typeof make>) => {
      world.clock.advance(10_000);
      return {
        state: world.disk.save(),
        irq: world.irq.level,
        log: world.log,
        memory: [...world.memory.slice(0, 0x41000)],
      };
    };
    const begin = () => {
      const world = make();
      world.start(10, pieces);
      return world;
    };
    const whole = JSON.stringify(end(begin()));
    for (const at of [500, 1000, 1078, 1079, 1500, 2300, 2700, 5000]) {
      const first = begin();
      first.clock.advance(at);
      const second = make();
      second.disk.load(decode(encode(first.disk.save())));
      second.memory.set(first.memory);
      second.log.push(...first.log);
      second.irq.level = first.irq.level;
      second.clock.time = at;
      const deadline = first.clock.deadline(first.disk);
      if (deadline !== undefined) second.clock.arm(second.disk, deadline);
      expect(JSON.stringify(end(second)) === whole, `at ${at}`).toBe(true);
    }
  });
});
