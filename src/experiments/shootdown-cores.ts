/**
 * What a shootdown costs against the number of cores that must answer (Black et al.): one page, used by n cores, is taken away
 * with one call. Each core has the translation in its TLB and runs user code when the interrupt comes.
 */
import type { Experiment, Point, Sample, Trial } from './experiment.ts';
import { fitLine, median } from './statistics.ts';
import { runSystem } from './system-run.ts';

const CORES = {
  tiny: [1, 2, 16],
  quick: [1, 2, 4, 8, 16],
  full: [1, 2, 3, 4, 6, 8, 10, 12, 14, 16],
} as const;
const ROUNDS = { tiny: 2, quick: 4, full: 10 } as const;
/** Cores take turns in the emulation; a short turn keeps their clocks together. */
const QUANTUM_INSTRUCTIONS = 100;
const VARIANT = 'interrupt to each core';

/** The guest's own measurement: median cycles of the call. */
const callCycles = (output: string): number => Number(/median (\d+),/.exec(output)?.[1]);

function run(trial: Trial): Sample {
  const calls: Point[] = [];
  const answers: Point[] = [];
  for (const cores of CORES[trial.size]) {
    const { output, shootdowns } = runSystem(trial, {
      scenario: 'shoot',
      changes: [
        { path: 'machine.cores', value: cores },
        { path: 'machine.quantum', value: QUANTUM_INSTRUCTIONS },
        { path: 'root.args', value: [String(ROUNDS[trial.size])] },
      ],
    });
    calls.push({ x: cores, y: callCycles(output) });
    const all = shootdowns.filter(({ ipis }) => ipis === cores - 1).map(({ cycles }) => cycles);
    if (all.length > 0) answers.push({ x: cores, y: median(all) });
  }
  const remote = calls.filter(({ x }) => x > 1);
  const { a, b, r2 } = fitLine(remote);
  const at = (n: number): number => calls.find(({ x }) => x === n)!.y;
  return {
    values: { '1 core': at(1), '2 cores': at(2), '16 cores': at(16), a, b, r2 },
    curves: { calls, answers },
  };
}

export const shootdownCores: Experiment = {
  name: 'shootdown-cores',
  title: 'A shootdown against the number of cores',
  source: 'Black et al., Translation lookaside buffer consistency (ASPLOS 1989)',
  found:
    'The algorithm, for Mach; the cost is said to be linear in the number of cores (the formula 430 + 55 n us that is often ' +
    'quoted could not be verified).',
  runsOn: 'system',
  variants: [VARIANT],
  metrics: [
    { name: '1 core', unit: 'cycles', means: 'deallocation of a page that nobody else uses' },
    { name: '2 cores', unit: 'cycles', means: 'of one that another core uses' },
    { name: '16 cores', unit: 'cycles', means: 'of one that fifteen others use' },
    { name: 'a', unit: 'cycles', means: 'of the line a + b n through 2 to 16 cores' },
    { name: 'b', unit: 'cycles', means: 'that each further core costs' },
    { name: 'r2', unit: 'ratio', means: 'share of the variance that the line explains' },
  ],
  claims: [
    {
      says: 'the cost is linear in the number of cores (R2 above 0.98)',
      holds: (m) => m.of(VARIANT, 'r2') > 0.98,
    },
    {
      says: 'the first other core costs more than each further one',
      holds: (m) => m.of(VARIANT, '2 cores') - m.of(VARIANT, '1 core') > 2 * m.of(VARIANT, 'b'),
    },
    {
      says: '16 cores cost less than four times as much as 2',
      holds: (m) => m.of(VARIANT, '16 cores') < 4 * m.of(VARIANT, '2 cores'),
    },
  ],
  plots: [
    {
      kind: 'curve',
      name: 'calls',
      title: 'Taking one page away from n cores',
      x: 'cores that use the page',
      y: 'cycles of the call',
      scale: 'linear',
    },
    {
      kind: 'curve',
      name: 'answers',
      title: 'The shootdown alone, up to the last answer',
      x: 'cores that use the page',
      y: 'cycles',
      scale: 'linear',
    },
  ],
  run,
};
