/**
 * Marks of entries that came through a limited capability by a SHARED copy (physmem.md §2.5): which capability, and the
 * other way round all entries that came through one, so that a revocation finds them without looking at any others.
 */

export class ViaMarks {
  readonly #limited = new Map<number, number>();
  readonly #entries = new Map<number, Set<number>>();

  get size(): number {
    return this.#limited.size;
  }

  get(entry: number): number | undefined {
    return this.#limited.get(entry);
  }

  has(entry: number): boolean {
    return this.#limited.has(entry);
  }

  set(entry: number, limited: number): void {
    this.delete(entry);
    this.#limited.set(entry, limited);
    const entries = this.#entries.get(limited);
    if (entries === undefined) this.#entries.set(limited, new Set([entry]));
    else entries.add(entry);
  }

  delete(entry: number): void {
    const limited = this.#limited.get(entry);
    if (limited === undefined) return;
    this.#limited.delete(entry);
    const entries = this.#entries.get(limited)!;
    entries.delete(entry);
    if (entries.size === 0) this.#entries.delete(limited);
  }

  /** The entries that came through a capability, in the order of their marks; marks may go while one walks. */
  through(limited: number): Iterable<number> {
    return this.#entries.get(limited) ?? [];
  }

  /** Whether any entry came through a capability. */
  isUsed(limited: number): boolean {
    return this.#entries.has(limited);
  }

  save(): readonly (readonly [number, number])[] {
    return [...this.#limited];
  }

  load(saved: readonly (readonly [number, number])[]): void {
    this.#limited.clear();
    this.#entries.clear();
    for (const [entry, limited] of saved) this.set(entry, limited);
  }
}
