/**
 * What translated code takes for granted, and what is kept of it: flat segments, no alignment checks, no watchpoints, a
 * table of 255 entries, 16 MiB.
 */
import { describe, expect, it } from 'vitest';
import { Flag, R, Seg } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { CR0_AM } from '../../../emu/arch/paging.ts';
import { Translator } from '../../../emu/cpu/index.ts';
import { Random } from '../../../tools/vectors/random.ts';
import { Twin } from '../twin.ts';
import { both, CODE, DATA, interpreted, translated } from './both.ts';

const CHANGES: readonly (readonly [string, (r: Int32Array) => void])[] = [
  ['DS gets a base', (r) => (r[R.BASE + Seg.DS] = 0x1000)],
  ['DS gets a limit', (r) => (r[R.LIMIT + Seg.DS] = DATA + 4)],
  ['DS may not be read', (r) => (r[R.ATTR + Seg.DS] = 0xc09900)],
  ['CS gets a base', (r) => (r[R.BASE + Seg.CS] = 0x1000)],
  ['CS gets a limit', (r) => (r[R.LIMIT + Seg.CS] = CODE + 4)],
  ['CS becomes 16 bits wide', (r) => (r[R.ATTR + Seg.CS]! &= ~(1 << 22))],
  [
    'alignment is checked',
    (r) => {
      r[R.CR0]! |= CR0_AM;
      r[R.EFLAGS]! |= Flag.AC;
    },
  ],
  ['SS becomes 16 bits wide', (r) => (r[R.ATTR + Seg.SS]! &= ~(1 << 22))],
];

describe('translated code and what it was translated for', () => {
  it.each(CHANGES)('is left alone when %s', (_name, change) => {
    // L: add eax,[DATA + 2]; push eax; pop edx; dec ecx; jnz L; hlt
    both((twin) => {
      const { m } = twin;
      twin.host();
      m.load(CODE, [0x03, 0x05, 2, 0x50, 0, 0, 0x50, 0x5a, 0x49, 0x75, 0xf5, 0xf4]);
      m.load(CODE + 0x1000, [0x40, 0x49, 0x75, 0xfc, 0xf4]);
      m.write32(DATA, 3);
      m.write32(DATA + 0x1000, 70);
      const run = (): unknown => {
        m.r[R.ESP] = 0x18004;
        m.r[R.ECX] = 40;
        return [twin.go(CODE, 201), twin.state()];
      };
      const before = run();
      change(m.r);
      return [before, run()];
    });
  });

  it('checks alignment in ring 3, in every way to reach memory', () => {
    for (const make of [interpreted, translated]) {
      // mov eax,[ESI]; mov [ESI],eax; add eax,[ESI]; movzx eax,word [ESI]; push/pop with ESP misaligned
      for (const code of [
        [0x8b, 0x06],
        [0x89, 0x06],
        [0x03, 0x06],
        [0x0f, 0xb7, 0x06],
        [0xff, 0x06],
        [0x50],
        [0x58],
      ]) {
        const twin = new Twin(make);
        twin.m.load(CODE, [...code, 0xeb, -(code.length + 2) & 255]);
        twin.host();
        const start = (misaligned: number): Exit => {
          twin.r[R.ESI] = DATA + misaligned;
          twin.r[R.ESP] = 0x9000 + misaligned;
          return twin.go(CODE, 40);
        };
        expect([start(0), start(1)]).toEqual([Exit.Budget, Exit.Budget]);
        twin.r[R.CR0]! |= CR0_AM;
        twin.r[R.EFLAGS]! |= Flag.AC;
        expect([start(0), start(1)]).toEqual([Exit.Budget, Exit.Trap]);
        expect([twin.r[R.EXIT_VECTOR], twin.r[R.EIP]]).toEqual([17, CODE]);
      }
    }
  });

  it('watches data in every way to reach it', () => {
    for (const make of [interpreted, translated]) {
      for (const code of [
        [0x89, 0x06],
        [0xff, 0x06],
        [0x88, 0x06],
        [0x50],
        [0xc7, 0x06, 1, 0, 0, 0],
        [0xe8, 0, 0, 0, 0],
      ]) {
        const twin = new Twin(make);
        twin.m.load(CODE, [...code, 0x40, 0x89, 0xf4, 0xeb, -(code.length + 5) & 255]);
        twin.host();
        const start = (): Exit => {
          twin.r[R.ESI] = DATA;
          twin.r[R.ESP] = code[0] === 0x50 || code[0] === 0xe8 ? DATA + 4 : DATA + 0x100;
          return twin.go(CODE, 40);
        };
        for (let n = 0; n < 20; n++) expect(start()).toBe(Exit.Budget);
        twin.r[R.DR0] = DATA;
        twin.r[R.DR7] = 0x400 | 1 | (0xd << 16);
        expect([start(), twin.r[R.EXIT_VECTOR], twin.r[R.EIP], twin.r[R.DR6]! & 1]).toEqual([
          ...[Exit.Trap, 1, CODE + code.length, 1],
        ]);
      }
    }
  });

  it('has more entries than a table of bytes can tell apart', () => {
    // 400 times: call the next instruction; pop eax; add ebx,eax. Then dec ecx; jnz back; hlt.
    const parts = 400;
    const code = Array.from({ length: parts }, () => [0xe8, 0, 0, 0, 0, 0x58, 0x01, 0xc3]).flat();
    const back = -(code.length + 7);
    both((twin) => {
      twin.m.load(CODE, [...code, 0x49, 0x0f, 0x85, back & 255, (back >> 8) & 255, 255, 255, 0xf4]);
      twin.m.r[R.ESP] = 0x9000;
      twin.m.r[R.ECX] = 12;
      twin.m.r[R.EIP] = CODE;
      const random = new Random(5);
      const places: number[] = [];
      for (let n = 0; n < 120; n++) {
        twin.engine.run(0, 1 + random.below(90));
        places.push(twin.m.r[R.EIP]!, twin.m.r[R.EAX]!, twin.m.r[R.EBX]!);
      }
      return places;
    }, 500);
  });
});

