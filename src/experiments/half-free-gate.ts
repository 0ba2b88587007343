/**
 * The gate of Linux's self test of compaction: 80 % of memory filled, every second frame freed; at least a third of the free
 * memory must then be had as huge frames.
 */
import type { Experiment, Sample, Trial } from './experiment.ts';
import { fillMemory } from './fragmented-memory.ts';
import { policyNamed } from './policies.ts';
import { Random } from './random.ts';
import { HUGE_PAGES, ServerWorld } from './server-world.ts';

const RAM_FRAMES = { tiny: 6144, quick: 8192, full: 32_768 } as const;
const FILLED = 0.8;
const WANTED_SHARE = 1 / 3;
const NONE = 'none';
const VARIANTS = [
  NONE,
  'on-demand/two-scanner',
  'on-demand/cheapest-block',
  'background/cheapest-block',
] as const;

function run({ seed, variant, costs, size }: Trial): Sample {
  const world = new ServerWorld({ ramFrames: RAM_FRAMES[size], costs, policy: policyNamed(variant) });
  const { container, pages } = fillMemory(world, FILLED);
  // The seed says where the rest of the memory lies: which of two neighbours stays.
  const random = new Random(seed);
  for (let page = 0; page + 1 < pages; page += 2) world.deallocate(container, page + random.below(2), 1);
  const free = world.freeFrames;
  const huge = world.createContainer();
  let got = 0;
  while (world.allocateHuge(huge, got * HUGE_PAGES)) got += 1;
  const share = (got * HUGE_PAGES) / free;
  return {
    values: {
      pass: share >= WANTED_SHARE ? 1 : 0,
      huge: got,
      'of free': 100 * share,
      'moved each': got === 0 ? Number.NaN : world.kernel.copiedFrames / got,
    },
  };
}

export const halfFreeGate: Experiment = {
  name: 'half-free-gate',
  title: 'The gate of the self test: 80 % full, every second frame freed',
  source: 'Linux, tools/testing/selftests/mm/compaction_test.c',
  found: 'A gate, pass or fail: at least a third of the free memory must be had as huge pages.',
  runsOn: 'server',
  variants: VARIANTS,
  metrics: [
    { name: 'pass', unit: 'pass', means: '1 when a third of the free memory was had as huge frames' },
    { name: 'huge', unit: 'count', means: 'frames of 4 MiB that were allocated' },
    { name: 'of free', unit: '%', means: 'of the free memory that came as frames of 4 MiB' },
    { name: 'moved each', unit: 'frames', means: 'base frames copied for each frame of 4 MiB' },
  ],
  claims: VARIANTS.filter((variant) => variant !== NONE).map((variant) => ({
    says: `${variant} passes the gate`,
    holds: (m) => m.of(variant, 'pass') === 1,
  })),
  plots: [
    {
      kind: 'metrics',
      name: 'share',
      title: 'Half-free memory: what comes back as frames of 4 MiB',
      metrics: ['of free'],
      y: '% of the free memory',
      scale: 'linear',
    },
  ],
  run,
};
