/**
 * Corners of translated code that random programs seldom meet: budgets beyond what is given at once, second accesses that
 * leave, flags at faults, REP instructions that are cut, what waits behind an instruction. Each against the interpreter.
 */
import { describe, expect, it } from 'vitest';
import { Attention, CoreF, Flag, R } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import type { TlbGeometry } from '../../../emu/mem/index.ts';
import { Twin, USUAL } from '../twin.ts';
import { both, CODE, DATA, DEVICE, interpreted, translated } from './both.ts';

describe('a budget', () => {
  it('beyond what translated code is given at once is charged for what was done', () => {
    for (const make of [interpreted, translated]) {
      const twin = new Twin(make);
      twin.m.load(CODE, [0x40, 0x49, 0x75, 0xfc, 0xf4]);
      twin.m.r[R.ECX] = 1000;
      expect(twin.go(CODE, 2 ** 30 + 12_345)).toBe(Exit.Halt);
      expect([twin.m.r[R.EAX], twin.m.f[CoreF.INSTRUCTIONS]]).toEqual([1000, 3001]);
    }
  });

  it('ends at any instruction of a block, with each one’s registers, flags and count', () => {
    // L: add eax,ecx; adc edx,[DATA]; inc ebx; cmp eax,edx; push eax; pop esi; shl edx,3; dec ecx; jnz L
    const loop = [
      ...[0x01, 0xc8, 0x13, 0x15, 0, 0x50, 0, 0, 0x43, 0x39, 0xd0, 0x50, 0x5e],
      ...[0xc1, 0xe2, 3, 0x49, 0x75, 0xeb, 0xf4],
    ];
    both((twin) => {
      twin.m.load(CODE, loop);
      twin.m.write32(DATA, 0x7fffffff);
      twin.m.r[R.ESP] = 0x9000;
      twin.m.r[R.ECX] = 100;
      twin.m.r[R.EIP] = CODE;
      return Array.from({ length: 60 }, (_, n) => [twin.engine.run(0, 1 + (n % 19)), twin.state()]);
    });
  });
});

describe('an instruction with two accesses that leaves at the second one', () => {
  const DIRECT: TlbGeometry = {
    ...{ data: { entries: 4, ways: 1 }, instr: { entries: 4, ways: 1 } },
    ...{ replacement: 'fifo', seed: 1 },
  };
  it.each([
    ['MOVS', [0xa5]],
    // XCHG ESI,EDI around it: it reads [EDI] first.
    ['CMPS', [0x87, 0xf7, 0xa7]],
    ['PUSH from memory', [0xff, 0x36]],
    ['CALL through memory', [0xff, 0x16]],
  ] as const)('has taken no TLB entry for it: %s', (_name, code) => {
    // L: mov esi,DATA; mov edi,page 9; mov esp,page 9 + 8; the instruction; dec ecx; jnz L. Pages 5 and 9 share one place.
    both(
      (twin) => {
        twin.page();
        twin.m.context.bus.addMmio({
          ...{ name: 'port', base: DEVICE, sizeBytes: 4096, read: () => 0 },
          write: () => {},
        });
        twin.setEntry(9, DEVICE | USUAL);
        const before = [0xbe, 0, 0x50, 0, 0, 0xbf, 8, 0x90, 0, 0, 0xbc, 8, 0x90, 0, 0];
        const end = CODE + before.length + code.length;
        const back = CODE - (end + 3);
        twin.m.load(CODE, [...before, ...code, 0x49, 0x75, back & 255, 0xf4]);
        twin.m.write32(DATA, end);
        twin.r[R.ECX] = 30;
        twin.r[R.EIP] = CODE;
        return Array.from({ length: 8 }, () => [twin.engine.run(0, 17), twin.state()]);
      },
      1,
      DIRECT,
    );
  });
});

