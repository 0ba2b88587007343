/**
 * Extra memory and soft references against a flat model (physmem.md §8): two caches with next to no credit and an owner
 * with all the rest work on the same little memory. Names are cells; what is on loan may vanish, but only when somebody
 * binds memory; what is paid never does, reads as it must, and a write to it always goes through. After every operation the
 * whole-state checker looks.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Errno } from '../../src/abi/errno.ts';
import { AllocFlag, CopyFlag, ReleaseFlag } from '../../src/abi/rights.ts';
import { Op } from '../../src/abi/rpcs.ts';
import type { CapRef, RpcReply } from '../../src/abi/server.ts';
import { objectIndex } from '../../src/physmem/control.ts';
import { UNBOUND } from '../../src/physmem/frame.ts';
import { holdOf } from '../../src/physmem/hold.ts';
import { Hold } from '../../src/physmem/loan.ts';
import { entryAt } from '../../src/physmem/names.ts';
import { BenchTop, PAGE } from '../unit/physmem/bench-top.ts';

const TASK = 1;
const PAGES = 40;
/** Pages of the space that the model writes through; their page tables stay. */
const WINDOW = 0x100;

interface Name {
  readonly cell: { value: number };
  hold: Hold;
}

class World {
  readonly top: BenchTop;
  readonly controls: CapRef[];
  readonly containers: CapRef[];
  readonly names: Map<number, Name>[];
  refusedWrites = 0;
  #stamp = 0;

  constructor(sliceSteps: number) {
    this.top = new BenchTop({ frames: 44, dmaEnd: 8, options: { sliceSteps, returnCycles: 40 } });
    this.top.task(TASK);
    const scratch = this.top.container();
    this.top.must(this.top.allocate(scratch, 0, 1));
    this.top.must(this.top.map(TASK, scratch, 0, 1, WINDOW + 1));
    const left = this.top.credit(this.top.root).free;
    this.controls = [2, 3, left - 5].map((frames) => this.top.split(this.top.root, frames));
    this.containers = this.controls.map((control) => this.top.container(control));
    this.names = this.containers.map(() => new Map());
    this.top.must(
      this.top.call(Op.CONTROL_ON_RETURN, this.controls[0]!, [1], [{ type: 2, object: 9, rights: 1 }]),
    );
  }

  /** An operation to its end; waits for time end by it. */
  call(op: Op, target: CapRef, words: number[], caps: CapRef[] = []): RpcReply {
    const started = this.top.start(op, target, words, caps, TASK);
    if ('errno' in started) return started;
    for (let step = started.next('done'); ; ) {
      if (step.done === true) return step.value;
      const wait = step.value;
      if (wait.kind === 'shootdown') this.top.kernel.acknowledge(wait.batch);
      if (wait.kind === 'event') this.top.kernel.time = Math.max(this.top.kernel.time, wait.deadlineCycles);
      step = started.next(wait.kind === 'event' ? 'timeout' : 'done');
    }
  }

  free(c: number): number {
    return this.top.physmem.store.controls.at(objectIndex(this.controls[c]!.object)).free;
  }
  room(): number {
    return this.top.must(this.call(Op.CONTROL_QUERY_EXTRA, this.top.root, [])).words[4]!;
  }

  allocate(c: number, start: number, pages: number, flags: number): void {
    const names = this.names[c]!;
    let room = 0;
    while (room < pages && !names.has(start + room)) room += 1;
    const most = this.free(c) + (flags === 0 ? 0 : this.room());
    const reply = this.call(Op.ALLOCATE, this.containers[c]!, [start * PAGE, pages * PAGE, flags]);
    const done = reply.words[0]! / PAGE;
    expect(done).toBe(Math.min(room, most));
    for (let i = 0; i < done; i += 1)
      names.set(start + i, { cell: { value: 0 }, hold: this.hold(c, start + i)! });
  }

  deallocate(c: number, start: number, pages: number): void {
    const reply = this.call(Op.DEALLOCATE, this.containers[c]!, [start * PAGE, pages * PAGE]);
    let named = 0;
    for (let page = start; page < start + pages; page += 1) if (this.names[c]!.delete(page)) named += 1;
    expect(reply).toMatchObject({ errno: Errno.OK, words: [named * PAGE] });
  }

