/** Code that changes all the time: results stay right, and what the translator keeps stays bounded. */
import { describe, expect, it } from 'vitest';
import { R } from '../../../emu/arch/core-layout.ts';
import { type EngineContext, Interpreter, Translator } from '../../../emu/cpu/index.ts';
import { TestMachine } from '../../unit/cpu/test-machine.ts';

const CODE = 0x1000;

/** A TestMachine's world with the translator instead of its interpreter. */
function translatorFor(m: TestMachine, threshold: number, freeTranslations?: number): Translator {
  const free = freeTranslations === undefined ? {} : { freeTranslations };
  return new Translator(m.context as EngineContext, { threshold, leastBudget: 1, ...free });
}

/** L: add eax, imm32; dec ecx; jnz L; hlt */
const loop = (imm: number): number[] => [
  ...[0x05, imm & 255, (imm >>> 8) & 255, (imm >>> 16) & 255, imm >>> 24],
  ...[0x49, 0x75, 0xf8, 0xf4],
];

describe('code that is rewritten', () => {
  it('is run as it is now, whether the host or the program wrote it', () => {
    const m = new TestMachine();
    const engine = translatorFor(m, 20);
    for (let round = 1; round <= 300; round++) {
      m.load(CODE, loop(round));
      m.r[R.EIP] = CODE;
      m.r[R.EAX] = 0;
      m.r[R.ECX] = 100;
      m.r[R.RUN_STATE] = 0;
      engine.run(0, 301);
      expect(m.r[R.EAX], `round ${round}`).toBe(round * 100);
    }
    expect(engine.translations).toBeGreaterThan(3);
    // Each rewriting makes the page wait longer.
    expect(engine.translations).toBeLessThan(60);
  });

  it('inside the loop that runs it changes the next round', () => {
    // L: add eax, imm32; inc dword [CODE + 1]; dec ecx; jnz L
    const code = [0x05, 1, 0, 0, 0, 0xff, 0x05, CODE & 255, CODE >> 8, 0, 0, 0x49, 0x75, 0xf2];
    code[7] = (CODE + 1) & 255;
    const sums = [
      (m: TestMachine) => new Interpreter(m.context as EngineContext),
      (m: TestMachine) => translatorFor(m, 1),
    ].map((make) => {
      const m = new TestMachine();
      const engine = make(m);
      m.load(CODE, code);
      m.r[R.EIP] = CODE;
      m.r[R.ECX] = 200;
      engine.run(0, 800);
      return m.r[R.EAX];
    });
    expect(sums).toEqual([(200 * 201) / 2, (200 * 201) / 2]);
  });

  it('is translated at a pace that interpreted instructions set, however many pages it is in', () => {
    const m = new TestMachine({ ramBytes: 16 << 20 });
    const free = 20;
    const engine = translatorFor(m, 100, free);
    let next = 0;
    /** New code in a page that had none: hot each time, since a page is patient only after it was translated. */
    const round = (turns: number): void => {
      const n = ++next;
      const at = 0x100000 + n * 4096;
      m.load(at, loop(n));
      m.r[R.EIP] = at;
      m.r[R.EAX] = 0;
      m.r[R.ECX] = turns;
      m.r[R.RUN_STATE] = 0;
      engine.run(0, turns * 3 + 1);
      expect(m.r[R.EAX], `page ${n}`).toBe(Math.imul(turns, n));
    };
    for (let n = 0; n < 60; n++) round(1000);
    expect(engine.translations).toBe(free);
    // 40 pages of 3,000 interpreted instructions have earned nothing yet; 4,000,000 earn one.
    for (let n = 0; n < 45; n++) round(100_000);
    expect(engine.translations).toBeGreaterThanOrEqual(free + 2);
    expect(engine.translations).toBeLessThanOrEqual(free + 4);
    // The host's reset begins anew.
    engine.reset();
    const before = engine.translations;
    for (let n = 0; n < 60; n++) round(1000);
    expect(engine.translations).toBe(before + free);
  });

  it('stays known as such when all decoded code is dropped for want of room', () => {
    const m = new TestMachine({ ramBytes: 16 << 20 });
    const engine = translatorFor(m, 100);
    const run = (at: number, imm: number, turns = 100): void => {
      m.load(at, loop(imm));
      m.r[R.EIP] = at;
      m.r[R.ECX] = turns;
      m.r[R.RUN_STATE] = 0;
      engine.run(0, turns * 3 + 1);
    };
    for (let n = 0; n < 200; n++) run(CODE, n);
    // Decoded code is kept for 512 pages.
    for (let page = 0; page < 520; page++) run(0x100000 + page * 4096, page);
    const before = engine.translations;
    for (let n = 0; n < 3; n++) run(CODE, n, 1000);
    expect(engine.translations).toBe(before);
  });

  it('on more pages than there is room for is translated anew, and the room is used again', () => {
    const m = new TestMachine({ ramBytes: 16 << 20 });
    const engine = translatorFor(m, 1);
    const pages = 700;
    for (let round = 0; round < 2; round++) {
      for (let page = 0; page < pages; page++) {
        const at = 0x100000 + page * 4096;
        m.load(at, loop(page + 1));
        m.r[R.EIP] = at;
        m.r[R.EAX] = 0;
        m.r[R.ECX] = 10;
        m.r[R.RUN_STATE] = 0;
        engine.run(0, 31);
        expect(m.r[R.EAX], `page ${page}`).toBe((page + 1) * 10);
      }
    }
    expect(engine.translations).toBeGreaterThan(pages);
    expect(engine.regionsKept).toBeLessThanOrEqual(512);
  });

  it('goes one region after another when there is no room, and the others stay', () => {
    const m = new TestMachine({ ramBytes: 16 << 20 });
    const engine = translatorFor(m, 1);
    const runPage = (page: number): void => {
      const at = 0x100000 + page * 4096;
      m.r[R.EIP] = at;
      m.r[R.ECX] = 10;
      m.r[R.RUN_STATE] = 0;
      engine.run(0, 31);
    };
    for (let page = 0; page < 600; page++) m.load(0x100000 + page * 4096, loop(page));
    // Decoded code is kept for 512 pages; with less than that only regions run out.
    for (let page = 0; page < 300; page++) runPage(page);
    const made = engine.translations;
    for (let page = 0; page < 300; page++) runPage(page);
    expect(engine.translations).toBe(made);
    expect(engine.regionsKept).toBe(300);
    expect(engine.codeBytesKept).toBeGreaterThan(300 * 100);
    for (let page = 0; page < 300; page++) m.load(0x100000 + page * 4096, loop(page + 7));
    expect([engine.regionsKept, engine.codeBytesKept]).toEqual([0, 0]);
  });

  it('is told of after all of its frame was written and new code was decoded there (CodeCache.slotOf)', () => {
    for (const make of [
      (m: TestMachine) => new Interpreter(m.context as EngineContext),
      (m: TestMachine) => translatorFor(m, 1),
    ]) {
      const m = new TestMachine();
      const engine = make(m);
      const sum = (): number => {
        m.r[R.EIP] = CODE;
        m.r[R.EAX] = 0;
        m.r[R.ECX] = 10;
        m.r[R.RUN_STATE] = 0;
        engine.run(0, 31);
        return m.r[R.EAX]!;
      };
      const page = (imm: number): Uint8Array => {
        const bytes = new Uint8Array(4096);
        bytes.set(loop(imm));
        return bytes;
      };
      m.load(CODE, page(3));
      expect(sum()).toBe(30);
      // A write of the whole frame, as DMA and copies make them, takes the frame's mark away.
      m.load(CODE, page(4));
      expect(sum()).toBe(40);
      m.load(CODE + 1, [5]);
      expect(sum()).toBe(50);
    }
  });

  it('is forgotten when the engine is reset or told that a frame has changed', () => {
    const m = new TestMachine();
    const engine = translatorFor(m, 1);
    const run = (): number => {
      m.r[R.EIP] = CODE;
      m.r[R.EAX] = 0;
      m.r[R.ECX] = 50;
      m.r[R.RUN_STATE] = 0;
      engine.run(0, 151);
      return m.r[R.EAX]!;
    };
    m.load(CODE, loop(3));
    expect([run(), run()]).toEqual([150, 150]);
    expect(engine.regionsKept).toBe(1);
    engine.invalidateCode(CODE >>> 12);
    expect(engine.regionsKept).toBe(0);
    // A write that nobody is told of, as the loading of a snapshot makes them, needs the reset.
    expect(run()).toBe(150);
    m.context.memory.ram[CODE + 1] = 5;
    engine.reset();
    expect(run()).toBe(250);
  });
});
