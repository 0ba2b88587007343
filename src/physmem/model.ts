/**
 * The flat reference model (tests only): the same promises as the server, in the plainest way. A container is a
 * map from page to cell, a cell is one page of memory; SHARED copies name the same cell, a copy-on-write copy is
 * made at once, credit is counted anew whenever it is asked for. No frames, no page tables, no sharing of blocks.
 * Pins are counts on cells; a pinned cell that lost its last name is in quarantine. Locks are a holder and an end.
 */
import { Errno } from '../abi/errno.ts';
import { CopyFlag } from '../abi/rights.ts';
import { needsOrder, planAllocate, planCopy, type Rule } from './model-plan.ts';

/** One page of memory, as its users see it. */
export interface Cell {
  value: number;
  /** Pins that hold it. */
  pins: number;
}

interface Name {
  cell: Cell;
  /** Limited capability that a SHARED copy came through, or 0. */
  via: number;
}

export interface ModelContainer {
  readonly control: number;
  readonly names: Map<number, Name>;
  lock?: ModelLock | null;
}

export interface ModelLock {
  readonly task: number;
  /** Limited capability that it is held through, or 0. */
  readonly limited: number;
  readonly until: number;
}

export interface ModelPin {
  readonly task: number;
  /** Control whose quota it counts against; its parent's when that dies. */
  control: number;
  readonly until: number;
  readonly cells: readonly Cell[];
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

/** The ends of a copy: from a container (through a limited capability, or 0) to another one. */
export interface ModelEnds {
  readonly source: number;
  readonly target: number;
  readonly flags: number;
  readonly limited: number;
}

export interface ModelCopy extends ModelEnds {
  readonly from: number;
  readonly to: number;
  readonly pages: number;
}

/** Errno and pages done. */
export interface Outcome {
  readonly errno: Errno;
  readonly pages: number;
}

const done = (pages: number): Outcome => ({ errno: Errno.OK, pages });
const newCell = (value: number): Cell => ({ value, pins: 0 });

/** Of a control's credit, and of all memory, so much may be pinned (docs/adr/0009). */
const PIN_SHARE_OF_CONTROL = 1 / 2;
const PIN_SHARE_OF_ALL = 1 / 4;

export class Model {
  readonly controls = new Map<number, ModelControl>();
  readonly containers = new Map<number, ModelContainer>();
  readonly limiteds = new Map<number, ModelLimited>();
  /** Task to the control that pays for its space. */
  readonly spaces = new Map<number, number>();
  readonly pins = new Map<number, ModelPin>();
  /** Pinned cells without a name, and the controls that are charged for them. */
  quarantine: { readonly cell: Cell; control: number }[] = [];
  /** Page tables that a task has now; the server decides, within the rule "one per 4 MiB in use". */
  tablesOf: (task: number) => number = () => 0;

  charged(control: number): number {
    let sum = 0;
    for (const container of this.containers.values()) {
      if (container.control === control) sum += container.names.size;
    }
    for (const [task, payer] of this.spaces) if (payer === control) sum += 3 + this.tablesOf(task);
    for (const held of this.quarantine) if (held.control === control) sum += 1;
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
    // What is pinned or in quarantine arrives later, at the parent (I4).
    const { parent } = this.controls.get(control)!;
    for (const pin of this.pins.values()) if (pin.control === control) pin.control = parent;
    for (const held of this.quarantine) if (held.control === control) held.control = parent;
    this.controls.delete(control);
  }

  destroyContainer(id: number): void {
    const { names } = this.containers.get(id)!;
    for (const page of [...names.keys()]) this.#dropName(id, page);
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

  allocate(id: number, start: number, pages: number, flags: number, rule: Rule = 'exact'): Outcome {
    const plan = planAllocate(this, id, start, pages, flags, rule);
    for (let i = 0; i < plan.pages; i += 1) this.#setName(id, start + i, { cell: newCell(0), via: 0 });
    return plan;
  }

  /** Puts a name in place, over whatever is there. */
  #setName(id: number, page: number, name: Name): void {
    this.#dropName(id, page);
    this.containers.get(id)!.names.set(page, name);
  }

  /** Takes a name away; a pinned cell that has no other goes to quarantine. Returns whether there was one. */
  #dropName(id: number, page: number): boolean {
    const { names, control } = this.containers.get(id)!;
    const name = names.get(page);
    if (name === undefined) return false;
    names.delete(page);
    const { cell } = name;
    if (cell.pins > 0 && !this.#isNamed(cell)) this.quarantine = [...this.quarantine, { cell, control }];
    return true;
  }

  #isNamed(cell: Cell): boolean {
    for (const { names } of this.containers.values()) {
      for (const name of names.values()) if (name.cell === cell) return true;
    }
    return false;
  }

