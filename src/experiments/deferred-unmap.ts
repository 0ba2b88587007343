/**
 * Deferred unmap of a shared library (LUF; the founding text of physmem): 32 tasks drop a library that others keep, page by
 * page, each while its other thread runs on another core. What a task drops it could read anyway, so the other core need not
 * be interrupted for it at once.
 */
import type { Experiment, Sample, Trial } from './experiment.ts';
import { runSystem } from './system-run.ts';

const EAGER = 'at once';
const DEFERRED = 'deferred';
const CORES = 4;
/** Pages that are dropped: 32 tasks, 16 functions. */
const PAGES = 512;

function run(trial: Trial): Sample {
  const { kernel, output, physmem } = runSystem(trial, {
    scenario: 'library',
    changes: [
      { path: 'machine.cores', value: CORES },
      { path: 'root.args', value: ['times'] },
      { path: 'poison', value: 'off' },
      { path: 'deferredUnmap', value: trial.variant === DEFERRED ? 'on' : 'off' },
    ],
  });
  return {
    values: {
      IPIs: kernel.shootdownIpis,
      'IPIs per page': kernel.shootdownIpis / PAGES,
      'cycles of one': Number(/took (\d+) cycles/.exec(output)?.[1]),
      left: physmem.deferredPages,
    },
  };
}

export const deferredUnmap: Experiment = {
  name: 'deferred-unmap',
  title: 'A library that 32 tasks drop, page by page',
  source: 'LUF, lazy unmap flush (Byungchul Park, Linux Plumbers Conference 2024)',
  found:
    'Interrupts for shootdowns -97 %, run time -4.5 %; for pages that are mapped read-only, flushed before they are reused.',
  runsOn: 'system',
  variants: [EAGER, DEFERRED],
  metrics: [
    { name: 'IPIs', unit: 'count', means: 'interrupts for shootdowns in the whole run' },
    { name: 'IPIs per page', unit: 'ratio', means: 'of the 512 pages that are dropped' },
    { name: 'cycles of one', unit: 'cycles', means: 'that a task takes to drop a page' },
    { name: 'left', unit: 'pages', means: 'whose translations were left behind for a while' },
  ],
  claims: [
    {
      says: 'deferring takes 97 % of the interrupts away',
      holds: (m) => m.of(DEFERRED, 'IPIs') <= 0.03 * m.of(EAGER, 'IPIs'),
    },
    {
      says: 'dropping a page is at least twice as fast',
      holds: (m) => m.of(EAGER, 'cycles of one') >= 2 * m.of(DEFERRED, 'cycles of one'),
    },
  ],
  plots: [
    {
      kind: 'metrics',
      name: 'ipis',
      title: '32 tasks drop a library of 16 pages',
      metrics: ['IPIs'],
      y: 'interrupts for shootdowns',
      scale: 'linear',
    },
  ],
  run,
};
