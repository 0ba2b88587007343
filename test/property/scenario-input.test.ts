import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtInScenarios } from '../../src/scenario/built-in.ts';
import { HostError } from '../../src/scenario/host-error.ts';
import { parseQuantity } from '../../src/scenario/quantity.ts';
import { parseScenario, type Scenario } from '../../src/scenario/scenario.ts';

const PATHS = [
  'name,title,look,seed,poison,root,modules,faults,limits,pictures,checks,machine,extra'.split(','),
  'cores,ram,quantum,timeSlice,tlb,costs,core'.split(',').map((key) => `machine.${key}`),
  'data,instruction,replacement,data.ways,instruction.entries'.split(',').map((key) => `machine.tlb.${key}`),
  [
    'machine.costs.pageWalk',
    'root.image',
    'root.args',
    'faults.skipShootdown',
    'limits.maxCycles',
    'checks.exit',
  ],
].flat();

const TINY = '{"name":"x","title":"t","look":"l","root":{"image":"hello"}}';

/** Reads text as a scenario; the only way out besides a scenario is one sentence. */
function read(text: string, changes: readonly { path: string; value: unknown }[] = []): Scenario | string {
  try {
    return parseScenario(text, 'x.json', changes);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    expect(error.message).toMatch(/^x\.json: [^\n]+[.?]$/);
    return error.message;
  }
}

describe('scenario input', () => {
  it('of any JSON is a scenario or one sentence', () => {
    fc.assert(
      fc.property(fc.json(), (text) => void read(text)),
      { numRuns: 2000 },
    );
  });

  it('of any text is a scenario or one sentence', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => void read(text)),
      { numRuns: 2000 },
    );
  });

  it('with any value at any key is a scenario with possible values, or one sentence', () => {
    const values = fc.oneof(fc.jsonValue(), fc.string(), fc.integer(), fc.double());
    fc.assert(
      fc.property(fc.constantFrom(...PATHS), values, (path, value) => {
        const scenario = read(TINY, [{ path, value }]);
        if (typeof scenario === 'string') return;
        const { cores, ramBytes, tlb } = scenario.machine;
        expect(cores >= 1 && cores <= 16 && Number.isInteger(cores)).toBe(true);
        expect(ramBytes >= 4 << 20 && ramBytes <= 3 * 2 ** 30 && ramBytes % 4096 === 0).toBe(true);
        expect(tlb.data.ways).toBeLessThanOrEqual(tlb.data.entries);
      }),
      { numRuns: 5000 },
    );
  });

  it('cut anywhere is never a scenario', () => {
    for (const scenario of builtInScenarios()) {
      const { name, title, look, root } = scenario;
      const text = JSON.stringify({ name, title, look, root });
      for (let end = 0; end < text.length; end++) expect(typeof read(text.slice(0, end))).toBe('string');
    }
  });
});

describe('a quantity', () => {
  it('in whatever unit is the number of bytes that it says', () => {
    const unit = fc.constantFrom(['', 1], ['K', 1024], ['k', 1024], ['Mi', 2 ** 20], ['GiB', 2 ** 30]);
    fc.assert(
      fc.property(fc.nat(100_000), unit, (count, [suffix, factor]) => {
        expect(parseQuantity(`${count}${suffix}`)).toBe(count * Number(factor));
        expect(parseQuantity(`0x${count.toString(16)}`)).toBe(count);
      }),
    );
  });
});
