/** What was written to which cell when: for reads of operations that run in slices beside writers. */
import type { Cell } from '../../../src/physmem/model.ts';

export class Journal {
  readonly #old = new Map<Cell, { readonly value: number; readonly until: number }[]>();

  /** The cell is about to be written at `clock`. */
  write(cell: Cell, clock: number): void {
    const list = this.#old.get(cell) ?? [];
    list.push({ value: cell.value, until: clock });
    this.#old.set(cell, list);
  }

  /** Whether a cell had a value at some time since `begun`, now included. */
  hadSince(cell: Cell, begun: number, value: number): boolean {
    if (cell.value === value) return true;
    return (this.#old.get(cell) ?? []).some((old) => old.value === value && old.until >= begun);
  }

  /** Nothing is in flight. */
  clear(): void {
    this.#old.clear();
  }
}
