/**
 * The server and the flat model side by side. Every operation runs on both; errors, amounts, credit and the
 * contents of every page must agree, and the whole-state checker must be content, after each one.
 */
import { Errno, Reason } from '../../src/abi/errno.ts';
import { CapType } from '../../src/abi/rights.ts';
import { Op } from '../../src/abi/rpcs.ts';
import type { CapRef, RpcReply } from '../../src/abi/server.ts';
import { objectIndex } from '../../src/physmem/control.ts';
import { UNBOUND } from '../../src/physmem/frame.ts';
import { Model, type Outcome } from '../../src/physmem/model.ts';
import { entryAt } from '../../src/physmem/names.ts';
import { BenchTop, PAGE, type Setup, taskCap } from '../unit/physmem/bench-top.ts';

/** Where `fill` maps. */
const FILL_PAGE = 0x10000;

export interface Held {
  readonly cap: CapRef;
  /** Object number in the model. */
  readonly id: number;
}

export class World {
  readonly top: BenchTop;
  readonly model = new Model();
  controls: Held[] = [];
  containers: Held[] = [];
  limiteds: Held[] = [];
  /** What each task mapped: page of the space to (container, page of it). The server may have dropped it. */
  readonly mapped = new Map<number, Map<number, { container: number; page: number }>>();
  #stamp = 1000;

  constructor(setup: Setup) {
    this.top = new BenchTop(setup);
    this.top.afterEach = () => {};
    const { root } = this.top;
    const [total] = this.top.must(this.top.call(Op.CONTROL_QUERY, root)).words;
    this.model.controls.set(idOf(root), { total: total!, parent: 0 });
    this.model.tablesOf = (task) => this.top.kernel.spaces.get(task)?.tables.size ?? 0;
    const boot = this.top.physmem.bootContainer;
    this.model.containers.set(idOf(boot), { control: idOf(root), names: new Map() });
    this.controls.push({ cap: root, id: idOf(root) });
  }

  sponsor(control: Held, task: number): void {
    const isNew = !this.model.spaces.has(task);
    const enough = this.model.free(control.id) >= 3;
    const reply = this.top.call(Op.CONTROL_SPONSOR, control.cap, [], [taskCap(task)]);
    this.same(reply.errno, isNew ? (enough ? Errno.OK : Errno.ENOMEM) : Errno.EEXIST, 'sponsor');
    if (reply.errno === Errno.OK) {
      this.model.spaces.set(task, control.id);
      this.mapped.set(task, new Map());
    }
  }

  split(control: Held, frames: number): void {
    const reply = this.top.call(Op.CONTROL_SPLIT, control.cap, [frames]);
    const child = reply.caps[0];
    const expected = this.model.split(control.id, child === undefined ? -1 : idOf(child), frames);
    this.same(reply.errno, expected.errno, 'split');
    if (child !== undefined) this.controls.push({ cap: child, id: idOf(child) });
  }

  create(control: Held): void {
    const reply = this.top.call(Op.CONTAINER_CREATE, control.cap);
    this.same(reply.errno, Errno.OK, 'create');
    const cap = reply.caps[0]!;
    this.model.containers.set(idOf(cap), { control: control.id, names: new Map() });
    this.containers.push({ cap, id: idOf(cap) });
  }

  destroyControl(control: Held): void {
    const reply = this.top.call(Op.CONTROL_DESTROY, control.cap);
    this.same(reply.errno, control === this.controls[0] ? Errno.EPERM : Errno.OK, 'destroy control');
    if (reply.errno !== Errno.OK) return;
    this.model.destroyControl(control.id);
    this.#forgetDead();
  }

  destroyContainer(container: Held): void {
    const pages = this.model.containers.get(container.id)!.names.size;
    this.compare(this.top.call(Op.CONTAINER_DESTROY, container.cap), { errno: Errno.OK, pages }, 'destroy');
    this.model.destroyContainer(container.id);
    this.#forgetDead();
  }

