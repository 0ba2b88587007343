import { describe, expect, it } from 'vitest';
import { CoreF, Flag, R, RunState, Seg } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { ProtectedWorld, STACK0, STACK3 } from './protected-world.ts';

/** Runs `bytes` at 0x1000 until the handler's HLT. */
function world(
  bytes: readonly number[],
  ring: 0 | 3 = 0,
  prepare?: (w: ProtectedWorld) => void,
): ProtectedWorld {
  const w = new ProtectedWorld();
  if (ring === 3) w.user();
  prepare?.(w);
  w.execute(bytes, 100);
  return w;
}

const UD2 = [0x0f, 0x0b];

describe('exceptions through the IDT', () => {
  it('push EFLAGS with RF, CS and the address of the faulting instruction in ring 0', () => {
    const w = world([0x90, ...UD2]);
    expect(w.handler()).toBe(6);
    expect(w.stack(3)).toEqual([0x1001, 0x08, Flag.RF | 2]);
    expect(w.r[R.ESP]).toBe(STACK0 - 12);
  });

  it('switch to the stack of the TSS when they come from ring 3', () => {
    const w = world(UD2, 3);
    expect(w.handler()).toBe(6);
    expect(w.stack(5)).toEqual([0x1000, 0x1b, Flag.RF | 2, STACK3, 0x23]);
    expect([w.r[R.CPL], w.r[R.SEL + Seg.SS], w.r[R.SEL + Seg.CS]]).toEqual([0, 0x10, 0x08]);
  });

  it('raise #DE for a quotient that does not fit and leave the registers alone', () => {
    const w = world([0xf7, 0xf1], 0, (m) => {
      m.r[R.EDX] = 5;
      m.r[R.ECX] = 5;
    });
    expect(w.handler()).toBe(0);
    expect([w.r[R.EDX], w.r[R.EAX]]).toEqual([5, 0]);
  });

  it('refuse INT n through a gate of a lower DPL with #GP(vector * 8 + 2)', () => {
    const w = world([0xcd, 0x21], 3);
    expect(w.handler()).toBe(13);
    expect(w.stack(3)).toEqual([0x21 * 8 + 2, 0x1000, 0x1b]);
  });

  it('let ring 3 call a DPL 3 gate, and IRET comes back with all of ring 3', () => {
    const w = world([0xcd, 0x80, 0x40, 0xcd, 0x80], 3, (m) => m.load(0x4000 + 0x80 * 16, [0xcf]));
    expect(w.r[R.EAX]).toBeGreaterThan(0);
    expect([w.r[R.CPL], w.r[R.SEL + Seg.SS], w.r[R.ESP]]).toEqual([3, 0x23, STACK3]);
  });

  it.each([
    ['a selector past the GDT limit', [0xb8, 0x68, 0, 0, 0, 0x8e, 0xd8], 0x68],
    ['the data segment of ring 0 from ring 3', [0xb8, 0x10, 0, 0, 0, 0x8e, 0xd8], 0x10],
    ['a null stack segment', [0x31, 0xc0, 0x8e, 0xd0], 0],
    ['a stack segment of another ring', [0xb8, 0x10, 0, 0, 0, 0x8e, 0xd0], 0x10],
    ['HLT in ring 3', [0xf4], 0],
    ['MOV CR0 in ring 3', [0x0f, 0x22, 0xc0], 0],
    ['CLI with IOPL 0 in ring 3', [0xfa], 0],
    ['OUT without I/O rights', [0xe6, 0x80], 0],
    ['a write to a read-only segment', [0xb8, 0x43, 0, 0, 0, 0x8e, 0xd8, 0xa2, 0, 0x60, 0, 0], 0],
  ])('raise #GP with the right error code for %s', (_name, bytes, code) => {
    const w = world(bytes, 3);
    expect(w.handler()).toBe(13);
    expect(w.stack(1)).toEqual([code]);
  });

  it('raise #NP for a segment that is not present and keep the old selector', () => {
    const w = world([0xb8, 0x38, 0, 0, 0, 0x8e, 0xd8]);
    expect(w.handler()).toBe(11);
    expect([w.stack(1)[0], w.r[R.SEL + Seg.DS]]).toEqual([0x38, 0x10]);
  });

  it('check expand-down limits: offsets up to the limit are outside', () => {
    const inside = world([0xb8, 0x48, 0, 0, 0, 0x8e, 0xd8, 0xa0, 0, 0x10, 0, 0, 0xf4]);
    expect(inside.handler()).toBe(-1);
    expect(world([0xb8, 0x48, 0, 0, 0, 0x8e, 0xd8, 0xa0, 0xff, 0x0f, 0, 0]).handler()).toBe(13);
  });

  it('become #DF when a contributory one comes while another is delivered', () => {
    const w = world([0xb8, 0x68, 0, 0, 0, 0x8e, 0xd8], 0, (m) => m.gate(13, 0x0e));
    expect(w.handler()).toBe(8);
    expect(w.stack(2)).toEqual([0, 0x1005]);
  });

  it('shut the core down after a triple fault', () => {
    const w = new ProtectedWorld();
    w.r[R.IDT_LIMIT] = 0;
    expect(w.execute(UD2, 10)).toBe(Exit.Shutdown);
    expect(w.r[R.RUN_STATE]).toBe(RunState.Shutdown);
  });

  it('deliver INTO, BOUND and INT3 with their own vectors', () => {
    expect(world([0xb0, 0x7f, 0x04, 1, 0xce]).handler()).toBe(4);
    expect(world([0x62, 0x05, 0, 0x60, 0, 0], 0, (m) => (m.r[R.EAX] = 5)).handler()).toBe(5);
    const w = world([0xcc]);
    expect([w.handler(), w.stack(1)[0]]).toEqual([3, 0x1001]);
  });

  it('raise #UD for LOCK where it is not allowed', () => {
    expect(world([0xf0, 0x01, 0xc8]).handler()).toBe(6);
    expect(world([0xf0, 0x03, 0x05, 0, 0x60, 0, 0]).handler()).toBe(6);
    expect(world([0xf0, 0x01, 0x05, 0, 0x60, 0, 0, 0xf4]).handler()).toBe(-1);
  });

  it('raise #GP for an instruction longer than 15 bytes, #UD and #NM for an absent x87', () => {
    expect(world([...Array.from({ length: 15 }, () => 0x66), 0x90]).handler()).toBe(13);
    expect(world([0xd9, 0xe8]).handler()).toBe(6);
    expect(world([0xd9, 0xe8], 0, (m) => (m.r[R.CR0]! |= 4)).handler()).toBe(7);
  });
});

