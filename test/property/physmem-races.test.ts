/**
 * Many operations in flight at once, in an order that the program decides: acknowledgements come late, out of
 * order, or after the bound (limbo); tasks die in the middle. The fake kernel checks at every free, zeroing and
 * copy that no TLB holds the memory (I19, I20); a state in which nothing can go on is a deadlock (I38); when all
 * has ended the whole-state checker looks (I1 to I21).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicyName } from '../../src/abi/policy-spec.ts';
import {
  AllocFlag,
  CapType,
  ContainerRight,
  CopyFlag,
  ReleaseFlag,
  ThreadRight,
} from '../../src/abi/rights.ts';
import { Op } from '../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply, ShootdownBatch, Wait, WaitResult } from '../../src/abi/server.ts';
import { FrameState } from '../../src/physmem/base-frames.ts';
import { Evacuated, evacuate, type Region } from '../../src/physmem/compact/evacuate.ts';
import { namedPolicy } from '../../src/physmem/compact/named.ts';
import { countRegion } from '../../src/physmem/compact/view.ts';
import { BenchTop, PAGE, taskCap } from '../unit/physmem/bench-top.ts';

const PHYSMEM_CAP: CapRef = { type: CapType.PHYSMEM, object: 0, rights: 0xffff };
const TASKS = [1, 2, 3];
const PAGES = 16;
/** So few base frames that extra memory must give way to guarantees. */
const TIGHT = 84;
/** Where extra memory is named, above everything else. */
const EXTRA_PAGE = 0x20;
/** All combinations that occur: ALL_OR_NONE 1, SQUASH 2, DMA 4, EXTRA 8, CONTIGUOUS 16. */
const ALLOC_FLAGS = [0, 1, 2, 3, 4, 6, 8, 9, 16, 18, 20, 22];

interface Flight {
  readonly operation: Operation<RpcReply | undefined> | Operation<void>;
  wait: Wait;
}

/** Runs operations side by side. */
class Traffic {
  readonly top: BenchTop;
  readonly flights: Flight[] = [];
  late: ShootdownBatch[] = [];
  controls: CapRef[] = [];
  containers: CapRef[] = [];
  limiteds: CapRef[] = [];
  pins: CapRef[] = [];
  #cache: CapRef | null = null;
  finished = 0;
  succeeded = 0;
  waited = 0;
  emptied = 0;

  constructor(sliceSteps: number, mode: 'on' | 'off', frames: number) {
    const deferral = { mode, entriesMax: 24, cycles: 2000 };
    // The finest slices come with small blocks, grouped by mobility, and with compaction inside binds.
    const policy = namedPolicy(parsePolicyName('on-demand/cheapest-block+grouping')!);
    const small = sliceSteps === 1 ? { maxOrder: 4, policy } : {};
    const options = { sliceSteps, deferral, returnCycles: 900, ...small };
    this.top = new BenchTop({ frames, dmaEnd: 32, cores: 3, options });
    this.top.kernel.remote = 'always';
    this.top.afterEach = () => {};
    this.top.kernel.onWake = (key) => this.#wake(key);
    this.controls.push(this.top.root, this.top.split(this.top.root, 40));
    for (const task of TASKS) this.top.task(task, this.controls[task % 2]!);
    for (const control of this.controls) this.containers.push(this.top.container(control));
    this.containers.push(this.top.container());
    for (const [i, container] of this.containers.entries()) {
      this.top.allocate(container, 0, 8);
      for (const task of TASKS) this.top.map(task, container, 0, 6, 0x3f8 + 6 * i, mode === 'on' ? 1 : 3);
    }
  }

