/**
 * One task and its memory server without a machine: requests are calls, each with the cycles that it took. The server's
 * background work runs beside the caller as far as the caller's clock has come, on a core of its own.
 */
import { DMA_ZONE_END } from '../../emu/arch/address-map.ts';
import type { CostModel } from '../../emu/arch/cost.ts';
import { Errno } from '../abi/errno.ts';
import type { PolicySpec } from '../abi/policy-spec.ts';
import { Op, PAGE_ORDER_SHIFT } from '../abi/rpcs.ts';
import type { CapRef, Operation, RpcReply, Wait } from '../abi/server.ts';
import { namedPolicy } from '../physmem/compact/named.ts';
import { Physmem } from '../physmem/physmem.ts';
import { CostedKernel } from './costed-kernel.ts';

export const PAGE_BYTES = 4096;
export const HUGE_PAGES = 1024;
export const HUGE_ORDER = 10;
const TASK = 1;
/** First linear pages of what `touch` maps, and of 4 MiB frames. */
const MAP_PAGE = 0x10000;
const HUGE_MAP_PAGE = 0x80000;
const READ_WRITE = 3;
/** Firmware, kernel and the hole below 1 MiB, as on the machine. */
const RESERVED_FRAMES = 256;

export interface WorldOptions {
  readonly ramFrames: number;
  readonly costs: CostModel;
  readonly policy: PolicySpec;
  /** Other cores that run the task; none by default. */
  readonly otherCores?: number;
}

export class ServerWorld {
  readonly kernel: CostedKernel;
  readonly physmem: Physmem;
  /** Cycles of the last call, zeroing of memory left out and alone. */
  lastCycles = 0;
  lastZeroCycles = 0;
  #background: Operation<void>[] = [];

  constructor({ ramFrames, costs, policy, otherCores }: WorldOptions) {
    this.kernel = new CostedKernel(costs, otherCores ?? 0);
    this.physmem = new Physmem(
      this.kernel,
      {
        memory: [
          { frame: 0, count: RESERVED_FRAMES, use: 'reserved' },
          { frame: RESERVED_FRAMES, count: ramFrames - RESERVED_FRAMES, use: 'free' },
        ],
        modules: [],
        dmaZoneEnd: DMA_ZONE_END / PAGE_BYTES,
        rootTask: TASK,
        poison: 'off',
      },
      { policy: namedPolicy(policy) },
    );
    this.physmem.bootRootSpace();
  }

  /** A request to its end. */
  call(op: Op, target: CapRef, words: readonly number[], caps: readonly CapRef[] = []): RpcReply {
    const { kernel } = this;
    const { trapEntry, trapReturn, syscall, serverRequest, ipcWord } = kernel.costs;
    this.runBackground();
    const began = kernel.clocks.caller;
    const zeroed = kernel.zeroCycles;
    kernel.active = 'caller';
    kernel.add(trapEntry + trapReturn + syscall + serverRequest + words.length * ipcWord);
    const answer = this.physmem.request({
      op,
      task: TASK,
      thread: TASK,
      target,
      words,
      wordCount: words.length,
      caps,
      driver: false,
    });
    const reply = 'errno' in answer ? answer : this.#finish(answer);
    const { stopped } = this.physmem.store.compaction;
    // What follows would be the figures of another policy.
    if (stopped !== null) throw new Error(`the policy ${stopped.policy} was stopped: ${stopped.sentence}`);
    this.lastZeroCycles = kernel.zeroCycles - zeroed;
    this.lastCycles = kernel.clocks.caller - began - this.lastZeroCycles;
    return reply;
  }

  /** The caller does something else for so long; work in the background goes on. */
  think(cycles: number): void {
    this.kernel.clocks.caller += cycles;
    this.runBackground();
  }

