import fc from 'fast-check';
import { expect, it } from 'vitest';
import { programs, run } from './arena/program.ts';
it('x', () => {
  let operations = 0, ok = 0, waits = 0;
  fc.assert(fc.property(programs, (moves) => {
    const w = run(moves, { sliceSteps: 1024, steps: Number(process.env['STEPS'] ?? 0), limbo: 'never' });
    operations += w.operations; ok += w.succeeded; waits += w.flights.waits;
  }), { numRuns: Number(process.env['R'] ?? 20), seed: 3, endOnFailure: process.env['SHRINK'] === undefined });
  console.log(operations, ok, waits);
});
