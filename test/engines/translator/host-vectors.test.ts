/**
 * Translated code against a real processor: a part of the recorded vectors (test/engines/data), each run twice, so that
 * the second run, whose result counts, finds its code translated.
 */
import { describe, expect, it } from 'vitest';
import type { Engine, Exit } from '../../../emu/arch/engine.ts';
import { type EngineContext, Translator } from '../../../emu/cpu/index.ts';
import { DATA_BASE, DATA_BYTES } from '../../../tools/vectors/case-layout.ts';
import { describeVector, EngineWorld } from '../../../tools/vectors/engine-world.ts';
import { openVectors, vectorGroups } from '../../../tools/vectors/vector-data.ts';
import { readVectors } from '../../../tools/vectors/vector-file.ts';

const SHOWN = 5;
/** One vector of so many is run. */
const PART = Number(process.env['VECTOR_PART'] ?? 12);

/** Runs everything once for nothing, puts registers and data back, and runs it again. */
class TwiceEngine implements Engine {
  readonly name = 'twice';
  readonly translator: Translator;
  private readonly block: Int32Array;
  private readonly data: Uint8Array;

  constructor(context: EngineContext) {
    this.translator = new Translator(context, { threshold: 1, leastBudget: 1 });
    this.block = context.memory.r[0]!;
    this.data = context.memory.ram.subarray(DATA_BASE, DATA_BASE + DATA_BYTES);
  }

  run(core: number, budget: number): Exit {
    const block = this.block.slice();
    const data = this.data.slice();
    this.translator.run(core, budget);
    this.block.set(block);
    this.data.set(data);
    return this.translator.run(core, budget);
  }

  invalidateCode(frameNo: number): void {
    this.translator.invalidateCode(frameNo);
  }

  reset(): void {
    this.translator.reset();
  }
}

describe('translated code does what a real processor does', () => {
  for (const group of vectorGroups()) {
    it(`agrees on vectors of the group ${group}`, () => {
      let engine: TwiceEngine | null = null;
      const world = new EngineWorld((context) => (engine = new TwiceEngine(context)));
      const shown: string[] = [];
      let failures = 0;
      let count = 0;
      for (const vector of readVectors(openVectors(group))) {
        if (count++ % PART !== 0) continue;
        const differences = world.check(vector);
        if (differences.length === 0) continue;
        failures++;
        if (shown.length < SHOWN) shown.push(`${describeVector(vector)}\n  ${differences.join('; ')}`);
      }
      expect(failures, shown.join('\n')).toBe(0);
      expect({ group, translated: engine!.translator.translatedInstructions > 0 }).toEqual({
        group,
        translated: !UNTRANSLATED.has(group),
      });
    });
  }
});

/** Groups whose instructions are all left to the interpreter. */
const UNTRANSLATED: ReadonlySet<string> = new Set(['alignment']);
