/**
 * A physmem on a fake kernel with short calls for tests: tasks are numbers, operations run to their end, every
 * answer is checked by the whole-state checker unless told otherwise.
 */
import { Errno } from '../../../src/abi/errno.ts';
import { CapType, TaskRight } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply, RpcRequest, Wait } from '../../../src/abi/server.ts';
import { FrameState } from '../../../src/physmem/base-frames.ts';
import { check } from '../../../src/physmem/check/check.ts';
import { allowsStale } from '../../../src/physmem/check/deferred.ts';
import { Physmem } from '../../../src/physmem/physmem.ts';
import type { MemoryRange, PhysmemBoot } from '../../../src/physmem/port.ts';
import type { PhysmemOptions } from '../../../src/physmem/store.ts';
import { FakeKernel } from './fake-kernel.ts';

export const PAGE = 4096;
export const ROOT_TASK = 1;
const PHYSMEM_CAP: CapRef = { type: CapType.PHYSMEM, object: 0, rights: 0xffff };

export interface Setup {
  readonly frames?: number;
  readonly dmaEnd?: number;
  readonly memory?: readonly MemoryRange[];
  readonly modules?: PhysmemBoot['modules'];
  readonly options?: PhysmemOptions;
  readonly cores?: number;
}

export class BenchTop {
  readonly kernel: FakeKernel;
  readonly physmem: Physmem;
  /** Tasks that were booted as drivers. */
  readonly drivers = new Set<number>();
  /** Runs after every operation. */
  afterEach: () => void = () => this.check();

  constructor(setup: Setup = {}) {
    const frames = setup.frames ?? 8192;
    this.kernel = new FakeKernel(frames, setup.cores);
    this.physmem = new Physmem(
      this.kernel,
      {
        memory: setup.memory ?? [{ frame: 0, count: frames, use: 'free' }],
        modules: setup.modules ?? [],
        dmaZoneEnd: setup.dmaEnd ?? 4096,
        rootTask: ROOT_TASK,
        poison: 'on',
      },
      setup.options,
    );
  }

