/**
 * Names that no guarantee pays for (physmem.md §8): extra memory, and soft references to memory that was given back. A
 * loan is the record of one such entry; a paid entry has none. Loans stand in circular lists of their age: the bound
 * extra entries of a control, and all soft references of the machine. The first record of a list is its sentinel.
 */
import { grow8, grow32, nextCapacity, RecordNumbers } from './columns.ts';
import type { PlainData } from './plain-data.ts';

export enum Hold {
  /** Paid by the guarantee of the container's control. */
  PAID = 0,
  /** Held beyond the guarantee: may be taken away whenever a guarantee needs the memory. */
  EXTRA = 1,
  /** Given back: keeps its contents until the memory is reused. */
  SOFT = 2,
}

/** `kind` of a sentinel. */
const SENTINEL = 0xff;

export class Loans {
  readonly numbers = new RecordNumbers();
  #capacity = 64;
  kind: Uint8Array = new Uint8Array(this.#capacity);
  entry: Int32Array = new Int32Array(this.#capacity);
  /** Neighbours in the list; a loan in no list has itself. `next` also links free records. */
  next: Int32Array = new Int32Array(this.#capacity);
  prev: Int32Array = new Int32Array(this.#capacity);
  /** All soft references that can be reused, the oldest first. */
  readonly softList: number;
  /** Pages of extra entries; of those that are bound; of soft references. */
  extraPages = 0;
  boundPages = 0;
  softPages = 0;
  /** Operations that wait for memory that is theirs; while there are any, nobody gets new extra memory. */
  claims = 0;

  constructor() {
    this.softList = this.newList();
  }

  /** An empty list; returns its sentinel. */
  newList(): number {
    return this.#take(SENTINEL, 0);
  }

  /** A loan of an entry, in no list. */
  add(kind: Hold, entry: number): number {
    return this.#take(kind, entry);
  }

  /** Takes a loan, or the sentinel of an empty list, out of the pool. */
  remove(id: number): void {
    this.unlink(id);
    this.kind[id] = 0;
    this.numbers.give(this.next, id);
  }

  /** Puts a loan that is in no list at the young end of one. */
  append(list: number, id: number): void {
    this.insertAfter(this.prev[list]!, id);
  }

  /** Puts a loan that is in no list behind another one, or behind a sentinel. */
  insertAfter(before: number, id: number): void {
    const after = this.next[before]!;
    this.next[before] = id;
    this.prev[id] = before;
    this.next[id] = after;
    this.prev[after] = id;
  }

  unlink(id: number): void {
    const next = this.next[id]!;
    const prev = this.prev[id]!;
    this.next[prev] = next;
    this.prev[next] = prev;
    this.next[id] = id;
    this.prev[id] = id;
  }

  isLinked(id: number): boolean {
    return this.next[id] !== id;
  }

  /** Loans of a list, the oldest first. */
  *inList(list: number): Generator<number> {
    for (let id = this.next[list]!; id !== list; id = this.next[id]!) yield id;
  }

  #take(kind: number, entry: number): number {
    let id = this.numbers.take(this.next, this.#capacity);
    if (id === 0) {
      this.#resize(nextCapacity(this.#capacity));
      id = this.numbers.take(this.next, this.#capacity);
    }
    this.kind[id] = kind;
    this.entry[id] = entry;
    this.next[id] = id;
    this.prev[id] = id;
    return id;
  }

  #resize(capacity: number): void {
    this.#capacity = capacity;
    this.kind = grow8(this.kind, capacity);
    this.entry = grow32(this.entry, capacity);
    this.next = grow32(this.next, capacity);
    this.prev = grow32(this.prev, capacity);
  }

  save(): PlainData {
    const end = this.numbers.end;
    return {
      numbers: this.numbers.save(),
      kind: this.kind.slice(0, end),
      entry: this.entry.slice(0, end),
      next: this.next.slice(0, end),
      prev: this.prev.slice(0, end),
      pages: [this.extraPages, this.boundPages, this.softPages],
    };
  }

  load(saved: PlainData): void {
    const from = saved as { numbers: number[]; kind: Uint8Array; pages: [number, number, number] } & Record<
      'entry' | 'next' | 'prev',
      Int32Array
    >;
    this.numbers.load(from.numbers);
    this.kind = from.kind;
    this.entry = from.entry;
    this.next = from.next;
    this.prev = from.prev;
    [this.extraPages, this.boundPages, this.softPages] = from.pages;
    this.claims = 0;
    this.#resize(Math.max(64, nextCapacity(this.numbers.end)));
  }
}
