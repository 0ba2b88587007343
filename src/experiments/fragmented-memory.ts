/**
 * The starting point of several experiments: all memory filled with single frames, side by side in the order of their
 * names, then a part of it taken away.
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

/** Fills a share of the memory, 1 for all of it, with single frames that are in use. */
export function fillMemory(world: ServerWorld, share: number): Filled {
  const container = world.createContainer();
  const room = world.credit - SPARE_FRAMES - Math.ceil(world.credit / PAGES_PER_TABLE);
  const pages = Math.floor(room * share);
  for (let page = 0; page < pages; page += 1) world.allocate(container, page, 1);
  world.touch(container, 0, pages);
  return { container, pages };
}