  /** Fills the machine with extra memory of a control that has no credit; every now and then it is asked again. */
  hog(): void {
    if (this.#cache === null) {
      const control = this.top.split(this.top.root, 1);
      this.#cache = this.top.container(control);
      this.controls.push(control);
      this.containers.push(this.#cache);
      this.top.allocate(this.#cache, 0x1000, 1);
    }
    if (this.finished % 2 === 0)
      this.request(Op.RELEASE, this.#cache, [bytes(EXTRA_PAGE), bytes(6), ReleaseFlag.SOFT]);
    const guaranteed = at(this.containers, this.finished % 3);
    this.request(Op.ALLOCATE, guaranteed, [bytes(0x200 + (this.finished % 8)), bytes(8), 0]);
    this.request(
      Op.MAP,
      guaranteed,
      [bytes(0x200), bytes(16), bytes(0x480), 3, 0],
      [],
      TASKS[this.finished % 3]!,
    );
    this.request(Op.ALLOCATE, this.#cache, [bytes(EXTRA_PAGE), bytes(64), AllocFlag.EXTRA]);
    this.request(Op.ALLOCATE, this.#cache, [
      bytes(EXTRA_PAGE + (this.finished % 64)),
      bytes(64),
      AllocFlag.EXTRA,
    ]);
    this.request(
      Op.MAP,
      this.#cache,
      [bytes(EXTRA_PAGE), bytes(64), bytes(0x440), 3, 0],
      [],
      TASKS[this.finished % 3]!,
    );
  }

  request(op: Op, target: CapRef, words: number[], caps: CapRef[] = [], task = 1): void {
    const answer = this.top.start(op, target, words, caps, task);
    if ('errno' in answer) this.#done(answer);
    else this.fly(answer);
    this.#takeSpawned();
  }

  /** Work that the server began without a caller flies with the rest. */
  #takeSpawned(): void {
    const { spawned } = this.top.kernel;
    for (let work = spawned.shift(); work !== undefined; work = spawned.shift()) {
      this.flights.push({ operation: work, wait: { kind: 'pause' } });
    }
  }

  /** A device aims at a base frame, or all of them let go and the kernel says so. */
  aim(frame: number): void {
    this.top.kernel.reachable.add(frame);
  }
  quiet(): void {
    this.top.kernel.reachable.clear();
    this.top.physmem.tick();
    this.#takeSpawned();
  }

  fly(operation: Flight['operation']): void {
    const step = operation.next('done');
    if (step.done === true) this.#done(step.value ?? undefined);
    else this.flights.push({ operation, wait: step.value });
  }

  #done(reply: RpcReply | undefined): void {
    this.finished += 1;
    if (reply?.errno === 0) this.succeeded += 1;
    for (const cap of reply?.caps ?? []) {
      if (cap.type === CapType.CONTROL) this.controls.push(cap);
      else if (cap.type === CapType.CONTAINER) this.containers.push(cap);
      else if (cap.type === CapType.PIN) this.pins.push(cap);
      else this.limiteds.push(cap);
    }
  }

  /** Lets the n-th operation that can go on take a step. Returns whether there was one. */
  advance(n: number, limbo: boolean): boolean {
    const can = this.flights.filter(({ wait }) => wait.kind !== 'event');
    if (can.length === 0) return false;
    const flight = can[n % can.length]!;
    const step = flight.operation.next(this.#resultOf(flight.wait, limbo));
    this.waited += 1;
    if (step.done === true) {
      this.flights.splice(this.flights.indexOf(flight), 1);
      this.#done(step.value ?? undefined);
    } else flight.wait = step.value;
    this.#takeSpawned();
    return true;
  }

  #resultOf(wait: Wait, limbo: boolean): WaitResult {
    if (wait.kind !== 'shootdown') return 'done';
    if (!limbo) {
      this.top.kernel.acknowledge(wait.batch);
      return 'done';
    }
    this.late.push(wait.batch);
    return 'limbo';
  }

  /** As the kernel does: those that wait for the key now may go on, in their order. */
  #wake(key: number): void {
    for (const flight of this.flights) {
      if (flight.wait.kind === 'event' && flight.wait.key === key) flight.wait = { kind: 'pause' };
    }
  }

