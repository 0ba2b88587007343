/**
 * Growth of the typed-array columns in which pools keep their records. Pools grow by a quarter, so that the
 * memory per live record stays below the 64 bytes of the issue; record 0 is never used and means "none".
 */
const SMALLEST_STEP = 256;

/** Capacity after `capacity` is used up. */
export const nextCapacity = (capacity: number): number => capacity + Math.max(SMALLEST_STEP, capacity >> 2);

/** A longer copy of a column; the new part is zero. */
export function grow32(column: Int32Array, capacity: number): Int32Array {
  const longer = new Int32Array(capacity);
  longer.set(column);
  return longer;
}

/** A longer copy of a byte column. */
export function grow8(column: Uint8Array, capacity: number): Uint8Array {
  const longer = new Uint8Array(capacity);
  longer.set(column);
  return longer;
}

/**
 * Hands out record numbers 1, 2, 3 …, the last freed one first. The free list runs through a column of the pool
 * that owns it, so that it costs no memory of its own.
 */
export class RecordNumbers {
  /** Highest number ever used, plus one. */
  end = 1;
  live = 0;
  #free = 0;

  /** A number below `capacity`, or 0 when the pool must grow first. */
  take(link: Int32Array, capacity: number): number {
    const reused = this.#free;
    if (reused !== 0) {
      this.#free = link[reused]!;
      this.live += 1;
      return reused;
    }
    if (this.end >= capacity) return 0;
    this.live += 1;
    this.end += 1;
    return this.end - 1;
  }

  give(link: Int32Array, id: number): void {
    link[id] = this.#free;
    this.#free = id;
    this.live -= 1;
  }

  save(): readonly number[] {
    return [this.end, this.live, this.#free];
  }

  load(saved: readonly number[]): void {
    [this.end, this.live, this.#free] = saved as [number, number, number];
  }
}
