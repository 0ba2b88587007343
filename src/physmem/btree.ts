/**
 * B+trees of frame entries, keyed by start and size (seed: "a container contains a btree of frame entries keyed by
 * their start index and size"). All trees live in one arena of nodes: keys and values of a node are 2 × 32
 * integers, leaves are linked in order. Own code, because look-ups and updates must make no garbage, and because
 * a look-up by any byte must not leave the tree: the size in the key says whether a region reaches that far
 * (tools/bench/physmem.ts: 2.2 times the look-ups of keys without it at 10^6 entries).
 *
 *   node n: slots[n*64 .. n*64+31] keys, slots[n*64+32 .. n*64+63] values (leaf: entries; inner: child nodes)
 *   key:    bits 5..24 first page, bits 0..4 order
 *   The key of a child is a lower bound of the keys below it, of order 0; the first child's key is not looked at.
 *
 * Keys are unsigned integers, so their order is total (defect B11).
 */
import { grow8, grow32, nextCapacity, RecordNumbers } from './columns.ts';
import type { PlainData } from './plain-data.ts';

export const WIDTH = 32;
export const SHIFT = 6;
/** Below this a node borrows from or merges with a neighbour. */
const SCARCE = 10;
const DEPTH_MAX = 12;
const ORDER_BITS = 5;
const ORDER_MASK = (1 << ORDER_BITS) - 1;

export const keyOf = (page: number, order: number): number => (page << ORDER_BITS) | order;
/** Bound for the keys of the regions that begin at the same page or above, whatever becomes of their sizes. */
const boundOf = (key: number): number => key & ~ORDER_MASK;

