/**
 * Cost against size: what one page costs in operations on 10^2 … 10^6 pages of one container. A row that grows with the size
 * by more than a logarithm (and the host's caches) would be a quadratic server; test/unit/physmem/steps.test.ts counts
 * the same without a clock.
 */

import { Op } from '../../src/abi/rpcs.ts';
import type { CapRef } from '../../src/abi/server.ts';
import { entryAt } from '../../src/physmem/names.ts';
import { PAGE, processorUs, ServerWorld } from './server-world.ts';

const SIZES = [100, 1000, 10_000, 100_000, 1_000_000];
const RAM_FRAMES = 1 << 22;
const LOOK_UPS = 20_000;
const WORK = 100_000;
const ROUNDS_MAX = 100;

type Costs = { allocate: number; lookUp: number; map: number; copy: number; destroy: number; slice: number };

const nanoseconds = (work: () => void): number => {
  const before = processorUs();
  work();
  return (processorUs() - before) * 1000;
};

function randomLookUps(world: ServerWorld, container: CapRef, n: number): void {
  const { store } = world.physmem;
  const index = store.containers.find(container.object);
  let seed = 12345;
  for (let i = 0; i < LOOK_UPS; i += 1) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    if (entryAt(store, index, seed % n) === 0) throw new Error('an entry is lost');
  }
}

/** One life of a control with n pages and their copy. */
function life(world: ServerWorld, n: number): Costs {
  const { rootControl } = world.physmem;
  const control = world.call(Op.CONTROL_SPLIT, rootControl, [2 * n + 16]).caps[0]!;
  const a = world.container(control);
  const b = world.container(control);
  const allocate = nanoseconds(() => {
    for (let page = 0; page < n; page += 1) world.call(Op.ALLOCATE, a, [page * PAGE, PAGE, 0]);
  });
  const lookUp = nanoseconds(() => randomLookUps(world, a, n));
  const map = nanoseconds(() => world.call(Op.MAP, a, [0, n * PAGE, PAGE, 3, 0]));
  const copy = nanoseconds(() => world.call(Op.COPY, a, [0, 0, n * PAGE, 0], [b]));
  world.longestSliceUs = 0;
  const destroy = nanoseconds(() => world.call(Op.CONTROL_DESTROY, control, []));
  const each = (total: number): number => total / n;
  return {
    allocate: each(allocate),
    lookUp: lookUp / LOOK_UPS,
    map: each(map),
    copy: each(copy),
    destroy: each(destroy),
    slice: world.longestSliceUs,
  };
}

/** The best of a few lives: a host that does other things at times must not show. */
function best(world: ServerWorld, n: number): Costs {
  let found = life(world, n);
  const rounds = Math.min(ROUNDS_MAX, Math.max(1, WORK / n));
  for (let round = 0; round < rounds; round += 1) {
    const next = life(world, n);
    const least = (key: keyof Costs): number => Math.min(found[key], next[key]);
    found = {
      allocate: least('allocate'),
      lookUp: least('lookUp'),
      map: least('map'),
      copy: least('copy'),
      destroy: least('destroy'),
      slice: least('slice'),
    };
  }
  return found;
}

/** Prints nanoseconds of processor time for each page, and the longest slice of the destruction. */
export function benchSizes(): void {
  const heads = ['allocate', 'look-up', 'bind + map', 'copy', 'destroy', 'its longest slice'];
  console.log(
    `\n${'nanoseconds for each page, by pages'.padEnd(36)}${heads.map((head) => head.padStart(12)).join('')}`,
  );
  const world = new ServerWorld(RAM_FRAMES);
  for (const n of SIZES) {
    const { allocate, lookUp, map, copy, destroy, slice } = best(world, n);
    const cells = [allocate, lookUp, map, copy, destroy].map((cost) => cost.toFixed(0).padStart(12));
    console.log(
      `${n.toLocaleString('en').padEnd(36)}${cells.join('')}${`${slice.toFixed(0)} µs`.padStart(17)}`,
    );
  }
}
