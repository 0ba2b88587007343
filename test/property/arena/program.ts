/** Programs for the arena: lists of numbers, so that counterexamples are short and can be read. */
import fc from 'fast-check';
import { AllocFlag, CopyFlag, PinFlag } from '../../../src/abi/rights.ts';
import { Arena, type Held } from './arena.ts';
import { allocate, copy, deallocate, map, pin, release, unmap, unpin } from './memory.ts';
import {
  create,
  destroyContainer,
  destroyControl,
  die,
  lock,
  revoke,
  share,
  split,
  sponsor,
  unlock,
} from './objects.ts';
import { look, write } from './users.ts';
import { verify } from './verify.ts';

/** Small numbers, so that ranges meet: four tasks on three cores, few containers, 16 pages, little memory. */
const TASKS = [1, 2, 3, 4];
const CORES = 3;
const FRAMES = 160;
const DMA_END = 48;
const PAGES = 16;
/** Where tasks map: around the edge of a page table. */
const FIRST_PAGE = 0x3f0;
const WINDOW = 32;

/** How the operations of a program meet. */
export interface Style {
  readonly sliceSteps: number;
  /** Steps that others take between two operations: 0 to this many. */
  readonly steps: number;
  readonly limbo: 'never' | 'sometimes';
  /** Off when left out. */
  readonly deferredUnmap?: 'on';
}

/** One operation with its arguments, and what happens until the next one. */
export type Move = readonly [kind: number, a: number, b: number, c: number, d: number, then: number];

const ALLOC_FLAGS = [0, 0, 0, 1, 2, 2, 3, AllocFlag.DMA, AllocFlag.CONTIGUOUS, AllocFlag.CONTIGUOUS | 2];
const COPY_FLAGS = [0, 0, 0, 4, 4, 8, 5, 6, 9, 10, 1, 2].map((bits) => toCopyFlags(bits));
/** Read; read and write; with copying out; with sharing on; with locking. */
const RIGHTS = [1, 3, 33, 35, 512 | 3, 512 | 35, 128 | 3, 128 | 35];

function toCopyFlags(bits: number): number {
  const names = [CopyFlag.ALL_OR_NONE, CopyFlag.SQUASH, CopyFlag.SHARED, CopyFlag.MOVE];
  return names.reduce((sum: number, flag, i) => ((bits >> i) & 1 ? sum | flag : sum), 0);
}

const at = <T>(list: readonly T[], n: number): T => list[n % list.length]!;
const named = (w: Arena): Held[] => [...w.containers, ...w.limiteds];
const taskOf = (n: number): number => TASKS[n % TASKS.length]!;
const lengthOf = (n: number): number => 1 + (n % 10);

type Action = (w: Arena, a: number, b: number, c: number, d: number) => unknown;

/** Each with its weight. */
const ACTIONS: readonly (readonly [weight: number, action: Action])[] = [
  [1, (w, a, b, _, d) => w.controls.length < 7 && split(w, taskOf(a), at(w.controls, b), d % 40)],
  [2, (w, a, b) => w.containers.length < 6 && create(w, taskOf(a), at(w.controls, b))],
  [
    1,
    (w, a, b, c) => c % 2 === 0 && w.controls.length > 3 && destroyControl(w, taskOf(a), at(w.controls, b)),
  ],
  [1, (w, a, b) => w.containers.length > 3 && destroyContainer(w, taskOf(a), at(w.containers, b))],
  [2, (w, a, b, c) => sponsor(w, taskOf(a), at(w.controls, b), taskOf(c))],
  [
    8,
    (w, a, b, c, d) =>
      allocate(w, taskOf(a), at(w.containers, b), c % PAGES, lengthOf(d), at(ALLOC_FLAGS, a ^ d)),
  ],
  [5, (w, a, b, c, d) => deallocate(w, taskOf(a), at(w.containers, b), c % PAGES, lengthOf(d))],
  [3, (w, a, b, c, d) => release(w, taskOf(a), at(w.containers, b), c % PAGES, lengthOf(d))],
  [12, (w, a, b, c, d) => copy(w, taskOf(a), at(named(w), b), at(w.containers, c), copyArgs(a, b, c, d))],
  [3, (w, a, b, _, d) => w.limiteds.length < 6 && share(w, taskOf(a), at(named(w), b), at(RIGHTS, d))],
  [2, (w, a, b) => w.limiteds.length > 0 && revoke(w, taskOf(a), at(w.limiteds, b))],
  [14, (w, a, b, c, d) => map(w, taskOf(a), at(named(w), b), mapArgs(a, b, c, d))],
  [4, (w, a, b, _, d) => unmap(w, taskOf(a), FIRST_PAGE + (b % WINDOW), lengthOf(d))],
  [3, (w, a, b, c) => lock(w, taskOf(a), at(named(w), b), 1 + c * 9)],
  [3, (w, a, b) => unlock(w, taskOf(a), at(named(w), b))],
  [4, (w, a, b, c, d) => pin(w, taskOf(a), at(w.containers, b), pinArgs(a, c, d))],
  [3, (w, a, b) => w.pins.length > 0 && unpin(w, taskOf(a), at(w.pins, b))],
  [1, (w, a, _, c) => c % 3 === 0 && die(w, taskOf(a))],
  [1, (w, a, b, c) => w.stale.length > 0 && allocate(w, taskOf(a), at(w.stale, b), c % PAGES, 1, 0)],
];
const TABLE: readonly Action[] = ACTIONS.flatMap(([weight, action]) =>
  new Array<Action>(weight).fill(action),
);

