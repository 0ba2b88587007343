import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AllocFlag, CopyFlag } from '../../src/abi/rights.ts';
import { type Held, World } from './physmem-world.ts';

/** Small numbers, so that ranges meet: four tasks, few containers, 16 pages, little credit, little memory. */
const TASKS = [1, 2, 3, 4];
const PAGES = 16;
const task = fc.constantFrom(...TASKS);
const page = fc.nat(PAGES - 1);
const length = fc.integer({ min: 1, max: 12 });
const pick = fc.nat(1000);
const flagsOf = (...bits: number[]) =>
  fc.subarray(bits).map((some) => some.reduce((sum, bit) => sum | bit, 0));
const allocFlags = flagsOf(AllocFlag.ALL_OR_NONE, AllocFlag.SQUASH);
const copyFlags = fc
  .tuple(flagsOf(CopyFlag.SQUASH, CopyFlag.ALL_OR_NONE), fc.constantFrom(0, CopyFlag.SHARED, CopyFlag.MOVE))
  .map(([flags, kind]) => flags | kind);
/** Where tasks map: around the edge of a page table. */
const target = fc.nat(40).map((n) => 0x7e0 + n);
/** Read; read and write; with copying out; with sharing on; all of these. */
const limitedRights = fc.constantFrom(1, 3, 33, 35, 512 | 3, 512 | 35, 512 | 35);

const at = (list: readonly Held[], index: number): Held => list[index % list.length]!;
const nameds = (w: World): Held[] => [...w.containers, ...w.limiteds];
const has = (list: readonly Held[]): boolean => list.length > 0;

type Range = readonly [number, number, number];
const rangesOf = (words: readonly number[]): Range[] =>
  words.flatMap((from, i) => (i % 3 === 0 ? [[from, words[i + 1]!, words[i + 2]!] as const] : []));

/** What a program may do: arguments are plain numbers, so that counterexamples can be read. */
const ACTIONS: { readonly [name: string]: (w: World, a: readonly number[]) => void } = {
  split: (w, [c, n]) => w.split(at(w.controls, c!), n!),
  create: (w, [c]) => w.containers.length < 6 && w.create(at(w.controls, c!)),
  destroyControl: (w, [c]) => w.controls.length > 3 && w.destroyControl(at(w.controls, c!)),
  destroy: (w, [c]) => w.containers.length > 3 && w.destroyContainer(at(w.containers, c!)),
  sponsor: (w, [c, t]) => w.sponsor(at(w.controls, c!), t!),
  allocate: (w, [c, s, n, f]) => has(w.containers) && w.allocate(at(w.containers, c!), s!, n!, f!),
  deallocate: (w, [c, s, n]) => has(w.containers) && w.deallocate(at(w.containers, c!), s!, n!),
  release: (w, [c, s, n]) => has(w.containers) && w.release(at(w.containers, c!), s!, n!),
  copy: (w, [a, from, b, to, n, f]) =>
    has(w.containers) && w.copy(at(w.containers, a!), from!, at(w.containers, b!), to!, n!, f!),
  copyOut: (w, [a, from, b, to, n, f]) =>
    has(w.limiteds) &&
    has(w.containers) &&
    w.copy(at(w.limiteds, a!), from!, at(w.containers, b!), to!, n!, f!),
  copyList: (w, [a, b, f, ...words]) =>
    has(w.containers) && w.copyList(at(nameds(w), a!), at(w.containers, b!), rangesOf(words), f!),
  share: (w, [c, r]) => has(w.containers) && w.limiteds.length < 6 && w.share(at(nameds(w), c!), r!),
  revoke: (w, [c]) => has(w.limiteds) && w.revoke(at(w.limiteds, c!)),
  map: (w, [t, c, s, n, v, access, f]) =>
    has(w.containers) && w.map(t!, at(nameds(w), c!), s!, n!, v!, access!, f!),
  unmap: (w, [t, v, n]) => w.unmap(t!, v!, n!),
  fill: (w, [t, c, s, n]) => has(w.containers) && w.fill(t!, at(w.containers, c!), s!, n!),
  write: (w, [t, v]) => w.write(t!, v!),
  touch: (w, [t, v]) => w.touch(t!, v!),
  die: (w, [t]) => w.die(t!),
};

type Step = readonly [name: string, ...args: number[]];
const rule = (weight: number, name: string, ...args: fc.Arbitrary<number>[]) => ({
  weight,
  arbitrary: fc.tuple(...args).map((values): Step => [name, ...values]),
});
const access = fc.integer({ min: 1, max: 3 });
/** Short, so that three of them often keep clear of each other. */
const shortRange = [page, page, fc.integer({ min: 1, max: 4 })];
const step: fc.Arbitrary<Step> = fc.oneof(
  rule(1, 'split', pick, fc.nat(60)),
  rule(2, 'create', pick),
  rule(1, 'destroyControl', pick),
  rule(1, 'destroy', pick),
  rule(1, 'sponsor', pick, task),
  rule(8, 'allocate', pick, page, length, allocFlags),
  rule(5, 'deallocate', pick, page, length),
  rule(3, 'release', pick, page, length),
  rule(9, 'copy', pick, page, pick, page, length, copyFlags),
  rule(6, 'copyOut', pick, page, pick, page, length, copyFlags),
  rule(8, 'copyList', pick, pick, copyFlags, ...shortRange, ...shortRange, ...shortRange),
  rule(3, 'share', pick, limitedRights),
  rule(2, 'revoke', pick),
  rule(10, 'map', task, pick, page, length, target, access, fc.constantFrom(0, 0, 0, 1)),
  rule(3, 'unmap', task, target, length),
  rule(6, 'fill', task, pick, page, length),
  rule(6, 'write', task, target),
  rule(6, 'touch', task, target),
  rule(1, 'die', task),
);

function run(program: readonly Step[], world: World): void {
  world.split(world.controls[0]!, 60);
  for (const one of TASKS) world.sponsor(world.controls[0]!, one);
  for (const control of world.controls) world.create(control);
  program.forEach(([name, ...args], index) => {
    try {
      ACTIONS[name]!(world, args);
      world.verify();
    } catch (error) {
      throw new Error(`step ${index} (${name}): ${(error as Error).message}`);
    }
  });
}

/** PHYSMEM_RUNS makes the test longer: 1000 runs are 4 × 10^5 operations. */
const RUNS = Number(process.env['PHYSMEM_RUNS'] ?? 60);

describe('physmem against the flat model', () => {
  for (const remote of ['never', 'always'] as const) {
    for (const slice of [1024, 2]) {
      it(`agrees in errors, amounts, credit, contents; remote ${remote}, slices of ${slice}`, () => {
        let operations = 0;
        fc.assert(
          fc.property(fc.array(step, { minLength: 200, maxLength: 240, size: 'max' }), (program) => {
            const world = new World({
              frames: 192,
              dmaEnd: 64,
              cores: 3,
              options: { sliceSteps: slice },
            });
            world.top.kernel.remote = remote;
            run(program, world);
            operations += program.length;
          }),
          { numRuns: RUNS, seed: slice + remote.length },
        );
        expect(operations).toBeGreaterThanOrEqual(RUNS * 200);
      });
    }
  }
});
