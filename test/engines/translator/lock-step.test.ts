/**
 * The translator against the interpreter, on random programs that fault, loop, call, rewrite their own code, and are
 * interrupted at any moment. Every slice must leave the same registers, flags, counters, TLB, memory and events.
 */
import { describe, expect, it } from 'vitest';
import { type EngineContext, Interpreter, Translator } from '../../../emu/cpu/index.ts';
import { runTwins } from './twins.ts';

const reference = (context: EngineContext): Interpreter => new Interpreter(context);

describe('the translator is the interpreter, only faster', () => {
  for (const { seeds, slices, threshold, least } of [
    { seeds: [1, 2, 3, 4, 5, 6, 7, 8], slices: 1500, threshold: 20, least: 50_000 },
    { seeds: [101, 102, 103, 104], slices: 400, threshold: 1, least: 5_000 },
  ]) {
    it.each(seeds)(`on random program %i, translated after ${threshold} instructions`, (seed) => {
      let tested: Translator | null = null;
      const make = (context: EngineContext): Translator =>
        (tested = new Translator(context, { threshold, leastBudget: 1 }));
      expect(runTwins(seed, slices, reference, make)).toBeNull();
      expect(tested!.translatedInstructions, 'the run tests translated code').toBeGreaterThan(least);
      expect(tested!.translations).toBeGreaterThan(10);
    });
  }
});
