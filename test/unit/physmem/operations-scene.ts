/**
 * A scene in which every operation has something to do, and every operation in the form that has most to do: for tests
 * that break something at each of its steps.
 */
import { CapType, CopyFlag, PinFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { CapRef } from '../../../src/abi/server.ts';
import type { PhysmemFaults } from '../../../src/physmem/faults.ts';
import { BenchTop, PAGE, taskCap } from './bench-top.ts';

export const CALLER = 2;
export const OTHER = 3;
export const WITNESS = 4;
export const SPACE_FRAMES = 3;

/** The caller and another task share a control; the witness has a container of its own and shares a page with them. */
export function scene(faults: Partial<PhysmemFaults> = {}) {
  const top = new BenchTop({ frames: 256, dmaEnd: 64, options: { sliceSteps: 1, faults } });
  top.kernel.charge = () => {};
  top.afterEach = () => {};
  const control = top.split(top.root, 90);
  for (const task of [CALLER, OTHER]) top.task(task, control);
  top.task(1);
  top.task(WITNESS);
  const [a, b] = [top.container(control), top.container(control)];
  const own = top.container();
  top.must(top.allocate(a, 0, 6));
  top.must(top.allocate(own, 0, 2));
  top.must(top.copy(own, 0, a, 8, 2, CopyFlag.SHARED));
  top.must(top.map(WITNESS, own, 0, 2, 0x100));
  for (const page of [0, 1]) top.kernel.write(0, WITNESS, 0x100 + page, 70 + page);
  const limited = top.share(a, 1 | 2 | 32 | 128);
  top.must(top.copy(limited, 0, b, 10, 2, CopyFlag.SHARED));
  for (const task of [CALLER, OTHER]) {
    top.must(top.map(task, a, 0, 6, 0x3fc));
    top.must(top.map(task, limited, 0, 4, 0x500));
    for (let page = 0; page < 6; page += 1) top.kernel.write(task % 2, task, 0x3fc + page, 10 + page);
  }
  top.kernel.remote = 'always';
  return { top, control, a, b, own, limited };
}

export type Scene = ReturnType<typeof scene>;
export type Ask = readonly [op: Op, target: CapRef, words: readonly number[], caps?: readonly CapRef[]];

/** Every operation, in the form that has most to do. */
export const OPERATIONS: { readonly [name: string]: (s: Scene) => Ask } = {
  split: ({ control }) => [Op.CONTROL_SPLIT, control, [5]],
  create: ({ control }) => [Op.CONTAINER_CREATE, control, []],
  sponsor: ({ control }) => [Op.CONTROL_SPONSOR, control, [], [taskCap(9)]],
  allocate: ({ a }) => [Op.ALLOCATE, a, [12 * PAGE, 5 * PAGE, 0]],
  'allocate with SQUASH': ({ a }) => [Op.ALLOCATE, a, [0, 7 * PAGE, 2]],
  deallocate: ({ a }) => [Op.DEALLOCATE, a, [PAGE, 8 * PAGE]],
  release: ({ a }) => [Op.RELEASE, a, [0, 10 * PAGE, 0]],
  'soft release': ({ a }) => [Op.RELEASE, a, [0, 6 * PAGE, 1]],
  map: ({ a }) => [Op.MAP, a, [0, 6 * PAGE, 0x3fe * PAGE, 3, 0]],
  unmap: () => [Op.UNMAP, { type: CapType.PHYSMEM, object: 0, rights: 0 }, [0x3fc * PAGE, 6 * PAGE]],
  copy: ({ a, b }) => [Op.COPY, a, [0, 0, 6 * PAGE, 0], [b]],
  'copy with SHARED': ({ a, b }) => [Op.COPY, a, [0, 0, 6 * PAGE, CopyFlag.SHARED], [b]],
  'copy with MOVE and SQUASH': ({ a, b }) => [
    Op.COPY,
    a,
    [0, 8 * PAGE, 6 * PAGE, CopyFlag.MOVE | CopyFlag.SQUASH],
    [b],
  ],
  'copy onto a part of itself': ({ a }) => [Op.COPY, a, [0, 2 * PAGE, 6 * PAGE, CopyFlag.SQUASH], [a]],
  'copy of a list': ({ a, b }) => [Op.COPY_LIST, a, [0, 0, 0, 2 * PAGE, 3 * PAGE, 4 * PAGE, PAGE], [b]],
  share: ({ a }) => [Op.SHARE, a, [3]],
  revoke: ({ a, limited }) => [Op.REVOKE, a, [], [limited]],
  lock: ({ a }) => [Op.LOCK, a, [1000]],
  pin: ({ a }) => [Op.PIN, a, [PAGE, 4 * PAGE, 1000, PinFlag.DMA]],
  'destroy the container': ({ a }) => [Op.CONTAINER_DESTROY, a, []],
  'destroy the control': ({ control }) => [Op.CONTROL_DESTROY, control, []],
};
