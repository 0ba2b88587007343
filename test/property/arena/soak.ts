/** Many programs of one style, counted: the arena's tests share 10^6 operations (physmem.md, issue "physmem complete"). */
import fc from 'fast-check';
import { expect } from 'vitest';
import { programs, run, type Style } from './program.ts';

/** Programs per test; each has about 250 operations. PHYSMEM_RUNS makes the tests shorter or longer. */
const RUNS = Number(process.env['PHYSMEM_RUNS'] ?? 520);
const OPERATIONS_MIN = 200;

/** Runs programs and says how much that was. */
export function soak(style: Style, seed: number): void {
  let operations = 0;
  let succeeded = 0;
  let waits = 0;
  fc.assert(
    fc.property(programs, (moves) => {
      const arena = run(moves, style);
      operations += arena.operations;
      succeeded += arena.succeeded;
      waits += arena.flights.waits;
    }),
    // Shrinking takes long; PHYSMEM_SHRINK asks for it.
    { numRuns: RUNS, seed, endOnFailure: process.env['PHYSMEM_SHRINK'] === undefined },
  );
  process.stdout.write(`  ${operations} operations, ${succeeded} succeeded, ${waits} waits\n`);
  expect(operations).toBeGreaterThan(RUNS * OPERATIONS_MIN);
  expect(succeeded).toBeGreaterThan(operations / 4);
  expect(waits).toBeGreaterThan(RUNS * 2);
}