const copyArgs = (a: number, b: number, c: number, d: number) => ({
  from: (a + d) % PAGES,
  to: (b + 3 * c) % PAGES,
  pages: lengthOf(d),
  flags: at(COPY_FLAGS, a + c),
});

const mapArgs = (a: number, b: number, c: number, d: number) => ({
  // Now and then into the space of another task.
  space: b % 8 === 0 ? taskOf(c) : taskOf(a),
  start: c % PAGES,
  pages: lengthOf(d),
  at: FIRST_PAGE + ((b + c + d) % WINDOW),
  access: 1 + (d % 3),
  flags: a % 6 === 0 ? 1 : 0,
});

const pinArgs = (a: number, c: number, d: number) => ({
  start: c % PAGES,
  pages: 1 + (d % 6),
  cycles: 1 + 20 * c,
  flags: a % 3 === 0 ? PinFlag.DMA : 0,
});

/** Two pages get one more name, are mapped for reading, looked at on all cores, and dropped: what may be deferred. */
function drop(w: Arena, a: number, b: number, c: number, d: number): void {
  if (w.containers.length === 0) return;
  const task = taskOf(a);
  const target = at(w.containers, c);
  const names = { from: d % PAGES, to: a % PAGES, pages: 2 };
  const place = FIRST_PAGE + ((b + c) % (WINDOW - 1));
  const lookAll = (): void => {
    for (let core = 0; core < CORES; core += 1)
      for (const page of [place, place + 1]) look(w, core, task, page);
  };
  w.flights.land();
  copy(w, task, at(w.containers, b), target, {
    ...names,
    flags: d % 2 === 0 ? CopyFlag.SQUASH : CopyFlag.SQUASH | CopyFlag.SHARED,
  });
  w.flights.land();
  map(w, task, target, { space: task, start: names.to, pages: 2, at: place, access: 1, flags: 0 });
  w.flights.land();
  lookAll();
  deallocate(w, task, target, names.to, 1 + (b % 2));
  lookAll();
}

/** What happens between two operations: others go on, cores run user code, time passes. */
function between(w: Arena, style: Style, seed: number): void {
  for (let n = 0; n < 3; n += 1) {
    const value = (seed * 7 + n * 61) % 997;
    const task = taskOf(value);
    const page = FIRST_PAGE + (value % WINDOW);
    if (value % 5 < 3) write(w, value % CORES, task, page);
    for (let core = 0; core < CORES; core += 1) look(w, core, task, FIRST_PAGE + ((value + core) % WINDOW));
  }
  const steps = style.steps === 0 ? 0 : seed % (style.steps + 1);
  for (let n = 0; n < steps; n += 1) {
    const isLate = style.limbo === 'sometimes' && (seed + n) % 16 === 0;
    w.flights.advance(seed + n, isLate ? 'late' : 'in time');
  }
  if (style.limbo === 'sometimes' && seed % 11 === 0) w.flights.answerLate();
  if (seed % 13 === 0) w.flights.pass(1 + 3 * (seed % 100));
  if (style.deferredUnmap === 'on') tick(w);
  if (style.steps === 0) w.flights.land();
}

/** Runs a program; returns the operations that were started, and those that succeeded. */
export function run(moves: readonly Move[], style: Style): Arena {
  const w = new Arena({
    frames: FRAMES,
    dmaEnd: DMA_END,
    cores: CORES,
    options: {
      sliceSteps: style.sliceSteps,
      deferral: { mode: style.deferredUnmap ?? 'off', entriesMax: 24, cycles: 20_000 },
    },
  });
  w.top.kernel.remote = 'always';
  w.prepare(TASKS, [40, 50]);
  moves.forEach(([kind, a, b, c, d, then], index) => {
    try {
      if (w.containers.length === 0) create(w, taskOf(a), w.controls[0]!);
      at(TABLE, kind)(w, a, b, c, d);
      verify(w);
      if (style.deferredUnmap === 'on' && index % 4 === 0) drop(w, a, b, c, d);
      between(w, style, then);
      settleWhenQuiet(w);
      verify(w);
    } catch (error) {
      throw new Error(`move ${index}: ${(error as Error).message}`, { cause: error });
    }
  });
  w.flights.land();
  settleWhenQuiet(w);
  verify(w);
  return w;
}

/** Quarantine that waited for a shootdown of somebody else is looked at again a little later. */
function settleWhenQuiet(w: Arena): void {
  if (!w.flights.isEmpty || w.flights.late.length > 0) return;
  w.flights.pass(10_000);
  w.model.expirePins(w.now);
  tick(w);
  w.flights.land();
}

/** The kernel's alarm: what is overdue is done. */
function tick(w: Arena): void {
  const flush = w.top.physmem.tick();
  if (flush !== null) w.tell('flush of deferred unmaps', flush, () => {});
}

const number = fc.noBias(fc.nat(996));
export const programs: fc.Arbitrary<Move[]> = fc.array(
  fc.tuple(number, number, number, number, number, number),
  {
    minLength: 260,
    maxLength: 280,
    size: 'max',
  },
);