describe('transfers between rings', () => {
  it('call through a gate: new stack, copied parameter, RETF n back to ring 3', () => {
    // push 0x1234; lcall 0x33:0; after it: inc eax; int 0x80
    const w = world([0x68, 0x34, 0x12, 0, 0, 0x9a, 0, 0, 0, 0, 0x33, 0, 0x40, 0xcd, 0x80], 3, (m) => {
      // mov ebx,[esp+8]; mov ecx,esp; mov dx,cs; retf 4
      m.load(0x5000, [0x8b, 0x5c, 0x24, 8, 0x89, 0xe1, 0x66, 0x8c, 0xca, 0xca, 4, 0]);
    });
    expect(w.handler()).toBe(0x80);
    expect([w.r[R.EBX], w.r[R.ECX], w.r[R.EDX]! & 0xffff, w.r[R.EAX]]).toEqual([0x1234, STACK0 - 20, 8, 1]);
    expect(w.stack(5)[3]).toBe(STACK3);
  });

  it('refuse a far jump to code of another ring and to a TSS', () => {
    const jump = (sel: number): number[] => [0xea, 0, 0x50, 0, 0, sel, 0];
    expect(world(jump(0x08), 3).stack(1)).toEqual([0x08]);
    expect(world(jump(0x28)).stack(1)).toEqual([0x28]);
    expect(world(jump(0x58), 3, (m) => m.load(0x5000, [0xcd, 0x80])).stack(2)).toEqual([0x5002, 0x5b]);
  });

  it('make data segments of the inner ring null on the way out', () => {
    // push 23, 8000, 1b, 1100; retf
    const code = [0x6a, 0x23, 0x68, 0, 0x80, 0, 0, 0x6a, 0x1b, 0x68, 0, 0x11, 0, 0, 0xcb];
    const w = world(code, 0, (m) => m.load(0x1100, [0xcd, 0x80]));
    expect(w.handler()).toBe(0x80);
    expect([w.r[R.SEL + Seg.DS], w.r[R.ATTR + Seg.DS]]).toEqual([0, 0]);
  });

  it('push and pop every segment register', () => {
    for (const [push, pop] of [
      [[0x06], [0x07]],
      [[0x1e], [0x1f]],
      [
        [0x0f, 0xa0],
        [0x0f, 0xa1],
      ],
      [
        [0x0f, 0xa8],
        [0x0f, 0xa9],
      ],
      [[0x16], [0x17]],
    ] as const) {
      const w = world([...push, 0x58, 0x6a, 0x10, ...pop, 0x0e, 0x5b, 0xf4]);
      expect([w.r[R.EAX], w.r[R.EBX], w.r[R.ESP]]).toEqual([0x10, 8, STACK0]);
    }
  });

  it('allow a port that the TSS bitmap opens', () => {
    const w = world([0xb0, 0x55, 0xe6, 0x80, 0xcd, 0x80], 3, (m) => m.load(0x3068 + 0x10, [0xfe]));
    expect(w.ports).toEqual([{ port: 0x80, size: 1, value: 0x55 }]);
  });

  it('keep IOPL and IF away from POPF in ring 3', () => {
    const w = world([0x68, 0x02, 0x32, 0, 0, 0x9d, 0x9c, 0x58, 0xcd, 0x80], 3);
    expect(w.r[R.EAX]! & 0x3200).toBe(0);
  });
});

