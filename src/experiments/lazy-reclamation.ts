/**
 * Lazy reclamation (LATR): memory that is freed stays in limbo until every core has passed a tick; nobody is interrupted. Here
 * an operation goes on only after the last answer (physmem.md §6.1), so who frees waits for the tick, unless a thread of
 * the task does that for it; then the caller has what LATR's caller has.
 */
import type { Experiment, Sample, Trial } from './experiment.ts';
import { runSystem } from './system-run.ts';

const INTERRUPTS = 'interrupts';
const TICKS = 'ticks';
const HELPED = 'interrupts, a thread waits';
const LAZY = 'ticks, a thread waits';
const CORES = { tiny: 3, quick: 6, full: 10 } as const;
const ROUNDS = { tiny: 4, quick: 16, full: 40 } as const;
const QUANTUM_INSTRUCTIONS = 100;

const isHelped = (variant: string): boolean => variant === HELPED || variant === LAZY;
const medianOf = (output: string, line: string): number =>
  Number(new RegExp(`${line}: least \\d+, median (\\d+),`).exec(output)?.[1]);

function run(trial: Trial): Sample {
  const { variant, size } = trial;
  const rounds = ROUNDS[size];
  const { kernel, output } = runSystem(trial, {
    scenario: 'shoot',
    changes: [
      { path: 'machine.cores', value: CORES[size] },
      { path: 'machine.quantum', value: QUANTUM_INSTRUCTIONS },
      { path: 'root.args', value: [String(rounds), ...(isHelped(variant) ? ['reaper'] : [])] },
      { path: 'shootdownBy', value: variant === TICKS || variant === LAZY ? 'tick' : 'interrupt' },
    ],
  });
  const held = medianOf(output, isHelped(variant) ? 'in the reaper' : 'deallocate one page');
  return {
    values: {
      caller: medianOf(output, isHelped(variant) ? 'hand over one page' : 'deallocate one page'),
      held,
      'IPIs per page': kernel.shootdownIpis / rounds,
    },
  };
}

export const lazyReclamation: Experiment = {
  name: 'lazy-reclamation',
  title: 'Shootdowns at the next tick, without interrupts',
  source: 'LATR (ASPLOS 2018)',
  found:
    'munmap 70.8 % faster on two sockets, Apache 59.9 % faster; the freed pages wait for the next tick of every core.',
  runsOn: 'system',
  variants: [INTERRUPTS, TICKS, HELPED, LAZY],
  metrics: [
    {
      name: 'caller',
      unit: 'cycles',
      means: 'that it costs the thread that frees a page, which all other cores use',
    },
    { name: 'held', unit: 'cycles', means: 'from the call on that the page is not free' },
    { name: 'IPIs per page', unit: 'count', means: 'interrupts for shootdowns' },
  ],
  claims: [
    {
      says: 'no interrupts for shootdowns are left',
      holds: (m) => m.of(TICKS, 'IPIs per page') === 0 && m.of(LAZY, 'IPIs per page') === 0,
    },
    {
      says: 'freeing costs the caller at least 70 % less than with interrupts',
      holds: (m) => m.of(LAZY, 'caller') <= 0.3 * m.of(INTERRUPTS, 'caller'),
    },
    {
      says: 'the memory is held several times as long for it',
      holds: (m) => m.of(LAZY, 'held') >= 3 * m.of(HELPED, 'held'),
    },
    {
      says: 'who waits for the tick itself pays more than the interrupts cost (this is physmem, not LATR)',
      holds: (m) => m.of(TICKS, 'caller') > m.of(INTERRUPTS, 'caller'),
    },
  ],
  plots: [
    {
      kind: 'metrics',
      name: 'cycles',
      title: 'Freeing a page that all other cores use',
      metrics: ['caller', 'held'],
      y: 'cycles',
      scale: 'log',
    },
  ],
  run,
};