export class BTrees {
  readonly numbers = new RecordNumbers();
  #capacity = 64;
  slots: Int32Array = new Int32Array(this.#capacity << SHIFT);
  used: Uint8Array = new Uint8Array(this.#capacity);
  leaf: Uint8Array = new Uint8Array(this.#capacity);
  /** Neighbour leaves; `next` also links free nodes. */
  next: Int32Array = new Int32Array(this.#capacity);
  prev: Int32Array = new Int32Array(this.#capacity);

  /** Position of the last `floor`: what `value` and `step` start from. */
  #node = 0;
  #index = 0;
  readonly #path = new Int32Array(DEPTH_MAX);
  readonly #turn = new Int32Array(DEPTH_MAX);

  /** A new empty tree; returns its root. */
  create(): number {
    return this.#newNode(1);
  }

  /** Frees an empty tree. */
  destroy(root: number): void {
    this.numbers.give(this.next, root);
  }

  /** The entry that begins at `page` or last before it, or 0; sets the cursor there. */
  floor(root: number, page: number): number {
    const key = keyOf(page, ORDER_MASK);
    let node = root;
    while (this.leaf[node] === 0) {
      node = this.slots[(node << SHIFT) + WIDTH + this.#childIndex(node, key)]!;
    }
    const index = this.#upper(node, key) - 1;
    if (index >= 0) return this.#at(node, index);
    const before = this.prev[node]!;
    return before === 0 ? 0 : this.#at(before, this.used[before]! - 1);
  }

  /** The entry whose region has `page` in it, or 0; sets the cursor at the entry that begins there or before. */
  find(root: number, page: number): number {
    const entry = this.floor(root, page);
    if (entry === 0) return 0;
    const key = this.slots[(this.#node << SHIFT) + this.#index]!;
    return (key >>> ORDER_BITS) + (1 << (key & ORDER_MASK)) > page ? entry : 0;
  }

  /** The first entry that begins at `page` or above, or 0; sets the cursor there. */
  ceiling(root: number, page: number): number {
    const key = keyOf(page, 0);
    let node = root;
    while (this.leaf[node] === 0) {
      node = this.slots[(node << SHIFT) + WIDTH + this.#childIndex(node, key)]!;
    }
    this.#node = node;
    this.#index = this.#upper(node, key - 1) - 1;
    return this.step();
  }

  /** Moves the cursor to the next entry in order; returns it, or 0 at the end. No change of the tree since. */
  step(): number {
    const index = this.#index + 1;
    if (index < this.used[this.#node]!) return this.#at(this.#node, index);
    const after = this.next[this.#node]!;
    return after === 0 ? 0 : this.#at(after, 0);
  }

  #at(node: number, index: number): number {
    this.#node = node;
    this.#index = index;
    return this.slots[(node << SHIFT) + WIDTH + index]!;
  }

  /** Number of keys ≤ `key` in a node. */
  #upper(node: number, key: number): number {
    const slots = this.slots;
    const base = node << SHIFT;
    let low = 0;
    let high = this.used[node]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (slots[base + middle]! <= key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #childIndex(node: number, key: number): number {
    const index = this.#upper(node, key) - 1;
    return Math.max(0, index);
  }

  /** Walks to the leaf for `key` and remembers the way; returns its depth. */
  #descend(root: number, key: number): number {
    let node = root;
    let depth = 0;
    while (this.leaf[node] === 0) {
      const index = this.#childIndex(node, key);
      this.#path[depth] = node;
      this.#turn[depth] = index;
      node = this.slots[(node << SHIFT) + WIDTH + index]!;
      depth += 1;
    }
    this.#path[depth] = node;
    return depth;
  }

  /** Inserts a region where none begins; returns the root, which may be new. */
  insert(root: number, page: number, order: number, entry: number): number {
    const key = keyOf(page, order);
    let depth = this.#descend(root, key);
    let node = this.#path[depth]!;
    let newKey = key;
    let newValue = entry;
    for (;;) {
      const index = this.#upper(node, newKey);
      if (this.used[node]! < WIDTH) {
        this.#put(node, index, newKey, newValue);
        return root;
      }
      const right = this.#split(node, index);
      const rightKey = this.slots[right << SHIFT]!;
      if (this.used[right] === 0 || newKey >= rightKey) {
        this.#put(right, this.#upper(right, newKey), newKey, newValue);
      } else this.#put(node, index, newKey, newValue);
      newKey = boundOf(this.slots[right << SHIFT]!);
      newValue = right;
      if (depth === 0) return this.#newRoot(node, right);
      depth -= 1;
      node = this.#path[depth]!;
    }
  }

  #newRoot(left: number, right: number): number {
    const root = this.#newNode(0);
    this.#put(root, 0, boundOf(this.slots[left << SHIFT]!), left);
    this.#put(root, 1, boundOf(this.slots[right << SHIFT]!), right);
    return root;
  }

  /**
   * Splits a full node and returns the new right one. At the very end of the tree (keys that come in order, as
   * allocations do) the left one stays as full as can be: twice the density.
   */
  #split(node: number, index: number): number {
    const right = this.#newNode(this.leaf[node]!);
    const atEnd = index === WIDTH && this.next[node] === 0;
    const keep = atEnd ? (this.leaf[node] === 1 ? WIDTH : WIDTH - SCARCE) : WIDTH >> 1;
    const from = node << SHIFT;
    const to = right << SHIFT;
    const moved = WIDTH - keep;
    for (let i = 0; i < moved; i += 1) {
      this.slots[to + i] = this.slots[from + keep + i]!;
      this.slots[to + WIDTH + i] = this.slots[from + WIDTH + keep + i]!;
    }
    this.used[node] = keep;
    this.used[right] = moved;
    const after = this.next[node]!;
    this.next[node] = right;
    this.prev[right] = node;
    this.next[right] = after;
    if (after !== 0) this.prev[after] = right;
    return right;
  }

  #put(node: number, index: number, key: number, value: number): void {
    const slots = this.slots;
    const base = node << SHIFT;
    for (let i = this.used[node]!; i > index; i -= 1) {
      slots[base + i] = slots[base + i - 1]!;
      slots[base + WIDTH + i] = slots[base + WIDTH + i - 1]!;
    }
    slots[base + index] = key;
    slots[base + WIDTH + index] = value;
    this.used[node] = this.used[node]! + 1;
  }

  #drop(node: number, index: number): void {
    const slots = this.slots;
    const base = node << SHIFT;
    const used = this.used[node]! - 1;
    for (let i = index; i < used; i += 1) {
      slots[base + i] = slots[base + i + 1]!;
      slots[base + WIDTH + i] = slots[base + WIDTH + i + 1]!;
    }
    this.used[node] = used;
  }

  /** Notes that the region which begins at `page` has another order now. */
  resize(root: number, page: number, order: number): void {
    const node = this.#path[this.#descend(root, keyOf(page, ORDER_MASK))]!;
    const at = (node << SHIFT) + this.#upper(node, keyOf(page, ORDER_MASK)) - 1;
    this.slots[at] = keyOf(page, order);
  }

  /** Removes the region that begins at `page`; returns the root, which may be another node now. */
  remove(root: number, page: number): number {
    const key = keyOf(page, ORDER_MASK);
    let depth = this.#descend(root, key);
    const node = this.#path[depth]!;
    this.#drop(node, this.#upper(node, key) - 1);
    while (depth > 0 && this.used[this.#path[depth]!]! < SCARCE) {
      this.#mend(this.#path[depth - 1]!, this.#turn[depth - 1]!);
      depth -= 1;
    }
    if (this.leaf[root] === 0 && this.used[root] === 1) {
      const only = this.slots[(root << SHIFT) + WIDTH]!;
      this.numbers.give(this.next, root);
      return only;
    }
    return root;
  }

  /** Child `index` of `parent` has few keys: merges it with a neighbour, or evens the two out. */
  #mend(parent: number, index: number): void {
    const leftIndex = index > 0 ? index - 1 : index;
    const base = (parent << SHIFT) + WIDTH;
    const left = this.slots[base + leftIndex]!;
    const right = this.slots[base + leftIndex + 1]!;
    const total = this.used[left]! + this.used[right]!;
    // The first child's separator may lie above its least key; take the key it has now before keys move.
    if (this.leaf[right] === 0) this.slots[right << SHIFT] = this.slots[(parent << SHIFT) + leftIndex + 1]!;
    if (total <= WIDTH - 4) {
      this.#moveFront(right, left, this.used[right]!);
      this.#unlink(right);
      this.#drop(parent, leftIndex + 1);
      return;
    }
    const wanted = total >> 1;
    if (this.used[left]! < wanted) this.#moveFront(right, left, wanted - this.used[left]!);
    else this.#moveBack(left, right, this.used[left]! - wanted);
    this.slots[(parent << SHIFT) + leftIndex + 1] = boundOf(this.slots[right << SHIFT]!);
  }

  /** Moves the first `count` keys of `from` to the end of `to`. */
  #moveFront(from: number, to: number, count: number): void {
    const slots = this.slots;
    const source = from << SHIFT;
    const target = (to << SHIFT) + this.used[to]!;
    const rest = this.used[from]! - count;
    for (let i = 0; i < count; i += 1) {
      slots[target + i] = slots[source + i]!;
      slots[target + WIDTH + i] = slots[source + WIDTH + i]!;
    }
    for (let i = 0; i < rest; i += 1) {
      slots[source + i] = slots[source + count + i]!;
      slots[source + WIDTH + i] = slots[source + WIDTH + count + i]!;
    }
    this.used[to] = this.used[to]! + count;
    this.used[from] = rest;
  }

  /** Moves the last `count` keys of `from` to the front of `to`. */
  #moveBack(from: number, to: number, count: number): void {
    const slots = this.slots;
    const target = to << SHIFT;
    const source = (from << SHIFT) + this.used[from]! - count;
    for (let i = this.used[to]! - 1; i >= 0; i -= 1) {
      slots[target + count + i] = slots[target + i]!;
      slots[target + WIDTH + count + i] = slots[target + WIDTH + i]!;
    }
    for (let i = 0; i < count; i += 1) {
      slots[target + i] = slots[source + i]!;
      slots[target + WIDTH + i] = slots[source + WIDTH + i]!;
    }
    this.used[to] = this.used[to]! + count;
    this.used[from] = this.used[from]! - count;
  }

  #unlink(node: number): void {
    const after = this.next[node]!;
    const before = this.prev[node]!;
    if (before !== 0) this.next[before] = after;
    if (after !== 0) this.prev[after] = before;
    this.numbers.give(this.next, node);
  }

  #newNode(leaf: number): number {
    let node = this.numbers.take(this.next, this.#capacity);
    if (node === 0) {
      this.#resize(nextCapacity(this.#capacity));
      node = this.numbers.take(this.next, this.#capacity);
    }
    this.used[node] = 0;
    this.leaf[node] = leaf;
    this.next[node] = 0;
    this.prev[node] = 0;
    return node;
  }

  #resize(capacity: number): void {
    this.#capacity = capacity;
    this.slots = grow32(this.slots, capacity << SHIFT);
    this.used = grow8(this.used, capacity);
    this.leaf = grow8(this.leaf, capacity);
    this.next = grow32(this.next, capacity);
    this.prev = grow32(this.prev, capacity);
  }

  get bytes(): number {
    return this.#capacity * (4 * 2 * WIDTH + 10);
  }

  /** Every (first page, entry) in order, for inspectors and the checker. */
  *pairs(root: number): Generator<readonly [page: number, entry: number]> {
    let node = root;
    while (this.leaf[node] === 0) node = this.slots[(node << SHIFT) + WIDTH]!;
    for (; node !== 0; node = this.next[node]!) {
      for (let i = 0; i < this.used[node]!; i += 1) {
        const at = (node << SHIFT) + i;
        yield [this.slots[at]! >>> ORDER_BITS, this.slots[at + WIDTH]!];
      }
    }
  }

  save(): PlainData {
    const end = this.numbers.end;
    return {
      numbers: this.numbers.save(),
      slots: this.slots.slice(0, end << SHIFT),
      used: this.used.slice(0, end),
      leaf: this.leaf.slice(0, end),
      next: this.next.slice(0, end),
      prev: this.prev.slice(0, end),
    };
  }

  load(saved: PlainData): void {
    const from = saved as { numbers: number[]; used: Uint8Array; leaf: Uint8Array } & Record<
      'slots' | 'next' | 'prev',
      Int32Array
    >;
    this.numbers.load(from.numbers);
    this.slots = from.slots;
    this.used = from.used;
    this.leaf = from.leaf;
    this.next = from.next;
    this.prev = from.prev;
    this.#resize(Math.max(64, nextCapacity(this.numbers.end)));
  }
}
