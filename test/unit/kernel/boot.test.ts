import { describe, expect, it } from 'vitest';
import { R, RunState } from '../../../emu/arch/core-layout.ts';
import { KERNEL_PAGE_VA } from '../../../src/abi/message.ts';
import { planMemory } from '../../../src/kernel/memory-plan.ts';
import { World } from './world.ts';

const MiB = 1 << 20;
const info = {
  coreCount: 2,
  ramBytes: 8 * MiB,
  firmwareEnd: 0x9000,
  e820: [
    { base: 0, length: 0x9fc00, type: 1 },
    { base: 0x9fc00, length: 0x400, type: 2 },
    { base: MiB, length: 7 * MiB, type: 1 },
  ],
  modules: [{ name: 'a', start: 2 * MiB, end: 2 * MiB + 5000 }],
};

describe('the memory plan', () => {
  it('covers all of RAM once: firmware, kernel, free low memory, holes, the rest', () => {
    const plan = planMemory(info);
    if (typeof plan === 'string') throw new Error(plan);
    expect(plan.ranges).toEqual([
      { frame: 0, count: 9, use: 'reserved' },
      { frame: 9, count: 3, use: 'kernel' },
      { frame: 12, count: 0x9f - 12, use: 'free' },
      { frame: 0x9f, count: 1, use: 'reserved' },
      { frame: 0xa0, count: 0x60, use: 'hole' },
      { frame: 0x100, count: 0x700, use: 'free' },
    ]);
    expect([plan.kernelFrame, plan.idleDirectory, plan.idleSystemTable]).toEqual([9, 10, 11]);
  });

  it('puts the kernel above 1 MiB when low memory is taken, and never into a module', () => {
    const plan = planMemory({
      ...info,
      firmwareEnd: 0x9f000,
      modules: [{ name: 'a', start: MiB, end: MiB + 1 }],
    });
    if (typeof plan === 'string') throw new Error(plan);
    expect(plan.kernelFrame).toBe(0x101);
  });

  it('lets a reserved range win over RAM, rounds RAM inwards, and refuses a machine without room', () => {
    const plan = planMemory({
      ...info,
      ramBytes: 4 * MiB,
      e820: [
        { base: 2 * MiB, length: 100, type: 2 },
        { base: MiB + 1, length: 3 * MiB - 2, type: 1 },
      ],
    });
    if (typeof plan === 'string') throw new Error(plan);
    expect(plan.ranges.map((r) => [r.frame, r.count, r.use])).toEqual([
      [0, 9, 'reserved'],
      [9, 0x101 - 9, 'hole'],
      [0x101, 3, 'kernel'],
      [0x104, 0x200 - 0x104, 'free'],
      [0x200, 1, 'reserved'],
      [0x201, 0x3ff - 0x201, 'free'],
      [0x3ff, 1, 'hole'],
    ]);
    expect(planMemory({ ...info, e820: [] })).toMatch(/^No 3 free frames for the kernel/);
  });
});

describe('after the take-over', () => {
  it('every core is in protected mode with paging, at CPL 3, with its own GDT and TSS', () => {
    const w = new World(3);
    for (const core of [0, 1, 2]) {
      const r = w.registers(core);
      expect(r[R.CR0]! >>> 0).toBe(0x80010031);
      expect(r[R.CR4]).toBe(0x90);
      expect(r[R.CPL]).toBe(3);
      expect(r[R.EFLAGS]).toBe(0x202);
      expect(r[R.GDT_BASE]! >>> 0).toBe(KERNEL_PAGE_VA + core * 256);
      expect(r[R.GDT_LIMIT]).toBe(63);
      expect([0, 1, 2, 3, 4, 5, 6, 7].map((s) => r[R.SEL + s])).toEqual([
        0x23, 0x1b, 0x23, 0x23, 0x23, 0x2b, 0, 0x30,
      ]);
      expect(r[R.ATTR + 1]).toBe(0xc0fb00);
      expect(r[R.ATTR + 3]).toBe(0xc0f300);
      expect(r[R.LIMIT + 1]! >>> 0).toBe(0xffffffff);
      expect(r[R.ATTR + 7]).toBe(0x8b00);
    }
    expect(w.registers(0)[R.RUN_STATE]).toBe(RunState.Running);
    expect(w.registers(1)[R.RUN_STATE]).toBe(RunState.Halted);
  });

  it('the descriptors in RAM say the same as the hidden parts', () => {
    const w = new World(2);
    const page = w.kernel.describeSpace(w.root).find((run) => run.page === 0xffc00)!.frame * 4096;
    const r = w.registers(0);
    const code = page + 3 * 8;
    expect([w.machine.read32(code), w.machine.read32(code + 4)]).toEqual([0xffff, 0xcffb00]);
    const gs = page + 5 * 8;
    const base =
      (w.machine.read32(gs) >>> 16) |
      ((w.machine.read32(gs + 4) & 0xff) << 16) |
      (w.machine.read32(gs + 4) & 0xff000000);
    expect(base).toBe(r[R.BASE + 5]);
    const tss = page + 256 + 6 * 8;
    expect(w.machine.read32(tss) & 0xffff).toBe(0x4000 - (256 + 64) - 1);
    expect(w.machine.read32(page + 256 + 64 + 4)).toBe(KERNEL_PAGE_VA + 512);
  });
});
