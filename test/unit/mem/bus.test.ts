import { describe, expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { Ev } from '../../../emu/arch/events.ts';
import { createMemory } from '../../../emu/mem/index.ts';
import { TestMachine } from '../cpu/test-machine.ts';

describe('the bus', () => {
  it('reads ones from holes and drops writes to them, and reports both', () => {
    const m = new TestMachine();
    m.listen();
    expect(m.context.bus.read(0xb8000, 4, 0)).toBe(0xffffffff);
    m.context.bus.write(0x10000000, 2, 0x1234, 0);
    expect(m.context.bus.read(0x10000000, 1, 0)).toBe(0xff);
    expect(m.events.map((e) => [e.kind, ...e.args])).toEqual([
      [Ev.HoleRead, 0xb8000, 4, 0, 0],
      [Ev.HoleWrite, 0x10000000, 2, 0x1234, 0],
      [Ev.HoleRead, 0x10000000, 1, 0, 0],
    ]);
  });

  it('gives device registers their accesses with size and master, and ROM its bytes', () => {
    const m = new TestMachine();
    const seen: unknown[] = [];
    m.context.bus.addMmio({
      name: 'probe',
      base: 0xfee00000,
      sizeBytes: 0x1000,
      read: (pa, size, core) => {
        seen.push(['read', pa, size, core]);
        return 0x87654321;
      },
      write: (pa, size, value, core) => seen.push(['write', pa, size, value, core]),
    });
    // mov eax,[fee00020]; mov byte [fee00080],al
    m.execute([0xa1, 0x20, 0, 0xe0, 0xfe, 0xa2, 0x80, 0, 0xe0, 0xfe], 2);
    expect(seen).toEqual([
      ['read', 0xfee00020, 4, 0],
      ['write', 0xfee00080, 1, 0x21, 0],
    ]);
    m.context.bus.addRom(0xe0000000, Uint8Array.from([1, 2, 3]));
    m.context.bus.write(0xe0000000, 4, 0, 0);
    expect(m.context.bus.read(0xe0000000, 4, 0)).toBe(0xff030201);
  });

  it('refuses a region over RAM', () => {
    const m = new TestMachine();
    expect(() => m.context.bus.addRom(0x100000, new Uint8Array(16))).toThrow(/taken/);
  });

  it('shows accesses of observed frames by core, walker and host, and only those', () => {
    const m = new TestMachine();
    const seen: string[] = [];
    m.execute([0xa3, 0, 0x70, 0, 0], 1);
    m.context.bus.observer = {
      access: (pa, size, kind, _value, core) => seen.push(`${kind} ${pa.toString(16)}/${size} by ${core}`),
    };
    m.context.bus.observe(7);
    // mov [7000],eax; mov eax,[7004]; mov [8000],eax
    m.execute([0xa3, 0, 0x70, 0, 0, 0xa1, 4, 0x70, 0, 0, 0xa3, 0, 0x80, 0, 0], 3);
    m.context.bus.zeroFrame(7);
    m.context.bus.unobserve(7);
    m.execute([0xa3, 0, 0x70, 0, 0], 1);
    expect(seen).toEqual(['write 7000/4 by 0', 'read 7004/4 by 0', 'write 7000/4096 by -1']);
  });

  it('shows one fetch per instruction of an observed frame, also of a loop that was running', () => {
    const m = new TestMachine();
    const seen: string[] = [];
    m.context.bus.observer = {
      access: (pa, size, kind, _value, core) => seen.push(`${kind} ${pa.toString(16)}/${size} by ${core}`),
    };
    // 1ffa: inc eax; mov ecx,11223344 (crosses into 2000); jmp 1ffa
    m.load(0x1ffb, [0x40, 0xb9, 0x44, 0x33, 0x22, 0x11, 0xeb, 0xf8]);
    m.r[R.EIP] = 0x1ffb;
    m.run(300);
    expect(seen).toEqual([]);
    m.context.bus.observe(1);
    m.run(3);
    expect(seen).toEqual(['fetch 1ffb/1 by 0', 'fetch 1ffc/4 by 0']);
    m.context.bus.unobserve(1);
    m.context.bus.observe(2);
    m.run(3);
    expect(seen.slice(2)).toEqual(['fetch 2000/1 by 0', 'fetch 2001/2 by 0']);
    m.context.bus.unobserve(2);
    m.run(3);
    expect([seen.length, m.r[R.EAX]]).toEqual([4, 103]);
  });

  it('runs code from a ROM outside the firmware window, page ends and partial frames included', () => {
    const m = new TestMachine();
    const rom = new Uint8Array(0x1800).fill(0x90);
    // ffe: mov ecx, 5 (crosses); loop: inc eax; dec ecx; jnz loop; hlt
    rom.set([0xb9, 5, 0, 0, 0, 0x40, 0x49, 0x75, 0xfc, 0xf4], 0xffe);
    m.context.bus.addRom(0xe0000000, rom);
    for (const start of [0xe0000ff0, 0xe0000ffe]) {
      m.r[R.EAX] = 0;
      m.r[R.EIP] = start | 0;
      m.r[R.RUN_STATE] = 0;
      expect(m.run(100)).toBe(Exit.Halt);
      expect([m.r[R.EAX], m.r[R.EIP]! >>> 0]).toEqual([5, 0xe0001008]);
    }
  });

  it('copies and zeroes frames', () => {
    const m = new TestMachine();
    m.write32(0x5004, 0xdeadbeef);
    m.context.bus.copyFrame(6, 5);
    expect(m.read32(0x6004)).toBe(0xdeadbeef);
    m.context.bus.zeroFrame(6);
    expect(m.read32(0x6004)).toBe(0);
  });

  it('lets A20 wrap the second megabyte onto the first', () => {
    const m = new TestMachine();
    m.write32(0x7000, 1);
    m.write32(0x107000, 2);
    const code = [0xa1, 0, 0x70, 0x10, 0];
    m.context.mmu.setA20('masked');
    m.execute(code, 1);
    expect(m.r[R.EAX]).toBe(1);
    m.context.mmu.setA20('open');
    m.execute(code, 1);
    expect(m.r[R.EAX]).toBe(2);
  });
});

describe('the memory provider', () => {
  it('reaches every byte of 3 GiB', () => {
    const m = new TestMachine({ ramBytes: 3 * 2 ** 30 });
    const at = 3 * 2 ** 30 - 4;
    m.r[R.EBX] = at | 0;
    // mov dword [ebx],0x12345678; mov al,[ebx+1]; inc byte [ebx]
    m.execute([0xc7, 0x03, 0x78, 0x56, 0x34, 0x12, 0x8a, 0x43, 1, 0xfe, 0x03], 3);
    m.execute([0xc7, 0x03, 0x78, 0x56, 0x34, 0x12, 0x8a, 0x43, 1, 0xfe, 0x03], 3);
    expect([m.read32(at), m.r[R.EAX]]).toEqual([0x12345679, 0x56]);
  });

  it('refuses impossible sizes', () => {
    expect(() => createMemory({ ramBytes: 1000, coreCount: 1 })).toThrow(RangeError);
    expect(() => createMemory({ ramBytes: 16 << 20, coreCount: 17 })).toThrow(RangeError);
  });
});