  /** Waits with a deadline end. */
  #expire(): void {
    for (const flight of this.flights) {
      const { wait } = flight;
      if (wait.kind === 'event' && wait.deadlineCycles <= this.top.kernel.time)
        flight.wait = { kind: 'pause' };
    }
  }

  answerLate(): void {
    const batch = this.late.pop();
    if (batch === undefined) return;
    this.top.kernel.acknowledge(batch);
    this.top.physmem.lateAnswer(batch);
  }

  /** I18: no translation stands beside an older one of the same page, also while a core is silent. */
  mustNotMix(): void {
    const mixture = this.top.kernel.mixture();
    if (mixture !== null) throw new Error(`I18: ${mixture}`);
  }

  touch(task: number, page: number, core: number): void {
    if (this.top.kernel.write(core, task, page, page)) this.mustNotShow(core, task, page);
    this.top.kernel.read((core + 1) % 3, task, page);
  }

  /** §6.6 (a): what was written is in no TLB by a deferred unmap. */
  mustNotShow(core: number, task: number, page: number): void {
    const { tlbs } = this.top.kernel;
    const { deferred } = this.top.physmem.store;
    const { frame } = tlbs[core]!.get(`${task}:${page}`)!;
    for (const tlb of tlbs) {
      for (const [key, cached] of tlb) {
        const [space, at] = key.split(':').map(Number) as [number, number];
        if (cached.frame === frame && deferred.covers(space, at, 1))
          throw new Error(`I17: task ${task} wrote base frame ${frame}, which ${key} may still read`);
      }
    }
  }

  /** Two pages get a second name that is mapped, read and dropped: what may be deferred, when all is calm before. */
  drop(a: number, b: number, c: number): void {
    const source = at(this.containers, a);
    const target = at(this.containers, b);
    const task = TASKS[c % 3]!;
    const page = 0x3f8 + (c % 16);
    this.#calm();
    const flags = CopyFlag.SQUASH | (c % 2 === 0 ? CopyFlag.SHARED : 0);
    this.request(Op.COPY, source, [bytes(b % 8), bytes(c % 8), bytes(2), flags], [target]);
    this.#calm();
    this.request(Op.MAP, target, [bytes(c % 8), bytes(2), bytes(page), 1, 0], [], task);
    this.#calm();
    for (const core of [1, 2]) for (const offset of [0, 1]) this.top.kernel.read(core, task, page + offset);
    this.request(Op.DEALLOCATE, target, [bytes(c % 8), bytes(1 + (a % 2))]);
  }

  #calm(): void {
    for (let steps = 0; steps < 200 && this.advance(steps, false); steps += 1) this.#expire();
  }

  /** The alarm of the kernel has rung. */
  tick(): void {
    const flush = this.top.physmem.tick();
    if (flush !== null) this.fly(flush);
  }

  land(): void {
    this.quiet();
    for (let steps = 0; this.flights.length > 0; steps += 1) {
      if (steps > 20_000)
        throw new Error(`I38: no end: ${this.flights.map(({ wait }) => JSON.stringify(wait)).join(' ')}`);
      this.top.kernel.time += 1000;
      this.#expire();
      this.tick();
      if (!this.advance(steps, false)) {
        const waits = this.flights.map(({ wait }) => JSON.stringify(wait)).join(' ');
        throw new Error(`I38: nothing can go on: ${waits}`);
      }
    }
    while (this.late.length > 0) this.answerLate();
    this.tick();
    this.#calm();
    this.top.check();
  }
}

function* evacuation(t: Traffic, frame: number, order: number, where: Region['where']): Operation<void> {
  const result = yield* evacuate(t.top.physmem.store, { frame, order, into: [], where });
  if (result === Evacuated.EMPTY) t.emptied += 1;
}

const at = (list: readonly CapRef[], n: number): CapRef => list[n % list.length]!;
const bytes = (page: number): number => page * PAGE;

