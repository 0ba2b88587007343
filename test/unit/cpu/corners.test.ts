/**
 * Corners of the manual that neither the host processor nor QEMU shows: error codes of stack switches, limits, double
 * faults by class, debug traps against HLT and MOV SS, reserved bits. Each names its paragraph.
 */
import { describe, expect, it } from 'vitest';
import { Attention, CHAIN_WORDS, Flag, R, RunState, Seg } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { disassemble } from '../../../emu/cpu/index.ts';
import { GDT, HANDLER, IDT, ProtectedWorld, STACK0, STACK3, TSS } from './protected-world.ts';

const UD2 = [0x0f, 0x0b];
const INT80 = [0xcd, 0x80];
/** lcall 0x33:0 */
const CALL_GATE = [0x9a, 0, 0, 0, 0, 0x33, 0];
const SMALL_STACK = 0x60;

/** Handlers of `vectors` that stay in the ring of the fault (conforming code at 58) and stand where handler() looks. */
function stayInRing(w: ProtectedWorld, vectors: readonly number[]): void {
  for (const vector of vectors) {
    w.gate(vector, 0x8e, 0x58);
    w.load(HANDLER + vector * 16, [0x90, 0xeb, 0xfe]);
  }
}

/** Ring 3 with a ring 0 stack segment of 4 KiB at selector 60, which TSS.SS0 names; ESP0 is `esp0`. */
function smallStack(esp0: number): ProtectedWorld {
  const w = new ProtectedWorld();
  w.r[R.GDT_LIMIT] = 16 * 8 - 1;
  w.descriptor(12, 0x9000, 0xfff, 0x93, 4);
  w.user();
  w.write32(TSS + 4, esp0);
  w.write32(TSS + 8, SMALL_STACK);
  stayInRing(w, [12]);
  return w;
}

describe('stack switches (SDM vol. 2, CALL and INT n; vol. 3 §6.12.1)', () => {
  it('give #SS the selector of the new stack when the frame does not fit', () => {
    const w = smallStack(8);
    w.execute(CALL_GATE, 5);
    expect([w.handler(), w.stack(2)]).toEqual([12, [SMALL_STACK, 0x1000]]);
    expect([w.r[R.CPL], w.r[R.SEL + Seg.SS], w.r[R.ESP]]).toEqual([3, 0x23, STACK3 - 16]);
  });

  it('set EXT in that code when an exception was being delivered, and not for INT n', () => {
    const byFault = smallStack(8);
    byFault.execute(UD2, 5);
    expect([byFault.handler(), byFault.stack(1)]).toEqual([12, [SMALL_STACK | 1]]);
    const byInt = smallStack(8);
    byInt.execute(INT80, 5);
    expect([byInt.handler(), byInt.stack(1)]).toEqual([12, [SMALL_STACK]]);
  });

  it('give #SS(EXT) when the ring stays and the stack is full', () => {
    const w = new ProtectedWorld();
    w.r[R.GDT_LIMIT] = 16 * 8 - 1;
    w.descriptor(12, 0x9000, 0xfff, 0x93, 4);
    // mov ax, 60; mov ss, ax; mov esp, 8; ud2
    w.execute([0x66, 0xb8, 0x60, 0, 0x8e, 0xd0, 0xbc, 8, 0, 0, 0, ...UD2], 10);
    // #SS cannot be delivered on this stack either: double fault, then shutdown.
    expect(w.r[R.RUN_STATE]).toBe(RunState.Shutdown);
    expect([w.r[R.CHAIN], w.r[R.CHAIN + CHAIN_WORDS]]).toEqual([6, 12 | (1 << 8)]);
  });

  it('need six bytes of the TSS, not eight', () => {
    for (const [limit, vector] of [
      [9, 0x80],
      [8, 10],
    ] as const) {
      const w = new ProtectedWorld();
      w.user();
      w.r[R.LIMIT + Seg.TR] = limit;
      stayInRing(w, [10]);
      w.execute(INT80, 5);
      expect(w.handler()).toBe(vector);
      if (vector === 10) expect(w.stack(1)).toEqual([0x28]);
    }
  });

  it('leave the error code of a page fault on the new stack descriptor alone', () => {
    const w = new ProtectedWorld();
    w.user();
    pageOut(w, 0x70);
    // The GDT moves to the end of page 6f: its entries from 60 on lie in page 70, which is absent.
    const bytes = new Uint8Array(0x60);
    w.context.bus.readBytes(GDT, bytes);
    w.context.bus.writeBytes(0x70000 - 0x60, bytes);
    w.r[R.GDT_BASE] = 0x70000 - 0x60;
    w.r[R.GDT_LIMIT] = 0x7f;
    w.write32(TSS + 8, SMALL_STACK);
    stayInRing(w, [14]);
    w.execute(UD2, 5);
    expect([w.handler(), w.stack(1), w.r[R.CR2]]).toEqual([14, [0], 0x70000]);
  });

  it('give #GP(EXT) for a handler behind the limit of its code segment', () => {
    const w = new ProtectedWorld();
    w.r[R.GDT_LIMIT] = 16 * 8 - 1;
    w.descriptor(13, 0, 0xfff, 0x9b, 4);
    w.gate(6, 0x8e, 0x68);
    w.execute(UD2, 5);
    expect([w.handler(), w.stack(1)]).toEqual([13, [1]]);
    w.gate(0x81, 0x8e, 0x68);
    w.r[R.ESP] = STACK0;
    w.r[R.RUN_STATE] = RunState.Running;
    w.execute([0xcd, 0x81], 5);
    expect([w.handler(), w.stack(1)]).toEqual([13, [0]]);
  });
});

