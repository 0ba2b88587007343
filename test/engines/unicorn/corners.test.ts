/**
 * Corners of the unicorn engine that the shipped programs seldom meet: its memory map against a TLB that is stale, code
 * that changes, what a fault leaves, segments with a base, single steps. Each against the interpreter. Skipped where
 * libunicorn is not installed.
 */
import { describe, expect, it } from 'vitest';
import { Attention, Flag, R, Seg } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { Interpreter, UnicornEngine, type UnicornLibrary } from '../../../emu/cpu/index.ts';
import { loadUnicorn } from '../../../src/cli/unicorn-library.ts';
import { Twin, USUAL } from '../twin.ts';

let library: UnicornLibrary | null = null;
let missing = '';
try {
  library = loadUnicorn();
} catch (error) {
  missing = ` (skipped: ${(error as Error).message})`;
}
const CODE = 0x1000;
const DATA = 0x5000;
const ABSENT = 0x8000;

function twin(make: (context: Twin['m']['context']) => Twin['engine']): Twin {
  const made = new Twin((m) => make(m.context));
  made.page();
  made.setEntry(ABSENT >>> 12, 0);
  made.host();
  made.r[R.ESP] = DATA + 0x800;
  return made;
}

/** The same deeds on both engines: all that they return, and the states at the end, must be the same. */
function both(deeds: (twin: Twin) => unknown[], least = 20): void {
  const a = twin((context) => new Interpreter(context));
  const b = twin((context) => new UnicornEngine(context, library!));
  const expected = [...deeds(a), a.state()];
  expect([...deeds(b), b.state()]).toEqual(expected);
  expect((b.engine as UnicornEngine).foreignInstructions).toBeGreaterThan(least);
}

/** and dword [DATA],-1; test [DATA + 0x1000],eax */
const KNOWN = [0x83, 0x25, 0, 0x50, 0, 0, 0xff, 0x85, 0x05, 0, 0x60, 0, 0];

/** The pages of data and stack. */
const memory = (t: Twin): string =>
  Buffer.from(t.m.context.memory.ram.subarray(0x4000, 0xa000)).toString('base64');

/** L: add eax, imm8; dec ecx; jnz L; int 0x80 */
const loop = (imm: number): number[] => [0x83, 0xc0, imm, 0x49, 0x75, 0xfa, 0xcd, 0x80];
const sum = (t: Twin): number => {
  t.r[R.EAX] = 0;
  t.r[R.ECX] = 30;
  t.go(CODE, 500);
  return t.r[R.EAX]!;
};

describe.skipIf(library === null)(`code on Unicorn${missing}`, () => {
  it('is run as it is now when the host or DMA has written it', () => {
    both((t) => {
      t.m.load(CODE, loop(1));
      const sums = [sum(t)];
      t.m.load(CODE + 2, [2]);
      sums.push(sum(t));
      t.m.context.bus.dma.write(CODE + 2, Uint8Array.of(3));
      sums.push(sum(t));
      t.m.context.bus.copyFrame(3, 1);
      t.m.load(CODE, new Uint8Array(4096));
      t.m.load(0x3002, [4]);
      t.m.context.bus.copyFrame(1, 3);
      sums.push(sum(t));
      expect(sums).toEqual([30, 60, 90, 120]);
      return sums;
    });
  });

  it('is forgotten when the engine is reset or told that a frame has changed', () => {
    both((t) => {
      t.m.load(CODE, loop(1));
      const sums = [sum(t)];
      t.m.context.memory.ram[CODE + 2] = 2;
      t.engine.invalidateCode(CODE >>> 12);
      sums.push(sum(t));
      t.m.context.memory.ram[CODE + 2] = 3;
      t.engine.reset();
      sums.push(sum(t));
      expect(sums).toEqual([30, 60, 90]);
      return sums;
    });
  });

  it('that changes itself is executed as it has become', () => {
    // L: add eax, imm8; inc byte [CODE + 2]; dec ecx; jnz L; int 0x80
    const code = [0x83, 0xc0, 1, 0xfe, 0x05, 2, 0x10, 0, 0, 0x49, 0x75, 0xf4, 0xcd, 0x80];
    both((t) => {
      t.m.load(CODE, code);
      const total = sum(t);
      expect(total).toBe((30 * 31) / 2);
      return [total];
    });
  });

  it('is fetched through the instruction TLB and read through the data TLB, although one of them is stale', () => {
    // L: add eax, imm8; add ebx,[CODE + 0x100]; dec ecx; jnz L; int 0x80
    const code = [0x83, 0xc0, 1, 0x03, 0x1d, 0, 0x11, 0, 0, 0x49, 0x75, 0xf4, 0xcd, 0x80];
    both((t) => {
      t.m.load(CODE, code);
      t.m.load(0x2000, code.with(2, 50));
      t.m.write32(CODE + 0x100, 3);
      t.m.write32(0x2100, 1000);
      const seen: unknown[] = [];
      for (const entry of [0x1000, 0x2000, 0x1000]) {
        t.setEntry(1, entry | USUAL);
        t.r[R.EBX] = 0;
        seen.push([sum(t), t.r[R.EBX]], t.state());
        // The data side alone forgets the page.
        t.r[R.EBX] = 0;
        for (const page of [0x11, 0x21, 0x31, 0x41]) {
          t.setEntry(page, 0x9000 | USUAL);
          t.m.context.mmu.translate(0, page * 4096, 4);
        }
        seen.push([sum(t), t.r[R.EBX]], t.state());
      }
      t.m.context.tlb.invalidatePage(0, CODE);
      t.r[R.EBX] = 0;
      seen.push([sum(t), t.r[R.EBX]]);
      return seen;
    });
  });
});