/** One move: a kind and three numbers that it may use. */
const ACTIONS: readonly ((t: Traffic, a: number, b: number, c: number) => void)[] = [
  (t, a, b, c) =>
    t.request(Op.ALLOCATE, at(t.containers, a), [
      bytes(b % PAGES),
      bytes(1 + (c % 6)),
      ALLOC_FLAGS[c % ALLOC_FLAGS.length]!,
    ]),
  (t, a, b, c) => t.request(Op.DEALLOCATE, at(t.containers, a), [bytes(b % PAGES), bytes(1 + (c % 6))]),
  (t, a, b, c) => t.request(Op.RELEASE, at(t.containers, a), [bytes(b % PAGES), bytes(1 + (c % 6)), b % 2]),
  // Extra memory, in large pieces, so that it fills the machine and guarantees must take it back.
  (t, a, b, c) => {
    const words = [bytes(EXTRA_PAGE + 8 * (b % 12)), bytes(1 + (c % 40)), AllocFlag.EXTRA];
    t.request(Op.ALLOCATE, at(t.containers, a), words);
  },
  (t, a, b, c) => {
    const words = [bytes(EXTRA_PAGE + 8 * (b % 12)), bytes(1 + (c % 40)), bytes(0x440 + 8 * (b % 12)), 3, 0];
    t.request(Op.MAP, at(t.containers, a), words, [], TASKS[c % 3]!);
  },
  (t, a, b, c) => {
    const op = [Op.RELEASE, Op.RECOVER, Op.RECOVER][a % 3]!;
    const flags = op === Op.RELEASE ? ReleaseFlag.SOFT : AllocFlag.EXTRA * (c % 2);
    t.request(op, at(t.containers, a), [bytes(EXTRA_PAGE + (b % 96)), bytes(1 + (c % 30)), flags]);
  },
  (t, a, _, c) => {
    const thread = { type: CapType.THREAD, object: c, rights: ThreadRight.SEND };
    t.request(Op.CONTROL_ON_RETURN, at(t.controls, a), [1], c % 4 === 0 ? [] : [thread]);
  },
  (t, a, b, c) => {
    const words = [bytes(b % PAGES), bytes(c % PAGES), bytes(1 + (a % 5)), [0, 4, 5, 6, 1, 2][c % 6]!];
    t.request(Op.COPY, at(t.containers, a), words, [at(t.containers, b)]);
  },
  (t, a, b, c) => {
    const words = [bytes(b % PAGES), bytes(1 + (c % 6)), bytes(0x3f8 + (a % 16)), 1 + (c % 3), 0];
    t.request(Op.MAP, at([...t.containers, ...t.limiteds], c), words, [], TASKS[a % 3]!);
  },
  (t, a, b, c) => {
    const words = [bytes(b % PAGES), bytes(1 + (c % 6)), bytes(0x3f8 + (b % 16)), 3, 0];
    t.request(Op.MAP, at(t.containers, c), words, [], TASKS[a % 3]!);
  },
  (t, a, b, c) =>
    t.request(Op.UNMAP, PHYSMEM_CAP, [bytes(0x3f8 + (b % 16)), bytes(1 + (c % 4))], [], TASKS[a % 3]!),
  (t, a, _, c) => t.request(Op.SHARE, at(t.containers, a), [[3, 35, 1, 99][c % 4]!]),
  (t, a) => t.limiteds.length > 0 && t.request(Op.REVOKE, at(t.containers, a), [], [at(t.limiteds, a)]),
  (t, a, b, c) => {
    if (t.limiteds.length === 0) return;
    const words = [bytes(b % PAGES), bytes(c % PAGES), bytes(2), 1];
    t.request(Op.COPY, at(t.limiteds, a), words, [at(t.containers, b)]);
  },
  (t, a) => a % 16 === 0 && t.request(Op.CONTAINER_DESTROY, at(t.containers, a), []),
  (t, a, b, c) => {
    const rights = 3 | ContainerRight.LOCK;
    if (c % 3 === 0) t.request(Op.SHARE, at(t.containers, a), [rights]);
    const task = TASKS[b % 3]!;
    if (c % 3 === 1) t.request(Op.LOCK, at([...t.containers, ...t.limiteds], a), [1 + c * 5], [], task);
    if (c % 3 === 2) t.request(Op.UNLOCK, at([...t.containers, ...t.limiteds], a), [], [], task);
  },
  (t, a, b, c) => {
    const { store } = t.top.physmem;
    const order = c % 6;
    const frame = ((a * 100 + b) % 160) & -(1 << order);
    const isFree = store.base.state[store.base.headOf(frame)] === FrameState.FREE;
    // Tests of the judge see to it that regions with something fixed are not asked for.
    if (isFree || order > store.tuning.maxOrder || countRegion(store, frame, order).fixed > 0) return;
    t.fly(evacuation(t, frame, order, c % 2 === 0 ? 'zone' : 'above'));
  },
  (t, a, b, c) => {
    const words = [bytes(b % PAGES), bytes(1 + (c % 6)), 1 + c * 3, c & 1];
    t.request(Op.PIN, at(t.containers, a), words, [], TASKS[b % 3]!);
  },
  (t, a, _, c) => {
    const pinned = at(t.pins, a);
    if (pinned !== undefined && c % 2 === 0) t.request(Op.UNPIN, pinned, []);
  },
  (t, a, _, c) => (c % 3 === 0 ? t.quiet() : t.aim((a * 100 + c) % 160)),
  (t, a) => t.request(Op.CONTAINER_CREATE, at(t.controls, a), []),
  (t, a, b) => t.request(Op.CONTROL_SPLIT, at(t.controls, a), [1 + (b % 20)]),
  (t, a) => a % 16 === 0 && t.request(Op.CONTROL_DESTROY, at(t.controls, a), []),
  (t, a, b) => t.request(Op.CONTROL_SPONSOR, at(t.controls, a), [], [taskCap(TASKS[b % 3]!)]),
  (t, a, b) => {
    const operation = b % 20 === 0 ? t.top.physmem.taskDied(TASKS[a % 3]!) : null;
    if (operation !== null) t.fly(operation);
  },
  (t, a, b) => {
    const dropped = at([...t.containers, ...t.limiteds], b);
    const operation = t.top.physmem.capDropped(TASKS[a % 3]!, dropped);
    if (operation !== null) t.fly(operation);
  },
];

