/**
 * Gupta's experiment: memory is filled, three of four base frames are freed at random, then huge frames are wanted until
 * there is none. What does one cost, if memory is moved never, inside the request, or ahead of it?
 */
import type { Experiment, Point, Sample, Trial } from './experiment.ts';
import { fillMemory } from './fragmented-memory.ts';
import { policyNamed } from './policies.ts';
import { Random } from './random.ts';
import { HUGE_PAGES, ServerWorld } from './server-world.ts';
import { percentile } from './statistics.ts';

const RAM_FRAMES = { tiny: 6144, quick: 16_384, full: 49_152 } as const;
/** Between the fragmentation and the first request, and between two requests. */
const PAUSE_CYCLES = { tiny: 20_000_000, quick: 80_000_000, full: 240_000_000 } as const;
const THINK_CYCLES = 1_000_000;
/** x of the curve: 0..20 while memory is freed, 20..30 in the pause, 30..50 while huge frames are wanted. */
const FREEING_STEPS = 20;
const PAUSE_STEPS = 10;
const WANTING_STEPS = 20;
const PERCENTS = [5, 50, 90, 95, 99, 100] as const;
const NONE = 'none';
const ON_DEMAND = 'on-demand';
const PROACTIVE = 'background';

interface Wanting {
  /** Cycles of each request that was served, zeroing left out. */
  readonly cycles: number[];
  readonly zeroCycles: number;
}

function run({ seed, variant, costs, size }: Trial): Sample {
  const random = new Random(seed);
  const world = new ServerWorld({ ramFrames: RAM_FRAMES[size], costs, policy: policyNamed(variant) });
  const curve: Point[] = [];
  const mark = (x: number): void => void curve.push({ x, y: world.unusableForHuge * 100 });
  const { container, pages } = fillMemory(world, 1);
  for (let step = 0; step < FREEING_STEPS; step += 1) {
    const end = Math.floor((pages * (step + 1)) / FREEING_STEPS);
    for (let page = Math.floor((pages * step) / FREEING_STEPS); page < end; page += 1) {
      if (random.happens(3 / 4)) world.deallocate(container, page, 1);
    }
    mark(step + 1);
  }
  for (let step = 0; step < PAUSE_STEPS; step += 1) {
    world.think(PAUSE_CYCLES[size] / PAUSE_STEPS);
    mark(FREEING_STEPS + step + 1);
  }
  const free = world.freeFrames;
  const { cycles, zeroCycles } = wantHuge(world, (share) =>
    mark(FREEING_STEPS + PAUSE_STEPS + Math.ceil(share * WANTING_STEPS)),
  );
  const named = PERCENTS.map((percent) => [percentileName(percent), percentile(cycles, percent)] as const);
  return {
    values: {
      ...Object.fromEntries(named),
      zeroing: cycles.length === 0 ? Number.NaN : zeroCycles / cycles.length,
      huge: cycles.length,
      'of free': (100 * cycles.length * HUGE_PAGES) / free,
      moved: world.kernel.copiedFrames,
    },
    curves: { u10: dedupe(curve) },
  };
}

/** Allocates 4 MiB frames until one is refused. `progress` gets the share of the memory that could be had. */
function wantHuge(world: ServerWorld, progress: (share: number) => void): Wanting {
  const huge = world.createContainer();
  const most = Math.floor(world.freeFrames / HUGE_PAGES);
  const cycles: number[] = [];
  let zeroCycles = 0;
  while (world.credit >= HUGE_PAGES) {
    if (!world.allocateHuge(huge, cycles.length * HUGE_PAGES)) break;
    cycles.push(world.lastCycles);
    zeroCycles += world.lastZeroCycles;
    world.think(THINK_CYCLES);
    progress(Math.min(1, cycles.length / most));
  }
  return { cycles, zeroCycles };
}

/** The last of several points of one x. */
const dedupe = (points: readonly Point[]): Point[] =>
  points.filter(({ x }, i) => i === points.length - 1 || points[i + 1]!.x !== x);

const percentileName = (percent: number): string => (percent === 100 ? 'max' : `p${percent}`);

export const proactiveCompaction: Experiment = {
  name: 'proactive-compaction',
  title: 'Compaction ahead of need: what a 4 MiB frame costs',
  source: 'N. Gupta, proactive compaction for the kernel, Linux patch series v5 to v8, 2020',
  found:
    'Linux 5.6, 2 MiB: p5/p50/p95 of 7894/21229/33799 us on demand, 2/4/429 us proactive; in both, 98 % of free memory ' +
    'came as huge pages.',
  runsOn: 'server',
  variants: [NONE, ON_DEMAND, PROACTIVE],
  metrics: [
    ...PERCENTS.map((percent) => ({
      name: percentileName(percent),
      unit: 'cycles' as const,
      means: 'of one allocation of 4 MiB, zeroing left out',
    })),
    { name: 'zeroing', unit: 'cycles', means: 'of one allocation, for zeroing it' },
    { name: 'huge', unit: 'count', means: 'frames of 4 MiB that were allocated' },
    { name: 'of free', unit: '%', means: 'of the free memory that came as frames of 4 MiB' },
    { name: 'moved', unit: 'frames', means: 'base frames that were copied to another place' },
  ],
  claims: [
    {
      says: 'without compaction, hardly any of the free memory comes as huge frames',
      holds: (m) => m.of(NONE, 'of free') < 15,
    },
    {
      says: 'on demand and proactive get the same share of the free memory, nearly all of it',
      holds: (m) =>
        m.of(ON_DEMAND, 'of free') > 85 &&
        Math.abs(m.of(ON_DEMAND, 'of free') - m.of(PROACTIVE, 'of free')) < 5,
    },
    {
      says: 'the median latency is 100 times lower when compaction was ahead of need',
      holds: (m) => m.of(ON_DEMAND, 'p50') >= 100 * m.of(PROACTIVE, 'p50'),
    },
    {
      says: 'the 95th percentile is 10 times lower',
      holds: (m) => m.of(ON_DEMAND, 'p95') >= 10 * m.of(PROACTIVE, 'p95'),
    },
  ],
  plots: [
    {
      kind: 'metrics',
      name: 'latency',
      title: 'Allocating a frame of 4 MiB in fragmented memory',
      metrics: PERCENTS.map(percentileName),
      y: 'cycles, zeroing left out',
      scale: 'log',
    },
    {
      kind: 'curve',
      name: 'u10',
      title: 'Free memory that is useless for 4 MiB frames, over time',
      x: 'freeing 3 of 4 frames (0 to 20), pause (to 30), allocating 4 MiB frames (to 50)',
      y: 'U_10 in % of free memory',
      scale: 'linear',
    },
  ],
  run,
};