describe.skipIf(library === null)(`what an instruction on Unicorn leaves${missing}`, () => {
  it.each([
    ['a write to an absent page', [0x89, 0x05, 0, 0x80, 0, 0]],
    ['a read of an absent page', [0x03, 0x05, 0, 0x80, 0, 0]],
    ['a push behind a read', [0xff, 0x35, 0, 0x50, 0, 0], ABSENT + 4],
    ['a push of an absent word', [0xff, 0x35, 0, 0x80, 0, 0]],
    ['a pop into an absent page', [0x8f, 0x05, 0, 0x80, 0, 0]],
    ['a pop of eight registers whose last words are absent', [0x61], ABSENT - 16],
    ['a push of eight registers whose last words are absent', [0x60], ABSENT + 0x1000 + 8],
    ['LEAVE from an absent frame', [0xc9]],
    ['a string move to an absent page', [0xa5]],
    ['a string compare with an absent page', [0xa7]],
    ['an exchange with an absent page', [0x87, 0x05, 0, 0x80, 0, 0]],
    ['a call through memory with an absent stack', [0xff, 0x15, 0, 0x50, 0, 0], ABSENT + 4],
    ['a return from an absent stack', [0xc3], ABSENT],
    ['a return to the last address of all', [0x68, 255, 255, 255, 255, 0xc3]],
    ['a write to a read-only page', [0xff, 0x05, 0, 0x60, 0, 0]],
    ['a condition into an absent page', [0x0f, 0x96, 0x05, 0, 0x80, 0, 0]],
    ['an addition with carry into a read-only page', [0x83, 0x15, 0, 0x60, 0, 0, 5]],
    ['a rotation through carry in a read-only page', [0xd1, 0x15, 0, 0x60, 0, 0]],
    ['a write into a read-only page from the one before', [0x89, 0x05, 0xfe, 0x5f, 0, 0]],
    ['an addition into a read-only page from the one before', [0x01, 0x05, 0xfd, 0x5f, 0, 0]],
    ['a division by 0', [0xf7, 0xf2]],
  ] as const)('at a fault: %s', (_name, faulting, esp: number = DATA + 0x800) => {
    both((t) => {
      t.setEntry(6, 0x6000 | (USUAL & ~2));
      // Both pages of data are known; twenty times INC EBX; CMP, for flags; the faulting one.
      t.m.load(CODE, [...KNOWN, ...Array<number>(20).fill(0x43), 0x39, 0xd8, ...faulting, 0xcd, 0x80]);
      t.m.write32(DATA, CODE);
      const seen: unknown[] = [];
      for (let round = 0; round < 6; round++) {
        [0x11, 0x22, 0, 0x33, esp, ABSENT + 8, DATA + 0x10, ABSENT + 0x10].forEach((value, n) => {
          t.r[n] = value;
        });
        seen.push(t.go(CODE, 100), t.state(), memory(t));
      }
      return seen;
    });
  });

  it('of a write across pages is nothing until both pages may be written', () => {
    // 20 times inc ebx; add [DATA + 0xffe],eax, with the second page clean; mov, the same; int 0x80
    const code = [...KNOWN, 0x01, 0x05, 0xfe, 0x5f, 0, 0, 0x89, 0x1d, 0xff, 0x5f, 0, 0, 0xcd, 0x80];
    both((t) => {
      t.m.load(CODE, [...Array<number>(20).fill(0x43), ...code]);
      const seen: unknown[] = [];
      for (let round = 0; round < 4; round++) {
        t.setEntry(6, 0x6000 | USUAL);
        t.m.context.tlb.invalidatePage(0, 0x6000);
        t.m.write32(DATA + 0xffc, 0x12345678);
        t.m.write32(0x6000, 0x9abcdef0);
        t.r[R.EAX] = 0x01020304;
        seen.push(t.go(CODE, 100), t.state(), memory(t));
      }
      return seen;
    });
  });

  it('in FS and GS is found at their bases', () => {
    both((t) => {
      t.r[R.BASE + Seg.GS] = 0x20;
      t.r[R.BASE + Seg.FS] = 0x40;
      t.m.load(
        DATA,
        Uint8Array.from({ length: 256 }, (_, n) => n),
      );
      // 20 times inc ebx; mov eax,gs:[DATA]; mov edx,fs:[DATA]; int 0x80
      const reads = [0x65, 0xa1, 0, 0x50, 0, 0, 0x64, 0x8b, 0x15, 0, 0x50, 0, 0];
      t.m.load(CODE, [...Array<number>(20).fill(0x43), ...reads, 0xcd, 0x80]);
      const seen: unknown[] = [];
      for (let round = 0; round < 3; round++) seen.push(t.go(CODE, 100), t.r[R.EAX], t.r[R.EDX]);
      expect(seen.slice(1, 3)).toEqual([0x23222120, 0x43424140]);
      return seen;
    });
  });

  it('in DF leads strings downwards, whoever has set it', () => {
    both((t) => {
      // L: std; lodsd; add ebx,eax; cld; lodsd; add ebx,eax; loop L; int 0x80
      t.m.load(CODE, [0xfd, 0xad, 0x01, 0xc3, 0xfc, 0xad, 0x01, 0xc3, 0xe2, 0xf6, 0xcd, 0x80]);
      t.m.write32(DATA, 7);
      t.m.write32(DATA - 4, 9);
      t.r[R.ESI] = DATA;
      t.r[R.ECX] = 40;
      t.r[R.EIP] = CODE;
      return Array.from({ length: 90 }, (_, n) => [t.engine.run(0, 1 + (n % 5)), t.state()]);
    });
  });

  it('in the D bit is left by a walk of the first write', () => {
    both((t) => {
      // L: mov eax,[DATA]; dec ecx; jnz L; mov [DATA],eax; int 0x80
      t.m.load(CODE, [0xa1, 0, 0x50, 0, 0, 0x49, 0x75, 0xf8, 0xa3, 0, 0x50, 0, 0, 0xcd, 0x80]);
      const entry = (): number => t.m.read32(0x21000 + 5 * 4);
      const before = entry();
      t.r[R.ECX] = 20;
      const clean = [t.go(CODE, 60), entry()];
      const dirty = [t.engine.run(0, 2), entry()];
      expect([before, clean[1], dirty[1]]).toEqual([DATA | USUAL, DATA | USUAL | 0x20, DATA | USUAL | 0x60]);
      return [...clean, ...dirty];
    });
  });
});

