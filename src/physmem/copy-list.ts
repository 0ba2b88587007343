/**
 * Lists of ranges for the scatter and gather forms of copy (physmem.md §4). The definition of copy, "as if the source
 * were read completely before the destination is written", holds for the whole list because no range of it may write
 * where another one reads or writes: then no order of doing them can be told from any other, and a partial result is
 * a prefix. Lists that would need an order are refused before anything changes (ADR 14). The two ends of one range
 * may overlap, as in container_copy; one source may be read by many ranges (scatter), unless it is moved away.
 */
import { CopyFlag } from '../abi/rights.ts';
import { type CopyEnds, type CopyRange, hasFlag } from './copy-plan.ts';

/** Where the later of two ranges meets the earlier. */
export interface Collision {
  /** Index of the later range. */
  readonly index: number;
  readonly at: 'source' | 'destination';
  /** First page that both name. */
  readonly page: number;
}

/** The first collision in a list, or null. At most 19 ranges fit in a message: 171 pairs. */
export function findCollision(ends: CopyEnds, list: readonly CopyRange[]): Collision | null {
  for (let index = 1; index < list.length; index += 1) {
    for (let before = 0; before < index; before += 1) {
      const found = collide(ends, list[before]!, list[index]!);
      if (found !== null) return { index, ...found };
    }
  }
  return null;
}

function collide(ends: CopyEnds, first: CopyRange, later: CopyRange): Omit<Collision, 'index'> | null {
  const isSelf = ends.source === ends.destination;
  const reads = isSelf ? common(first.destinationPage, first.pages, later.sourcePage, later.pages) : -1;
  const moves = hasFlag(ends, CopyFlag.MOVE)
    ? common(first.sourcePage, first.pages, later.sourcePage, later.pages)
    : -1;
  const source = Math.max(reads, moves);
  if (source >= 0) return { at: 'source', page: source };
  const writes = common(first.destinationPage, first.pages, later.destinationPage, later.pages);
  const overwrites = isSelf ? common(first.sourcePage, first.pages, later.destinationPage, later.pages) : -1;
  const destination = Math.max(writes, overwrites);
  return destination >= 0 ? { at: 'destination', page: destination } : null;
}

/** The first page of both [a, a + aPages) and [b, b + bPages), or -1. */
function common(a: number, aPages: number, b: number, bPages: number): number {
  const first = Math.max(a, b);
  return first < Math.min(a + aPages, b + bPages) ? first : -1;
}
