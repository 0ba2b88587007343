/**
 * Frame entries: per-mapping state (seed: "exactly one frame entry exists for each mapping of a frame"). An entry
 * is a power-of-two region of one container; its order is that of its frame. Entries of one frame (SHARED copies)
 * are a list. 28 bytes each, plus the row in the container's B-tree.
 */
import { grow32, nextCapacity, RecordNumbers } from './columns.ts';
import type { PlainData } from './plain-data.ts';
import { ViaMarks } from './via-marks.ts';

export class Entries {
  readonly numbers = new RecordNumbers();
  #capacity = 256;
  /** First page of the region in its container. */
  start: Int32Array = new Int32Array(this.#capacity);
  container: Int32Array = new Int32Array(this.#capacity);
  frame: Int32Array = new Int32Array(this.#capacity);
  /** Neighbours in the list of entries of the same frame; `next` also links free records. */
  next: Int32Array = new Int32Array(this.#capacity);
  prev: Int32Array = new Int32Array(this.#capacity);
  /** First map record of this entry. */
  maps: Int32Array = new Int32Array(this.#capacity);
  /** The loan of an entry that no guarantee pays for (loan.ts), or 0. */
  loan: Int32Array = new Int32Array(this.#capacity);
  /** Entries that came through a limited capability by a SHARED copy (physmem.md §2.5) → that capability. */
  readonly via = new ViaMarks();

  alloc(start: number, container: number): number {
    let id = this.numbers.take(this.next, this.#capacity);
    if (id === 0) {
      this.#grow();
      id = this.numbers.take(this.next, this.#capacity);
    }
    this.start[id] = start;
    this.container[id] = container;
    this.maps[id] = 0;
    this.loan[id] = 0;
    return id;
  }

  free(id: number): void {
    this.container[id] = 0;
    if (this.via.size !== 0) this.via.delete(id);
    this.numbers.give(this.next, id);
  }

  #grow(): void {
    this.#resize(nextCapacity(this.#capacity));
  }

  #resize(capacity: number): void {
    this.#capacity = capacity;
    this.start = grow32(this.start, capacity);
    this.container = grow32(this.container, capacity);
    this.frame = grow32(this.frame, capacity);
    this.next = grow32(this.next, capacity);
    this.prev = grow32(this.prev, capacity);
    this.maps = grow32(this.maps, capacity);
    this.loan = grow32(this.loan, capacity);
  }

  get bytes(): number {
    return this.#capacity * 28;
  }

  save(): PlainData {
    const end = this.numbers.end;
    return {
      numbers: this.numbers.save(),
      start: this.start.slice(0, end),
      container: this.container.slice(0, end),
      frame: this.frame.slice(0, end),
      next: this.next.slice(0, end),
      prev: this.prev.slice(0, end),
      maps: this.maps.slice(0, end),
      loan: this.loan.slice(0, end),
      via: this.via.save(),
    };
  }

  load(saved: PlainData): void {
    const from = saved as { numbers: number[]; via: [number, number][] } & Record<string, Int32Array>;
    this.numbers.load(from.numbers);
    this.#capacity = 0;
    for (const name of ['start', 'container', 'frame', 'next', 'prev', 'maps', 'loan'] as const) {
      this[name] = from[name]!;
    }
    this.#resize(Math.max(256, nextCapacity(this.numbers.end)));
    this.via.load(from.via);
  }
}
