/**
 * What tasks may see at their addresses: for each page the names that a map may have put there. A translation may be
 * missing at any time (it is a cache), but one that works must show a page that the task may see now, with the value
 * that the model has for it; everything else is a stale translation (I16 to I18) or a leak (I29).
 */
import type { Cell, Model } from '../../../src/physmem/model.ts';

export interface Target {
  readonly container: number;
  readonly page: number;
  readonly cell: Cell;
  readonly limited: number;
  /** Task whose capability the map was made through. */
  readonly holder: number;
  /** When the map was complete, by the clock of flights. */
  readonly since: number;
  writable: boolean;
}

/** A map in flight: some of it may be there already. */
export interface Mapping {
  readonly space: number;
  readonly at: number;
  readonly pages: number;
  readonly container: number;
  readonly start: number;
}

export class Views {
  readonly mappings = new Set<Mapping>();
  readonly #bySpace = new Map<number, Map<number, Target[]>>();
  readonly #model: Model;
  /** Last time that a cell was mapped for writing. */
  readonly #writeMaps = new Map<Cell, number>();

  constructor(model: Model) {
    this.#model = model;
  }

  #of(space: number): Map<number, Target[]> {
    const pages = this.#bySpace.get(space) ?? new Map<number, Target[]>();
    this.#bySpace.set(space, pages);
    return pages;
  }

  /** A map is complete: its target is there, or one that another map put there since `begun`. */
  set(space: number, at: number, target: Target, begun: number): void {
    const pages = this.#of(space);
    const others = (pages.get(at) ?? []).filter(({ since }) => since >= begun);
    pages.set(at, [...others, target]);
    if (target.writable) this.#writeMaps.set(target.cell, target.since);
  }

  /** Nothing is there but what maps put there since `begun`. */
  clear(space: number, at: number, begun: number): void {
    const pages = this.#of(space);
    const others = (pages.get(at) ?? []).filter(({ since }) => since >= begun);
    if (others.length === 0) pages.delete(at);
    else pages.set(at, others);
  }

  dropSpace(space: number): void {
    this.#bySpace.delete(space);
  }

  drop(isGone: (target: Target) => boolean): void {
    for (const pages of this.#bySpace.values()) {
      for (const [at, targets] of pages) {
        const left = targets.filter((target) => !isGone(target));
        if (left.length === targets.length) continue;
        if (left.length === 0) pages.delete(at);
        else pages.set(at, left);
      }
    }
  }

  /** A copy-on-write copy of a cell is complete: nobody writes it through a map made before `begun`. */
  protect(cell: Cell, begun: number): void {
    if ((this.#writeMaps.get(cell) ?? -1) >= begun) return;
    for (const pages of this.#bySpace.values()) {
      for (const targets of pages.values()) {
        for (const target of targets) if (target.cell === cell) target.writable = false;
      }
    }
  }

  /** What may be seen at a page now. */
  at(space: number, page: number): Target[] {
    return (this.#of(space).get(page) ?? []).filter((target) => this.#isNamed(target));
  }

  #isNamed({ container, page, cell }: Target): boolean {
    return this.#model.containers.get(container)?.names.get(page)?.cell === cell;
  }

  /** Cells that maps in flight may have put there. */
  coming(space: number, page: number): Cell[] {
    const cells: Cell[] = [];
    for (const one of this.mappings) {
      if (one.space !== space || page < one.at || page >= one.at + one.pages) continue;
      const name = this.#model.containers.get(one.container)?.names.get(one.start + page - one.at);
      if (name !== undefined) cells.push(name.cell);
    }
    return cells;
  }

  /** All pages of all spaces that may show something. */
  *pages(): Generator<[space: number, page: number]> {
    for (const [space, pages] of this.#bySpace) for (const page of pages.keys()) yield [space, page];
  }
}