const move = fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99));
const RUNS = Number(process.env['PHYSMEM_RUNS'] ?? 150);

describe('operations side by side', () => {
  for (const [limbo, slice, deferral, frames] of [
    ['never', 64, 'off', 160],
    ['never', 1, 'off', 160],
    ['sometimes', 2, 'off', 160],
    ['never', 64, 'on', 160],
    ['sometimes', 2, 'on', 160],
    ['never', 64, 'off', TIGHT],
    ['never', 1, 'on', TIGHT],
    ['sometimes', 2, 'off', TIGHT],
  ] as const) {
    it(`never free what a TLB holds, never deadlock, and leave a good state; limbo ${limbo}, slices of ${slice}, deferred unmap ${deferral}, ${frames} frames`, () => {
      let deferred = 0;
      let finished = 0;
      let succeeded = 0;
      let waited = 0;
      let emptied = 0;
      let reclaimed = 0;
      let lost = 0;
      fc.assert(
        fc.property(fc.array(move, { minLength: 150, maxLength: 200, size: 'max' }), (moves) => {
          const traffic = new Traffic(slice, deferral, frames);
          if (frames === TIGHT) traffic.hog();
          for (const [kind, a, b, c] of moves) {
            traffic.mustNotMix();
            if (frames === TIGHT && c % 16 === 0) traffic.hog();
            if (kind < 60) ACTIONS[(kind + a) % ACTIONS.length]!(traffic, a, b, c);
            else if (kind < 75) traffic.touch(TASKS[a % 3]!, 0x3f8 + (b % 22), c % 3);
            else if (kind < 77) traffic.answerLate();
            else if (kind < 79) traffic.tick();
            else if (kind < 85 && deferral === 'on') traffic.drop(a, b, c);
            else traffic.advance(a, limbo === 'sometimes' && b % 8 === 0);
          }
          traffic.land();
          finished += traffic.finished;
          succeeded += traffic.succeeded;
          waited += traffic.waited;
          emptied += traffic.emptied;
          reclaimed += traffic.top.physmem.counters.reclaimedFrames;
          lost += traffic.top.physmem.counters.lostSoftFrames;
          deferred += traffic.top.physmem.counters.deferredPages;
        }),
        { numRuns: RUNS, seed: 11, endOnFailure: true },
      );
      expect(succeeded).toBeGreaterThan(finished / (frames === TIGHT ? 8 : 4));
      expect(finished).toBeGreaterThan(RUNS * 40);
      expect(waited).toBeGreaterThan(RUNS * 20);
      if (frames > TIGHT) expect(emptied).toBeGreaterThan(RUNS / 10);
      else expect([reclaimed > RUNS / 4, lost > RUNS / 8]).toEqual([true, true]);
      if (deferral === 'on') expect(deferred).toBeGreaterThan(RUNS / 4);
      else expect(deferred).toBe(0);
    });
  }
});
