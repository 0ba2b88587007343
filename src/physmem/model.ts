/**
 * The flat reference model (tests only): the same promises as the server, in the plainest way. A container is a
 * map from page to cell, a cell is one page of memory; SHARED copies name the same cell, a copy-on-write copy is
 * made at once, credit is counted anew whenever it is asked for. No frames, no page tables, no sharing of blocks.
 */
import { Errno } from '../abi/errno.ts';
import { AllocFlag, CopyFlag } from '../abi/rights.ts';

/** One page of memory, as its users see it. */
export interface Cell {
  value: number;
}

interface Name {
  cell: Cell;
  /** Limited capability that a SHARED copy came through, or 0. */
  via: number;
}

export interface ModelContainer {
  readonly control: number;
  readonly names: Map<number, Name>;
}

export interface ModelControl {
  readonly total: number;
  readonly parent: number;
}

export interface ModelLimited {
  readonly container: number;
  readonly parent: number;
  readonly rights: number;
}

/** Errno and pages done. */
export interface Outcome {
  readonly errno: Errno;
  readonly pages: number;
}

const done = (pages: number): Outcome => ({ errno: Errno.OK, pages });

export class Model {
  readonly controls = new Map<number, ModelControl>();
  readonly containers = new Map<number, ModelContainer>();
  readonly limiteds = new Map<number, ModelLimited>();
  /** Task to the control that pays for its space. */
  readonly spaces = new Map<number, number>();
  /** Page tables that a task has now; the server decides, within the rule "one per 4 MiB in use". */
  tablesOf: (task: number) => number = () => 0;

  charged(control: number): number {
    let sum = 0;
    for (const container of this.containers.values()) {
      if (container.control === control) sum += container.names.size;
    }
    for (const [task, payer] of this.spaces) if (payer === control) sum += 3 + this.tablesOf(task);
    return sum;
  }

  free(control: number): number {
    let free = this.controls.get(control)!.total - this.charged(control);
    for (const other of this.controls.values()) if (other.parent === control) free -= other.total;
    return free;
  }

  split(control: number, child: number, frames: number): Outcome {
    if (frames === 0) return { errno: Errno.EINVAL, pages: 0 };
    if (frames > this.free(control)) return { errno: Errno.ENOMEM, pages: 0 };
    this.controls.set(child, { total: frames, parent: control });
    return done(0);
  }

  destroyControl(control: number): void {
    for (const [child, { parent }] of [...this.controls]) if (parent === control) this.destroyControl(child);
    for (const [task, payer] of [...this.spaces]) if (payer === control) this.spaces.delete(task);
    for (const [id, container] of [...this.containers]) {
      if (container.control === control) this.destroyContainer(id);
    }
    this.controls.delete(control);
  }

  destroyContainer(id: number): void {
    this.containers.delete(id);
    for (const [limited, { container }] of [...this.limiteds]) {
      if (container === id) this.#forgetLimited(limited);
    }
  }