  deallocate(id: number, start: number, pages: number): Outcome {
    let amount = 0;
    for (let i = 0; i < pages; i += 1) if (this.#dropName(id, start + i)) amount += 1;
    return done(amount);
  }

  copy(request: ModelCopy, rule: Rule = 'exact'): Outcome {
    const plan = planCopy(this, request, rule);
    const { source, from, target, to, flags, limited } = request;
    if (source === target && from === to) return plan;
    const isMove = (flags & CopyFlag.MOVE) !== 0;
    const names = this.containers.get(source)!.names;
    const read = Array.from({ length: plan.pages }, (_, i) => names.get(from + i)!);
    if (isMove) for (let i = 0; i < plan.pages; i += 1) names.delete(from + i);
    read.forEach((name, i) => {
      let placed: Name;
      if (isMove) placed = name;
      else if ((flags & CopyFlag.SHARED) !== 0) placed = { cell: name.cell, via: limited || name.via };
      else placed = { cell: newCell(name.cell.value), via: 0 };
      this.#setName(target, to + i, placed);
    });
    return plan;
  }

  /** Ranges (from, to, pages) in order, as far as it goes; all or nothing where the flags say so. */
  copyList(
    ends: ModelEnds,
    ranges: readonly (readonly [number, number, number])[],
    rule: Rule = 'exact',
  ): Outcome {
    const { source, target, flags } = ends;
    if (needsOrder(source === target, ranges, flags)) return { errno: Errno.EINVAL, pages: 0 };
    const before = [source, target].map((id) => new Map(this.containers.get(id)!.names));
    const { quarantine } = this;
    let pages = 0;
    for (const [from, to, count] of ranges) {
      const one = this.copy({ ...ends, from, to, pages: count }, rule);
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
      this.quarantine = quarantine;
      return { errno: one.errno, pages: 0 };
    }
    return done(pages);
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
   * Ends sharing. `isRenewed` says of a page that its memory is new (it reads as zeroes then); what is not must have no
   * other user. Returns the pages released, or -1 when sharing went on.
   */
  release(
    id: number,
    start: number,
    pages: number,
    isRenewed: (page: number) => boolean,
    rule: Rule = 'exact',
  ): number {
    const { names } = this.containers.get(id)!;
    let amount = 0;
    for (let page = start; page < start + pages; page += 1) {
      const name = names.get(page);
      if (name === undefined) continue;
      amount += 1;
      if (isRenewed(page)) this.#setName(id, page, { cell: newCell(0), via: 0 });
      else if (rule === 'exact' && this.isShared(name.cell)) return -1;
      else names.set(page, { cell: name.cell, via: 0 });
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
    // A device may be at work in pinned memory; when nobody else names it, there is nothing to cut.
    if (cell.pins > 0 && !this.isShared(cell)) {
      names.get(page)!.via = 0;
      return;
    }
    names.set(page, { cell: newCell(0), via: 0 });
    for (const [id, other] of this.containers) {
      for (const [at, name] of other.names) {
        const isOnward = name.cell === cell && name.via !== 0;
        if (isOnward && this.limiteds.get(name.via)?.container === container) this.#cut(id, at);
      }
    }
  }

  /** Pinned base frames of a control, counted once for each pin. */
  pinned(control: number): number {
    let sum = 0;
    for (const pin of this.pins.values()) if (pin.control === control) sum += pin.cells.length;
    return sum;
  }

  /** Whether a pin of the range is possible, placement aside. */
  planPin(id: number, start: number, pages: number): Outcome {
    const { control, names } = this.containers.get(id)!;
    for (let i = 0; i < pages; i += 1) if (!names.has(start + i)) return { errno: Errno.ENOENT, pages: 0 };
    const own = Math.floor(this.controls.get(control)!.total * PIN_SHARE_OF_CONTROL);
    let all = 0;
    for (const pin of this.pins.values()) all += pin.cells.length;
    const [root] = this.controls.values();
    const most = Math.floor(root!.total * PIN_SHARE_OF_ALL);
    const fits = this.pinned(control) + pages <= own && all + pages <= most;
    return fits ? done(pages) : { errno: Errno.ENOMEM, pages: 0 };
  }

  pin(pin: number, id: number, start: number, pages: number, task: number, until: number): void {
    const { control, names } = this.containers.get(id)!;
    const cells = Array.from({ length: pages }, (_, i) => names.get(start + i)!.cell);
    for (const cell of cells) cell.pins += 1;
    this.pins.set(pin, { task, control, until, cells });
  }

  unpin(pin: number): void {
    for (const cell of this.pins.get(pin)!.cells) cell.pins -= 1;
    this.pins.delete(pin);
    this.quarantine = this.quarantine.filter(({ cell }) => cell.pins > 0);
  }

  /** Ends pins whose time is over. */
  expirePins(now: number): void {
    for (const [pin, { until }] of [...this.pins]) if (until <= now) this.unpin(pin);
  }

  /** The lock of a container that holds now; null when it is over. */
  lockOf(id: number, now: number): ModelLock | null {
    const lock = this.containers.get(id)?.lock ?? null;
    return lock !== null && lock.until > now ? lock : null;
  }

  /** What ends with a task at once: its locks and pins. */
  taskDied(task: number): void {
    for (const container of this.containers.values()) {
      if (container.lock?.task === task) container.lock = null;
    }
    for (const [pin, { task: holder }] of [...this.pins]) if (holder === task) this.unpin(pin);
  }
}
