/**
 * Batching of migrations (Huang Ying): memory that several cores use is compacted with a shootdown for each frame, or one
 * for many. The frames, the places and the order are the same.
 */
import type { Experiment, Sample, Trial } from './experiment.ts';
import { HUGE_PAGES } from './server-world.ts';
import { runSystem } from './system-run.ts';

const BATCHES: Readonly<Record<string, number>> = {
  'a flush per frame': 1,
  'a flush per 64 frames': 64,
  'a flush per 512 frames': 512,
};
const [SINGLE, , LARGE] = Object.keys(BATCHES) as [string, string, string];
const RAM = { tiny: '20M', quick: '24M', full: '28M' } as const;
const CORES = 6;
const WRITERS = 4;

function run(trial: Trial): Sample {
  const { kernel, physmem, output } = runSystem(trial, {
    scenario: 'fragment',
    policy: 'on-demand',
    batch: BATCHES[trial.variant]!,
    changes: [
      { path: 'machine.cores', value: CORES },
      { path: 'machine.ram', value: RAM[trial.size] },
      { path: 'root.args', value: [String(trial.seed), String(WRITERS), 'huge'] },
    ],
  });
  const moved = physmem.movedFrames;
  const got = Number(/huge: I got (\d+)/.exec(output)?.[1]);
  const cycles = Number(/median (\d+),/.exec(output)?.[1]) - HUGE_PAGES * trial.costs.zeroFrame;
  return {
    values: {
      moved,
      'IPIs per frame': moved === 0 ? Number.NaN : kernel.shootdownIpis / moved,
      shootdowns: kernel.shootdowns - kernel.shootdownsLocal,
      huge: got,
      'cycles per frame': moved === 0 ? Number.NaN : (cycles * got) / moved,
      writes: Number(/of (\d+) writes/.exec(output)?.[1]),
    },
  };
}

export const migrationBatching: Experiment = {
  name: 'migration-batching',
  title: 'One shootdown for many moved frames',
  source: 'Huang Ying, batched migration of pages, Linux 6.3, 2023',
  found: 'TLB interrupts -99.1 %, pages per second +291.7 %.',
  runsOn: 'system',
  variants: Object.keys(BATCHES),
  metrics: [
    { name: 'moved', unit: 'frames', means: 'base frames copied to another place' },
    { name: 'IPIs per frame', unit: 'ratio', means: 'interrupts for shootdowns for each of them' },
    { name: 'shootdowns', unit: 'count', means: 'that other cores had to answer' },
    { name: 'huge', unit: 'count', means: 'frames of 4 MiB that were allocated' },
    {
      name: 'cycles per frame',
      unit: 'cycles',
      means: 'that a moved base frame costs the one who waits for 4 MiB, zeroing left out',
    },
    { name: 'writes', unit: 'count', means: 'that four other cores made into the memory meanwhile' },
  ],
  claims: [
    {
      says: 'a flush for up to 512 frames takes at least 95 % fewer interrupts than one for each',
      holds: (m) => m.of(LARGE, 'IPIs per frame') <= 0.05 * m.of(SINGLE, 'IPIs per frame'),
    },
    {
      says: 'moving is at least twice as fast',
      holds: (m) => m.of(SINGLE, 'cycles per frame') >= 2 * m.of(LARGE, 'cycles per frame'),
    },
  ],
  plots: [
    {
      kind: 'metrics',
      name: 'ipis',
      title: 'Interrupts for each base frame that is moved',
      metrics: ['IPIs per frame'],
      y: 'interrupts per moved frame',
      scale: 'log',
    },
  ],
  run,
};
