/**
 * Large pages under random partial work: what is left of a 4 MiB translation is shown as it was, at its address, and never
 * beside a small one (I21); what went is not shown. After every operation the whole-state checker looks, TLBs included.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CopyFlag } from '../../src/abi/rights.ts';
import { BenchTop } from '../unit/physmem/bench-top.ts';

const LARGE = 1024;
const AT = { 1: LARGE, 2: 4 * LARGE } as const;
const RUNS = Number(process.env['PHYSMEM_RUNS'] ?? 12);

/** Pages of the frame, small ranges at the ends of powers of two more often than elsewhere. */
const range = fc
  .tuple(
    fc.oneof(
      fc.nat(LARGE - 1),
      fc.nat(9).map((k) => (1 << k) - 1),
    ),
    fc.oneof(fc.nat(LARGE - 1), fc.nat(7)),
  )
  .map(([from, more]) => ({ from, count: Math.min(1 + more, LARGE - from) }));
const move = fc.record({ what: fc.nat(5), task: fc.constantFrom(1 as const, 2 as const), range });

function world() {
  const top = new BenchTop({ frames: 8192, cores: 3 });
  top.kernel.remote = 'always';
  const first = top.container();
  const second = top.container();
  for (const task of [1, 2]) top.task(task);
  top.must(top.allocate(first, 0, LARGE));
  top.must(top.map(1, first, 0, LARGE, AT[1]));
  for (let page = 0; page < LARGE; page += 1) top.kernel.write(page % 3, 1, AT[1] + page, 5000 + page);
  top.must(top.copy(first, 0, second, 0, LARGE, CopyFlag.SHARED));
  top.must(top.map(2, second, 0, LARGE, AT[2]));
  return { top, names: { 1: first, 2: second } as const };
}

describe('what is left of a large page', () => {
  it('is what it was, where it was', () => {
    let kept = 0;
    let demotions = 0;
    fc.assert(
      fc.property(fc.array(move, { minLength: 4, maxLength: 10 }), (moves) => {
        const { top, names } = world();
        // What each task must see of a page: its number, zero after a release, or -1 for nothing at all.
        const seen = { 1: new Int32Array(LARGE), 2: new Int32Array(LARGE) };
        for (const task of [1, 2] as const)
          for (let page = 0; page < LARGE; page += 1) seen[task][page] = 5000 + page;
        for (const {
          what,
          task,
          range: { from, count },
        } of moves) {
          const name = names[task];
          if (what === 0) {
            top.deallocate(name, from, count);
            seen[task].fill(-1, from, from + count);
          } else if (what === 1) top.unmap(task, AT[task] + from, count);
          else if (what === 2) top.copy(name, from, top.container(), 0, count);
          else if (what === 3) top.map(task, name, 0, LARGE, AT[task], 1);
          else if (what === 4) top.copy(name, from, top.container(), 7, count, CopyFlag.SHARED);
          else top.map(task, name, from, count, AT[task] + from, 3);
          for (const page of [0, from, from + count - 1, Math.min(from + count, LARGE - 1), LARGE - 1]) {
            for (const reader of [1, 2] as const) {
              const value = top.kernel.read(page % 3, reader, AT[reader] + page);
              const wanted = seen[reader][page]!;
              expect(value === null || value === wanted, `task ${reader} reads ${value} for ${wanted}`).toBe(
                true,
              );
            }
          }
        }
        kept += top.physmem.counters.keptPages;
        demotions += top.physmem.counters.demotions;
      }),
      { numRuns: RUNS, seed: 5, endOnFailure: true },
    );
    expect(demotions).toBeGreaterThan(RUNS);
    expect(kept).toBeGreaterThan(demotions * 100);
  });
});