/** Turns paging on, identity for 4 MiB but for the frame `page`. */
function pageOut(w: ProtectedWorld, page: number): void {
  w.write32(0x60000, 0x61007);
  for (let n = 0; n < 1024; n++) w.write32(0x61000 + n * 4, n === page ? 0 : (n << 12) | 7);
  w.r[R.CR3] = 0x60000;
  w.r[R.CR0]! |= 1 << 31;
}

describe('double faults (SDM vol. 3 table 6-5)', () => {
  const CONTRIBUTORY: readonly (readonly [string, readonly number[], number])[] = [
    ['#DE', [0x31, 0xc9, 0xf7, 0xf1], 0],
    ['#NP', [0xb8, 0x38, 0, 0, 0, 0x8e, 0xd8], 11],
    ['#SS', [0xb8, 0x38, 0, 0, 0, 0x8e, 0xd0], 12],
    ['#GP', [0xb8, 0x68, 0, 0, 0, 0x8e, 0xd8], 13],
  ];

  it.each(CONTRIBUTORY)('come of %s and a second contributory exception', (_name, bytes, vector) => {
    const w = new ProtectedWorld();
    w.gate(vector, 0x0e);
    w.execute(bytes, 10);
    expect([w.handler(), w.stack(1)]).toEqual([8, [0]]);
  });

  it.each([
    ['#UD', UD2, 6],
    ['#BR', [0x62, 0x05, 0, 0x60, 0, 0], 5],
    ['#NM', [0xd9, 0xe8], 7],
  ] as const)(
    'do not come of %s, which is benign: the second exception is delivered',
    (_name, bytes, vector) => {
      const w = new ProtectedWorld();
      w.r[R.EAX] = 9;
      if (vector === 7) w.r[R.CR0]! |= 4;
      w.gate(vector, 0x0e);
      w.execute(bytes, 10);
      expect([w.handler(), w.stack(1)]).toEqual([11, [vector * 8 + 3]]);
    },
  );

  it('do not come of an external interrupt and a fault, whose code has EXT', () => {
    const w = new ProtectedWorld();
    w.gate(0x40, 0x0e);
    w.pendingVectors.push(0x40);
    w.r[R.ATTENTION] = Attention.Interrupt;
    w.r[R.EFLAGS]! |= Flag.IF;
    w.execute([0x90], 5);
    expect([w.handler(), w.stack(1)]).toEqual([11, [0x40 * 8 + 3]]);
  });

  it('do not come of #GP and a page fault behind it, but of a page fault and #NP', () => {
    const contributoryFirst = new ProtectedWorld();
    pageOut(contributoryFirst, 0x70);
    // The gate of #GP lies in a page that is absent.
    contributoryFirst.r[R.IDT_BASE] = 0x70000 - 13 * 8;
    const gates = new Uint8Array(13 * 8);
    contributoryFirst.context.bus.readBytes(IDT, gates);
    contributoryFirst.context.bus.writeBytes(0x70000 - 13 * 8, gates);
    contributoryFirst.execute([0xb8, 0x68, 0, 0, 0, 0x8e, 0xd8], 10);
    // The page fault cannot be delivered either (its gate is absent too): a double fault then, with the gate of #DF.
    expect(contributoryFirst.handler()).toBe(8);
    expect(contributoryFirst.r[R.CR2]).toBe(0x70000 + 8);

    const pageFirst = new ProtectedWorld();
    pageOut(pageFirst, 0x70);
    pageFirst.gate(14, 0x0e);
    pageFirst.execute([0xa1, 0, 0, 7, 0], 10);
    expect(pageFirst.handler()).toBe(8);
  });
});

