/**
 * The interpreter against a real processor: every recorded vector of test/engines/data (made by `npm run vectors`,
 * formats in tools/vectors) must leave the same registers, flags, memory and fault.
 */
import { describe, expect, it } from 'vitest';
import { Translator } from '../../emu/cpu/index.ts';
import { coverage, NOT_COVERED, REQUIRED_OPCODES } from '../../tools/vectors/coverage.ts';
import { describeVector, EngineWorld } from '../../tools/vectors/engine-world.ts';
import { openVectors, vectorGroups } from '../../tools/vectors/vector-data.ts';
import { readForms, readVectors } from '../../tools/vectors/vector-file.ts';

const SHOWN = 5;
/** The translator sees every thirtieth vector: making a module takes longer than running one. */
const SAMPLE = 30;
const groups = vectorGroups();
const world = new EngineWorld();

describe('the interpreter does what a real processor does', () => {
  for (const group of groups) {
    it(`agrees on every vector of the group ${group}`, () => {
      const shown: string[] = [];
      let failures = 0;
      for (const vector of readVectors(openVectors(group))) {
        const differences = world.check(vector);
        if (differences.length === 0) continue;
        failures++;
        if (shown.length < SHOWN) shown.push(`${describeVector(vector)}\n  ${differences.join('; ')}`);
      }
      expect(failures, shown.join('\n')).toBe(0);
    });
  }
});

describe('the translator does what a real processor does', () => {
  // Each case three times in the same place: decoded, translated, executed as WebAssembly.
  let translator: Translator | undefined;
  const eager = new EngineWorld((context) => (translator = new Translator(context, { threshold: 1 })), 3);

  for (const group of ['programs', 'arithmetic', 'moves', 'stack']) {
    it(`agrees on a part of the vectors of the group ${group}`, () => {
      const before = translator!.translatedInstructions;
      const failures: string[] = [];
      let index = 0;
      for (const vector of readVectors(openVectors(group))) {
        if (index++ % SAMPLE !== 0) continue;
        const differences = eager.check(vector);
        if (differences.length > 0) failures.push(`${describeVector(vector)}\n  ${differences.join('; ')}`);
      }
      expect(failures.slice(0, SHOWN).join('\n')).toBe('');
      expect(translator!.translatedInstructions, 'translated instructions').toBeGreaterThan(before);
    });
  }
});

describe('the vectors are complete', () => {
  const forms = groups.flatMap((group) => readForms(openVectors(group)));

  it('cover every integer opcode that is not listed as left out', () => {
    const { missing } = coverage(forms);
    expect(missing.filter((key) => !(key in NOT_COVERED))).toEqual([]);
    expect(REQUIRED_OPCODES.filter((key) => key in NOT_COVERED)).toEqual([]);
  });

  it('cover each opcode in 32-bit and in 16-bit code', () => {
    for (const codeBits of [32, 16]) {
      const { missing } = coverage(forms.filter((form) => form.codeBits === codeBits));
      expect(missing, `${codeBits}-bit code`).toEqual([]);
    }
  });

  it('are at least 200,000', () => {
    expect(forms.reduce((sum, form) => sum + form.count, 0)).toBeGreaterThan(200_000);
  });
});
