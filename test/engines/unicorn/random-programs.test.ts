/**
 * The unicorn engine against the interpreter, on random programs that fault, loop, call, rewrite their own code, and are
 * interrupted at any moment, with small TLBs. Only instructions whose flags are defined; AF is left out. Skipped where
 * libunicorn is not installed.
 */
import { describe, expect, it } from 'vitest';
import {
  type EngineContext,
  Interpreter,
  UnicornEngine,
  type UnicornLibrary,
} from '../../../emu/cpu/index.ts';
import { loadUnicorn } from '../../../src/cli/unicorn-library.ts';
import { runTwins } from '../translator/twins.ts';

let library: UnicornLibrary | null = null;
let missing = '';
try {
  library = loadUnicorn();
} catch (error) {
  missing = ` (skipped: ${(error as Error).message})`;
}
const AF = 1 << 4;
const SLICES = 400;
const reference = (context: EngineContext): Interpreter => new Interpreter(context);

describe.skipIf(library === null)(`the unicorn engine is the interpreter by other people${missing}`, () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('on random program %i', (seed) => {
    let tested: UnicornEngine | null = null;
    const make = (context: EngineContext): UnicornEngine => (tested = new UnicornEngine(context, library!));
    expect(runTwins(seed, SLICES, reference, make, 'defined', AF)).toBeNull();
    expect(tested!.foreignInstructions).toBeGreaterThan(20_000);
  });
});
