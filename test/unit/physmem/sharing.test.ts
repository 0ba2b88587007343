import { describe, expect, it } from 'vitest';
import { Errno } from '../../../src/abi/errno.ts';
import { CapType, ContainerRight, CopyFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { Operation } from '../../../src/abi/server.ts';
import { BenchTop, outcome, PAGE, taskCap } from './bench-top.ts';

const { READ, WRITE, COPY_OUT, SHARE } = ContainerRight;
const ALL_SHARED = READ | WRITE | COPY_OUT | SHARE;

/** Task 1 owns a container of 8 pages with values 10 … 17; task 2 is the other side. */
function world() {
  const top = new BenchTop({ frames: 512, dmaEnd: 64 });
  top.kernel.remote = 'always';
  top.task(1);
  top.task(2);
  top.task(3);
  const a = top.container();
  top.must(top.allocate(a, 0, 8));
  for (let page = 0; page < 8; page += 1) top.poke(1, a, page, 10 + page);
  return { top, a };
}

describe('limited capabilities', () => {
  it('are dead with all that was derived from them when revoke returns', () => {
    const { top, a } = world();
    const first = top.share(a, ALL_SHARED);
    const second = top.share(first, READ | SHARE);
    const third = top.share(second, READ);
    top.must(top.map(2, first, 0, 2, 0x100));
    top.must(top.map(2, second, 2, 2, 0x102, 1));
    top.must(top.map(3, third, 4, 2, 0x104, 1));
    top.must(top.map(1, a, 0, 8, 0x100));
    for (const [task, page] of [
      [2, 0x100],
      [2, 0x103],
      [3, 0x104],
    ] as const) {
      expect(top.kernel.read(1, task, page)).not.toBeNull();
    }
    top.must(top.revoke(a, first));
    expect([0x100, 0x101, 0x102, 0x103].map((page) => top.kernel.read(1, 2, page))).toEqual(
      new Array(4).fill(null),
    );
    expect(top.kernel.read(1, 3, 0x104)).toBeNull();
    expect(top.kernel.read(0, 1, 0x103)).toBe(13);
    for (const limited of [first, second, third]) {
      expect(top.map(2, limited, 0, 1, 0x100, 1).errno).toBe(Errno.EBADF);
      expect(top.kernel.revoked).toContainEqual({ type: CapType.LIMITED, object: limited.object });
    }
  });

  it('can be revoked by the holder of one that they were derived from, but not by a sibling', () => {
    const { top, a } = world();
    const first = top.share(a, ALL_SHARED);
    const child = top.share(first, READ);
    const sibling = top.share(a, ALL_SHARED);
    expect(top.revoke(sibling, child).errno).toBe(Errno.EINVAL);
    expect(top.revoke(first, first).errno).toBe(Errno.EINVAL);
    top.must(top.revoke(first, child));
    expect(top.map(2, child, 0, 1, 0x100, 1).errno).toBe(Errno.EBADF);
    top.must(top.map(2, first, 0, 1, 0x100, 1));
  });

  it('leave the maps of others alone when they are revoked', () => {
    const { top, a } = world();
    const gone = top.share(a, READ);
    const kept = top.share(a, READ);
    top.must(top.map(2, gone, 0, 1, 0x100, 1));
    top.must(top.map(2, kept, 0, 1, 0x101, 1));
    top.must(top.map(2, gone, 0, 1, 0x102, 1));
    top.must(top.map(2, kept, 0, 1, 0x102, 1));
    top.must(top.revoke(a, gone));
    expect([0x100, 0x101, 0x102].map((page) => top.kernel.read(0, 2, page))).toEqual([null, 10, 10]);
  });

  it('give no memory away: SHARED copies through them are charged to the receiver and cut by revoke (F15)', () => {
    const { top, a } = world();
    const control = top.split(top.root, 20);
    const thief = top.container(control);
    const limited = top.share(a, ALL_SHARED);
    top.must(top.copy(limited, 0, thief, 0, 8, CopyFlag.SHARED));
    expect(top.credit(control).charged).toBe(8);
    top.must(top.map(2, thief, 0, 8, 0x100));
    expect(top.kernel.write(0, 2, 0x103, 99)).toBe(true);
    expect(top.peek(1, a, 3)).toBe(99);
    top.must(top.deallocate(thief, 6, 1));
    top.must(top.revoke(a, limited));
    expect(top.kernel.read(0, 2, 0x103)).toBeNull();
    expect([0, 3, 5, 7].map((page) => top.peek(2, thief, page))).toEqual([0, 0, 0, 0]);
    top.poke(2, thief, 4, 55);
    expect(top.peek(1, a, 4)).toBe(14);
    expect(top.credit(control).charged).toBe(7);
  });

  it('cut what was shared on, by capability or by copy, and nothing else', () => {
    const { top, a } = world();
    const b = top.container();
    const c = top.container();
    const d = top.container();
    const own = top.container();
    const limited = top.share(a, ALL_SHARED);
    top.must(top.copy(a, 0, own, 0, 8, CopyFlag.SHARED));
    top.must(top.copy(limited, 0, b, 0, 4, CopyFlag.SHARED));
    const onward = top.share(b, ALL_SHARED);
    top.must(top.copy(onward, 0, c, 0, 4, CopyFlag.SHARED));
    top.must(top.copy(b, 2, d, 0, 2, CopyFlag.SHARED));
    const snapshot = top.container();
    top.must(top.copy(b, 0, snapshot, 0, 4));
    top.must(top.revoke(a, limited));
    top.poke(1, a, 2, 77);
    expect([b, c].map((one) => top.peek(2, one, 2))).toEqual([0, 0]);
    expect(top.peek(2, d, 0)).toBe(0);
    expect(top.peek(2, own, 2)).toBe(77);
    expect(top.peek(2, snapshot, 2)).toBe(12);
  });

  it('are not kept alive by copying on what a revocation has not reached yet', () => {
    const top = new BenchTop({ frames: 512, dmaEnd: 64, options: { sliceSteps: 2 } });
    top.task(1);
    const [a, thief] = [top.container(), top.container()];
    for (let page = 0; page < 8; page += 1) {
      top.must(top.allocate(a, page, 1));
      top.poke(1, a, page, 10 + page);
    }
    const limited = top.share(a, ALL_SHARED);
    top.must(top.copy(limited, 0, thief, 0, 8, CopyFlag.SHARED));
    const revocation = top.start(Op.REVOKE, a, [], [limited]) as Operation;
    top.afterEach = () => {};
    let pauses = 0;
    for (let step = revocation.next('done'); step.done !== true; step = revocation.next('done')) {
      expect(step.value.kind).toBe('pause');
      pauses += 1;
      top.must(top.copy(thief, 0, thief, 8 * pauses, 8, CopyFlag.SHARED));
    }
    expect(pauses).toBe(3);
    const all = Array.from({ length: 32 }, (_, page) => top.peek(1, thief, page));
    expect(all).toEqual(new Array(32).fill(0));
    expect(top.peek(1, a, 7)).toBe(17);
    top.check();
  });

  it('leave the receiver its memory when the whole container is destroyed', () => {
    const { top, a } = world();
    const b = top.container();
    const limited = top.share(a, ALL_SHARED);
    top.must(top.copy(limited, 1, b, 0, 2, CopyFlag.SHARED));
    top.must(top.call(Op.CONTAINER_DESTROY, a));
    expect([0, 1].map((page) => top.peek(2, b, page))).toEqual([11, 12]);
    expect(top.map(2, limited, 0, 1, 0x100, 1).errno).toBe(Errno.EBADF);
  });
});

describe('maps and the capabilities that they go through', () => {
  it('go when the task drops its last slot, or the last one with the right (I16)', () => {
    const { top, a } = world();
    const limited = top.share(a, READ | WRITE);
    top.must(top.map(2, a, 0, 1, 0x100));
    top.must(top.map(2, limited, 1, 1, 0x101));
    top.must(top.map(3, limited, 1, 1, 0x101));
    top.must(top.map(2, limited, 2, 1, 0x102, 1));
    const drop = (cap: typeof a) => top.finish(top.physmem.capDropped(2, cap)!);
    drop({ ...limited, rights: WRITE });
    expect([0x100, 0x101, 0x102].map((page) => top.kernel.read(0, 2, page))).toEqual([10, null, 12]);
    drop(limited);
    expect(top.kernel.read(0, 2, 0x102)).toBeNull();
    expect(top.kernel.read(0, 3, 0x101)).toBe(11);
    drop(a);
    expect(top.kernel.read(0, 2, 0x100)).toBeNull();
    top.check();
    expect(top.physmem.capDropped(2, { type: CapType.CONTROL, object: 1, rights: 1 })).toBeNull();
  });

  it('may be made into another task, and go when their maker dies', () => {
    const { top, a } = world();
    const words = [0, PAGE, 0x100 * PAGE, 3, 0];
    top.must(top.call(Op.MAP, a, words, [taskCap(3)], 2));
    expect(top.kernel.read(0, 3, 0x100)).toBe(10);
    expect(top.kernel.read(0, 2, 0x100)).toBeNull();
    top.taskDied(2);
    expect(top.kernel.read(0, 3, 0x100)).toBeNull();
    expect(top.kernel.hasSpace(2)).toBe(false);
    expect(top.physmem.taskDied(2)).toBeNull();
  });

  it('are replaced by a map through another capability', () => {
    const { top, a } = world();
    const limited = top.share(a, READ | WRITE);
    top.must(top.map(2, limited, 0, 2, 0x100));
    top.must(top.map(2, a, 0, 2, 0x100));
    top.must(top.revoke(a, limited));
    expect(top.kernel.read(0, 2, 0x100)).toBe(10);
    expect(outcome(top.unmap(2, 0x100, 8))).toEqual(['OK', 2]);
  });

  it('are narrowed and widened in place', () => {
    const { top, a } = world();
    top.must(top.map(2, a, 0, 4, 0x100));
    expect(top.kernel.write(1, 2, 0x102, 1)).toBe(true);
    top.must(top.map(2, a, 1, 2, 0x101, 1));
    expect([0x100, 0x101, 0x102, 0x103].map((page) => top.kernel.write(1, 2, page, 2))).toEqual([
      true,
      false,
      false,
      true,
    ]);
    const { localShootdowns, remoteShootdowns } = top.physmem.counters;
    top.must(top.map(2, a, 0, 4, 0x100));
    expect(top.kernel.write(1, 2, 0x102, 3)).toBe(true);
    expect(top.physmem.counters).toMatchObject({ localShootdowns, remoteShootdowns });
  });
});
