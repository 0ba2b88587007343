/**
 * All guest programs on Unicorn (machine.md §2): the same events in the same order at the same times as on the
 * interpreter, and the same machine at the end. Skipped, with the reason, where libunicorn is not installed.
 */
import { describe, expect, it } from 'vitest';
import { UnicornEngine, type UnicornLibrary } from '../../../emu/cpu/index.ts';
import { loadUnicorn } from '../../../src/cli/unicorn-library.ts';
import { BUILT_IN_NAMES } from '../../../src/scenario/built-in.ts';
import { interpreter, runScenario } from '../translator/scenarios.ts';

let library: UnicornLibrary | null = null;
let missing = '';
try {
  library = loadUnicorn();
} catch (error) {
  missing = ` (skipped: ${(error as Error).message})`;
}
const MAX_INSTRUCTIONS = 200_000;
/** AF is undefined after shifts; Unicorn and the processor that the interpreter follows differ there. */
const AF = 1 << 4;

describe.skipIf(library === null)(`the unicorn engine${missing}`, () => {
  it.each(BUILT_IN_NAMES)('leaves the trace and state of the interpreter in the scenario %s', (name) => {
    let engine: UnicornEngine | null = null;
    const run = runScenario(
      name,
      (context) => {
        engine = new UnicornEngine(context, library!);
        return engine;
      },
      1000,
      MAX_INSTRUCTIONS,
      AF,
    );
    expect(run).toEqual(runScenario(name, interpreter, 1000, MAX_INSTRUCTIONS, AF));
    // It is Unicorn that does the work: the rest is firmware, system calls, and misses of the TLB.
    expect(engine!.foreignInstructions).toBeGreaterThan(1000);
  });

  it('keeps to any quantum', () => {
    for (const quantum of [1, 7, 100_000]) {
      const run = runScenario('stale', (c) => new UnicornEngine(c, library!), quantum, 60_000);
      expect(run).toEqual(runScenario('stale', interpreter, quantum, 60_000));
    }
  });
});
