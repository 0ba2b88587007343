/**
 * Speed of the memory server by itself: requests are direct calls, the kernel is one that does nothing, so the
 * numbers are the server's own work. `npm run bench physmem`; prints one line per measurement.
 */

import { CopyFlag } from '../../src/abi/rights.ts';
import { Op } from '../../src/abi/rpcs.ts';
import type { CapRef } from '../../src/abi/server.ts';
import { entryAt } from '../../src/physmem/names.ts';
import { benchSizes } from './physmem-sizes.ts';
import { PAGE, PHYSMEM_CAP, processorUs, ServerWorld } from './server-world.ts';

const RAM_FRAMES = 1 << 20;
const ROUNDS = 100;
const processorMs = (): number => processorUs() / 1000;

const world = new ServerWorld(RAM_FRAMES);
const { store } = world.physmem;
const call = world.call.bind(world);
const container = (): CapRef => world.container();

/** Runs `work` often and prints the best rate: a host that does other things at times must not show. */
function rate(name: string, count: number, unit: string, work: () => void): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = performance.now();
    work();
    best = Math.min(best, performance.now() - before);
  }
  const perSecond = (count / best) * 1000;
  console.log(
    `${name.padEnd(58)} ${(perSecond / 1e6).toFixed(2).padStart(9)} M ${unit}/s  ${best.toFixed(2)} ms`,
  );
}

function allocateAndFree(pages: number): void {
  const c = container();
  const rounds = 5000;
  rate(`allocate + deallocate, ${pages} page(s)`, rounds, 'pairs', () => {
    const size = pages * PAGE;
    for (let i = 0; i < rounds; i += 1) {
      call(Op.ALLOCATE, c, [0x100000, size, 0]);
      call(Op.DEALLOCATE, c, [0x100000, size]);
    }
  });
}

function mapResident(entryPages: number): void {
  const c = container();
  for (let page = 0; page < 1024; page += entryPages) {
    call(Op.ALLOCATE, c, [page * PAGE, entryPages * PAGE, 0]);
  }
  const size = 1024 * PAGE;
  call(Op.MAP, c, [0, size, 0x10001000, 3, 0]);
  call(Op.UNMAP, PHYSMEM_CAP, [0x10001000, size]);
  // The best of many: a host that does other things at times must not show.
  let bestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3000; i += 1) {
    const before = performance.now();
    call(Op.MAP, c, [0, size, 0x10001000, 3, 0]);
    bestMs = Math.min(bestMs, performance.now() - before);
    call(Op.UNMAP, PHYSMEM_CAP, [0x10001000, size]);
  }
  const perSecond = 1024 / bestMs / 1000;
  const name = `map 1024 resident pages, entries of ${entryPages} page(s)`;
  console.log(`${name.padEnd(58)} ${perSecond.toFixed(2).padStart(9)} M pages/s`);
  call(Op.CONTAINER_DESTROY, c, []);
}

function lookUp(): void {
  const c = container();
  const count = 1_000_000;
  const before = processorMs();
  for (let page = 0; page < count; page += 1) call(Op.ALLOCATE, c, [page * PAGE, PAGE, 0]);
  console.log(`${'allocate 10^6 single pages'.padEnd(58)} ${(processorMs() - before).toFixed(0)} ms`);
  const index = store.containers.find(c.object);
  const pages = new Int32Array(1 << 16);
  let seed = 12345;
  for (let i = 0; i < pages.length; i += 1) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    pages[i] = seed % count;
  }
  let sum = 0;
  rate('look up a random entry of 10^6', pages.length, 'look-ups', () => {
    for (let i = 0; i < pages.length; i += 1) sum += entryAt(store, index, pages[i]!);
  });
  const bytes = store.entries.bytes + store.frames.bytes + store.trees.bytes;
  console.log(
    `${'server memory per entry'.padEnd(58)} ${(bytes / store.entries.numbers.live).toFixed(1)} bytes (${sum % 2})`,
  );
  const copy = container();
  world.longestSliceUs = 0;
  const start = processorMs();
  call(Op.CONTAINER_DESTROY, c, []);
  const ms = processorMs() - start;
  console.log(
    `${'destroy a container of 10^6 entries'.padEnd(58)} ${ms.toFixed(0)} ms, longest slice ${world.longestSliceUs.toFixed(0)} µs`,
  );
  call(Op.CONTAINER_DESTROY, copy, []);
}

function copyOneGigabyte(): void {
  const size = 1024 * 1024 * 1024;
  const a = container();
  const b = container();
  call(Op.ALLOCATE, a, [0, size, 0]);
  for (let at = 0; at < size; at += 4 << 20) call(Op.MAP, a, [at, 4 << 20, 0x40000000 + at, 3, 0]);
  const before = processorMs();
  call(Op.COPY, a, [0, 0, size, 0], [b]);
  console.log(
    `${'COW copy of 1 GiB of bound, mapped names'.padEnd(58)} ${(processorMs() - before).toFixed(2)} ms`,
  );
  const again = processorMs();
  call(Op.COPY, a, [0, size, size, CopyFlag.SHARED], [b]);
  console.log(`${'SHARED copy of 1 GiB of names'.padEnd(58)} ${(processorMs() - again).toFixed(2)} ms`);
  call(Op.CONTAINER_DESTROY, a, []);
  call(Op.CONTAINER_DESTROY, b, []);
}

/** All measurements, in order. */
export function benchPhysmem(): void {
  allocateAndFree(1);
  allocateAndFree(1024);
  mapResident(1024);
  mapResident(1);
  lookUp();
  copyOneGigabyte();
  const perFrame =
    store.base.state.byteLength + store.base.order.byteLength + store.base.owner.byteLength * 3;
  const bitmaps = store.zones.zones.reduce((sum, { buddy }) => sum + buddy.bytes, 0);
  console.log(
    `${'server memory per base frame'.padEnd(58)} ${((perFrame + bitmaps) / RAM_FRAMES).toFixed(1)} bytes`,
  );
  benchSizes();
}