describe('what is kept of translated code', () => {
  it('has a bound in regions: those of both rings go in turn', () => {
    const twin = new Twin(translated);
    const engine = twin.engine as Translator;
    const pages = 300;
    for (let n = 0; n < pages; n++) {
      // L: add eax,n (of 8 bits); dec ecx; jnz L; hlt
      twin.m.load(0x100000 + n * 4096, [0x83, 0xc0, n & 127, 0x49, 0x75, 0xfa, 0xf4]);
    }
    for (const ring of [0, 3, 0] as const) {
      twin.m.flatten();
      if (ring === 3) twin.host();
      for (let n = 0; n < pages; n++) {
        twin.r[R.EAX] = 0;
        twin.r[R.ECX] = 10;
        twin.go(0x100000 + n * 4096, 30);
        expect(twin.r[R.EAX]).toBe((n & 127) * 10);
      }
    }
    expect(engine.translations).toBeGreaterThan(2 * pages);
    expect(engine.regionsKept).toBe(512);
  });

  it('has a bound in bytes, too: long regions go in turn', () => {
    // Pages of ADC [EBX + 16],EAX in loops: 200 KB of WebAssembly each.
    const pages = 95;
    const page = new Uint8Array(4096);
    for (let at = 0; at < 1200 * 3; at += 3) page.set([0x11, 0x43, 0x10], at);
    const end = 1200 * 3;
    page.set([0x49, 0x0f, 0x85, ...new Uint8Array(new Int32Array([-(end + 7)]).buffer), 0xf4], end);
    const twin = new Twin((m) => new Translator(m.context, { threshold: 2000, leastBudget: 1 }));
    const engine = twin.engine as Translator;
    let most = 0;
    for (let n = 0; n < pages; n++) {
      const at = 0x100000 + n * 4096;
      twin.m.load(at, page);
      twin.r[R.EBX] = DATA;
      twin.r[R.ECX] = 100;
      twin.r[R.EIP] = at;
      // Not longer than it takes to be translated: V8 compiles what is run, and that takes its time.
      const made = engine.translations;
      for (let slice = 0; engine.translations === made && slice < 500; slice++) twin.engine.run(0, 100);
      most = Math.max(most, engine.codeBytesKept);
    }
    expect(engine.translations).toBe(pages);
    expect(engine.regionsKept).toBeLessThan(pages);
    expect(most).toBeGreaterThan(15 << 20);
    expect(most).toBeLessThan(17 << 20);
  });
});