describe('far jumps', () => {
  it('through a gate refuse an inner ring before they look whether it is present (SDM vol. 2, JMP)', () => {
    const w = new ProtectedWorld();
    w.user();
    w.descriptor(1, 0, 0xfffff, 0x1b, 0xc);
    stayInRing(w, [11, 13]);
    w.execute([0xea, 0, 0, 0, 0, 0x33, 0], 5);
    expect([w.handler(), w.stack(1)]).toEqual([13, [0x08]]);
  });
});

describe('debug exceptions', () => {
  it('of a step end HLT (SDM vol. 2, HLT)', () => {
    const w = new ProtectedWorld();
    w.r[R.EFLAGS]! |= Flag.TF;
    w.execute([0xf4, 0x40], 2);
    expect([w.handler(), w.stack(1)]).toEqual([1, [0x1001]]);
  });

  it('of data wait for the instruction behind MOV SS, however the run is sliced (SDM vol. 3 §6.8.3)', () => {
    for (const slice of [1, 10]) {
      const w = new ProtectedWorld();
      w.write32(0x7000, 0x10);
      w.r[R.DR0] = 0x7000;
      w.r[R.DR7] = 0x401 | (3 << 16) | (1 << 18);
      // mov ss, [7000]; inc eax; inc eax
      w.load(0x1000, [0x8e, 0x15, 0, 0x70, 0, 0, 0x40, 0x40]);
      w.r[R.EIP] = 0x1000;
      for (let n = 0; n < 4; n++) w.run(slice);
      expect([w.handler(), w.stack(1), w.r[R.EAX]]).toEqual([1, [0x1007], 1]);
    }
  });

  it('of a breakpoint on the instruction behind MOV SS do not come (SDM vol. 3 §17.3.1.1)', () => {
    for (const slice of [1, 10]) {
      const w = new ProtectedWorld();
      w.r[R.DR0] = 0x1002;
      w.r[R.DR7] = 0x401;
      w.r[R.EAX] = 0x10;
      w.load(0x1000, [0x8e, 0xd0, 0x41, 0xf4]);
      w.r[R.EIP] = 0x1000;
      for (let n = 0; n < 4; n++) w.run(slice);
      expect([w.handler(), w.r[R.ECX], w.r[R.EIP]]).toEqual([-1, 1, 0x1004]);
    }
  });

  it('come before an interrupt that waits (SDM vol. 3 table 6-2)', () => {
    const w = new ProtectedWorld();
    w.r[R.EFLAGS]! |= Flag.TF | Flag.IF;
    w.load(0x1000, [0x40, 0x40]);
    w.r[R.EIP] = 0x1000;
    // A port write raises the interrupt inside the stepped instruction.
    w.context.io.write = () => {
      w.pendingVectors.push(0x40);
      w.r[R.ATTENTION] = Attention.Interrupt;
    };
    w.load(HANDLER + 16, [0xcf]);
    w.execute([0xe6, 0x80, 0x90], 2);
    // #DB was delivered first (its handler is an interrupt gate); IRET opens IF, then the interrupt comes.
    w.run(1);
    expect([w.handler(), w.stack(1)]).toEqual([0x40, [0x1002]]);
    expect(w.r[R.DR6]! & 0x4000).not.toBe(0);
  });
});

