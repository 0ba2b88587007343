/**
 * Corners of translated code that random programs seldom meet: the last byte of a block, a walk that writes the running
 * code, segments that get a base, pages with more entries than a table has room for, budgets beyond what is given at
 * once, REP instructions that are cut. Each against the interpreter, or against what must come out.
 */
import { describe, expect, it } from 'vitest';
import { Attention, CoreF, Flag, R, Seg } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { CR0_AM } from '../../../emu/arch/paging.ts';
import { Interpreter, Translator } from '../../../emu/cpu/index.ts';
import type { TlbGeometry } from '../../../emu/mem/index.ts';
import { Random } from '../../../tools/vectors/random.ts';
import { type MakeEngine, PAGED, Twin, USUAL } from '../twin.ts';

const CODE = 0x1000;
const DATA = 0x5000;

const interpreted: MakeEngine = (m) => new Interpreter(m.context);
const translated: MakeEngine = (m) => new Translator(m.context, { threshold: 1, leastBudget: 1 });

/** Runs the same deeds on both engines; all states on the way must be the same. */
function both(deeds: (twin: Twin) => unknown[], threshold = 1, tlb?: TlbGeometry): Translator {
  const a = new Twin(interpreted, tlb);
  const b = new Twin((m) => new Translator(m.context, { threshold, leastBudget: 1 }), tlb);
  const expected = [...deeds(a), a.state()];
  expect([...deeds(b), b.state()]).toEqual(expected);
  const engine = b.engine as Translator;
  expect(engine.translatedInstructions).toBeGreaterThan(50);
  return engine;
}

describe('translated code that is written', () => {
  it('in the last byte of a block alone', () => {
    // L: inc eax; dec ecx; jnz L; hlt
    both((twin) => {
      twin.m.load(CODE, [0x40, 0x49, 0x75, 0xfc, 0xf4]);
      twin.m.r[R.ECX] = 100;
      twin.go(CODE, 301);
      twin.m.load(CODE + 3, [0]);
      twin.m.r[R.EAX] = 0;
      twin.m.r[R.ECX] = 100;
      twin.go(CODE, 301);
      expect(twin.m.r[R.EAX]).toBe(1);
      return [];
    });
  });

  it('by the walk of its own access: an entry of a page table is an operand', () => {
    // L: mov ecx,[esi]; mov edx,imm32 (at 0x1800, the entry of page 0x200); add ebx,edx; dec edi; jnz L; hlt
    const entry = 0x3000 | USUAL;
    const loop = [0x8b, 0x0e, 0xba, entry & 255, entry >> 8, 0, 0, 0x01, 0xd3, 0x4f, 0x75, 0xf4, 0xf4];
    both((twin) => {
      const { m } = twin;
      m.write32(0x20000, CODE | USUAL);
      for (let n = 0; n < 8; n++) m.write32(CODE + n * 4, (n * 4096) | USUAL);
      m.load(0x17fd, loop);
      m.r[R.CR3] = 0x20000;
      m.r[R.CR0] = PAGED;
      m.r[R.ESI] = 0x2000;
      m.r[R.EDI] = 50;
      twin.go(0x17fd, 251);
      const sum = m.r[R.EBX];
      m.r[R.EBX] = 0;
      m.r[R.ESI] = 0x200000;
      m.r[R.EDI] = 50;
      twin.go(0x17fd, 251);
      // The A bit of the entry has come into the operand before it was executed.
      expect([sum, m.r[R.EBX]]).toEqual([50 * entry, 50 * (entry | 0x20)]);
      return [];
    });
  });

  it('by a transfer of DMA, in the middle of a run', () => {
    // L: mov eax,imm32; mov [DEVICE],eax; dec ecx; jnz L; hlt. The device writes the operand by DMA.
    const device = 0xfd000000;
    both((twin) => {
      const { m } = twin;
      m.context.bus.addMmio({
        ...{ name: 'master', base: device, sizeBytes: 4096, read: () => 0 },
        write: (_pa, _size, value) => m.context.bus.dma.write(CODE + 1, Uint8Array.of((value + 3) & 255)),
      });
      m.load(CODE, [0xb8, 1, 0, 0, 0, 0xa3, 0, 0, 0, 0xfd, 0x01, 0xc3, 0x49, 0x75, 0xf1, 0xf4]);
      m.r[R.ECX] = 60;
      twin.go(CODE, 400);
      expect(m.r[R.EBX]).toBe(Array.from({ length: 60 }, (_, n) => 1 + n * 3).reduce((a, b) => a + b));
      return [];
    });
  });

  it('after the decoded code of all pages was dropped for lack of room', () => {
    const twin = new Twin((m) => new Translator(m.context, { threshold: 200, leastBudget: 1 }));
    const sum = (): number => {
      twin.r[R.EAX] = 0;
      twin.r[R.ECX] = 300;
      twin.go(CODE, 901);
      return twin.r[R.EAX]!;
    };
    twin.m.load(CODE, [0x83, 0xc0, 1, 0x49, 0x75, 0xfa, 0xf4]);
    expect(sum()).toBe(300);
    const engine = twin.engine as Translator;
    expect(engine.translations).toBe(1);
    // Decoded code of 512 pages is kept; that of the loop's page goes with all others, and with it the word of writes.
    for (let page = 0; page < 600; page++) twin.go(0x100000 + page * 4096, 3);
    twin.m.load(CODE + 2, [2]);
    expect([sum(), engine.translations]).toEqual([600, 2]);
  });

  it('is gone at once when the engine is reset', () => {
    const twin = new Twin(translated);
    twin.m.load(CODE, [0x40, 0x49, 0x75, 0xfc, 0xf4]);
    twin.m.r[R.ECX] = 100;
    twin.go(CODE, 301);
    const engine = twin.engine as Translator;
    expect(engine.regionsKept).toBe(1);
    engine.reset();
    expect([engine.regionsKept, engine.codeBytesKept]).toEqual([0, 0]);
  });
});

