/** Seeded random numbers for test generation (xorshift128), and operand values that make flags interesting. */
export class Random {
  private a: number;
  private b = 0x9e3779b9;
  private c = 0x243f6a88;
  private d = 0xb7e15162;

  constructor(seed: number) {
    this.a = seed >>> 0;
    for (let i = 0; i < 20; i++) this.u32();
  }

  u32(): number {
    let t = this.d;
    const s = this.a;
    this.d = this.c;
    this.c = this.b;
    this.b = s;
    t ^= t << 11;
    t ^= t >>> 8;
    this.a = (t ^ s ^ (s >>> 19)) >>> 0;
    return this.a;
  }

  /** 0 .. n-1. */
  below(n: number): number {
    return Math.floor((this.u32() / 2 ** 32) * n);
  }

  /** True with probability `percent` / 100. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  bytes(n: number): number[] {
    return Array.from({ length: n }, () => this.below(256));
  }

  /** An operand of `bits` bits: mostly around the carry and sign boundaries, else uniform. Upper bits zero. */
  operand(bits: 8 | 16 | 32): number {
    const mask = 2 ** bits - 1;
    if (this.chance(35)) return (this.u32() & mask) >>> 0;
    const edge = this.pick([
      0,
      1,
      2,
      2 ** (bits - 1),
      2 ** (bits - 1) - 1,
      mask,
      mask - 1,
      0x80,
      0x7f,
      0xff,
      0x0f,
      0x10,
    ]);
    if (this.chance(20)) return ((1 << this.below(bits)) & mask) >>> 0;
    return (edge & mask) >>> 0;
  }
}

/** The `n` low bytes of `value`, little-endian. */
export function le(value: number, n: number): number[] {
  return Array.from({ length: n }, (_, i) => (i < 4 ? (value >>> (8 * i)) & 0xff : 0));
}
