/** Our decoder and disassembler against iced-x86; the run over 10^6 strings is `tsx tools/compare/decode-main.ts`. */
import { beforeAll, describe, expect, it } from 'vitest';
import { compareDecoders, type DecodeResult, JUSTIFIED } from '../../tools/compare/decode-compare.ts';

describe('the decoder', () => {
  let result: DecodeResult;
  beforeAll(() => {
    result = compareDecoders(60_000, 2025, 10);
  });

  it('agrees with iced-x86 on random and mutated bytes but for the justified differences', () => {
    expect(result.differences).toEqual([]);
    expect(result.unjustified).toBe(0);
  });

  it('agrees literally on most strings, so that the justifications stay the exception', () => {
    expect(result.equal / result.strings).toBeGreaterThan(0.9);
  });

  it('needs every justification that is listed', () => {
    result.justified.forEach((count, i) => {
      expect(count, JUSTIFIED[i]!.reason).toBeGreaterThan(0);
    });
  });
});