describe('hosted traps', () => {
  function hosted(bytes: readonly number[]): { w: ProtectedWorld; exit: Exit } {
    const w = new ProtectedWorld();
    w.user();
    w.context.trapMode = 'hosted';
    return { w, exit: w.execute(bytes, 100) };
  }

  it('leave INT n with EIP behind it and the stack untouched', () => {
    const { w, exit } = hosted([0xcd, 0x30]);
    expect([exit, w.r[R.EXIT_VECTOR], w.r[R.EXIT_SOFT], w.r[R.EIP]]).toEqual([Exit.Trap, 0x30, 1, 0x1002]);
    expect([w.r[R.ESP], w.r[R.CPL], w.f[CoreF.INSTRUCTIONS]]).toEqual([STACK3, 3, 1]);
  });

  it('leave faults at the faulting instruction, which is not counted', () => {
    const { w, exit } = hosted([0x90, 0xf4]);
    expect([exit, w.r[R.EXIT_VECTOR], w.r[R.EXIT_SOFT], w.r[R.EIP]]).toEqual([Exit.Trap, 13, 0, 0x1001]);
    expect(w.f[CoreF.INSTRUCTIONS]).toBe(1);
  });

  it('leave an external interrupt unacknowledged', () => {
    const w = new ProtectedWorld();
    w.user();
    w.context.trapMode = 'hosted';
    w.r[R.EFLAGS]! |= Flag.IF;
    w.r[R.ATTENTION] = 1;
    w.pendingVectors.push(0x40);
    expect(w.execute([0x90], 10)).toBe(Exit.Interrupt);
    expect(w.pendingVectors).toEqual([0x40]);
  });
});
