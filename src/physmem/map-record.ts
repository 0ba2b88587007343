/**
 * Map records: the reverse map (physmem.md §4, §6). One record says that `pages` consecutive pages of a task's
 * address space, inside one page table, translate to consecutive pages of one entry. Records of an entry are a
 * list; so are those made through the same limited capability. The shadow page tables (space.ts) find the record
 * of a page in O(1). A record stands for at least one PTE in a table that is paid for, so their number is
 * bounded by credit. 41 bytes each.
 */
import { grow8, grow32, nextCapacity, RecordNumbers } from './columns.ts';
import type { PlainData } from './plain-data.ts';

/** In `access`: bits 0..2 are READ, WRITE, EXECUTE; this bit says that one 4 MiB PDE holds the translation. */
export const LARGE = 1 << 3;

export class MapRecords {
  readonly numbers = new RecordNumbers();
  #capacity = 256;
  space: Int32Array = new Int32Array(this.#capacity);
  page: Int32Array = new Int32Array(this.#capacity);
  entry: Int32Array = new Int32Array(this.#capacity);
  /** First page inside the entry. */
  offset: Int32Array = new Int32Array(this.#capacity);
  pages: Int32Array = new Int32Array(this.#capacity);
  /** Limited capability that it was made through, or 0 for the container's own. */
  limited: Int32Array = new Int32Array(this.#capacity);
  /** Task that holds the capability (not always the task of the space). */
  holder: Int32Array = new Int32Array(this.#capacity);
  /** Neighbours in the entry's list; `next` also links free records. */
  next: Int32Array = new Int32Array(this.#capacity);
  prev: Int32Array = new Int32Array(this.#capacity);
  /** Neighbours in the limited capability's list. */
  nextSame: Int32Array = new Int32Array(this.#capacity);
  prevSame: Int32Array = new Int32Array(this.#capacity);
  access: Uint8Array = new Uint8Array(this.#capacity);

  /** A record in no list yet. */
  alloc(): number {
    let id = this.numbers.take(this.next, this.#capacity);
    if (id === 0) {
      this.#resize(nextCapacity(this.#capacity));
      id = this.numbers.take(this.next, this.#capacity);
    }
    return id;
  }

  free(id: number): void {
    this.pages[id] = 0;
    this.numbers.give(this.next, id);
  }

  #resize(capacity: number): void {
    this.#capacity = capacity;
    for (const name of COLUMNS) this[name] = grow32(this[name], capacity);
    this.access = grow8(this.access, capacity);
  }

  get bytes(): number {
    return this.#capacity * (4 * COLUMNS.length + 1);
  }

  save(): PlainData {
    const end = this.numbers.end;
    const columns: { [name: string]: PlainData } = { numbers: this.numbers.save() };
    for (const name of COLUMNS) columns[name] = this[name].slice(0, end);
    columns['access'] = this.access.slice(0, end);
    return columns;
  }

  load(saved: PlainData): void {
    const from = saved as { numbers: number[]; access: Uint8Array } & Record<
      (typeof COLUMNS)[number],
      Int32Array
    >;
    this.numbers.load(from.numbers);
    for (const name of COLUMNS) this[name] = from[name];
    this.access = from.access;
    this.#resize(Math.max(256, nextCapacity(this.numbers.end)));
  }
}

const COLUMNS = [
  'space',
  'page',
  'entry',
  'offset',
  'pages',
  'limited',
  'holder',
  'next',
  'prev',
  'nextSame',
  'prevSame',
] as const;