describe('translated code whose page is mapped elsewhere', () => {
  /** Two pages with loops that add 1 or 2, at frames 1 and 2. */
  const load = (twin: Twin): void => {
    twin.page();
    twin.m.load(0x1000, [0x83, 0xc0, 1, 0x49, 0x75, 0xfa, 0xf4]);
    twin.m.load(0x2000, [0x83, 0xc0, 2, 0x49, 0x75, 0xfa, 0xf4]);
  };
  const sum = (twin: Twin): number => {
    twin.m.r[R.EAX] = 0;
    twin.m.r[R.ECX] = 30;
    twin.go(CODE, 91);
    return twin.m.r[R.EAX]!;
  };

  it('runs on while the instruction TLB has the old translation, and no longer', () => {
    both((twin) => {
      load(twin);
      const sums = [sum(twin)];
      twin.setEntry(1, 0x2000 | USUAL);
      sums.push(sum(twin));
      twin.m.context.tlb.invalidatePage(0, CODE);
      sums.push(sum(twin));
      twin.setEntry(1, 0);
      sums.push(sum(twin));
      twin.m.context.tlb.flushNonGlobal(0);
      twin.host();
      sums.push(sum(twin));
      expect(sums).toEqual([30, 30, 60, 60, 0]);
      expect(twin.m.r[R.FAULT_VECTOR]).toBe(14);
      return sums;
    });
  });

  it('is the supervisor’s: ring 3 faults at it although ring 0 has run it', () => {
    both((twin) => {
      load(twin);
      twin.setEntry(1, 0x1000 | (USUAL & ~4));
      const inside = sum(twin);
      twin.host();
      return [inside, sum(twin), twin.m.r[R.FAULT_ERROR], twin.m.r[R.FAULT_EIP]];
    });
  });

  it('is left to ring 0 when it was ring 3’s and is so no more', () => {
    both((twin) => {
      load(twin);
      twin.host();
      const sums = [sum(twin)];
      twin.setEntry(1, 0x1000 | (USUAL & ~4));
      twin.m.context.tlb.invalidatePage(0, CODE);
      twin.m.flatten();
      twin.page();
      twin.setEntry(1, 0x1000 | (USUAL & ~4));
      sums.push(sum(twin));
      twin.host();
      sums.push(sum(twin));
      expect(sums).toEqual([30, 30, 0]);
      return [...sums, twin.r[R.FAULT_VECTOR], twin.r[R.FAULT_ERROR]];
    });
  });

  it('leads data of ring 3 and of ring 0 through its own rights', () => {
    // L: add eax,[DATA]; dec ecx; jnz L; hlt, with DATA the supervisor's
    both((twin) => {
      twin.page();
      twin.m.context.trapMode = 'hosted';
      twin.m.load(CODE, [0x03, 0x05, 0, 0x50, 0, 0, 0x49, 0x75, 0xf7, 0xf4]);
      twin.m.write32(DATA, 5);
      const sums: unknown[] = [];
      for (const entry of [DATA | USUAL, DATA | 3, DATA | USUAL]) {
        twin.setEntry(5, entry);
        twin.m.context.tlb.invalidatePage(0, DATA);
        for (const ring of [0, 3] as const) {
          if (ring === 3) twin.m.enterUser();
          sums.push([entry, ring, sum(twin), twin.m.r[R.FAULT_VECTOR], twin.m.r[R.FAULT_ERROR]]);
          if (ring === 3) {
            twin.m.flatten();
            twin.page();
          }
        }
      }
      return sums;
    });
  });
});

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
  const device = 0xfd000000;
  const DIRECT: TlbGeometry = {
    ...{ data: { entries: 4, ways: 1 }, instr: { entries: 4, ways: 1 } },
    ...{ replacement: 'fifo', seed: 1 },
  };
  it.each([
    ['MOVS', [0xa5]],
    ['CMPS', [0xa7]],
    ['PUSH from memory', [0xff, 0x36]],
    ['CALL through memory', [0xff, 0x16]],
  ] as const)('has taken no TLB entry for it: %s', (_name, code) => {
    // L: mov esi,DATA; mov edi,page 9; mov esp,page 9 + 8; the instruction; dec ecx; jnz L. Pages 5 and 9 share one place.
    both(
      (twin) => {
        twin.page();
        twin.m.context.bus.addMmio({
          ...{ name: 'port', base: device, sizeBytes: 4096, read: () => 0 },
          write: () => {},
        });
        twin.setEntry(9, device | USUAL);
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

describe('what waits when an instruction of translated code is done', () => {
  // L: inc eax; mov [DEVICE],eax; dec ecx; jnz L; hlt
  const device = 0xfd000000;
  const loop = [0x40, 0xa3, 0, 0, 0, 0xfd, 0x49, 0x75, 0xf7, 0xf4];
  const attach = (twin: Twin, wanted: number): void => {
    const { m } = twin;
    m.context.bus.addMmio({
      ...{ name: 'bell', base: device, sizeBytes: 4096, read: () => 0 },
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