  #forgetLimited(limited: number): void {
    this.limiteds.delete(limited);
    for (const { names } of this.containers.values()) {
      for (const name of names.values()) if (name.via === limited) name.via = 0;
    }
  }

  allocate(id: number, start: number, pages: number, flags: number): Outcome {
    const { control, names } = this.containers.get(id)!;
    const squash = (flags & AllocFlag.SQUASH) !== 0;
    let credit = this.free(control);
    let amount = 0;
    let errno = Errno.OK;
    for (; amount < pages; amount += 1) {
      const isNamed = names.has(start + amount);
      if (isNamed && !squash) errno = Errno.EEXIST;
      else if (!isNamed && credit === 0) errno = Errno.ENOMEM;
      if (errno !== Errno.OK) break;
      if (!isNamed) credit -= 1;
    }
    if (errno !== Errno.OK && (flags & AllocFlag.ALL_OR_NONE) !== 0) return { errno, pages: 0 };
    for (let i = 0; i < amount; i += 1) names.set(start + i, { cell: { value: 0 }, via: 0 });
    return { errno, pages: amount };
  }

  deallocate(id: number, start: number, pages: number): Outcome {
    const { names } = this.containers.get(id)!;
    let amount = 0;
    for (let i = 0; i < pages; i += 1) if (names.delete(start + i)) amount += 1;
    return done(amount);
  }

  copy(
    source: number,
    from: number,
    target: number,
    to: number,
    pages: number,
    flags: number,
    limited: number,
  ): Outcome {
    const plan = this.#planCopy(source, from, target, to, pages, flags);
    const isMove = (flags & CopyFlag.MOVE) !== 0;
    const allOrNone = (flags & CopyFlag.ALL_OR_NONE) !== 0 || (isMove && plan.errno === Errno.ENOMEM);
    if (plan.errno !== Errno.OK && allOrNone) return { errno: plan.errno, pages: 0 };
    if (source === target && from === to) return plan;
    const names = this.containers.get(source)!.names;
    const read = Array.from({ length: plan.pages }, (_, i) => names.get(from + i)!);
    if (isMove) for (let i = 0; i < plan.pages; i += 1) names.delete(from + i);
    read.forEach((name, i) => {
      let placed: Name;
      if (isMove) placed = name;
      else if ((flags & CopyFlag.SHARED) !== 0) placed = { cell: name.cell, via: limited || name.via };
      else placed = { cell: { value: name.cell.value }, via: 0 };
      this.containers.get(target)!.names.set(to + i, placed);
    });
    return plan;
  }

  /** Ranges (from, to, pages) in order, as far as it goes; all or nothing where the flags say so. */
  copyList(
    source: number,
    target: number,
    ranges: readonly (readonly [number, number, number])[],
    flags: number,
    limited: number,
  ): Outcome {
    if (this.#needsOrder(source === target, ranges, flags)) return { errno: Errno.EINVAL, pages: 0 };
    const before = [source, target].map((id) => new Map(this.containers.get(id)!.names));
    let pages = 0;
    for (const [from, to, count] of ranges) {
      const one = this.copy(source, from, target, to, count, flags, limited);
      pages += one.pages;
      if (one.errno === Errno.OK) continue;
      const isUndone =
        (flags & CopyFlag.ALL_OR_NONE) !== 0 || (flags & CopyFlag.MOVE && one.errno === Errno.ENOMEM);
      if (!isUndone) return { errno: one.errno, pages };
      for (const [index, id] of [source, target].entries()) {
        const { names } = this.containers.get(id)!;
        names.clear();
        for (const [page, name] of before[index]!) names.set(page, name);
      }
      return { errno: one.errno, pages: 0 };
    }
    return done(pages);
  }

  /** Whether a page is written by one range and read or written by another, or moved away by two. */
  #needsOrder(
    isSelf: boolean,
    ranges: readonly (readonly [number, number, number])[],
    flags: number,
  ): boolean {
    return ranges.some(([from, to, pages], i) =>
      ranges.some(([otherFrom, otherTo, otherPages], j) => {
        if (i === j) return false;
        const meets = (a: number, b: number): boolean => a < b + otherPages && b < a + pages;
        const moved = (flags & CopyFlag.MOVE) !== 0 && meets(from, otherFrom);
        return moved || meets(to, otherTo) || (isSelf && meets(to, otherFrom));
      }),
    );
  }

  #planCopy(source: number, from: number, target: number, to: number, pages: number, flags: number): Outcome {
    const src = this.containers.get(source)!;
    const dst = this.containers.get(target)!;
    const isMove = (flags & CopyFlag.MOVE) !== 0;
    const squash = (flags & CopyFlag.SQUASH) !== 0;
    let amount = 0;
    let errno = Errno.OK;
    for (; amount < pages; amount += 1) {
      if (!src.names.has(from + amount)) errno = Errno.ENOENT;
      else if (!squash && dst.names.has(to + amount)) errno = Errno.EEXIST;
      if (errno !== Errno.OK) break;
    }
    if (source === target && from === to) return { errno, pages: amount };
    const isFree = isMove && src.control === dst.control;
    let credit = this.free(dst.control);
    for (let i = 0; i < amount && !isFree; i += 1) {
      if (dst.names.has(to + i)) continue;
      if (credit === 0) return { errno: Errno.ENOMEM, pages: i };
      credit -= 1;
    }
    return { errno, pages: amount };
  }

  /** Pages that a map of the range can do: up to the first hole. */
  mappable(id: number, start: number, pages: number): Outcome {
    const { names } = this.containers.get(id)!;
    for (let i = 0; i < pages; i += 1) if (!names.has(start + i)) return { errno: Errno.ENOENT, pages: i };
    return done(pages);
  }

  /** Whether other names see the same cell. */
  isShared(cell: Cell): boolean {
    let count = 0;
    for (const { names } of this.containers.values()) {
      for (const name of names.values()) if (name.cell === cell) count += 1;
    }
    return count > 1;
  }

  /**
   * The range reads as `values` afterwards, each of which must be zero or what it was. Returns the pages released,
   * or -1 when a value is neither.
   */
  release(id: number, start: number, pages: number, values: (page: number) => number): number {
    const { names } = this.containers.get(id)!;
    let amount = 0;
    for (let page = start; page < start + pages; page += 1) {
      const name = names.get(page);
      if (name === undefined) continue;
      amount += 1;
      const value = values(page);
      if (value !== 0 && (value !== name.cell.value || this.isShared(name.cell))) return -1;
      names.set(page, { cell: this.isShared(name.cell) ? { value } : name.cell, via: 0 });
      names.get(page)!.cell.value = value;
    }
    return amount;
  }

  /** Ends a limited capability and all derived from it; what was shared through them is cut and reads as zeroes. */
  revoke(limited: number): void {
    for (const [child, { parent }] of [...this.limiteds]) if (parent === limited) this.revoke(child);
    for (const [id, { names }] of this.containers) {
      for (const [page, name] of names) if (name.via === limited) this.#cut(id, page);
    }
    this.limiteds.delete(limited);
  }

  #cut(container: number, page: number): void {
    const { names } = this.containers.get(container)!;
    const { cell } = names.get(page)!;
    names.set(page, { cell: { value: 0 }, via: 0 });
    for (const [id, other] of this.containers) {
      for (const [at, name] of other.names) {
        const isOnward = name.cell === cell && name.via !== 0;
        if (isOnward && this.limiteds.get(name.via)?.container === container) this.#cut(id, at);
      }
    }
  }
}
