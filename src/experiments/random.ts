/** Random numbers of an experiment: xorshift32 with a mixed seed. The same seed gives the same sequence everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    const mixed = Math.imul(seed + 1, 0x9e3779b1);
    this.#state = (mixed ^ (mixed >>> 15)) >>> 0 || 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** A whole number from 0 to limit - 1. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  /** Whether something happens that happens with this probability. */
  happens(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }

  /** An exponentially distributed number with this mean. */
  exponential(mean: number): number {
    return -mean * Math.log((this.next() + 0.5) / 2 ** 32);
  }
}