  /** Throws when an invariant is broken, in the server's state, the page tables or a TLB. */
  check(): void {
    const { store } = this.physmem;
    const found = check(store, { translations: (task) => this.#translations(task) });
    const lines = found.map(({ invariant, what }) => `${invariant}: ${what}`);
    for (const [core, tlb] of this.kernel.tlbs.entries()) {
      for (const [key, { frame, access }] of tlb) {
        const [space, page] = key.split(':').map(Number) as [number, number];
        const table = [...this.#translations(space)].find((pte) =>
          pte.large ? pte.page >>> 10 === page >>> 10 : pte.page === page,
        );
        if (table === undefined && (access & 2) === 0 && allowsStale(store, space, page, frame)) continue;
        const present = table === undefined ? -1 : table.frame + (table.large ? page & 1023 : 0);
        if (present !== frame)
          lines.push(`I18: core ${core} holds ${key} to ${frame}, the table says ${present}`);
        else if ((access & ~table!.access) !== 0)
          lines.push(`I18: core ${core} holds ${key} with more access`);
        if (store.base.state[store.base.headOf(frame)] !== FrameState.BOUND) {
          lines.push(`I20: core ${core} holds ${key} to base frame ${frame}, which is not bound`);
        }
      }
    }
    if (store.counters.poisonFaults > 0) lines.push('I11: poison was overwritten');
    if (lines.length > 0) throw new Error(lines.slice(0, 8).join('\n'));
  }

  *#translations(task: number) {
    const space = this.kernel.spaces.get(task);
    if (space === undefined) return;
    for (const [page, pte] of space.pages) yield { page, ...pte, large: false };
    for (const [region, pte] of space.large) yield { page: region << 10, ...pte, large: true };
  }

  get root(): CapRef {
    return this.physmem.rootControl;
  }

  /** Starts a request and leaves it where it first waits. */
  start(
    op: Op,
    target: CapRef,
    words: readonly number[] = [],
    caps: readonly CapRef[] = [],
    task = ROOT_TASK,
  ): RpcReply | Operation {
    const request: RpcRequest = {
      op,
      task,
      thread: task,
      target,
      words,
      wordCount: words.length,
      caps,
      driver: this.drivers.has(task),
    };
    return this.physmem.request(request);
  }

  /** A request to its end. */
  call(
    op: Op,
    target: CapRef,
    words: readonly number[] = [],
    caps: readonly CapRef[] = [],
    task = ROOT_TASK,
  ): RpcReply {
    const started = this.start(op, target, words, caps, task);
    const reply = 'errno' in started ? started : this.finish(started);
    this.afterEach();
    return reply;
  }

  /** Runs an operation alone to its end: shootdowns are acknowledged at once. */
  finish<T>(operation: Operation<T>): T {
    for (let step = operation.next('done'); ; step = operation.next('done')) {
      if (step.done === true) return step.value;
      this.serve(step.value);
    }
  }

  /** Runs what the server began in the background to its end. */
  runSpawned(): void {
    for (let work = this.kernel.spawned.shift(); work !== undefined; work = this.kernel.spawned.shift()) {
      this.finish(work);
    }
    this.afterEach();
  }

  serve(wait: Wait): void {
    if (wait.kind === 'event') throw new Error(`waits for ever for key ${wait.key}`);
    if (wait.kind === 'shootdown') this.kernel.acknowledge(wait.batch);
  }

  taskDied(task: number): void {
    const operation = this.physmem.taskDied(task);
    if (operation !== null) this.finish(operation);
    this.afterEach();
  }

  must(reply: RpcReply): RpcReply {
    if (reply.errno !== Errno.OK) throw new Error(`${Errno[reply.errno]} ${reply.words.join(' ')}`);
    return reply;
  }

  split(control: CapRef, frames: number): CapRef {
    return this.must(this.call(Op.CONTROL_SPLIT, control, [frames])).caps[0]!;
  }
  container(control: CapRef = this.root): CapRef {
    return this.must(this.call(Op.CONTAINER_CREATE, control)).caps[0]!;
  }
  sponsor(control: CapRef, task: number): RpcReply {
    return this.call(Op.CONTROL_SPONSOR, control, [], [taskCap(task)]);
  }
  /** A task with an address space, at the root control's cost unless told otherwise. */
  task(task: number, control: CapRef = this.root): number {
    this.must(this.sponsor(control, task));
    return task;
  }
  credit(control: CapRef): { total: number; free: number; charged: number; given: number } {
    const [total, free, charged, given] = this.must(this.call(Op.CONTROL_QUERY, control)).words as number[];
    return { total: total!, free: free!, charged: charged!, given: given! };
  }

  allocate(container: CapRef, page: number, pages: number, flags = 0): RpcReply {
    return this.call(Op.ALLOCATE, container, [page * PAGE, pages * PAGE, flags]);
  }
  deallocate(container: CapRef, page: number, pages: number): RpcReply {
    return this.call(Op.DEALLOCATE, container, [page * PAGE, pages * PAGE]);
  }
  release(container: CapRef, page: number, pages: number, flags = 0): RpcReply {
    return this.call(Op.RELEASE, container, [page * PAGE, pages * PAGE, flags]);
  }
  recover(container: CapRef, page: number, pages: number, flags = 0): RpcReply {
    return this.call(Op.RECOVER, container, [page * PAGE, pages * PAGE, flags]);
  }
  map(
    task: number,
    container: CapRef,
    page: number,
    pages: number,
    at: number,
    access = 3,
    flags = 0,
  ): RpcReply {
    return this.call(Op.MAP, container, [page * PAGE, pages * PAGE, at * PAGE, access, flags], [], task);
  }
  unmap(task: number, at: number, pages: number): RpcReply {
    return this.call(Op.UNMAP, PHYSMEM_CAP, [at * PAGE, pages * PAGE], [], task);
  }
  copy(source: CapRef, from: number, target: CapRef, to: number, pages: number, flags = 0): RpcReply {
    return this.call(Op.COPY, source, [from * PAGE, to * PAGE, pages * PAGE, flags], [target]);
  }
  /** Ranges are source page, destination page, pages. */
  copyList(source: CapRef, target: CapRef, ranges: readonly (readonly number[])[], flags = 0): RpcReply {
    const words = ranges.flatMap((range) => range.map((page) => page * PAGE));
    return this.call(Op.COPY_LIST, source, [flags, ...words], [target]);
  }
  share(container: CapRef, rights: number): CapRef {
    return this.must(this.call(Op.SHARE, container, [rights])).caps[0]!;
  }
  revoke(container: CapRef, limited: CapRef): RpcReply {
    return this.call(Op.REVOKE, container, [], [limited]);
  }
  states(container: CapRef, page: number, pages: number): number[] {
    return this.must(this.call(Op.CONTAINER_QUERY, container, [page * PAGE, pages * PAGE])).words.slice(1);
  }

  /** Reads a page of a container as a client would: maps it somewhere, looks, unmaps. */
  peek(task: number, container: CapRef, page: number): number | null {
    const at = PEEK_PAGE;
    if (this.map(task, container, page, 1, at, 1).errno !== Errno.OK) return null;
    const value = this.kernel.read(0, task, at);
    this.unmap(task, at, 1);
    return value;
  }
  /** Writes a page of a container as a client would. */
  poke(task: number, container: CapRef, page: number, value: number): void {
    this.must(this.map(task, container, page, 1, PEEK_PAGE, 3));
    if (!this.kernel.write(0, task, PEEK_PAGE, value)) throw new Error('write fault after a write map');
    this.unmap(task, PEEK_PAGE, 1);
  }
}

/** Where peek and poke map: far from what tests use. */
const PEEK_PAGE = 0xf0000;

export const taskCap = (task: number): CapRef => ({
  type: CapType.TASK,
  object: task,
  rights: TaskRight.MAP | TaskRight.MANAGE,
});

/** Errno and amount of a reply. */
export const outcome = (reply: RpcReply): readonly [string, number] => [
  Errno[reply.errno]!,
  (reply.words[0] ?? 0) / PAGE,
];
