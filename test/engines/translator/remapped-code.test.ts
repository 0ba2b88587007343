/**
 * Translated code that is written in odd ways (its last byte, by the walk of its own access, by DMA, after all decoded code
 * was dropped), and whose page is mapped elsewhere or for another ring.
 */
import { describe, expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import { Translator } from '../../../emu/cpu/index.ts';
import { PAGED, Twin, USUAL } from '../twin.ts';
import { both, CODE, DATA, DEVICE, translated } from './both.ts';

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
    both((twin) => {
      const { m } = twin;
      m.context.bus.addMmio({
        ...{ name: 'master', base: DEVICE, sizeBytes: 4096, read: () => 0 },
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

describe('a miss of the TLB in translated code, with nobody who listens', () => {
  // L: add ebx,[esi]; dec ecx; jnz L; hlt
  const LOOP = [0x03, 0x1e, 0x49, 0x75, 0xfb, 0xf4];
  const WALKED = USUAL | 0x60;
  const sum = (twin: Twin, from: number): [number, unknown] => {
    const { r } = twin;
    r[R.EBX] = 0;
    r[R.ESI] = from;
    r[R.ECX] = 30;
    twin.go(CODE, 91);
    return [r[R.EBX]!, twin.state()];
  };
  const start = (twin: Twin): void => {
    twin.m.context.events.sink = null;
    twin.page();
    twin.m.load(CODE, LOOP);
    twin.m.write32(0x5000, 1);
    twin.m.write32(0x6000, 2);
    twin.m.write32(0x8000, 3);
    twin.m.write32(0x105000, 4);
  };

  it('finds a stale translation of 4 MiB where the tables have small pages by now', () => {
    both((twin) => {
      start(twin);
      twin.r[R.CR4] = 0x10;
      twin.m.write32(0x20004, 0x80 | WALKED);
      const seen = [sum(twin, 0x405000)];
      // Page 6 of the second table leads to frame 8.
      twin.m.write32(0x22000 + 6 * 4, 0x8000 | WALKED);
      twin.m.write32(0x20004, 0x22000 | WALKED);
      seen.push(sum(twin, 0x406000));
      expect(seen.map(([total]) => total)).toEqual([30, 60]);
      twin.m.context.tlb.flushNonGlobal(0);
      return [...seen, sum(twin, 0x406000)];
    });
  });

  it('goes through the A20 gate', () => {
    both((twin) => {
      start(twin);
      twin.setEntry(9, 0x105000 | WALKED);
      const seen = [sum(twin, 0x8000), sum(twin, 0x9000)];
      twin.m.context.tlb.invalidatePage(0, 0x9000);
      twin.m.context.mmu.setA20('masked');
      seen.push(sum(twin, 0x8000), sum(twin, 0x9000));
      expect(seen.map(([total]) => total)).toEqual([90, 120, 90, 30]);
      return seen;
    });
  });

  it.each([
    ['is a fault without U in ring 3', 3 | 0x60],
    ['sets A', USUAL | 0x40],
    ['faults at an absent page', 0],
    ['is no write where W is missing', 5 | 0x60],
  ])('%s', (_name, bits) => {
    // L: add [esi],ebx; dec ecx; jnz L; int 0x80
    both((twin) => {
      start(twin);
      twin.m.load(CODE, [0x01, 0x1e, 0x49, 0x75, 0xfb, 0xcd, 0x80]);
      twin.host();
      const seen: unknown[] = [sum(twin, 0x5000)];
      twin.setEntry(6, bits === 0 ? 0 : 0x6000 | bits);
      seen.push(sum(twin, 0x6000), twin.m.read32(0x21000 + 24), twin.m.read32(0x6000));
      return seen;
    });
  });
});
