/**
 * Where pinned memory lies after a long run (Contiguitas; Gorman & Healy's grouping by mobility): memory has been full and
 * 60 % of it is still in use, all over; 1 to 5 % of that is pinned at any time, for short, at random places. How many 4 MiB
 * blocks are lost to it, with and without blocks of its own?
 */
import { PIN_CYCLES_MAX } from '../abi/rpcs.ts';
import type { CapRef } from '../abi/server.ts';
import type { Experiment, Point, Sample, Trial } from './experiment.ts';
import { fillMemory } from './fragmented-memory.ts';
import { policyNamed } from './policies.ts';
import { Random } from './random.ts';
import { HUGE_PAGES, ServerWorld } from './server-world.ts';

const RAM_FRAMES = { tiny: 6144, quick: 8192, full: 32_768 } as const;
const OPERATIONS = { tiny: 600, quick: 9_000, full: 60_000 } as const;
/** Share of memory that stays in use, and of that, pinned: it wanders between the two bounds. */
const IN_USE = 0.6;
const LEAST_PINNED = 0.01;
const MOST_PINNED = 0.05;
const CURVE_POINTS = 30;
const SCATTERED = 'on-demand/cheapest-block';
const GROUPED = 'on-demand/cheapest-block+grouping';

interface HeldPin {
  readonly page: number;
  readonly cap: CapRef;
}

/** Single pages that are replaced and pinned at random. */
class Churn {
  readonly world: ServerWorld;
  readonly #random: Random;
  readonly #container: CapRef;
  /** Pages that have a name. */
  readonly #pages: readonly number[];
  #pins: HeldPin[] = [];

  constructor(world: ServerWorld, random: Random) {
    this.world = world;
    this.#random = random;
    const { container, pages } = fillMemory(world, 1);
    this.#container = container;
    const kept: number[] = [];
    for (let page = 0; page < pages; page += 1) {
      if (random.happens(IN_USE)) kept.push(page);
      else world.deallocate(container, page, 1);
    }
    this.#pages = kept;
  }

  /** One operation: a page gets other memory, or a pin begins or ends. */
  step(share: number): void {
    const target = Math.floor(this.#pages.length * share);
    if (this.#random.happens(1 / 2)) this.#replace();
    else if (this.#pins.length < target) this.#pin();
    else this.#unpin();
  }

  #replace(): void {
    const page = this.#pages[this.#random.below(this.#pages.length)]!;
    if (this.#pins.some((pin) => pin.page === page)) return;
    this.world.deallocate(this.#container, page, 1);
    this.world.allocate(this.#container, page, 1);
    this.world.touch(this.#container, page, 1);
  }

  #pin(): void {
    const page = this.#pages[this.#random.below(this.#pages.length)]!;
    const cap = this.world.pin(this.#container, page, PIN_CYCLES_MAX);
    if (cap !== null) this.#pins.push({ page, cap });
  }

  #unpin(): void {
    const [pin] = this.#pins.splice(0, 1);
    if (pin !== undefined) this.world.unpin(pin.cap);
  }
}

/** Share of 4 MiB blocks with a frame that cannot move, in %; the first one, which has the kernel's, does not count. */
function blocksLost(world: ServerWorld): number {
  const { counts } = world.physmem.store.base;
  let lost = 0;
  for (let block = 1; block < counts.blocks; block += 1) {
    if (counts.pinned[block]! + counts.fixed(block) > 0) lost += 1;
  }
  return (100 * lost) / (counts.blocks - 1);
}

function run({ seed, variant, costs, size }: Trial): Sample {
  const ramFrames = RAM_FRAMES[size];
  const world = new ServerWorld({ ramFrames, costs, policy: policyNamed(variant) });
  const random = new Random(seed);
  const churn = new Churn(world, random);
  const operations = OPERATIONS[size];
  const every = operations / CURVE_POINTS;
  const curve: Point[] = [];
  for (let i = 1; i <= operations; i += 1) {
    // A triangle wave with three periods.
    const phase = ((3 * i) / operations) % 1;
    const height = 1 - Math.abs(2 * phase - 1);
    churn.step(LEAST_PINNED + (MOST_PINNED - LEAST_PINNED) * height);
    world.think(1000);
    if (i % every === 0) curve.push({ x: i, y: blocksLost(world) });
  }
  const lost = curve.slice(curve.length >> 1).map(({ y }) => y);
  const got = countHuge(world);
  return {
    values: {
      'blocks lost': lost.reduce((sum, y) => sum + y, 0) / lost.length,
      huge: got,
      moved: world.kernel.copiedFrames,
    },
    curves: { lost: curve },
  };
}

function countHuge(world: ServerWorld): number {
  const huge = world.createContainer();
  let got = 0;
  while (world.allocateHuge(huge, got * HUGE_PAGES)) got += 1;
  return got;
}

export const pinScatter: Experiment = {
  name: 'pin-scatter',
  title: 'Blocks that short pins at random places spoil',
  source: 'Contiguitas (ISCA 2023); Gorman & Healy, grouping by mobility (ISMM 2008)',
  found:
    'In a fleet 23 % of the servers have no 2 MiB contiguity left: unmovable memory is scattered. Confined to a region of ' +
    'its own it leaves the rest free.',
  runsOn: 'server',
  variants: [SCATTERED, GROUPED],
  metrics: [
    {
      name: 'blocks lost',
      unit: '%',
      means: 'of the 4 MiB blocks with a frame that cannot move, second half of the run',
    },
    { name: 'huge', unit: 'count', means: 'frames of 4 MiB that can be had at the end' },
    { name: 'moved', unit: 'frames', means: 'base frames copied to another place' },
  ],
  claims: [
    { says: 'without grouping, most blocks are spoilt', holds: (m) => m.of(SCATTERED, 'blocks lost') > 50 },
    {
      says: 'with grouping, at most a third as many are',
      holds: (m) => m.of(GROUPED, 'blocks lost') <= m.of(SCATTERED, 'blocks lost') / 3,
    },
    {
      says: 'with grouping, several times as many huge frames can be had',
      holds: (m) => m.of(GROUPED, 'huge') >= Math.max(1, 2 * m.of(SCATTERED, 'huge')),
    },
  ],
  plots: [
    {
      kind: 'curve',
      name: 'lost',
      title: '4 MiB blocks with a frame that cannot move',
      x: 'operations',
      y: '% of all blocks',
      scale: 'linear',
    },
  ],
  run,
};