  #forgetDead(): void {
    this.controls = this.controls.filter(({ id }) => this.model.controls.has(id));
    this.containers = this.containers.filter(({ id }) => this.model.containers.has(id));
    this.limiteds = this.limiteds.filter(({ id }) => this.model.limiteds.has(id));
    for (const task of [...this.mapped.keys()]) if (!this.model.spaces.has(task)) this.mapped.delete(task);
  }

  allocate({ cap, id }: Held, start: number, pages: number, flags: number): void {
    const expected = this.model.allocate(id, start, pages, flags);
    this.compare(this.top.allocate(cap, start, pages, flags), expected, 'allocate');
  }

  deallocate({ cap, id }: Held, start: number, pages: number): void {
    const expected = this.model.deallocate(id, start, pages);
    this.compare(this.top.deallocate(cap, start, pages), expected, 'deallocate');
  }

  release({ cap, id }: Held, start: number, pages: number): void {
    const reply = this.top.release(cap, start, pages);
    const amount = this.model.release(id, start, pages, (page) => !this.isBound(id, page));
    this.compare(reply, { errno: Errno.OK, pages: amount }, 'release');
  }

  /** Copies out of a container, or through a limited capability to it. */
  copy(source: Held, from: number, target: Held, to: number, pages: number, flags: number): void {
    const limited = source.cap.type === CapType.LIMITED ? source.id : 0;
    const container = limited === 0 ? source.id : this.model.limiteds.get(limited)!.container;
    const reply = this.top.copy(source.cap, from, target.cap, to, pages, flags);
    if (limited !== 0 && reply.errno === Errno.EPERM) return;
    const expected = this.model.copy({
      source: container,
      from,
      target: target.id,
      to,
      pages,
      flags,
      limited,
    });
    this.compare(reply, expected, 'copy');
  }

  /** The same for a list of ranges: from, to, pages. */
  copyList(
    source: Held,
    target: Held,
    ranges: readonly (readonly [number, number, number])[],
    flags: number,
  ): void {
    const limited = source.cap.type === CapType.LIMITED ? source.id : 0;
    const container = limited === 0 ? source.id : this.model.limiteds.get(limited)!.container;
    const reply = this.top.copyList(source.cap, target.cap, ranges, flags);
    if (limited !== 0 && reply.errno === Errno.EPERM) return;
    const expected = this.model.copyList({ source: container, target: target.id, flags, limited }, ranges);
    this.compare(reply, expected, 'copy list');
  }

  share(container: Held, rights: number): void {
    const from = container.cap.type === CapType.LIMITED ? this.model.limiteds.get(container.id)! : null;
    const reply = this.top.call(Op.SHARE, container.cap, [rights]);
    const allowed = from === null || ((rights & ~from.rights) === 0 && (from.rights & 512) !== 0);
    this.same(reply.errno, allowed ? Errno.OK : Errno.EPERM, 'share');
    const cap = reply.caps[0];
    if (cap === undefined) return;
    const parent = from === null ? 0 : container.id;
    const target = from === null ? container.id : from.container;
    this.model.limiteds.set(idOf(cap), { container: target, parent, rights });
    this.limiteds.push({ cap, id: idOf(cap) });
  }

  revoke(limited: Held): void {
    const { container } = this.model.limiteds.get(limited.id)!;
    const owner = this.containers.find(({ id }) => id === container)!;
    this.same(this.top.revoke(owner.cap, limited.cap).errno, Errno.OK, 'revoke');
    this.model.revoke(limited.id);
    this.#forgetDead();
  }

  map(
    task: number,
    source: Held,
    start: number,
    pages: number,
    at: number,
    access: number,
    flags: number,
  ): void {
    const limited = source.cap.type === CapType.LIMITED ? this.model.limiteds.get(source.id)! : null;
    const container = limited === null ? source.id : limited.container;
    const reply = this.top.map(task, source.cap, start, pages, at, access, flags);
    if (limited !== null && ((access | 1) & ~limited.rights) !== 0) {
      this.same(reply.errno, Errno.EPERM, 'map rights');
      return;
    }
    const space = this.mapped.get(task);
    if (space === undefined) {
      this.same(reply.errno, Errno.ENOMEM, 'map without space');
      return;
    }
    const expected = this.#expectMap(task, reply, this.model.mappable(container, start, pages));
    for (let i = 0; i < pages; i += 1) {
      if (i < expected.pages) space.set(at + i, { container, page: start + i });
      const isPresent = this.top.kernel.translate(0, task, at + i, 1) !== null;
      if (i < expected.pages) this.same(isPresent, true, 'present after map');
    }
    if (expected.pages > 0 && (access & 2) !== 0 && flags === 0) this.write(task, at, 'must');
  }

  /** A map may also end for lack of credit for a page table, if the task's sponsor has none. */
  #expectMap(task: number, reply: RpcReply, expected: Outcome): Outcome {
    if (reply.words[1] !== Reason.NO_TABLE_CREDIT || reply.errno !== Errno.ENOMEM) {
      this.compare(reply, expected, 'map');
      return expected;
    }
    this.same(this.model.free(this.model.spaces.get(task)!), 0, 'credit after a refusal for lack of it');
    const pages = reply.words[0]! / PAGE;
    this.same(pages <= expected.pages, true, 'amount of a partial map');
    return { errno: Errno.ENOMEM, pages };
  }

  unmap(task: number, at: number, pages: number): void {
    this.same(this.top.unmap(task, at, pages).errno, Errno.OK, 'unmap');
    for (let i = 0; i < pages; i += 1) {
      this.mapped.get(task)?.delete(at + i);
      this.same(this.top.kernel.translate(1, task, at + i, 1), null, 'absent after unmap');
    }
  }

  /** A user write on some core, through whatever translation there is. */
  write(task: number, at: number, rule: 'may' | 'must' = 'may'): void {
    this.#stamp += 1;
    const core = this.#stamp % this.top.kernel.tlbs.length;
    const wrote = this.top.kernel.write(core, task, at, this.#stamp);
    if (!wrote) {
      this.same(rule, 'may', 'write after a write map');
      return;
    }
    const { container, page } = this.mapped.get(task)!.get(at)!;
    this.model.containers.get(container)!.names.get(page)!.cell.value = this.#stamp;
  }

  /** Maps a range for writing and writes a different value to each page. */
  fill(task: number, container: Held, start: number, pages: number): void {
    this.map(task, container, start, pages, FILL_PAGE, 3, 0);
    for (let i = 0; i < pages; i += 1)
      if (this.mapped.get(task)?.has(FILL_PAGE + i)) this.write(task, FILL_PAGE + i);
    this.unmap(task, FILL_PAGE, pages);
  }

  /** Loads translations into TLBs, so that a missing shootdown shows. */
  touch(task: number, at: number): void {
    for (let core = 0; core < this.top.kernel.tlbs.length; core += 1) this.top.kernel.read(core, task, at);
  }

  die(task: number): void {
    this.top.taskDied(task);
    this.model.spaces.delete(task);
    this.mapped.delete(task);
  }

  /** What a page of a container holds, from the server's records; undefined where it has no name. */
  valueOf(container: number, page: number): number | undefined {
    const { store } = this.top.physmem;
    const entry = entryAt(store, objectIndex(container), page);
    if (entry === 0) return undefined;
    const block = store.frames.block[store.entries.frame[entry]!]!;
    if (block === UNBOUND) return 0;
    return this.top.kernel.contents[block + page - store.entries.start[entry]!]!;
  }

  isBound(container: number, page: number): boolean {
    const { entries, frames } = this.top.physmem.store;
    const entry = entryAt(this.top.physmem.store, objectIndex(container), page);
    return entry !== 0 && frames.block[entries.frame[entry]!] !== UNBOUND;
  }

  compare(reply: RpcReply, expected: Outcome, what: string): void {
    this.same(Errno[reply.errno], Errno[expected.errno], `${what}: errno`);
    this.same((reply.words[0] ?? 0) / PAGE, expected.pages, `${what}: pages`);
  }

  same(actual: unknown, expected: unknown, what: string): void {
    if (actual !== expected) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`);
  }

  /** Compares everything: contents, names, credit, and the server's own invariants. */
  verify(): void {
    this.top.check();
    for (const [id, { names }] of this.model.containers) {
      const container = this.top.physmem.store.containers.at(objectIndex(id));
      this.same(container.pages, names.size, `container ${id}: pages`);
      for (const [page, { cell }] of names) {
        this.same(this.valueOf(id, page), cell.value, `container ${id} page ${page}`);
      }
    }
    for (const { id } of this.controls) {
      const control = this.top.physmem.store.controls.at(objectIndex(id));
      this.same(control.free, this.model.free(id), `free credit of control ${id}`);
    }
    for (const [task, space] of this.top.kernel.spaces) {
      for (const page of space.pages.keys()) {
        const known = this.mapped.get(task)?.get(page);
        if (known === undefined) throw new Error(`task ${task} page ${page} is mapped without request`);
        if (this.model.containers.get(known.container)?.names.has(known.page) !== true) {
          throw new Error(`task ${task} page ${page} maps a page that has no name any more`);
        }
      }
    }
  }
}

const idOf = (cap: CapRef): number => cap.object;