describe('flags at a fault in translated code', () => {
  const ABSENT = 0x8000;
  const STEPS = {
    inc: [0x40],
    'inc dl': [0xfe, 0xc2],
    rol: [0xd1, 0xc0],
    and: [0x21, 0xd8],
    shl: [0xc1, 0xe0, 1],
  };
  /** Each comes with what makes it fault. */
  const FAULTS: readonly (readonly [string, readonly number[], (r: Int32Array) => void])[] = [
    ['a load', [0x8b, 0x3e], (r) => (r[R.ESI] = ABSENT)],
    ['a load of AL', [0xd7], (r) => (r[R.EBX] = ABSENT)],
    ['a push', [0x57], (r) => (r[R.ESP] = ABSENT + 4)],
    ['a string load', [0x87, 0xc5, 0xad, 0x87, 0xc5], (r) => (r[R.ESI] = ABSENT)],
    ['a division', [0x89, 0xc5, 0xba, 0, 0, 0, 0, 0xf7, 0xf1, 0x89, 0xe8], (r) => (r[R.ECX] = 0)],
  ];
  it.each(FAULTS)('are those before the instruction: %s', (_name, code, spoil) => {
    // L: step; the instruction; add edx,edx; inc dword [DATA + 4]; jmp L
    for (const step of Object.values(STEPS)) {
      both((twin) => {
        const { r, m } = twin;
        twin.page();
        twin.setEntry(ABSENT >>> 12, 0);
        twin.host();
        const body = [...step, ...code, 0x01, 0xd2, 0xff, 0x05, 4, 0x50, 0, 0];
        m.load(CODE, [...body, 0xeb, -(body.length + 2) & 255]);
        const start = (eax: number): void => {
          [eax, 3, 0x7f, DATA, 0x6800, 0, DATA, 0].forEach((value, n) => {
            r[n] = value;
          });
        };
        start(0);
        twin.go(CODE, 100);
        return [-1, 0x7fffffff, 0x40000000, 5].map((eax) => {
          start(eax);
          spoil(r);
          r[R.EFLAGS] = 0x202 | (eax & 1 ? 0x8d5 : 0);
          const exit = twin.go(CODE, 100);
          return [exit, r[R.EXIT_VECTOR], twin.state()];
        });
      });
    }
  });
});

describe('LOOP', () => {
  it('counts 32 bits of ECX, and JECXZ looks at all of them', () => {
    // mov ecx,0x20003; L: inc eax; jecxz E; loop L; E: hlt
    both((twin) => {
      twin.m.load(CODE, [0xb9, 3, 0, 2, 0, 0x40, 0xe3, 2, 0xe2, 0xfb, 0xf4]);
      const exit = twin.go(CODE, 1_000_000);
      expect([exit, twin.r[R.EAX]]).toEqual([Exit.Halt, 0x20003]);
      return [exit];
    });
  });
});

describe('a REP instruction', () => {
  it('leaves no RF behind, wherever the interpreter’s share of it ends', () => {
    // L: 20 times (pushf; popf; inc ebx); mov edi,DATA; mov ecx,1500; rep stosb; int 0x80; jmp L
    const flags = Array.from({ length: 20 }, () => [0x9c, 0x9d, 0x43]).flat();
    const body = [...flags, 0xbf, 0, 0x50, 0, 0, 0xb9, 0xdc, 5, 0, 0, 0xf3, 0xaa, 0xcd, 0x80];
    both((twin) => {
      twin.host();
      twin.m.load(CODE, [...body, 0xeb, -(body.length + 2) & 255]);
      twin.r[R.ESP] = 0x9000;
      twin.r[R.EIP] = CODE;
      return Array.from({ length: 100 }, (_, n) => [twin.engine.run(0, 1000 + n * 61), twin.state()]);
    }, 20);
  });
});

describe('what waits when an instruction of translated code is done', () => {
  // L: inc eax; mov [DEVICE],eax; dec ecx; jnz L; hlt
  const loop = [0x40, 0xa3, 0, 0, 0, 0xfd, 0x49, 0x75, 0xf7, 0xf4];
  const attach = (twin: Twin, wanted: number): void => {
    const { m } = twin;
    m.context.bus.addMmio({
      ...{ name: 'bell', base: DEVICE, sizeBytes: 4096, read: () => 0 },
      write: (_pa, _size, value) => {
        if (value % 7 === 0) m.r[R.ATTENTION]! |= wanted;
      },
    });
    m.load(CODE, loop);
    twin.host();
    m.r[R.EFLAGS]! |= Flag.IF;
    m.r[R.ECX] = 40;
    m.r[R.EIP] = CODE;
  };

  it.each([
    ['an interrupt', Attention.Interrupt, Exit.Interrupt],
    ['an NMI', Attention.Nmi, Exit.Interrupt],
    ['a wish to stop', Attention.Stop, Exit.Stop],
  ])('is taken behind that instruction: %s', (_name, wanted, exit) => {
    both((twin) => {
      attach(twin, wanted);
      const seen = Array.from({ length: 5 }, () => {
        const how = twin.engine.run(0, 1000);
        twin.m.r[R.ATTENTION] = 0;
        return [how, twin.m.r[R.EAX], twin.m.r[R.EIP]];
      });
      expect(seen).toEqual([7, 14, 21, 28, 35].map((eax) => [exit, eax, CODE + 6]));
      return seen;
    });
  });
});
