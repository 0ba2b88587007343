/**
 * A set of small integers with "lowest member" in O(log32 n): a bit array with a summary level above each level,
 * where a summary bit says that the word below is not zero. The buddy allocator keeps one per zone and order
 * (physmem.md §5.2: address order, O(log n) or better).
 */
const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);

export class Bitmap {
  readonly bits: number;
  /** All levels in one array, the leaf level first. */
  words: Uint32Array;
  readonly #levels: readonly number[];
  count = 0;

  constructor(bits: number) {
    this.bits = bits;
    const levels: number[] = [];
    let total = 0;
    let length = Math.max(1, bits);
    do {
      length = (length + 31) >>> 5;
      levels.push(total);
      total += length;
    } while (length > 1);
    this.#levels = levels;
    this.words = new Uint32Array(total);
  }

  has(index: number): boolean {
    return ((this.words[index >>> 5]! >>> (index & 31)) & 1) !== 0;
  }

  /** Adds a number that is not a member. */
  add(index: number): void {
    this.count += 1;
    let at = index;
    for (const base of this.#levels) {
      const word = base + (at >>> 5);
      const before = this.words[word]!;
      this.words[word] = before | (1 << (at & 31));
      if (before !== 0) return;
      at >>>= 5;
    }
  }

  /** Takes out a number that is a member. */
  remove(index: number): void {
    this.count -= 1;
    let at = index;
    for (const base of this.#levels) {
      const word = base + (at >>> 5);
      const after = this.words[word]! & ~(1 << (at & 31));
      this.words[word] = after;
      if (after !== 0) return;
      at >>>= 5;
    }
  }

  /** The lowest member, or -1. */
  first(): number {
    if (this.count === 0) return -1;
    let at = 0;
    for (let level = this.#levels.length - 1; level >= 0; level -= 1) {
      at = (at << 5) + lowestBit(this.words[this.#levels[level]! + at]!);
    }
    return at;
  }

  /** The lowest member that is at least `from`, or -1. */
  next(from: number): number {
    if (from >= this.bits) return -1;
    let at = from;
    for (let level = 0; level < this.#levels.length; level += 1) {
      const word = this.#levels[level]! + (at >>> 5);
      const end = this.#levels[level + 1] ?? this.words.length;
      const rest = word < end ? this.words[word]! & (-1 << (at & 31)) : 0;
      if (rest !== 0) return this.#descend(level, ((at >>> 5) << 5) + lowestBit(rest));
      at = (at >>> 5) + 1;
    }
    return -1;
  }

  #descend(level: number, index: number): number {
    let at = index;
    for (let below = level - 1; below >= 0; below -= 1) {
      at = (at << 5) + lowestBit(this.words[this.#levels[below]! + at]!);
    }
    return at;
  }
}
