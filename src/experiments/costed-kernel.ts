/**
 * A kernel for physmem that keeps page tables as numbers and bytes not at all, and charges what the cost model says: for
 * experiments of very many operations, where only events and cycles count. It has two clocks: of the core that makes the
 * requests, and of a core that has nothing else to do than the server's own work in the background. A test holds its
 * shootdowns to those of the real kernel on real cores.
 */
import type { CostModel } from '../../emu/arch/cost.ts';
import type { Operation, ShootdownBatch } from '../abi/server.ts';
import type { KernelPort } from '../physmem/port.ts';
import { RemovedPte } from '../physmem/port.ts';

/** As in src/kernel/config.ts: more pages than this are a full flush. */
const SINGLE_PAGE_CEILING = 33;

interface CostedBatch extends ShootdownBatch {
  pageCount: number;
}

export type Clock = 'caller' | 'background';

export class CostedKernel implements KernelPort {
  readonly costs: CostModel;
  /** Cycles of both cores. */
  readonly clocks: Record<Clock, number> = { caller: 0, background: 0 };
  /** Whose step it is. */
  active: Clock = 'caller';
  /** Other cores that run the caller's task, and must answer shootdowns. */
  readonly otherCores: number;
  /** Cycles that went into zeroing, ever. */
  zeroCycles = 0;
  shootdowns = 0;
  ipis = 0;
  copiedFrames = 0;
  /** Work that the server began and that has not been taken up yet. */
  readonly spawned: Operation<void>[] = [];
  readonly woken = new Set<number>();
  readonly #tables = new Map<number, Map<number, number>>();

  constructor(costs: CostModel, otherCores: number) {
    this.costs = costs;
    this.otherCores = otherCores;
  }

  add(cycles: number): void {
    this.clocks[this.active] += cycles;
  }

  now(): number {
    return this.clocks[this.active];
  }
  charge(steps: number): void {
    this.add(steps * this.costs.serverStep);
  }
  zeroFrames(_frame: number, count: number): void {
    this.zeroCycles += count * this.costs.zeroFrame;
    this.add(count * this.costs.zeroFrame);
  }
  copyFrames(_from: number, _to: number, count: number): void {
    this.copiedFrames += count;
    this.add(count * this.costs.copyFrame);
  }
  poisonFrames(): void {}
  isPoisoned(): boolean {
    return true;
  }

  taskLives(): boolean {
    return true;
  }
  stopTask(): boolean {
    return true;
  }
  installSpace(space: number): void {
    this.#tables.set(space, new Map());
  }
  removeSpace(space: number): void {
    this.#tables.delete(space);
  }
  hasSpace(space: number): boolean {
    return this.#tables.has(space);
  }
  hasTable(space: number, page: number): boolean {
    return this.#tables.get(space)!.has(page >>> 10);
  }
  installTable(space: number, page: number, frame: number): void {
    this.#tables.get(space)!.set(page >>> 10, frame);
    this.add(this.costs.zeroFrame + this.costs.pteWrite);
  }
  removeTable(space: number, page: number, batch: ShootdownBatch): number {
    const tables = this.#tables.get(space)!;
    const frame = tables.get(page >>> 10)!;
    tables.delete(page >>> 10);
    this.#record(batch, 1);
    return frame;
  }

  mapPages(_space: number, _page: number, _frame: number, count: number): void {
    this.add(count * this.costs.pteWrite);
  }
  mapLarge(): void {
    this.add(this.costs.pteWrite);
  }
  unmapPages(_space: number, _page: number, count: number, batch: ShootdownBatch): RemovedPte {
    this.#record(batch, count);
    return RemovedPte.PRESENT;
  }
  unmapLarge(_space: number, _page: number, batch: ShootdownBatch): RemovedPte {
    this.#record(batch, 1);
    return RemovedPte.PRESENT;
  }
  protectPages(_space: number, _page: number, count: number, batch: ShootdownBatch): void {
    this.#record(batch, count);
  }
  protectLarge(_space: number, _page: number, batch: ShootdownBatch): void {
    this.#record(batch, 1);
  }
  widenPages(_space: number, _page: number, count: number): void {
    this.add(count * this.costs.pteWrite);
  }
  widenLarge(): void {
    this.add(this.costs.pteWrite);
  }
  #record(batch: ShootdownBatch, pages: number): void {
    (batch as CostedBatch).pageCount += pages;
    this.add(pages * this.costs.pteWrite);
  }

  newBatch(): ShootdownBatch {
    return { pageCount: 0 };
  }
  needsRemote(batch: ShootdownBatch): boolean {
    return batch.pageCount > 0 && this.#targets() > 0;
  }
  flushOwn(batch: ShootdownBatch): number {
    this.add(this.#invalidation(batch));
    return this.#targets();
  }
  listPages(
    _space: number,
    _page: number,
    count: number,
    _size: 'small' | 'large',
    batch: ShootdownBatch,
  ): void {
    (batch as CostedBatch).pageCount += count;
  }
  flushLocal(batch: ShootdownBatch): void {
    if (batch.pageCount === 0) return;
    this.shootdowns += 1;
    this.add(this.#invalidation(batch));
  }

  /** Interrupts the other cores that run the task, and waits for the slowest; in the background that is the caller's too. */
  shootDown(batch: ShootdownBatch): void {
    const { ipiSend, ipiDeliver, trapEntry, trapReturn } = this.costs;
    const targets = this.#targets();
    const handler = trapEntry + this.#invalidation(batch) + trapReturn;
    this.shootdowns += 1;
    this.ipis += targets;
    // The caller's core is idle meanwhile; the last answer wakes it with an interrupt of its own.
    const answer = ipiSend + ipiDeliver + trapEntry + trapReturn;
    this.add(targets * ipiSend + ipiDeliver + handler + answer);
    if (this.active === 'background') this.clocks.caller += handler;
  }

  #targets(): number {
    return this.otherCores + (this.active === 'background' ? 1 : 0);
  }

  #invalidation({ pageCount }: ShootdownBatch): number {
    return pageCount > SINGLE_PAGE_CEILING ? this.costs.tlbFlush : pageCount * this.costs.invlpg;
  }

  spawn(work: Operation<void>): void {
    this.spawned.push(work);
  }
  wake(key: number): void {
    this.woken.add(key);
  }
  revokeObject(): void {}
  emit(): void {}
}