  soften(c: number, start: number, pages: number): void {
    const names = this.names[c]!;
    const kept: number[] = [];
    for (let page = start; page < start + pages; page += 1) {
      const name = names.get(page);
      if (name === undefined) continue;
      if (name.hold === Hold.SOFT || (this.isBound(c, page) && !this.isShared(c, page))) kept.push(page);
    }
    this.top.must(this.call(Op.RELEASE, this.containers[c]!, [start * PAGE, pages * PAGE, ReleaseFlag.SOFT]));
    for (let page = start; page < start + pages; page += 1) {
      const name = names.get(page);
      // Of pages of the range that shared memory with each other the last one is alone in the end.
      const isLast = name !== undefined && this.hold(c, page) === Hold.SOFT;
      if (name !== undefined && (kept.includes(page) || isLast)) name.hold = Hold.SOFT;
      else names.delete(page);
    }
  }

  recover(c: number, start: number, pages: number, flags: number): void {
    const names = this.names[c]!;
    const reply = this.call(Op.RECOVER, this.containers[c]!, [start * PAGE, pages * PAGE, flags]);
    const done = reply.words[0]! / PAGE;
    for (let page = start; page < start + done; page += 1) {
      const hold = this.hold(c, page);
      expect(hold === Hold.PAID || (flags !== 0 && hold === Hold.EXTRA)).toBe(true);
      names.get(page)!.hold = hold!;
    }
    const next = names.get(start + done);
    if (reply.errno === Errno.OK) expect(done).toBe(pages);
    else if (next === undefined) expect(reply.errno).toBe(Errno.ENOENT);
    else {
      expect([reply.errno, this.free(c)]).toEqual([Errno.ENOMEM, 0]);
      if (flags !== 0) expect(this.room()).toBe(0);
    }
  }

  copy(from: number, start: number, to: number, at: number, pages: number, flags: number): void {
    const [source, target] = [this.names[from]!, this.names[to]!];
    const isMove = flags === CopyFlag.MOVE;
    let most = 0;
    while (
      most < pages &&
      (source.get(start + most)?.hold ?? Hold.SOFT) !== Hold.SOFT &&
      !target.has(at + most)
    )
      most += 1;
    const isFree = isMove && from === to;
    const paid = isFree ? most : Math.min(most, this.free(to));
    const expected = isMove && paid < most ? 0 : paid;
    const words = [start * PAGE, at * PAGE, pages * PAGE, flags];
    const reply = this.call(Op.COPY, this.containers[from]!, words, [this.containers[to]!]);
    expect(reply.words[0]! / PAGE).toBe(expected);
    for (let i = 0; i < expected; i += 1) {
      const name = source.get(start + i)!;
      if (isMove) source.delete(start + i);
      const cell = isMove || flags === CopyFlag.SHARED ? name.cell : { value: name.cell.value };
      target.set(at + i, { cell, hold: isFree ? name.hold : Hold.PAID });
    }
  }

