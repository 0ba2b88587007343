/**
 * A kernel in memory for tests of physmem: page tables are maps, the contents of a base frame is one number, and
 * each core has a TLB that keeps every translation that was used until it is shot down. It refuses what the real
 * port forbids (writing over a present PTE, using an absent table …) by throwing.
 */
import type { Operation, ShootdownBatch } from '../../../src/abi/server.ts';
import type { Access, KernelPort, ReturnMessage } from '../../../src/physmem/port.ts';
import { RemovedPte } from '../../../src/physmem/port.ts';

export const POISON = -1;
const READ = 1;
const WRITE = 2;

export interface FakePte {
  readonly frame: number;
  access: number;
}

export interface FakeSpace {
  readonly directory: number;
  readonly systemTable: number;
  readonly messageFrame: number;
  /** Region (page >> 10) to table frame. */
  readonly tables: Map<number, number>;
  readonly pages: Map<number, FakePte>;
  /** Region to large page. */
  readonly large: Map<number, FakePte>;
}

interface Stale {
  readonly space: number;
  readonly page: number;
}

class FakeBatch implements ShootdownBatch {
  readonly items: Stale[] = [];
  isFlushed = false;
  get pageCount(): number {
    return this.items.length;
  }
}

interface TlbEntry {
  readonly frame: number;
  readonly access: number;
}

export class FakeKernel implements KernelPort {
  /** One number per base frame stands for its bytes. */
  readonly contents: Float64Array;
  readonly spaces = new Map<number, FakeSpace>();
  /** Per core: `space:page` to translation. */
  readonly tlbs: Map<string, TlbEntry>[];
  /** Whether other cores must acknowledge. */
  remote: 'always' | 'never' = 'never';
  readonly revoked: { type: number; object: number }[] = [];
  readonly events: number[][] = [];
  recordEvents = false;
  time = 0;

  constructor(frames: number, cores = 2) {
    this.contents = new Float64Array(frames).fill(777);
    this.tlbs = Array.from({ length: cores }, () => new Map());
  }

