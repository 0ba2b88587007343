/**
 * 10^8 instructions of random programs in lock-step with the interpreter: long loops, so that most of them run as
 * WebAssembly that V8 has optimised, in slices of up to 100,000 instructions between interrupts and changes from outside.
 */
import { expect, it } from 'vitest';
import { CoreF } from '../../../emu/arch/core-layout.ts';
import { type EngineContext, Interpreter, Translator } from '../../../emu/cpu/index.ts';
import { runTwins } from './twins.ts';

const SEEDS = [201, 202, 203, 204, 205];
const SLICES = 750;
let total = 0;

it.each(SEEDS)('random program %i, a long run', (seed) => {
  let tested: Translator | null = null;
  const make = (context: EngineContext): Translator =>
    (tested = new Translator(context, { threshold: 5000 }));
  expect(runTwins(seed, SLICES, (context) => new Interpreter(context), make, 'steady')).toBeNull();
  total += tested!.context.memory.f[0]![CoreF.INSTRUCTIONS]!;
  expect(tested!.translatedInstructions).toBeGreaterThan(1e6);
});

it('that was enough', () => {
  expect(total).toBeGreaterThan(1e8);
});