  #finish(operation: Operation): RpcReply {
    for (let step = operation.next('done'); ; step = operation.next('done')) {
      if (step.done === true) return step.value;
      this.#serve(step.value);
    }
  }

  #serve(wait: Wait): void {
    if (wait.kind === 'shootdown') this.kernel.shootDown(wait.batch);
    if (wait.kind === 'event') this.#await(wait.key);
    this.kernel.active = 'caller';
  }

  /** The caller waits for an event that only work in the background can bring. */
  #await(key: number): void {
    const { kernel } = this;
    kernel.woken.delete(key);
    while (!kernel.woken.has(key)) {
      if (!this.#stepBackground()) throw new Error(`nothing will wake key ${key}`);
    }
    kernel.clocks.caller = Math.max(kernel.clocks.caller, kernel.clocks.background);
  }

  /** Lets work in the background come as far as the caller's clock. */
  runBackground(): void {
    const { clocks } = this.kernel;
    if (this.#background.length === 0 && this.kernel.spawned.length > 0) {
      // The other core was idle until now.
      clocks.background = Math.max(clocks.background, clocks.caller);
    }
    while (clocks.background <= clocks.caller && this.#stepBackground());
    this.kernel.active = 'caller';
  }

  /** One step of the oldest work in the background; false when there is none. */
  #stepBackground(): boolean {
    this.#background.push(...this.kernel.spawned.splice(0));
    const work = this.#background[0];
    if (work === undefined) return false;
    this.kernel.active = 'background';
    const step = work.next('done');
    if (step.done === true) this.#background.shift();
    else if (step.value.kind === 'shootdown') this.kernel.shootDown(step.value.batch);
    else this.#background.push(this.#background.shift()!);
    return true;
  }

  get root(): CapRef {
    return this.physmem.rootControl;
  }

  createContainer(): CapRef {
    return must(this.call(Op.CONTAINER_CREATE, this.root, [])).caps[0]!;
  }

  /** Base frames of credit that the task has left. */
  get credit(): number {
    return this.physmem.store.controls.at(1).free;
  }

  allocate(container: CapRef, page: number, pages: number, flags = 0): Errno {
    return this.call(Op.ALLOCATE, container, [page * PAGE_BYTES, pages * PAGE_BYTES, flags]).errno;
  }

  /**
   * Allocates 1024 pages and touches them, so that they get memory. True when that is one frame of 4 MiB; otherwise they
   * are given back. `lastCycles` and `lastZeroCycles` are of both calls.
   */
  allocateHuge(container: CapRef, page: number): boolean {
    if (this.allocate(container, page, HUGE_PAGES) !== Errno.OK) return false;
    const allocated = this.#spent();
    this.#map(container, page, HUGE_PAGES, HUGE_MAP_PAGE + page);
    const mapped = this.#spent();
    const state = must(this.call(Op.CONTAINER_QUERY, container, [page * PAGE_BYTES, PAGE_BYTES])).words[1]!;
    this.lastCycles = allocated.cycles + mapped.cycles;
    this.lastZeroCycles = allocated.zeroCycles + mapped.zeroCycles;
    if (state >>> PAGE_ORDER_SHIFT === HUGE_ORDER) return true;
    this.deallocate(container, page, HUGE_PAGES);
    return false;
  }

  #spent(): { readonly cycles: number; readonly zeroCycles: number } {
    return { cycles: this.lastCycles, zeroCycles: this.lastZeroCycles };
  }

  deallocate(container: CapRef, page: number, pages: number): void {
    must(this.call(Op.DEALLOCATE, container, [page * PAGE_BYTES, pages * PAGE_BYTES]));
  }

  /** Maps pages of a container, at the linear page of the same number above `MAP_PAGE`, so that they get memory. */
  touch(container: CapRef, page: number, pages: number): void {
    this.#map(container, page, pages, MAP_PAGE + page);
  }

  #map(container: CapRef, page: number, pages: number, at: number): void {
    must(
      this.call(Op.MAP, container, [page * PAGE_BYTES, pages * PAGE_BYTES, at * PAGE_BYTES, READ_WRITE, 0]),
    );
  }

  /** Pins one page for so many cycles; null when that is refused. */
  pin(container: CapRef, page: number, cycles: number): CapRef | null {
    const reply = this.call(Op.PIN, container, [page * PAGE_BYTES, PAGE_BYTES, cycles, 0]);
    return reply.errno === Errno.OK ? reply.caps[0]! : null;
  }

  unpin(pin: CapRef): void {
    this.call(Op.UNPIN, pin, []);
  }

  get freeFrames(): number {
    return this.physmem.store.zones.freeFrames;
  }

  /** Share of free memory that is in blocks smaller than 4 MiB (physmem.md §7.5), over all zones. */
  get unusableForHuge(): number {
    const { zones, freeFrames } = this.physmem.store.zones;
    if (freeFrames === 0) return 0;
    const huge = zones.reduce((sum, { buddy }) => sum + buddy.free[HUGE_ORDER]!.count * HUGE_PAGES, 0);
    return (freeFrames - huge) / freeFrames;
  }
}

export function must(reply: RpcReply): RpcReply {
  if (reply.errno !== Errno.OK) throw new Error(`${Errno[reply.errno]} ${reply.words.join(' ')}`);
  return reply;
}
