/**
 * Memory controls: a tree of integers (physmem.md §3). For every control
 *   total = free + charged + Σ total(children)                                   (I1)
 * where `charged` counts paid entries, page tables, and memory that was taken back but is not free yet; extra and soft
 * memory is counted beside it (hold.ts). `total` never
 * changes while a control lives, so a quota on its objects that follows `total` bounds the server (§3.7).
 */
import { assert, type PlainData } from './plain-data.ts';

/** Controls may be nested this deep; with one frame at least in each it bounds their number. */
export const CONTROL_DEPTH_MAX = 32;
/** Containers and limited capabilities that a control may pay for: this many, and so many more per frame. */
export const OBJECTS_BASE = 16;
export const OBJECTS_PER_FRAME = 4;

/** Identity in capabilities: generation and index, so that a stale one is recognised (ABA, case F17). */
const INDEX_BITS = 18;
const GENERATIONS = 1 << 12;
export const objectId = (generation: number, index: number): number => (generation << INDEX_BITS) | index;
export const objectIndex = (id: number): number => id & ((1 << INDEX_BITS) - 1);
export const objectGeneration = (id: number): number => id >>> INDEX_BITS;
export const INDEX_MAX = (1 << INDEX_BITS) - 1;
export const nextGeneration = (generation: number): number => (generation + 1) & (GENERATIONS - 1);

export interface Control {
  readonly index: number;
  generation: number;
  state: 'free' | 'live' | 'dying';
  parent: number;
  depth: number;
  total: number;
  free: number;
  charged: number;
  /** Σ total of the children. */
  given: number;
  firstChild: number;
  nextSibling: number;
  prevSibling: number;
  firstContainer: number;
  /** Containers and limited capabilities. */
  objects: number;
  /** Tasks whose address space it pays for. */
  spaces: number[];
  pinned: number;
  /** Pages of extra entries, those of them that are bound, and the list of these (loan.ts), 0 before the first. */
  extra: number;
  extraBound: number;
  extraList: number;
  /** Pages of soft references, and how many were lost so far. */
  soft: number;
  lost: number;
  /** Thread that is asked to give extra memory back, 0 = none, and the badge that it chose. */
  returnThread: number;
  returnBadge: number;
}

const blank = (index: number, generation: number): Control => ({
  index,
  generation,
  state: 'free',
  parent: 0,
  depth: 0,
  total: 0,
  free: 0,
  charged: 0,
  given: 0,
  firstChild: 0,
  nextSibling: 0,
  prevSibling: 0,
  firstContainer: 0,
  objects: 0,
  spaces: [],
  pinned: 0,
  extra: 0,
  extraBound: 0,
  extraList: 0,
  soft: 0,
  lost: 0,
  returnThread: 0,
  returnBadge: 0,
});

export class Controls {
  /** By index; 0 is none, 1 the root. */
  records: Control[] = [blank(0, 0)];
  #freeIndices: number[] = [];

  at(index: number): Control {
    return this.records[index]!;
  }

  /** The object number that capabilities carry. */
  id(index: number): number {
    return objectId(this.records[index]!.generation, index);
  }

  /** Index of a control that is not gone, or 0. */
  find(id: number): number {
    const control = this.records[objectIndex(id)];
    if (control === undefined || control.state === 'free') return 0;
    return control.generation === objectGeneration(id) ? control.index : 0;
  }

  /** The root control, with all credit there is. */
  createRoot(total: number): Control {
    const root = this.#newRecord();
    root.state = 'live';
    root.total = total;
    root.free = total;
    return root;
  }

  hasRoom(): boolean {
    return this.#freeIndices.length > 0 || this.records.length <= INDEX_MAX;
  }

  /** Moves `frames` of free credit into a new child. The caller has checked that they are there. */
  split(parent: Control, frames: number): Control {
    const child = this.#newRecord();
    parent.free -= frames;
    parent.given += frames;
    child.state = 'live';
    child.parent = parent.index;
    child.depth = parent.depth + 1;
    child.total = frames;
    child.free = frames;
    child.nextSibling = parent.firstChild;
    if (parent.firstChild !== 0) this.at(parent.firstChild).prevSibling = child.index;
    parent.firstChild = child.index;
    return child;
  }

  /** Gives a childless, empty control's credit back to its parent; what is still held becomes the parent's charge. */
  absorb(control: Control): void {
    assert(control.firstChild === 0 && control.firstContainer === 0, 'absorbed control is not empty');
    const parent = this.at(control.parent);
    parent.given -= control.total;
    parent.free += control.free;
    parent.charged += control.charged;
    if (control.prevSibling !== 0) this.at(control.prevSibling).nextSibling = control.nextSibling;
    else parent.firstChild = control.nextSibling;
    if (control.nextSibling !== 0) this.at(control.nextSibling).prevSibling = control.prevSibling;
    Object.assign(control, blank(control.index, nextGeneration(control.generation)));
    this.#freeIndices.push(control.index);
  }

  /** Moves credit from free to charged. The caller has checked that it is there. */
  charge(index: number, frames: number): void {
    const control = this.records[index]!;
    assert(control.free >= frames, 'charge beyond credit');
    control.free -= frames;
    control.charged += frames;
  }

  credit(index: number, frames: number): void {
    const control = this.records[index]!;
    control.charged -= frames;
    control.free += frames;
  }

  #newRecord(): Control {
    const reused = this.#freeIndices.pop();
    if (reused !== undefined) return this.records[reused]!;
    const record = blank(this.records.length, 0);
    this.records.push(record);
    return record;
  }

  /** Whether one more container or limited capability is within the quota. */
  static quota(control: Control): number {
    return OBJECTS_BASE + OBJECTS_PER_FRAME * control.total;
  }

  save(): PlainData {
    return {
      records: this.records.map((record) => ({ ...record, spaces: [...record.spaces] })),
      freeIndices: [...this.#freeIndices],
    };
  }

  load(saved: PlainData): void {
    const from = saved as unknown as { records: Control[]; freeIndices: number[] };
    this.records = from.records.map((record) => ({ ...record, spaces: [...record.spaces] }));
    this.#freeIndices = [...from.freeIndices];
  }
}