describe('control registers (SDM vol. 3 §2.5)', () => {
  /** mov eax, value; mov cr{n}, eax */
  const load = (n: number, value: number): number[] => [
    0xb8,
    ...[0, 8, 16, 24].map((s) => (value >>> s) & 255),
    ...[0x0f, 0x22, 0xc0 | (n << 3)],
  ];

  it.each([
    ['PG without PE', load(0, 0x80000010)],
    ['NW without CD', load(0, 0x20000011)],
    ['an unknown bit of CR4', load(4, 0x20)],
    ['another unknown bit of CR4', load(4, 0x100)],
  ])('raise #GP(0) for %s and keep their value', (_name, bytes) => {
    const w = new ProtectedWorld();
    const before = [w.r[R.CR0], w.r[R.CR4]];
    w.execute(bytes, 10);
    expect([w.handler(), w.stack(1)]).toEqual([13, [0]]);
    expect([w.r[R.CR0], w.r[R.CR4]]).toEqual(before);
  });

  it('ignore unknown bits of CR0, keep ET set, and LMSW cannot clear PE', () => {
    const w = new ProtectedWorld();
    w.execute([...load(0, 0x0000ffc1), 0x31, 0xc0, 0x0f, 0x01, 0xf0, 0xf4], 10);
    expect(w.r[R.CR0]).toBe(0x11);
  });
});

describe('a code segment that is not readable (SDM vol. 3 §5.5)', () => {
  it('runs flat code, and refuses to be read by an override', () => {
    const w = new ProtectedWorld();
    w.descriptor(1, 0, 0xfffff, 0x99, 0xc);
    // jmp 8:1010; 1010: mov eax, [7000]; mov eax, cs:[7000]
    w.load(0x1010, [0xa1, 0, 0x70, 0, 0, 0x2e, 0xa1, 0, 0x70, 0, 0]);
    w.execute([0xea, 0x10, 0x10, 0, 0, 8, 0], 10);
    expect([w.handler(), w.stack(2)]).toEqual([13, [0, 0x1015]]);
  });
});

describe('operands at the end of 64 KiB', () => {
  it('wrap for pushes of a 16-bit stack, and fault where a word itself would cross', () => {
    const w = new ProtectedWorld();
    w.r[R.GDT_LIMIT] = 16 * 8 - 1;
    w.descriptor(12, 0x20000, 0xffff, 0x93, 0);
    // mov ax, 60; mov ss, ax; mov esp, 70000; push ebx; mov cx, sp; hlt
    w.r[R.EBX] = 0x11223344;
    const start = [0x66, 0xb8, 0x60, 0, 0x8e, 0xd0];
    w.execute([...start, 0xbc, 0, 0, 7, 0, 0x53, 0xf4], 10);
    expect([w.read32(0x2fffc), w.r[R.ESP]]).toEqual([0x11223344, 0x7fffc]);
    const crossing = new ProtectedWorld();
    crossing.r[R.GDT_LIMIT] = 16 * 8 - 1;
    crossing.descriptor(12, 0x20000, 0xffff, 0x93, 0);
    crossing.user();
    crossing.descriptor(12, 0x20000, 0xffff, 0xf3, 0);
    crossing.execute([0x66, 0xb8, 0x63, 0, 0x8e, 0xd0, 0xbc, 2, 0, 7, 0, 0x53], 10);
    expect([crossing.handler(), crossing.stack(2)]).toEqual([12, [0, 0x100b]]);
  });

  it('do not wrap inside the eight bytes of CMPXCHG8B', () => {
    const w = new ProtectedWorld();
    w.r[R.EBX] = 0xfffc;
    // addr16 cmpxchg8b [bx]
    w.write32(0, 0x5555);
    w.execute([0x67, 0x0f, 0xc7, 0x0f, 0xf4], 5);
    expect([w.handler(), w.r[R.EDX], w.r[R.EAX]]).toEqual([-1, 0, 0]);
    w.r[R.RUN_STATE] = RunState.Running;
    w.write32(0x10000, 0x7777);
    w.execute([0x67, 0x0f, 0xc7, 0x0f, 0xf4], 5);
    expect(w.r[R.EDX]).toBe(0x7777);
  });
});