  write(c: number, page: number): void {
    const name = this.names[c]!.get(page);
    const words = [page * PAGE, PAGE, WINDOW * PAGE, 3, 0];
    const reply = this.call(Op.MAP, this.containers[c]!, words);
    if (name === undefined || name.hold === Hold.SOFT) expect(reply.errno).toBe(Errno.ENOENT);
    else if (name.hold === Hold.PAID) expect(Errno[reply.errno]).toBe('OK');
    if (reply.errno !== Errno.OK) {
      this.refusedWrites += 1;
      return;
    }
    this.#stamp += 1;
    expect(this.top.kernel.write(0, TASK, WINDOW, this.#stamp)).toBe(true);
    name!.cell.value = this.#stamp;
  }

  /** Binds a range for writing; only what is on loan may be refused. */
  touch(c: number, start: number, pages: number): void {
    const words = [start * PAGE, pages * PAGE, WINDOW * PAGE, 3, 0];
    const reply = this.call(Op.MAP, this.containers[c]!, words);
    if (reply.errno === Errno.OK) return;
    const name = this.names[c]!.get(start + reply.words[0]! / PAGE);
    expect(name?.hold).not.toBe(Hold.PAID);
    this.refusedWrites += 1;
  }

  hold(c: number, page: number): Hold | undefined {
    const { store } = this.top.physmem;
    const entry = entryAt(store, objectIndex(this.containers[c]!.object), page);
    return entry === 0 ? undefined : holdOf(store, entry);
  }
  isBound(c: number, page: number): boolean {
    return this.#block(c, page) !== UNBOUND;
  }
  isShared(c: number, page: number): boolean {
    const { store } = this.top.physmem;
    return store.base.refs[store.base.headOf(this.#block(c, page))]! > 1;
  }
  /** Base frame of a page that has a name, or UNBOUND. */
  #block(c: number, page: number): number {
    const { store } = this.top.physmem;
    const entry = entryAt(store, objectIndex(this.containers[c]!.object), page);
    const block = store.frames.block[store.entries.frame[entry]!]!;
    return block === UNBOUND ? UNBOUND : block + page - store.entries.start[entry]!;
  }

  /** What is on loan may be gone after a write; all else is as the model says. */
  verify(mayTake: boolean): void {
    this.top.check();
    for (const [c, names] of this.names.entries()) {
      for (const [page, { cell, hold }] of names) {
        const held = this.hold(c, page);
        if (held === undefined && hold !== Hold.PAID && mayTake) {
          names.delete(page);
          continue;
        }
        const block = this.#block(c, page);
        const value = block === UNBOUND ? 0 : this.top.kernel.contents[block];
        if (held !== hold || value !== cell.value)
          throw new Error(`container ${c} page ${page}: ${held}, ${value} instead of ${hold}, ${cell.value}`);
      }
      const { pages } = this.top.physmem.store.containers.at(objectIndex(this.containers[c]!.object));
      expect(pages).toBe(names.size);
    }
  }
}

const container = fc.nat(2);
const page = fc.nat(PAGES - 1);
const length = fc.integer({ min: 1, max: 24 });
const extraFlag = fc.constantFrom(0, AllocFlag.EXTRA);
type Step = readonly [string, ...number[]];
const rule = (weight: number, name: string, ...args: fc.Arbitrary<number>[]) => ({
  weight,
  arbitrary: fc.tuple(...args).map((values): Step => [name, ...values]),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  rule(6, 'allocate', container, page, length, fc.constantFrom(0, AllocFlag.EXTRA, AllocFlag.EXTRA)),
  rule(3, 'deallocate', container, page, length),
  rule(4, 'soften', container, page, length),
  rule(5, 'recover', container, page, length, extraFlag),
  rule(
    5,
    'copy',
    container,
    page,
    container,
    page,
    length,
    fc.constantFrom(0, CopyFlag.SHARED, CopyFlag.MOVE),
  ),
  rule(6, 'write', container, page),
  rule(9, 'touch', container, page, length),
  // The owner makes use of its guarantee.
  rule(3, 'allocate', fc.constant(2), page, length, fc.constant(0)),
  rule(5, 'touch', fc.constant(2), page, length),
);

function run(world: World, program: readonly Step[]): void {
  for (const [name, ...[a, b, c, d, e, f]] of program) {
    if (name === 'allocate') world.allocate(a!, b!, c!, d!);
    else if (name === 'deallocate') world.deallocate(a!, b!, c!);
    else if (name === 'soften') world.soften(a!, b!, c!);
    else if (name === 'recover') world.recover(a!, b!, c!, d!);
    else if (name === 'copy') world.copy(a!, b!, c!, d!, e!, f!);
    else if (name === 'touch') world.touch(a!, b!, c!);
    else world.write(a!, b!);
    world.verify(name === 'write' || name === 'touch');
  }
}

/** PHYSMEM_RUNS makes the test longer. */
const RUNS = Number(process.env['PHYSMEM_RUNS'] ?? 40);

describe('extra memory and soft references', () => {
  for (const slice of [1024, 2]) {
    it(`agree with a flat model, and never cost a guarantee; slices of ${slice}`, () => {
      const seen = { reclaimedFrames: 0, lostSoftFrames: 0, returnRequests: 0, refusedWrites: 0 };
      fc.assert(
        fc.property(fc.array(step, { minLength: 120, maxLength: 160, size: 'max' }), (program) => {
          const world = new World(slice);
          run(world, program);
          const { counters } = world.top.physmem;
          seen.reclaimedFrames += counters.reclaimedFrames;
          seen.lostSoftFrames += counters.lostSoftFrames;
          seen.returnRequests += counters.returnRequests;
          seen.refusedWrites += world.refusedWrites;
        }),
        { numRuns: RUNS, seed: 8, endOnFailure: true },
      );
      for (const count of Object.values(seen)) expect(count).toBeGreaterThan(RUNS / 20);
    });
  }
});