describe.skipIf(library === null)(`Unicorn stops${missing}`, () => {
  it('at every instruction of a single step, at breakpoints and watchpoints', () => {
    both((t) => {
      t.m.load(CODE, [0xa3, 0, 0x50, 0, 0, ...loop(1)]);
      const seen: unknown[] = [sum(t)];
      t.r[R.EFLAGS]! |= Flag.TF;
      for (let n = 0; n < 5; n++) seen.push(t.go(CODE, 50), t.state());
      t.r[R.EFLAGS]! &= ~Flag.TF;
      t.r[R.DR0] = CODE + 8;
      t.r[R.DR0 + 1] = DATA;
      for (const dr7 of [0x401, 0x400 | 4 | (0xd << 20), 0x400]) {
        t.r[R.DR7] = dr7;
        t.r[R.ECX] = 30;
        seen.push(t.go(CODE, 50), t.state());
      }
      return seen;
    });
  });

  it('behind the instruction that has raised an interrupt', () => {
    const device = 0xfd000000;
    both((t) => {
      t.m.context.bus.addMmio({
        ...{ name: 'bell', base: device, sizeBytes: 4096, read: () => 0 },
        write: () => {
          t.r[R.ATTENTION]! |= Attention.Interrupt;
        },
      });
      t.setEntry(9, device | USUAL);
      // L: inc eax (10 times); mov [DEVICE],eax; jmp L
      t.m.load(CODE, [...Array<number>(10).fill(0x40), 0xa3, 0, 0x90, 0, 0, 0xeb, 0xef]);
      t.r[R.EFLAGS]! |= Flag.IF;
      t.r[R.EIP] = CODE;
      const seen = Array.from({ length: 5 }, () => {
        const exit = t.engine.run(0, 1000);
        t.r[R.ATTENTION] = 0;
        return [exit, t.r[R.EAX], t.r[R.EIP]];
      });
      expect(seen).toEqual([10, 20, 30, 40, 50].map((eax) => [Exit.Interrupt, eax, CODE + 15]));
      return seen;
    });
  });
});