describe('LOCK', () => {
  /** Opcodes that may be locked with a memory destination, /r or /digit (SDM vol. 2, LOCK). */
  const LOCKABLE: readonly (readonly number[])[] = [
    ...[0, 1, 2, 3, 4, 5, 6].flatMap((n) => [
      [n * 8, 0x00],
      [n * 8 + 1, 0x00],
      [0x80, n << 3],
      [0x81, n << 3],
      [0x83, n << 3],
    ]),
    ...[0x86, 0x87].map((op) => [op, 0]),
    ...[0xf6, 0xf7].flatMap((op) => [2, 3].map((n) => [op, n << 3])),
    ...[0xfe, 0xff].flatMap((op) => [0, 1].map((n) => [op, n << 3])),
    ...[0xab, 0xb3, 0xbb, 0xb0, 0xb1, 0xc0, 0xc1].map((op) => [0x0f, op, 0]),
    ...[5, 6, 7].map((n) => [0x0f, 0xba, n << 3]),
    [0x0f, 0xc7, 1 << 3],
  ];
  const key = (bytes: readonly number[]): string => bytes.join();

  it('is taken before exactly the instructions of the manual, with memory only', () => {
    const allowed = new Set(LOCKABLE.map(key));
    const found: string[] = [];
    for (let op = 0; op < 0x200; op++) {
      const opcode = op < 0x100 ? [op] : [0x0f, op & 255];
      if (op === 0x0f || isPrefix(op)) continue;
      for (let digit = 0; digit < 8; digit++) {
        const memory = [...opcode, digit << 3];
        const text = disassemble(Uint8Array.from([0xf0, ...memory, 0, 0, 0, 0, 0, 0]), 0, 32).text;
        // Opcode 82 is 80 again; a /r form is the same for every digit.
        if (text !== '(bad)' && op !== 0x82 && (digit === 0 || allowed.has(key(memory))))
          found.push(key(memory));
        const register = [...opcode, 0xc0 | (digit << 3)];
        expect(disassemble(Uint8Array.from([0xf0, ...register, 0, 0, 0, 0, 0, 0]), 0, 32).text).toBe('(bad)');
      }
    }
    expect(new Set(found)).toEqual(allowed);
  });

  function isPrefix(op: number): boolean {
    return [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3].includes(op);
  }
});

describe('absent units', () => {
  const X87 = [0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf];
  const EM = 4;
  const TS = 8;
  const MP = 2;

  const vectorOf = (bytes: readonly number[], cr0: number): number => {
    const w = new ProtectedWorld();
    w.r[R.CR0]! |= cr0;
    w.execute([...bytes, 0xf4], 10);
    return w.handler();
  };

  it('x87: every ESC opcode raises #NM when CR0.EM or TS is set, else #UD, and touches no memory', () => {
    for (const op of X87) {
      for (const modrm of [0xc0, 0x05]) {
        const code = [op, modrm, 0, 0, 0, 0xf0];
        expect([vectorOf(code, 0), vectorOf(code, EM), vectorOf(code, TS)]).toEqual([6, 7, 7]);
      }
    }
  });

  it('WAIT raises #NM only with MP and TS', () => {
    expect([0, MP, TS, MP | TS, EM | TS].map((cr0) => vectorOf([0x9b], cr0))).toEqual([-1, -1, -1, 7, -1]);
  });

  it('MMX, SSE and their helpers raise #UD whatever CR0 says, as CPUID announces none of them', () => {
    const codes = [
      [0x0f, 0x77],
      [0x0f, 0x6f, 0xc1],
      [0x0f, 0xfe, 0xc1],
      [0x0f, 0x10, 0xc1],
      [0xf3, 0x0f, 0x10, 0xc1],
      [0x66, 0x0f, 0x6f, 0xc1],
      [0x0f, 0xae, 0x05, 0, 0x60, 0, 0],
      [0x0f, 0xae, 0xf0],
      [0x0f, 0xc3, 0x05, 0, 0x60, 0, 0],
      [0x0f, 0x05],
      [0x0f, 0x34],
    ];
    for (const code of codes) expect([0, EM, TS].map((cr0) => vectorOf(code, cr0))).toEqual([6, 6, 6]);
    const w = new ProtectedWorld();
    // mov eax, 1; cpuid; hlt
    expect(w.execute([0xb8, 1, 0, 0, 0, 0x0f, 0xa2, 0xf4], 10)).toBe(Exit.Halt);
    const features = { fpu: 0, sep: 11, mmx: 23, fxsr: 24, sse: 25, sse2: 26 };
    for (const bit of Object.values(features)) expect((w.r[R.EDX]! >> bit) & 1).toBe(0);
  });
});
