/**
 * stress-highalloc of mmtests: how many of all huge frames can be had under a load (phase 1), again while it goes on (phase 2),
 * and at rest after it (phase 3)? A fifth of the load's objects is pinned, until the load ends.
 */
import type { Experiment, Sample, Trial } from './experiment.ts';
import { Load } from './load.ts';
import { policyNamed } from './policies.ts';
import { Random } from './random.ts';
import { HUGE_PAGES, ServerWorld } from './server-world.ts';

const RAM_FRAMES = { tiny: 6144, quick: 8192, full: 16_384 } as const;
/** Shares: of memory that the load takes at first, and in the long run; of its objects that are pinned, and that outlast it. */
const FILLED = 0.95;
const LOADED = 0.7;
const PINNED = 0.2;
const STAYS = 0.1;
/** Steps before the first phase, and before each attempt in the phases with load. */
const WARM_UP_STEPS = 150;
const STEPS_PER_ATTEMPT = 3;
const REST_CYCLES = 100_000_000;
const NONE = 'none';
const TWO_SCANNER = 'on-demand/two-scanner';
const CHEAPEST = 'on-demand/cheapest-block';
const GROUPING = 'on-demand/cheapest-block+grouping';
const BACKGROUND = 'background/cheapest-block';

function run({ seed, variant, costs, size }: Trial): Sample {
  const ramFrames = RAM_FRAMES[size];
  const world = new ServerWorld({ ramFrames, costs, policy: policyNamed(variant) });
  const load = new Load(world, new Random(seed), { pages: Math.floor(ramFrames * FILLED), pinned: PINNED });
  load.fill(ramFrames * FILLED);
  const step = (): void => load.step(ramFrames * LOADED);
  for (let i = 0; i < WARM_UP_STEPS; i += 1) step();
  const wanted = ramFrames / HUGE_PAGES;
  const first = phase(world, wanted, step);
  const second = phase(world, wanted, step);
  load.end(STAYS);
  world.think(REST_CYCLES);
  const third = phase(world, wanted, () => world.think(REST_CYCLES / 100));
  return {
    values: {
      'phase 1': (100 * first) / wanted,
      'phase 2': (100 * second) / wanted,
      'phase 3': (100 * third) / wanted,
      moved: world.kernel.copiedFrames,
    },
  };
}

/** Tries to allocate so many huge frames, with something in between, and gives them back. */
function phase(world: ServerWorld, wanted: number, between: () => void): number {
  const huge = world.createContainer();
  let got = 0;
  for (let attempt = 0; attempt < wanted; attempt += 1) {
    for (let step = 0; step < STEPS_PER_ATTEMPT; step += 1) between();
    if (world.allocateHuge(huge, got * HUGE_PAGES)) got += 1;
  }
  if (got > 0) world.deallocate(huge, 0, got * HUGE_PAGES);
  return got;
}

export const stressHighalloc: Experiment = {
  name: 'stress-highalloc',
  title: 'Huge frames under load, again, and at rest',
  source: 'mmtests stress-highalloc (Gorman, Kim, Babka), figures of Linux 4.5-rc1',
  found:
    'Success of 4.0/4.2/64.6 % in the three phases without a daemon that compacts, 6.2/6.4/63.8 % with it: under load ' +
    'little is to be had, at rest most.',
  runsOn: 'server',
  variants: [NONE, TWO_SCANNER, CHEAPEST, GROUPING, BACKGROUND],
  metrics: [
    { name: 'phase 1', unit: '%', means: 'of all 4 MiB blocks of RAM that were had, under load' },
    { name: 'phase 2', unit: '%', means: 'the same once more' },
    { name: 'phase 3', unit: '%', means: 'the same, at rest after the load' },
    { name: 'moved', unit: 'frames', means: 'base frames copied to another place' },
  ],
  claims: [
    {
      says: 'at rest several times as much is to be had as under load',
      holds: (m) => m.of(CHEAPEST, 'phase 3') >= 3 * m.of(CHEAPEST, 'phase 1'),
    },
    {
      says: 'phases 1 and 2 do not differ',
      holds: (m) => Math.abs(m.of(CHEAPEST, 'phase 1') - m.of(CHEAPEST, 'phase 2')) <= 5,
    },
    {
      says: 'compaction in the background helps under load, a little',
      holds: (m) =>
        m.of(BACKGROUND, 'phase 1') > m.of(NONE, 'phase 1') &&
        m.of(BACKGROUND, 'phase 1') >= m.of(CHEAPEST, 'phase 1'),
    },
    {
      says: 'with pinned memory in blocks of its own more is to be had under load',
      holds: (m) => m.of(GROUPING, 'phase 1') > m.of(CHEAPEST, 'phase 1'),
    },
  ],
  plots: [
    {
      kind: 'metrics',
      name: 'success',
      title: 'Frames of 4 MiB under load, again, and at rest',
      metrics: ['phase 1', 'phase 2', 'phase 3'],
      y: '% of all 4 MiB blocks',
      scale: 'linear',
    },
  ],
  run,
};
