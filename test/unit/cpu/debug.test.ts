import { describe, expect, it } from 'vitest';
import { Attention, Flag, R } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { CR4_DE } from '../../../emu/arch/paging.ts';
import { HANDLER, ProtectedWorld } from './protected-world.ts';

const IRET = 0xcf;
const INC_EBX = 0x43;

describe('an NMI', () => {
  it('waits for the IRET of the one before, also in HLT', () => {
    const w = new ProtectedWorld();
    w.load(HANDLER + 2 * 16, [INC_EBX, 0x90, 0xf4, IRET]);
    w.r[R.ATTENTION] = Attention.Nmi;
    w.execute([0x41, 0x41, 0xf4], 2);
    expect([w.r[R.EBX], w.r[R.NMI_BLOCKED]]).toEqual([1, 1]);
    w.r[R.ATTENTION] = Attention.Nmi;
    expect(w.run(10)).toBe(Exit.Halt);
    expect([w.run(10), w.r[R.EBX], w.r[R.ATTENTION]]).toEqual([Exit.Halt, 1, Attention.Nmi]);
    w.r[R.RUN_STATE] = 0;
    w.run(2);
    expect([w.r[R.EBX], w.r[R.ATTENTION]]).toEqual([2, 0]);
  });

  it('that waits lets an interrupt pass', () => {
    const w = new ProtectedWorld();
    w.load(HANDLER + 2 * 16, [0xfb, 0x90, 0x90, IRET]);
    w.pendingVectors.push(0x40);
    w.r[R.ATTENTION] = Attention.Nmi;
    w.execute([0x90], 1);
    w.r[R.ATTENTION] = Attention.Nmi | Attention.Interrupt;
    w.run(10);
    expect(w.handler()).toBe(0x40);
  });
});

/** DR7 with breakpoint 0 enabled for accesses of kind `rw` and length field `len`. */
const breakpoint = (rw: number, len: number): number => 0x401 | (rw << 16) | (len << 18);

describe('port breakpoints', () => {
  function out(prepare: (w: ProtectedWorld) => void): ProtectedWorld {
    const w = new ProtectedWorld();
    w.r[R.DR0] = 0x80;
    w.r[R.DR7] = breakpoint(2, 1);
    w.r[R.CR4] = CR4_DE;
    prepare(w);
    w.execute([0xe6, 0x81, 0x40, 0xf4], 10);
    return w;
  }

  it('raise #DB after the access, with the range of the length field', () => {
    const w = out(() => {});
    expect([w.handler(), w.stack(1)[0], w.r[R.DR6]! & 15, w.ports.length]).toEqual([1, 0x1002, 1, 1]);
  });

  it('need CR4.DE and a port in the range', () => {
    expect(out((w) => (w.r[R.CR4] = 0)).r[R.EAX]).toBe(1);
    expect(out((w) => (w.r[R.DR0] = 0x82)).r[R.EAX]).toBe(1);
  });
});

describe('RF', () => {
  it('is pushed as 1 when an interrupt comes between iterations of REP, and as 0 behind the last', () => {
    for (const [count, resume] of [
      [5, Flag.RF],
      [3, 0],
    ] as const) {
      const w = new ProtectedWorld();
      w.r[R.EFLAGS]! |= Flag.IF;
      w.r[R.ECX] = count;
      w.r[R.EDI] = 0x7000;
      w.execute([0xf3, 0xaa, 0xf4], 3);
      w.pendingVectors.push(0x40);
      w.r[R.ATTENTION] = Attention.Interrupt;
      w.run(5);
      expect([w.handler(), w.stack(3)[2]! & Flag.RF]).toEqual([0x40, resume]);
    }
  });

  it('makes a breakpoint on REP hit once, although each iteration is a step', () => {
    const w = new ProtectedWorld();
    // or dword [esp+8], RF; inc ebx; iretd
    w.load(HANDLER + 16, [0x81, 0x4c, 0x24, 8, 0, 0, 1, 0, INC_EBX, IRET]);
    w.r[R.DR0] = 0x1000;
    w.r[R.DR7] = 0x401;
    w.r[R.ECX] = 5;
    w.r[R.EDI] = 0x7000;
    expect(w.execute([0xf3, 0xaa, 0xf4], 30)).toBe(Exit.Halt);
    expect([w.r[R.EBX], w.r[R.ECX]]).toEqual([1, 0]);
  });

  it('is set for the attached kernel when a task faults, so that the retry passes a breakpoint', () => {
    const w = new ProtectedWorld();
    w.user();
    w.context.trapMode = 'hosted';
    expect(w.execute([0xf4], 5)).toBe(Exit.Trap);
    expect(w.r[R.EFLAGS]! & Flag.RF).toBe(Flag.RF);
  });
});

describe('the guard bit of DR7', () => {
  it('raises #DB with BD before a debug register is read, and is cleared by that', () => {
    const w = new ProtectedWorld();
    w.r[R.DR7] = 0x2400;
    w.execute([0x0f, 0x21, 0xc0], 10);
    expect([w.handler(), w.stack(1)[0], w.r[R.DR6]! & (1 << 13)]).toEqual([1, 0x1000, 1 << 13]);
    expect(w.r[R.DR7]).toBe(0x400);
  });

  it('lets #UD for DR4 with CR4.DE and #GP in ring 3 go first', () => {
    for (const [ring, vector] of [
      [0, 6],
      [3, 13],
    ] as const) {
      const w = new ProtectedWorld();
      if (ring === 3) w.user();
      w.r[R.DR7] = 0x2400;
      w.r[R.CR4] = ring === 0 ? CR4_DE : 0;
      w.execute([0x0f, 0x21, 0xe0], 10);
      expect(w.handler()).toBe(vector);
    }
  });
});
