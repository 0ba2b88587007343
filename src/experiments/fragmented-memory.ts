/**
 * The starting point of several experiments: memory filled with single frames, side by side in the order of their names. The
 * task's page tables are made before: they cannot be moved, and made on the way one of them would lie in each 4 MiB block,
 * so that no block could ever be emptied. (What that does is a question of its own: pin-scatter, stress-highalloc.)
 */
import type { CapRef } from '../abi/server.ts';
import type { ServerWorld } from './server-world.ts';

/** Frames that are not filled, for page tables and the server's own needs. */
const SPARE_FRAMES = 64;
const PAGES_PER_TABLE = 1024;

export interface Filled {
  readonly container: CapRef;
  readonly pages: number;
}

/** Fills a share of the memory, 1 for all of it. */
export function fillMemory(world: ServerWorld, share: number): Filled {
  const room = world.credit - SPARE_FRAMES - Math.ceil(world.credit / PAGES_PER_TABLE);
  const pages = Math.floor(room * share);
  return { container: fillPages(world, pages), pages };
}

/** A container of so many single pages, which are in use. */
export function fillPages(world: ServerWorld, pages: number): CapRef {
  const container = world.createContainer();
  for (let page = 0; page < pages; page += 1) world.allocate(container, page, 1);
  for (let page = 0; page < pages; page += PAGES_PER_TABLE) world.touch(container, page, 1);
  world.touch(container, 0, pages);
  return container;
}
