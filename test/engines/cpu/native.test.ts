import { afterAll, describe, expect, it } from 'vitest';
import { buildHarness, compare } from './native.ts';
import { makeCases } from './snippets.ts';

const harness = buildHarness();
afterAll(() => harness?.dispose());

describe.skipIf(harness === null)(
  'the interpreter and the host processor (needs gcc -m32 and an x86 host)',
  () => {
    it('agree on registers, defined flags and memory for every ring 3 instruction group', () => {
      expect(compare(makeCases(30, 12345), harness!)).toEqual([]);
    });
  },
);
