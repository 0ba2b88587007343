import { describe, expect, it } from 'vitest';
import { PORT_BUS_MASTER, PORT_DMA_DISK } from '../../../emu/arch/dma.ts';
import { type Engine, Exit } from '../../../emu/arch/engine.ts';
import type { AccessSize } from '../../../emu/arch/ports.ts';
import { IoAccess } from '../../../emu/dev/io-protection.ts';
import { Machine } from '../../../emu/machine.ts';
import type { MachineConfig } from '../../../emu/machine-config.ts';
import { MODE_SINGLE, program, TYPE_WRITE } from '../dev/dma-fixture.ts';

const RAM_BYTES = 4 << 20;
const BUFFER = 0x20000;
const FRAME = BUFFER >>> 12;
const image = new Uint8Array(16 * 512).fill(0x5a);

function make(config: Partial<MachineConfig> = {}) {
  const restingEngine: Engine = {
    name: 'resting',
    run: () => Exit.Halt,
    invalidateCode: () => {},
    reset: () => {},
  };
  const machine = new Machine({
    rom: new Uint8Array(4096),
    cores: 1,
    ramBytes: RAM_BYTES,
    engine: () => restingEngine,
    dmaDisk: { image },
    busMaster: { image },
    ...config,
  });
  const out = (port: number, value: number, size: AccessSize = 1) => machine.io.write(port, size, value, 0);
  const readDisk = (sectors: number) => {
    program({ out }, { channel: 3, address: BUFFER, length: 512 * sectors, mode: MODE_SINGLE | TYPE_WRITE });
    out(PORT_DMA_DISK + 2, sectors);
    out(PORT_DMA_DISK, 1);
  };
  const finish = () => {
    while (machine.clock.fireNext(Number.MAX_SAFE_INTEGER));
  };
  return { machine, out, readDisk, finish };
}

describe('the DMA part of the board', () => {
  it('is silent without disks: nobody answers at their ports', () => {
    const { machine } = make({ dmaDisk: null, busMaster: null });
    expect(machine.io.read(PORT_DMA_DISK, 1, 0)).toBe(0xff);
    expect(machine.io.read(PORT_BUS_MASTER, 4, 0)).toBe(0xffffffff);
    expect(machine.dmaActivity()).toEqual([]);
  });

  it('knows which frames are targets, and tells when they are quiet', () => {
    const { machine, readDisk, finish } = make();
    const told: [number, boolean][] = [];
    machine.onDmaQuiet = (channel) => told.push([channel, machine.isDmaTarget(FRAME, 2)]);
    readDisk(16);
    expect([FRAME - 1, FRAME, FRAME + 1, FRAME + 2].map((f) => machine.isDmaTarget(f, 1))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(machine.isDmaTarget(FRAME - 5, 6)).toBe(true);
    finish();
    expect(told).toEqual([[3, false]]);
    expect(machine.memory.ram[BUFFER]).toBe(0x5a);
  });

  it('counts frames of which a transfer touches one byte only', () => {
    const { machine, out } = make();
    program({ out }, { channel: 3, address: BUFFER + 4095, length: 4098, mode: MODE_SINGLE | TYPE_WRITE });
    const frames = [FRAME - 1, FRAME, FRAME + 1, FRAME + 2, FRAME + 3];
    expect(frames.map((frame) => machine.isDmaTarget(frame, 1))).toEqual([false, true, true, true, false]);
  });

  it('frees a frame as soon as the transfer has passed it', () => {
    const { machine, readDisk } = make();
    readDisk(16);
    while (machine.memory.ram[BUFFER + 4096] === 0) machine.clock.fireNext(Number.MAX_SAFE_INTEGER);
    expect([FRAME, FRAME + 1].map((f) => machine.isDmaTarget(f, 1))).toEqual([false, true]);
  });

  it('shows every access to the bus’s observers, and who makes it', () => {
    const { machine, readDisk, finish } = make();
    const seen = new Set<string>();
    machine.bus.observe(FRAME);
    machine.bus.observer = {
      access: (pa, size, kind, _value, core) =>
        void seen.add(
          `${kind} ${pa >>> 12} ${size} core ${core} channel ${machine.ioProtection.masterOnBus}`,
        ),
    };
    readDisk(1);
    finish();
    expect([...seen]).toEqual([`write ${FRAME} 128 core -1 channel 3`]);
  });

  it('tells the engines of code that a device overwrites', () => {
    const { machine, readDisk, finish } = make();
    const written: number[] = [];
    machine.bus.onCodeWrite({ codeWritten: (frame) => void written.push(frame) });
    machine.bus.markCode(FRAME);
    readDisk(1);
    finish();
    expect(new Set(written)).toEqual(new Set([FRAME]));
  });

  it('holds back what the protection unit does not allow, in the middle of a transfer too', () => {
    const { machine, readDisk, finish } = make({ ioProtection: 'on' });
    machine.ioProtection.allow(FRAME, 2, IoAccess.Write);
    readDisk(16);
    while (machine.memory.ram[BUFFER + 4096] === 0) machine.clock.fireNext(Number.MAX_SAFE_INTEGER);
    machine.ioProtection.deny(FRAME + 1, 1);
    finish();
    expect(machine.memory.ram[BUFFER + 4096 + 127]).toBe(0x5a);
    expect(machine.memory.ram[BUFFER + 4096 + 128]).toBe(0);
    expect(machine.ioProtection.blockedCount).toBe((4096 - 128) / 128);
  });

  it('knows what a device can still reach: aimed at, and not held back in that direction', () => {
    const { machine, readDisk } = make({ ioProtection: 'on' });
    readDisk(16);
    const reachable = () => [FRAME - 1, FRAME, FRAME + 1].map((f) => machine.isDmaReachable(f, 1));
    expect(reachable()).toEqual([false, false, false]);
    machine.ioProtection.allow(FRAME, 2, IoAccess.Read);
    expect(reachable()).toEqual([false, false, false]);
    machine.ioProtection.allow(FRAME, 1, IoAccess.Write);
    expect(reachable()).toEqual([false, true, false]);
    expect(machine.isDmaReachable(FRAME - 3, 9)).toBe(true);
    const open = make({ ioProtection: 'report' });
    open.readDisk(16);
    expect([FRAME - 1, FRAME, FRAME + 2].map((f) => open.machine.isDmaReachable(f, 1))).toEqual([
      false,
      true,
      false,
    ]);
  });

  it.each<[string, Partial<MachineConfig>, string]>([
    ['a channel that is the cascade', { dmaDisk: { image, channel: 4 } }, 'dmaDisk.channel is 4'],
    ['a channel that is none', { dmaDisk: { image, channel: 8 } }, 'dmaDisk.channel is 8'],
    ['half a sector', { busMaster: { image: new Uint8Array(100) } }, 'a disk of 100 bytes'],
    ['a time below 0', { busMaster: { image, sectorCycles: -1 } }, 'sectorCycles is -1'],
  ])('refuses %s', (_what, config, sentence) => {
    expect(() => make(config)).toThrow(sentence);
  });

  it('does not load a snapshot of a machine with other disks', () => {
    const saved = make().machine.save();
    for (const config of [{ dmaDisk: null }, { busMaster: null }, { ioProtection: 'on' as const }]) {
      expect(() => make(config).machine.load(saved)).toThrow('this one has');
    }
    expect(() => make({ dmaDisk: { image, channel: 1 } }).machine.load(saved)).toThrow('on channel 3');
  });
});
