/**
 * 256 bits, one per interrupt vector: IRR, ISR and TMR of a local APIC (SDM vol. 3 §11.8.4).
 */
export class BitSet256 {
  private readonly words = new Int32Array(8);

  has(bit: number): boolean {
    return (this.words[bit >> 5]! & (1 << (bit & 31))) !== 0;
  }

  set(bit: number): void {
    this.words[bit >> 5]! |= 1 << (bit & 31);
  }

  clear(bit: number): void {
    this.words[bit >> 5]! &= ~(1 << (bit & 31));
  }

  clearAll(): void {
    this.words.fill(0);
  }

  /** The highest set bit, -1 when there is none. */
  highest(): number {
    for (let i = 7; i >= 0; i--) {
      const word = this.words[i]!;
      if (word !== 0) return i * 32 + 31 - Math.clz32(word);
    }
    return -1;
  }

  /** Bits 32i .. 32i+31, unsigned. */
  word(index: number): number {
    return this.words[index]! >>> 0;
  }

  save(): Int32Array {
    return this.words.slice();
  }

  load(words: Int32Array): void {
    this.words.set(words);
  }
}
