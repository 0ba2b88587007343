import { describe, expect, it } from 'vitest';
import { BOOT_INFO_MAGIC, MODULE_LOAD_BASE } from '../../../emu/arch/boot-info.ts';
import { CoreF, R, RunState } from '../../../emu/arch/core-layout.ts';
import { Ev } from '../../../emu/arch/events.ts';
import { boot, makeMachine, readBootInfo } from './boot-fixture.ts';

const MIB = 1 << 20;

describe('the firmware', () => {
  it.each([1, 2, 4])('brings up %d cores and parks the others', (cores) => {
    const { machine, handOvers } = boot({ cores });
    expect(handOvers()).toBe(1);
    const info = readBootInfo(machine);
    expect(info.magic).toBe(BOOT_INFO_MAGIC);
    expect(info.coreCount).toBe(cores);
    expect(info.apicIds).toEqual(Array.from({ length: cores }, (_, i) => i));
    for (const { r, f } of machine.cores.slice(1)) {
      expect(r[R.RUN_STATE]).toBe(RunState.Halted);
      expect(f[CoreF.INSTRUCTIONS]).toBeGreaterThan(10);
    }
  });

  it.each([4 * MIB, 5 * MIB + 12_288, 16 * MIB, 64 * MIB, 256 * MIB])('sizes %d bytes of RAM', (ramBytes) => {
    const { machine } = boot({ ramBytes });
    const info = readBootInfo(machine);
    expect(info.ramBytes).toBe(ramBytes);
    expect(info.e820).toEqual([
      { base: 0, length: 0x9fc00, type: 1 },
      { base: 0x9fc00, length: 0x400, type: 2 },
      { base: 0xf0000, length: 0x10000, type: 2 },
      { base: MIB, length: ramBytes - MIB, type: 1 },
      { base: 0xfec00000, length: 0x1000, type: 2 },
      { base: 0xfee00000, length: 0x1000, type: 2 },
      { base: 0xffff0000, length: 0x10000, type: 2 },
    ]);
  });

  it('leaves memory above its own area as it found it', () => {
    const booting = makeMachine();
    const { machine } = booting;
    for (let frame = 6; frame < 1024; frame++) machine.bus.write32(frame * 4096 + 4092, frame);
    machine.run({ until: () => booting.handOvers() > 0 });
    expect(readBootInfo(machine).firmwareEnd).toBe(0x6000);
    for (let frame = 6; frame < 1024; frame++) {
      const isRam = frame < 0x9f || frame >= 0x100;
      if (isRam) expect(machine.bus.read32(frame * 4096 + 4092)).toBe(frame);
    }
  });

  it('copies boot modules to pages of their own and lists them', () => {
    const modules = [
      { name: 'root', bytes: Uint8Array.from({ length: 5001 }, (_, i) => i) },
      { name: 'empty', bytes: new Uint8Array(0) },
      { name: 'child', bytes: Uint8Array.from([9, 8, 7]) },
    ];
    const { machine, console } = boot({ modules });
    const listed = readBootInfo(machine).modules;
    expect(listed).toEqual([
      { name: 'root', start: MODULE_LOAD_BASE, end: MODULE_LOAD_BASE + 5001 },
      { name: 'empty', start: MODULE_LOAD_BASE + 0x2000, end: MODULE_LOAD_BASE + 0x2000 },
      { name: 'child', start: MODULE_LOAD_BASE + 0x2000, end: MODULE_LOAD_BASE + 0x2003 },
    ]);
    for (const [i, { start, end }] of listed.entries()) {
      const bytes = new Uint8Array(end - start);
      machine.bus.readBytes(start, bytes);
      expect(bytes).toEqual(modules[i]!.bytes);
    }
    expect(console()).toContain('  module   00200000 root, 5001 bytes\r\n');
  });

  it('says which module does not fit, and does not hand over', () => {
    const modules = [{ name: 'huge', bytes: new Uint8Array(3 * MIB).fill(1) }];
    const { console, handOvers } = boot({ modules });
    expect(handOvers()).toBe(0);
    expect(console()).toMatch(/failed {3}no room in memory for module huge\r\n$/);
  });

  it('tells its progress on the console in plain lines', () => {
    const { console } = boot({ cores: 2, ramBytes: 32 * MIB });
    expect(console().split('\r\n')).toEqual([
      'physmem firmware 1.0',
      '  cpu      family 6 model 8 stepping 1',
      '  memory   32 MiB  00000000-0009fbff 00100000-01ffffff',
      '  cores    2 online, apic 0 1',
      '  start    kernel',
      '',
    ]);
  });

  it('tells its progress by POST codes', () => {
    const booting = makeMachine();
    const codes: number[] = [];
    booting.machine.events.sink = {
      emit: (kind, _core, _time, a) => {
        if (kind === Ev.Post) codes.push(a);
      },
    };
    booting.machine.run({ until: () => booting.handOvers() > 0 });
    expect(codes).toEqual([0x01, 0x10, 0x11, 0x20, 0x21, 0x30, 0x40, 0x50, 0x60, 0xf0]);
  });

  it('does without a kernel: the machine rests', () => {
    const { machine } = makeMachine();
    machine.attach(null);
    expect(machine.run({ maxInstructions: 10_000_000 })).toEqual({ kind: 'idle' });
  });
});

describe('the MP tables', () => {
  const { machine } = boot({ cores: 3 });
  const bytes = (pa: number, length: number) => {
    const into = new Uint8Array(length);
    machine.bus.readBytes(pa, into);
    return into;
  };
  const ebda = machine.bus.read(0x40e, 2, -1) << 4;
  const pointer = bytes(ebda, 16);
  const tableAt = new DataView(pointer.buffer).getUint32(4, true);
  const header = new DataView(bytes(tableAt, 44).buffer);
  const table = bytes(tableAt, header.getUint16(4, true));
  const sum = (data: Uint8Array) => data.reduce((total, byte) => total + byte, 0) & 0xff;
  const text = (data: Uint8Array) => String.fromCharCode(...data);

  it('are found through the extended BIOS data area, with right checksums', () => {
    expect(text(pointer.subarray(0, 4))).toBe('_MP_');
    expect(text(table.subarray(0, 4))).toBe('PCMP');
    expect(sum(pointer)).toBe(0);
    expect(sum(table)).toBe(0);
    expect(header.getUint32(36, true)).toBe(0xfee00000);
  });

  it('list processors, bus, I/O APIC and interrupts, as many as the header counts', () => {
    const entries: Uint8Array[] = [];
    for (let at = 44; at < table.length; ) {
      const length = table[at] === 0 ? 20 : 8;
      entries.push(table.subarray(at, at + length));
      at += length;
    }
    expect(entries).toHaveLength(header.getUint16(34, true));
    const ofType = (type: number) => entries.filter((entry) => entry[0] === type);
    expect(ofType(0).map((entry) => [entry[1], entry[3]])).toEqual([
      [0, 3],
      [1, 1],
      [2, 1],
    ]);
    expect(ofType(1).map((entry) => text(entry.subarray(2, 8)))).toEqual(['ISA   ']);
    expect(ofType(2).map((entry) => entry[1])).toEqual([3]);
    expect(ofType(3).map((entry) => [entry[5], entry[6], entry[7]])).toEqual(
      [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map((irq) => [irq, 3, irq]),
    );
    expect(ofType(4)).toHaveLength(2);
  });
});
