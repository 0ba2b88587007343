/**
 * Marsaglia's xorshift32: the only source of variety below the CLI. Its state is one 32-bit word, so that a
 * snapshot can hold it.
 */
export class Xorshift32 {
  private word: number;

  constructor(seed: number) {
    // Zero is the one state that the generator never leaves; the scrambling keeps small seeds apart.
    this.word = (Math.imul(seed, 0x9e3779b1) ^ 0x6a09e667) | 0 || 1;
  }

  /** The next number, 0 .. 2^32-1. */
  next(): number {
    let x = this.word;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.word = x;
    return x >>> 0;
  }

  /** A number from 0 to `bound` - 1. The slight bias of the remainder does not matter here. */
  below(bound: number): number {
    return this.next() % bound;
  }

  get state(): number {
    return this.word;
  }

  set state(word: number) {
    this.word = word;
  }
}
