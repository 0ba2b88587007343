/**
 * Containers (name spaces, physmem.md §4) and the limited capabilities that were made to them (§2.4). Limited
 * capabilities form a tree under their container: revoking one kills all that was derived from it.
 */
import { INDEX_MAX, nextGeneration, objectGeneration, objectId, objectIndex } from './control.ts';
import type { PlainData } from './plain-data.ts';

export interface Container {
  readonly index: number;
  generation: number;
  state: 'free' | 'live' | 'dying';
  control: number;
  /** Root of its B-tree. */
  tree: number;
  entries: number;
  /** Named pages. */
  pages: number;
  /** Neighbours in the control's list. */
  next: number;
  prev: number;
  /** Limited capabilities made directly to it. */
  firstLimited: number;
  /** End of the lock in cycles, 0 when there is none (lock.ts), and who holds it: task and limited capability. */
  lockUntil: number;
  lockTask: number;
  lockLimited: number;
  /** Revocations that wait for the end of the lock: they come before any new lock (I28). */
  cancels: number;
}

export interface Limited {
  readonly index: number;
  generation: number;
  /** `cutting`: it is being revoked, and what came through it by SHARED copies is cut. */
  state: 'free' | 'live' | 'cutting' | 'dying';
  container: number;
  /** The limited capability that it was derived from, or 0. */
  parent: number;
  rights: number;
  firstChild: number;
  next: number;
  prev: number;
  /** First map record made through it. */
  maps: number;
}

const blankContainer = (index: number, generation: number): Container => ({
  index,
  generation,
  state: 'free',
  control: 0,
  tree: 0,
  entries: 0,
  pages: 0,
  next: 0,
  prev: 0,
  firstLimited: 0,
  lockUntil: 0,
  lockTask: 0,
  lockLimited: 0,
  cancels: 0,
});

const blankLimited = (index: number, generation: number): Limited => ({
  index,
  generation,
  state: 'free',
  container: 0,
  parent: 0,
  rights: 0,
  firstChild: 0,
  next: 0,
  prev: 0,
  maps: 0,
});

/** Records of one kind with generations; index 0 is none. */
export class ObjectTable<T extends { readonly index: number; generation: number; state: string }> {
  records: T[];
  #freeIndices: number[] = [];
  readonly #blank: (index: number, generation: number) => T;

  constructor(make: (index: number, generation: number) => T) {
    this.#blank = make;
    this.records = [make(0, 0)];
  }

  at(index: number): T {
    return this.records[index]!;
  }

  id(index: number): number {
    return objectId(this.records[index]!.generation, index);
  }

  /** Index of a record that is not free, or 0. */
  find(id: number): number {
    const record = this.records[objectIndex(id)];
    if (record === undefined || record.state === 'free') return 0;
    return record.generation === objectGeneration(id) ? record.index : 0;
  }

  hasRoom(): boolean {
    return this.#freeIndices.length > 0 || this.records.length <= INDEX_MAX;
  }

  create(): T {
    const reused = this.#freeIndices.pop();
    if (reused !== undefined) return this.records[reused]!;
    const record = this.#blank(this.records.length, 0);
    this.records.push(record);
    return record;
  }

  free(record: T): void {
    Object.assign(record, this.#blank(record.index, nextGeneration(record.generation)));
    this.#freeIndices.push(record.index);
  }

  save(): PlainData {
    return {
      records: this.records.map((record) => ({ ...record }) as PlainData),
      freeIndices: [...this.#freeIndices],
    };
  }

  load(saved: PlainData): void {
    const from = saved as unknown as { records: T[]; freeIndices: number[] };
    this.records = from.records.map((record) => ({ ...record }));
    this.#freeIndices = [...from.freeIndices];
  }
}

export const newContainers = (): ObjectTable<Container> => new ObjectTable(blankContainer);
export const newLimiteds = (): ObjectTable<Limited> => new ObjectTable(blankLimited);