  now(): number {
    return this.time;
  }
  charge(steps: number): void {
    this.time += steps;
  }
  /** I19, I20: memory that changes hands must be in no TLB. */
  #mustBeQuiet(frame: number, count: number, what: string): void {
    for (const [core, tlb] of this.tlbs.entries()) {
      for (const [key, entry] of tlb) {
        if (entry.frame >= frame && entry.frame < frame + count) {
          throw new Error(`I19: base frame ${entry.frame} is ${what}, core ${core} still has it at ${key}`);
        }
      }
    }
  }
  zeroFrames(frame: number, count: number): void {
    this.#mustBeQuiet(frame, count, 'zeroed');
    this.contents.fill(0, frame, frame + count);
  }
  copyFrames(from: number, to: number, count: number): void {
    this.#mustBeQuiet(to, count, 'copied to');
    this.contents.copyWithin(to, from, from + count);
  }
  poisonFrames(frame: number, count: number): void {
    this.#mustBeQuiet(frame, count, 'freed');
    this.contents.fill(POISON, frame, frame + count);
  }
  isPoisoned(frame: number, count: number): boolean {
    return this.contents.subarray(frame, frame + count).every((value) => value === POISON);
  }

  /** Tasks whose death the test has told. */
  readonly deadTasks = new Set<number>();

  taskLives(task: number): boolean {
    return !this.deadTasks.has(task);
  }
  /** Threads whose death the test has told, and the requests to give memory back. */
  readonly deadThreads = new Set<number>();
  readonly asked: ReturnMessage[] = [];

  threadLives(thread: number): boolean {
    return !this.deadThreads.has(thread);
  }
  askToReturn(message: ReturnMessage): boolean {
    if (!this.threadLives(message.thread)) return false;
    this.asked.push(message);
    return true;
  }
  installSpace(space: number, directory: number, systemTable: number, messageFrame: number): void {
    if (this.spaces.has(space)) throw new Error(`space ${space} is there`);
    this.zeroFrames(directory, 1);
    this.zeroFrames(systemTable, 1);
    this.zeroFrames(messageFrame, 1);
    this.spaces.set(space, {
      directory,
      systemTable,
      messageFrame,
      tables: new Map(),
      pages: new Map(),
      large: new Map(),
    });
  }
  stopTask(): boolean {
    return true;
  }
  removeSpace(space: number, batch: ShootdownBatch): void {
    const gone = this.#space(space);
    if (gone.tables.size + gone.pages.size + gone.large.size > 0) throw new Error('space is not empty');
    this.spaces.delete(space);
    for (const tlb of this.tlbs) {
      for (const key of tlb.keys()) {
        const [owner, page] = key.split(':').map(Number);
        if (owner === space) (batch as FakeBatch).items.push({ space, page: page! });
      }
    }
  }
  hasSpace(space: number): boolean {
    return this.spaces.has(space);
  }
  #space(space: number): FakeSpace {
    const found = this.spaces.get(space);
    if (found === undefined) throw new Error(`no space ${space}`);
    return found;
  }
  hasTable(space: number, page: number): boolean {
    return this.#space(space).tables.has(page >>> 10);
  }
  installTable(space: number, page: number, frame: number): void {
    const { tables, large } = this.#space(space);
    if (tables.has(page >>> 10) || large.has(page >>> 10)) throw new Error('PDE is not empty');
    this.zeroFrames(frame, 1);
    tables.set(page >>> 10, frame);
  }
  removeTable(space: number, page: number, batch: ShootdownBatch): number {
    const { tables, pages } = this.#space(space);
    const frame = tables.get(page >>> 10);
    if (frame === undefined) throw new Error('no table');
    for (const at of pages.keys()) if (at >>> 10 === page >>> 10) throw new Error('table is not empty');
    tables.delete(page >>> 10);
    (batch as FakeBatch).items.push({ space, page });
    return frame;
  }
  mapPages(space: number, page: number, frame: number, count: number, access: Access): void {
    const { tables, pages } = this.#space(space);
    for (let i = 0; i < count; i += 1) {
      if (!tables.has((page + i) >>> 10)) throw new Error('no table');
      if (pages.has(page + i)) throw new Error('PTE is present');
      pages.set(page + i, { frame: frame + i, access });
    }
  }
  mapLarge(space: number, page: number, frame: number, access: Access): void {
    const { tables, large } = this.#space(space);
    if (tables.has(page >>> 10) || large.has(page >>> 10)) throw new Error('PDE is not empty');
    if (((page | frame) & 1023) !== 0) throw new Error('large page is not aligned');
    for (const tlb of this.tlbs) {
      for (let i = 0; i < 1024; i += 1) {
        if (tlb.has(`${space}:${page + i}`)) throw new Error('I21: small translation in a TLB');
      }
    }
    large.set(page >>> 10, { frame, access });
  }
  unmapPages(space: number, page: number, count: number, batch: ShootdownBatch): RemovedPte | 0 {
    const { pages } = this.#space(space);
    let said = 0;
    for (let i = 0; i < count; i += 1) {
      const pte = pages.get(page + i);
      if (pte === undefined) throw new Error('PTE is absent');
      said |= RemovedPte.PRESENT | (pte.access & WRITE);
      pages.delete(page + i);
      (batch as FakeBatch).items.push({ space, page: page + i });
    }
    return said as RemovedPte;
  }
  unmapLarge(space: number, page: number, batch: ShootdownBatch): RemovedPte | 0 {
    const { large } = this.#space(space);
    const pte = large.get(page >>> 10);
    if (pte === undefined) throw new Error('large page is absent');
    large.delete(page >>> 10);
    this.#addLarge(space, page, batch);
    return (RemovedPte.PRESENT | (pte.access & WRITE)) as RemovedPte;
  }
  #addLarge(space: number, page: number, batch: ShootdownBatch): void {
    for (let i = 0; i < 1024; i += 1) (batch as FakeBatch).items.push({ space, page: page + i });
  }
  protectPages(space: number, page: number, count: number, batch: ShootdownBatch): void {
    for (let i = 0; i < count; i += 1) {
      const pte = this.#space(space).pages.get(page + i);
      if (pte === undefined) throw new Error('PTE is absent');
      if ((pte.access & WRITE) !== 0) (batch as FakeBatch).items.push({ space, page: page + i });
      pte.access &= ~WRITE;
    }
  }
  protectLarge(space: number, page: number, batch: ShootdownBatch): void {
    const pte = this.#space(space).large.get(page >>> 10)!;
    pte.access &= ~WRITE;
    this.#addLarge(space, page, batch);
  }
  widenPages(space: number, page: number, count: number): void {
    for (let i = 0; i < count; i += 1) {
      const pte = this.#space(space).pages.get(page + i);
      if (pte === undefined) throw new Error('PTE is absent');
      pte.access |= WRITE;
    }
  }
  widenLarge(space: number, page: number): void {
    this.#space(space).large.get(page >>> 10)!.access |= WRITE;
  }

  /** Base frames that a device may reach. */
  readonly reachable = new Set<number>();
  deviceHolds(frame: number, count: number): boolean {
    for (let i = 0; i < count; i += 1) if (this.reachable.has(frame + i)) return true;
    return false;
  }

  /** What devices may do with which base frames; the time for which the alarm is set. */
  readonly deviceAccess = new Map<number, number>();
  alarmAt = Number.MAX_SAFE_INTEGER;
  allowDevices(frame: number, count: number, access: Access): void {
    for (let i = frame; i < frame + count; i += 1) {
      this.deviceAccess.set(i, (this.deviceAccess.get(i) ?? 0) | access);
    }
  }
  denyDevices(frame: number, count: number): void {
    for (let i = frame; i < frame + count; i += 1) this.deviceAccess.delete(i);
  }
  setAlarm(atCycles: number): void {
    this.alarmAt = Math.min(this.alarmAt, atCycles);
  }

  newBatch(): ShootdownBatch {
    return new FakeBatch();
  }
  needsRemote(batch: ShootdownBatch): boolean {
    const fake = batch as FakeBatch;
    return this.remote === 'always' && !fake.isFlushed && fake.items.length > 0;
  }
  flushLocal(batch: ShootdownBatch): void {
    this.acknowledge(batch);
  }
  /** The current core is core 0; all others run the spaces of the batch. */
  flushOwn(batch: ShootdownBatch): number {
    for (const { space, page } of (batch as FakeBatch).items) this.tlbs[0]!.delete(`${space}:${page}`);
    return this.tlbs.length - 1;
  }
  listPages(
    space: number,
    page: number,
    count: number,
    size: 'small' | 'large',
    batch: ShootdownBatch,
  ): void {
    if (size === 'large') this.#addLarge(space, page, batch);
    else for (let i = 0; i < count; i += 1) (batch as FakeBatch).items.push({ space, page: page + i });
  }
  /** All cores invalidate what the batch lists. */
  acknowledge(batch: ShootdownBatch): void {
    const fake = batch as FakeBatch;
    fake.isFlushed = true;
    for (const { space, page } of fake.items) {
      for (const tlb of this.tlbs) tlb.delete(`${space}:${page}`);
    }
  }
  /** Called at every wake. */
  onWake: (key: number) => void = () => {};
  wake(key: number): void {
    this.onWake(key);
  }
  /** Work that was begun in the background and not run yet. */
  readonly spawned: Operation<void>[] = [];
  spawn(work: Operation<void>): void {
    this.spawned.push(work);
  }
  revokeObject(type: number, object: number): void {
    this.revoked.push({ type, object });
  }
  emit(kind: number, a: number, b: number, c: number, d: number): void {
    if (this.recordEvents) this.events.push([kind, a, b, c, d]);
  }

  /** What a user access of a core finds: the TLB first, then the page tables. */
  translate(core: number, space: number, page: number, access: number): TlbEntry | null {
    const tlb = this.tlbs[core]!;
    const key = `${space}:${page}`;
    const cached = tlb.get(key);
    if (cached !== undefined && (cached.access & access) === access) return cached;
    tlb.delete(key);
    const tables = this.spaces.get(space);
    if (tables === undefined) return null;
    const small = tables.pages.get(page);
    const large = tables.large.get(page >>> 10);
    const found =
      small ??
      (large === undefined ? undefined : { frame: large.frame + (page & 1023), access: large.access });
    if (found === undefined || (found.access & access) !== access) return null;
    const entry = { frame: found.frame, access: found.access };
    tlb.set(key, entry);
    return entry;
  }
  /** A present translation that differs from what a TLB holds: it was installed before the old one was shot down. */
  mixture(): string | null {
    for (const [core, tlb] of this.tlbs.entries()) {
      for (const [key, cached] of tlb) {
        const [space, page] = key.split(':').map(Number) as [number, number];
        const tables = this.spaces.get(space);
        const small = tables?.pages.get(page)?.frame;
        const large = tables?.large.get(page >>> 10);
        const present = small ?? (large === undefined ? undefined : large.frame + (page & 1023));
        if (present !== undefined && present !== cached.frame) {
          return `core ${core} holds ${key} to ${cached.frame}, the table says ${present} already`;
        }
      }
    }
    return null;
  }
  /** Reads through a translation; null is a page fault. */
  read(core: number, space: number, page: number): number | null {
    const found = this.translate(core, space, page, READ);
    return found === null ? null : this.contents[found.frame]!;
  }
  /** Writes through a translation; false is a page fault. */
  write(core: number, space: number, page: number, value: number): boolean {
    const found = this.translate(core, space, page, READ | WRITE);
    if (found === null) return false;
    this.contents[found.frame] = value;
    return true;
  }
}
