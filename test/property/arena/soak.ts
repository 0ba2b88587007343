/** Many programs of one style, counted: the arena's tests share 10^6 operations (physmem.md, issue "physmem complete"). */
import fc from 'fast-check';
import { expect } from 'vitest';
import { programs, run, type Style } from './program.ts';

/** Programs per test; each has about 250 operations. PHYSMEM_RUNS makes the tests shorter or longer. */
const RUNS = Number(process.env['PHYSMEM_RUNS'] ?? 520);
const OPERATIONS_MIN = 200;
/** Time for one test: half a minute on an idle core, much more on a busy machine. */
export const SOAK_MS = 600_000;

/** Runs programs and says how much that was. */
export function soak(style: Style, seed: number, runs: number = RUNS): void {
  let operations = 0;
  let succeeded = 0;
  let waits = 0;
  let deferred = 0;
  let seen = 0;
  fc.assert(
    fc.property(programs, (moves) => {
      const arena = run(moves, style);
      operations += arena.operations;
      succeeded += arena.succeeded;
      waits += arena.flights.waits;
      deferred += arena.top.physmem.counters.deferredPages;
      seen += arena.leftBehind.size;
    }),
    // Shrinking takes long; PHYSMEM_SHRINK asks for it.
    { numRuns: runs, seed, endOnFailure: process.env['PHYSMEM_SHRINK'] === undefined },
  );
  process.stdout.write(`  ${operations} operations, ${succeeded} succeeded, ${waits} waits\n`);
  expect(operations).toBeGreaterThan(runs * OPERATIONS_MIN);
  expect(succeeded).toBeGreaterThan(operations / 4);
  expect(waits).toBeGreaterThan(runs * 2);
  if (style.deferredUnmap === undefined) return;
  process.stdout.write(`  ${deferred} page unmaps deferred, ${seen} pages seen all the same\n`);
  expect(deferred).toBeGreaterThan(runs);
  expect(seen).toBeGreaterThan(runs / 10);
}
