/**
 * Random bytes as code in ring 0 and ring 3, with random page tables, descriptors and interrupts. The long run (10^7
 * instructions each) is `tsx tools/compare/random-main.ts`.
 */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../emu/arch/engine.ts';
import { type EngineContext, Translator } from '../../emu/cpu/index.ts';
import { runRandomCode } from '../../tools/compare/random-code.ts';

const INSTRUCTIONS = 100_000;

describe('random bytes as code', () => {
  for (const ring of [0, 3] as const) {
    it(`in ring ${ring} touch nothing outside RAM and end in the same state again, watched or not`, () => {
      const watched = runRandomCode({ seed: 42, ring, instructions: INSTRUCTIONS, events: 'counted' });
      const plain = runRandomCode({ seed: 42, ring, instructions: INSTRUCTIONS });
      expect(watched.damage).toBeNull();
      expect(plain.damage).toBeNull();
      expect(plain.hash).toBe(watched.hash);
      expect(watched.instructions).toBeGreaterThanOrEqual(INSTRUCTIONS);
      expect(Object.keys(watched.exceptions).length, 'kinds of exceptions').toBeGreaterThan(5);
    });

    it(`in ring ${ring} end in the same state on the translator`, () => {
      const translate = (context: EngineContext): Engine => new Translator(context, { threshold: 1 });
      const options = { seed: 7, ring, instructions: 20_000 };
      expect(runRandomCode({ ...options, makeEngine: translate }).hash).toBe(runRandomCode(options).hash);
    });

    it(`in ring ${ring} end in another state for another seed`, () => {
      const hashes = [1, 2].map((seed) => runRandomCode({ seed, ring, instructions: 5000 }).hash);
      expect(new Set(hashes).size).toBe(2);
    });
  }
});
