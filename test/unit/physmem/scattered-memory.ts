/** Memory in pieces: what tests of moving memory begin with. */
import type { CapRef } from '../../../src/abi/server.ts';
import type { BenchTop } from './bench-top.ts';

/** Fills all free memory with single pages of a container, and gives back those of which `keeps` says no. */
export function scatter(top: BenchTop, container: CapRef, keeps: (page: number) => boolean): void {
  const after = top.afterEach;
  top.afterEach = () => {};
  const { free } = top.credit(top.root);
  const pages = free - 40;
  for (let page = 0; page < pages; page += 1) top.must(top.allocate(container, page, 1));
  for (let page = 0; page < pages; page += 1) {
    top.must(top.map(1, container, page, 1, 0x40000 + page));
    top.kernel.write(0, 1, 0x40000 + page, 5000 + page);
  }
  top.must(top.unmap(1, 0x40000, pages));
  for (let page = 0; page < pages; page += 1) if (!keeps(page)) top.must(top.deallocate(container, page, 1));
  top.afterEach = after;
}
