/**
 * Free blocks per order, followed through a trace. physmem's free lists are canonical (I8: maximal coalescing), so
 * the blocks are a function of which base frames are free; allocations and frees of the trace are enough when the
 * blocks at its beginning are known. A model for charts; the truth is physmem's own inspector.
 */
import { LARGE_PAGE_ORDER } from '../../emu/arch/types.ts';

/** A free block: `pfn` is a multiple of 2^order. */
export interface FreeBlock {
  readonly pfn: number;
  readonly order: number;
}

export class FreeBlockReplay {
  /** Order of each free block by its first frame. */
  private readonly orderOf = new Map<number, number>();
  private readonly counts: number[];
  private readonly maxOrder: number;

  constructor(blocks: Iterable<FreeBlock>, maxOrder: number = LARGE_PAGE_ORDER) {
    this.maxOrder = maxOrder;
    this.counts = new Array<number>(maxOrder + 1).fill(0);
    for (const { pfn, order } of blocks) this.add(pfn, order);
  }

  /** Blocks of each order, 0 first. */
  blocksPerOrder(): readonly number[] {
    return this.counts;
  }

  freeFrames(): number {
    return this.counts.reduce((sum, count, order) => sum + count * 2 ** order, 0);
  }

  /** The block was taken: the free block around it is split. A block that is not free is left alone (lost events). */
  allocated(pfn: number, order: number): void {
    for (let wider = order; wider <= this.maxOrder; wider++) {
      const first = blockStart(pfn, wider);
      if (this.orderOf.get(first) !== wider) continue;
      this.remove(first, wider);
      for (let half = wider - 1; half >= order; half--) {
        const kept = blockStart(pfn, half) ^ (1 << half);
        this.add(kept >>> 0, half);
      }
      return;
    }
  }

  /** The block came back: it grows with its free buddies. */
  freed(pfn: number, order: number): void {
    let first = pfn;
    let size = order;
    while (size < this.maxOrder) {
      const buddy = (first ^ (1 << size)) >>> 0;
      if (this.orderOf.get(buddy) !== size) break;
      this.remove(buddy, size);
      first = Math.min(first, buddy);
      size++;
    }
    if (!this.orderOf.has(first)) this.add(first, size);
  }

  private add(pfn: number, order: number): void {
    this.orderOf.set(pfn, order);
    this.counts[order]!++;
  }

  private remove(pfn: number, order: number): void {
    this.orderOf.delete(pfn);
    this.counts[order]!--;
  }
}

const blockStart = (pfn: number, order: number): number => ((pfn >>> order) << order) >>> 0;
