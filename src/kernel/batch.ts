/**
 * Shootdown batches: which translations of which spaces must leave every TLB (physmem.md §6.4). Consecutive
 * pages are one run. A 4 MiB page is one page here, because one INVLPG removes it.
 */
import type { ShootdownBatch } from '../abi/server.ts';

export interface Batch extends ShootdownBatch {
  pageCount: number;
  /** Triples: space, first page, pages. */
  readonly runs: number[];
  /** Spaces with at least one run, or to be flushed as a whole. */
  readonly spaces: number[];
  /** Spaces whose every translation must go, because their page directory goes. */
  readonly whole: number[];
}

export const newBatch = (): Batch => ({ pageCount: 0, runs: [], spaces: [], whole: [] });

export function addPages(batch: Batch, space: number, page: number, count: number): void {
  const { runs } = batch;
  const last = runs.length - 3;
  if (last >= 0 && runs[last] === space && runs[last + 1]! + runs[last + 2]! === page) {
    runs[last + 2]! += count;
  } else {
    runs.push(space, page, count);
    if (!batch.spaces.includes(space)) batch.spaces.push(space);
  }
  batch.pageCount += count;
}

export function addWholeSpace(batch: Batch, space: number): void {
  if (!batch.spaces.includes(space)) batch.spaces.push(space);
  batch.whole.push(space);
  batch.pageCount++;
}

/** Pages of one space, or Infinity when all of it goes. */
export function pagesOf(batch: Batch, space: number): number {
  if (batch.whole.includes(space)) return Infinity;
  let pages = 0;
  for (let i = 0; i < batch.runs.length; i += 3) {
    if (batch.runs[i] === space) pages += batch.runs[i + 2]!;
  }
  return pages;
}
