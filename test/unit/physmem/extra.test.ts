import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { AllocFlag, CapType, CopyFlag, ReleaseFlag, ThreadRight } from '../../../src/abi/rights.ts';
import { Op, PageState } from '../../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply, WaitResult } from '../../../src/abi/server.ts';
import { levelDown } from '../../../src/physmem/reclaim.ts';
import { BenchTop, outcome, PAGE } from './bench-top.ts';

const { EXTRA, ALL_OR_NONE } = AllocFlag;
const { SOFT } = ReleaseFlag;
const FRAMES = 256;
const RETURN_CYCLES = 5000;
const HOG = 2;

const threadCap = (thread: number, rights: number = ThreadRight.SEND): CapRef => ({
  type: CapType.THREAD,
  object: thread,
  rights,
});

/**
 * 256 frames. Tasks 1 and 2 have spaces with one page table each, paid by the root; the hog's control guarantees 8 frames,
 * the claimant's 64. `cache` belongs to the hog, `own` to the claimant.
 */
function world() {
  const top = new BenchTop({ frames: FRAMES, dmaEnd: 16, options: { returnCycles: RETURN_CYCLES } });
  top.task(1);
  top.task(HOG);
  const scratch = top.container();
  top.must(top.allocate(scratch, 0, 1));
  for (const task of [1, HOG]) top.must(top.map(task, scratch, 0, 1, 0x101));
  for (const task of [1, HOG]) top.must(top.map(task, scratch, 0, 1, 0xf0001));
  const hog = top.split(top.root, 8);
  const claimant = top.split(top.root, 64);
  return { top, hog, claimant, cache: top.container(hog), own: top.container(claimant) };
}

type World = ReturnType<typeof world>;

/** total, free, charged, given, pinned, extra, soft, lost */
const query = (top: BenchTop, control: CapRef): number[] => {
  const [, , soft, lost] = top.must(top.call(Op.CONTROL_QUERY_EXTRA, control)).words;
  return [...top.must(top.call(Op.CONTROL_QUERY, control)).words, soft!, lost!];
};
const extraOf = (top: BenchTop, control: CapRef): number => query(top, control)[5]!;
const softOf = (top: BenchTop, control: CapRef): number => query(top, control)[6]!;
const lostOf = (top: BenchTop, control: CapRef): number => query(top, control)[7]!;
const room = (top: BenchTop): number => top.physmem.store.zones.spareRoom;

/** Fills all memory that is left over with the hog's cache, page by page, and touches it; returns its pages. */
function fill({ top, cache }: World): number {
  let pages = 0;
  while (top.allocate(cache, pages, 1, EXTRA).errno === Errno.OK) {
    top.poke(HOG, cache, pages, 100 + pages);
    pages += 1;
  }
  return pages;
}

/** An operation that is driven step by step. */
class Run {
  reply: RpcReply | null = null;
  readonly top: BenchTop;
  readonly #operation: Operation | null = null;
  wait: { kind: string; deadlineCycles?: number } | null = null;
  constructor(top: BenchTop, started: RpcReply | Operation) {
    this.top = top;
    if ('errno' in started) this.reply = started;
    else {
      this.#operation = started;
      this.step('done');
    }
  }
  step(result: WaitResult = 'done'): this {
    const next = this.#operation!.next(result);
    this.wait = next.done === true ? null : (next.value as never);
    if (next.done === true) this.reply = next.value;
    else if (next.value.kind === 'shootdown') this.top.kernel.acknowledge(next.value.batch);
    return this;
  }
  /** Steps to the end; waits for events end as time passes. */
  finish(): RpcReply {
    for (let steps = 0; this.reply === null; steps += 1) {
      if (steps > 10_000) throw new Error('the operation does not end');
      if (this.wait!.kind === 'event') {
        this.top.kernel.time = Math.max(this.top.kernel.time, this.wait!.deadlineCycles!);
        this.step('timeout');
      } else this.step();
    }
    return this.reply;
  }
}

const startMap = (top: BenchTop, container: CapRef, page: number, pages: number, at: number): Run =>
  new Run(top, top.start(Op.MAP, container, [page * PAGE, pages * PAGE, at * PAGE, 3, 0], [], 1));

describe('extra memory', () => {
  it('begins where the credit ends, is counted beside it, and reads as zeroes', () => {
    const { top, hog, cache } = world();
    top.must(top.allocate(cache, 0, 8, EXTRA));
    expect(query(top, hog)).toEqual([8, 0, 8, 0, 0, 0, 0, 0]);
    top.must(top.allocate(cache, 8, 24, EXTRA));
    expect(query(top, hog)).toEqual([8, 0, 8, 0, 0, 24, 0, 0]);
    expect(top.peek(HOG, cache, 20)).toBe(0);
    top.poke(HOG, cache, 20, 5);
    expect(top.peek(HOG, cache, 20)).toBe(5);
    expect(top.states(cache, 7, 2).map((state) => (state & PageState.EXTRA) !== 0)).toEqual([false, true]);
    top.must(top.deallocate(cache, 4, 20));
    expect(query(top, hog)).toEqual([8, 4, 4, 0, 0, 8, 0, 0]);
  });

  it('pays whole frames only, and cuts smaller ones when neither account holds a whole one', () => {
    const { top, hog, cache } = world();
    top.must(top.allocate(cache, 0, 3));
    top.must(top.allocate(cache, 16, 8, EXTRA));
    expect(query(top, hog).slice(1, 6)).toEqual([5, 3, 0, 0, 8]);
    const left = room(top) - 8;
    top.must(top.allocate(cache, 64, left - 3, EXTRA));
    expect(outcome(top.allocate(cache, 1000, 8, EXTRA | ALL_OR_NONE))[0]).toBe('OK');
  });

  it('ends with what is left over: exactly so many pages, or none with ALL_OR_NONE', () => {
    const { top, hog, cache } = world();
    const left = room(top);
    const reply = top.allocate(cache, 0, left + 9, EXTRA);
    expect([Errno[reply.errno], ...reply.words]).toEqual([
      'ENOMEM',
      (left + 8) * PAGE,
      Reason.NO_ROOM,
      0,
      left,
    ]);
    expect(extraOf(top, hog)).toBe(left);
    const none = top.allocate(cache, 0x500, 1, EXTRA | ALL_OR_NONE);
    expect([Errno[none.errno], ...none.words]).toEqual(['ENOMEM', 0, Reason.NO_ROOM, 0, 0]);
    top.must(top.deallocate(cache, 0, left + 8));
    top.must(top.allocate(cache, 5, 1));
    const short = top.allocate(cache, 0, 9, EXTRA);
    expect([Errno[short.errno], short.words]).toEqual(['EEXIST', [5 * PAGE, Reason.OCCUPIED, 1, 5 * PAGE]]);
    expect(outcome(top.allocate(cache, 0, 9, EXTRA))).toEqual(['EEXIST', 0]);
  });

  it('goes with no flag that asks for a special place', () => {
    const { top, cache } = world();
    for (const flag of [AllocFlag.SQUASH, AllocFlag.DMA, AllocFlag.CONTIGUOUS]) {
      const reply = top.allocate(cache, 0, 1, EXTRA | flag);
      expect([reply.errno, reply.words]).toEqual([Errno.EINVAL, [0, Reason.UNKNOWN_FLAG, 3, 9]]);
    }
  });

  it('leaves the reserve of the DMA zone alone', () => {
    const top = new BenchTop({ frames: 64, dmaEnd: 32 });
    const cache = top.container(top.split(top.root, 1));
    const { reserve } = top.physmem.store.zones.zones[0]!;
    expect(reserve).toBe(4);
    expect(outcome(top.allocate(cache, 0, 64, EXTRA))).toEqual(['ENOMEM', 1 + 64 - 4]);
  });

  it('is refused at its first touch when others need their memory by then, and its name stays', () => {
    const w = world();
    const { top, hog, cache, own } = w;
    const left = room(top);
    top.must(top.allocate(cache, 0, 8 + left, EXTRA));
    top.must(top.allocate(own, 0, 32));
    top.must(top.map(1, own, 0, 32, 0x110));
    let page = 8;
    while (top.map(HOG, cache, page, 1, 0x180).errno === Errno.OK) page += 1;
    const reply = top.map(HOG, cache, page, 1, 0x180);
    expect([Errno[reply.errno], ...reply.words]).toEqual(['ENOMEM', 0, Reason.NO_ROOM, 0, 0]);
    expect(extraOf(top, hog)).toBe(left);
  });

  it('can not be pinned, nor can memory that an extra name shares', () => {
    const { top, claimant, cache } = world();
    top.must(top.allocate(cache, 0, 10, EXTRA));
    const pinned = top.call(Op.PIN, cache, [8 * PAGE, PAGE, 100, 0]);
    expect([Errno[pinned.errno], ...pinned.words]).toEqual(['ENOMEM', 0, Reason.EXTRA_PAGE, 1, 8 * PAGE]);
    const target = top.container(claimant);
    top.must(top.copy(cache, 8, target, 0, 1, CopyFlag.SHARED));
    expect(top.call(Op.PIN, target, [0, PAGE, 100, 0]).words[1]).toBe(Reason.EXTRA_PAGE);
    top.must(top.deallocate(cache, 8, 1));
    expect(top.call(Op.PIN, target, [0, PAGE, 100, 0]).errno).toBe(Errno.OK);
  });

  it('is paid by the destination when it is copied, shared or moved away, and stays extra inside its control', () => {
    const { top, hog, claimant, cache, own } = world();
    top.must(top.allocate(cache, 0, 16, EXTRA));
    expect(extraOf(top, hog)).toBe(16);
    for (let page = 0; page < 16; page += 1) top.poke(HOG, cache, page, 70 + page);
    top.must(top.copy(cache, 0, own, 0, 2));
    top.must(top.copy(cache, 0, own, 2, 2, CopyFlag.SHARED));
    top.must(top.copy(cache, 4, own, 4, 2, CopyFlag.MOVE));
    expect([extraOf(top, hog), top.credit(claimant).charged]).toEqual([14, 6]);
    const other = top.container(hog);
    top.must(top.copy(cache, 6, other, 0, 10, CopyFlag.MOVE));
    expect([extraOf(top, hog), top.credit(hog).charged]).toEqual([14, 0]);
    top.poke(HOG, cache, 0, 1);
    expect([0, 2, 4, 5].map((page) => top.peek(1, own, page))).toEqual([70, 1, 74, 75]);
    expect(top.peek(HOG, other, 9)).toBe(85);
    top.must(top.call(Op.CONTAINER_DESTROY, other));
    expect(extraOf(top, hog)).toBe(4);
    top.must(top.call(Op.CONTROL_DESTROY, hog));
    expect([0, 2, 4, 5].map((page) => top.peek(1, own, page))).toEqual([70, 1, 74, 75]);
  });

  it('becomes guaranteed by recover when there is credit, and by nothing else', () => {
    const { top, hog, cache } = world();
    top.must(top.allocate(cache, 0, 8));
    top.must(top.allocate(cache, 8, 12, EXTRA));
    top.poke(HOG, cache, 9, 3);
    top.must(top.deallocate(cache, 0, 8));
    expect(query(top, hog).slice(1, 6)).toEqual([8, 0, 0, 0, 12]);
    expect(outcome(top.recover(cache, 8, 12))).toEqual(['ENOMEM', 8]);
    expect(query(top, hog).slice(1, 6)).toEqual([0, 8, 0, 0, 4]);
    expect(outcome(top.recover(cache, 8, 12, EXTRA))).toEqual(['OK', 12]);
    expect(top.peek(HOG, cache, 9)).toBe(3);
  });

  it('can be replaced by paid memory with SQUASH, which then pays', () => {
    const { top, hog, cache } = world();
    top.must(top.allocate(cache, 100, 8));
    top.must(top.allocate(cache, 0, 12, EXTRA));
    top.must(top.deallocate(cache, 100, 8));
    expect(query(top, hog).slice(1, 6)).toEqual([8, 0, 0, 0, 12]);
    expect(outcome(top.allocate(cache, 0, 10, AllocFlag.SQUASH))).toEqual(['ENOMEM', 8]);
    expect(query(top, hog).slice(1, 6)).toEqual([0, 8, 0, 0, 4]);
  });

  it('is saved and loaded with its lists', () => {
    const w = world();
    const { top, hog, cache } = w;
    top.must(top.allocate(cache, 0, 40, EXTRA));
    for (let page = 0; page < 40; page += 1) top.poke(HOG, cache, page, page);
    top.must(top.release(cache, 10, 9, SOFT));
    top.must(top.call(Op.CONTROL_ON_RETURN, hog, [7], [threadCap(12)]));
    const saved = JSON.stringify(top.physmem.save());
    const copy = structuredClone(top.physmem.save());
    top.must(top.deallocate(cache, 0, 40));
    top.physmem.load(copy);
    expect(JSON.stringify(top.physmem.save())).toBe(saved);
    expect([extraOf(top, hog), softOf(top, hog)]).toEqual([40 - 9 - top.credit(hog).charged, 9]);
  });
});

describe('memory that is guaranteed', () => {
  it('is asked for, waited for within the bound, and taken by force from who does not listen (F37)', () => {
    const w = world();
    const { top, hog, own } = w;
    const pages = fill(w);
    top.must(top.call(Op.CONTROL_ON_RETURN, hog, [33], [threadCap(12)]));
    top.must(top.allocate(own, 0, 1));
    for (let free = top.physmem.store.zones.freeFrames; free > 0; free -= 1) takeOne(top);
    const held = extraOf(top, hog);
    const began = top.kernel.time;
    const run = startMap(top, own, 0, 1, 0x102);
    expect(top.kernel.asked).toEqual([{ thread: 12, badge: 33, frames: 1, cycles: RETURN_CYCLES }]);
    expect(run.wait!.kind).toBe('event');
    expect(run.finish().errno).toBe(Errno.OK);
    top.check();
    expect(top.kernel.time - began).toBeLessThan(RETURN_CYCLES + 500);
    expect(extraOf(top, hog)).toBe(held - 1);
    // The newest went.
    expect(top.peek(HOG, w.cache, pages - 1)).toBeNull();
    expect(top.peek(HOG, w.cache, pages - 2)).toBe(100 + pages - 2);
    expect(top.kernel.read(0, 1, 0x102)).toBe(0);
  });

  it('comes without force from who gives it back in time, one way or the other (F37)', () => {
    for (const way of ['deallocate', 'soft'] as const) {
      const w = world();
      const { top, hog, own, cache } = w;
      fill(w);
      top.must(top.call(Op.CONTROL_ON_RETURN, hog, [1], [threadCap(12)]));
      top.must(top.allocate(own, 0, 1));
      for (let free = top.physmem.store.zones.freeFrames; free > 0; free -= 1) takeOne(top);
      const run = startMap(top, own, 0, 1, 0x102);
      let woken = 0;
      top.kernel.onWake = () => {
        woken += 1;
      };
      top.afterEach = () => {};
      if (way === 'soft') top.must(top.release(cache, 8, 1, SOFT));
      else top.must(top.deallocate(cache, 8, 1));
      expect(woken).toBeGreaterThan(0);
      expect(run.step().reply!.errno).toBe(Errno.OK);
      top.check();
      expect(top.physmem.counters.reclaimedFrames).toBe(0);
      expect(lostOf(top, hog)).toBe(way === 'soft' ? 1 : 0);
    }
  });

  it('is taken at once when nobody can be asked: no thread, or a dead one (F37)', () => {
    for (const dead of [false, true]) {
      const w = world();
      const { top, hog, own } = w;
      fill(w);
      if (dead) {
        top.must(top.call(Op.CONTROL_ON_RETURN, hog, [1], [threadCap(12)]));
        top.kernel.deadThreads.add(12);
      }
      top.must(top.allocate(own, 0, 20));
      const began = top.kernel.time;
      top.must(startMap(top, own, 0, 20, 0x102).finish());
      top.check();
      expect(top.kernel.time - began).toBeLessThan(1000);
    }
  });

  it('is taken for as much as is still missing when only a part comes back, or too much, or late (F37)', () => {
    const w = world();
    const { top, hog, own, cache } = w;
    fill(w);
    top.must(top.call(Op.CONTROL_ON_RETURN, hog, [1], [threadCap(12)]));
    top.must(top.allocate(own, 0, 16));
    for (let free = top.physmem.store.zones.freeFrames; free > 0; free -= 1) takeOne(top);
    const held = extraOf(top, hog);
    const run = startMap(top, own, 0, 16, 0x102);
    expect(top.kernel.asked[0]!.frames).toBe(16);
    top.afterEach = () => {};
    top.must(top.deallocate(cache, 8, 5));
    top.must(run.finish());
    expect(extraOf(top, hog)).toBe(held - 16);
    expect(top.physmem.counters.reclaimedFrames).toBe(11);
    top.must(top.deallocate(cache, 20, 16));
    top.check();
    top.must(top.allocate(own, 16, 8));
    top.must(top.map(1, own, 16, 8, 0x120));
    expect(top.kernel.asked.length).toBe(1);
  });

  it('comes when it waits behind another claim: extra memory gets nothing meanwhile', () => {
    const w = world();
    const { top, hog, own, cache } = w;
    fill(w);
    top.must(top.call(Op.CONTROL_ON_RETURN, hog, [1], [threadCap(12)]));
    top.must(top.allocate(own, 0, 1));
    const other = top.container();
    top.must(top.allocate(other, 0, 1));
    for (let free = top.physmem.store.zones.freeFrames; free > 0; free -= 1) takeOne(top);
    const runs = [startMap(top, own, 0, 1, 0x102), startMap(top, other, 0, 1, 0x103)];
    top.afterEach = () => {};
    top.must(top.deallocate(cache, 8, 1));
    expect(top.allocate(cache, 8, 1, EXTRA).words[1]).toBe(Reason.NO_ROOM);
    expect(runs[0]!.step().reply!.errno).toBe(Errno.OK);
    expect(runs[1]!.step().reply).toBeNull();
    expect(runs[1]!.finish().errno).toBe(Errno.OK);
    top.check();
  });

  it('includes page tables, address spaces, broken copies, pins and copies of pinned memory', () => {
    const w = world();
    const { top, own, claimant } = w;
    top.must(top.allocate(own, 0, 8));
    for (let page = 0; page < 8; page += 1) top.poke(1, own, page, page);
    const twin = top.container(claimant);
    top.must(top.copy(own, 0, twin, 0, 8));
    top.must(top.allocate(own, 16, 4));
    fill(w);
    const drain = (): void => {
      for (let free = top.physmem.store.zones.freeFrames; free > 0; free -= 1) takeOne(top);
    };
    drain();
    top.must(startMap(top, own, 0, 1, 0x4000).finish());
    top.check();
    drain();
    top.must(
      new Run(
        top,
        top.start(Op.CONTROL_SPONSOR, top.root, [], [{ type: CapType.TASK, object: 9, rights: 3 }]),
      ).finish(),
    );
    top.check();
    drain();
    top.must(startMap(top, twin, 3, 1, 0x102).finish());
    top.kernel.write(0, 1, 0x102, 99);
    top.check();
    drain();
    const pinned = new Run(top, top.start(Op.PIN, own, [16 * PAGE, 4 * PAGE, 100_000, 0], [], 1)).finish();
    top.must(pinned);
    top.check();
    drain();
    const last = top.container(claimant);
    const words = [16 * PAGE, 0, 4 * PAGE, 0];
    top.must(new Run(top, top.start(Op.COPY, own, words, [last], 1)).finish());
    top.check();
    expect([2, 3].map((page) => [top.peek(1, own, page), top.peek(1, twin, page)])).toEqual([
      [2, 2],
      [3, 99],
    ]);
  });

  it('comes from extra memory that paid copies share, by taking the extra name', () => {
    const w = world();
    const { top, cache, own, hog } = w;
    top.must(top.allocate(cache, 0, 8));
    top.must(top.allocate(cache, 8, 1, EXTRA));
    top.poke(HOG, cache, 8, 44);
    top.must(top.copy(cache, 8, own, 0, 1));
    top.must(top.map(1, cache, 0, 8, 0x200));
    top.must(top.allocate(own, 1, 63));
    top.must(top.map(1, own, 1, 63, 0x210));
    const rest = top.container();
    const { free } = top.credit(top.root);
    top.must(top.allocate(rest, 0, free));
    top.must(top.map(1, rest, 0, free, 0x280));
    expect(top.physmem.store.zones.freeFrames).toBe(0);
    top.must(startMap(top, own, 0, 1, 0x102).finish());
    top.check();
    expect(top.kernel.write(0, 1, 0x102, 45)).toBe(true);
    expect([extraOf(top, hog), top.peek(HOG, cache, 8), top.peek(1, own, 0)]).toEqual([0, null, 45]);
  });

  it('takes no more than is needed out of a large extra frame, from its end', () => {
    const w = world();
    const { top, hog, cache, own } = w;
    top.must(top.allocate(cache, 0, 8));
    const left = room(top);
    const big = 2 ** Math.floor(Math.log2(left));
    top.must(top.allocate(cache, 0x100, big, EXTRA));
    top.must(top.map(HOG, cache, 0x100, big, 0x180));
    fillRest(w, 0x800);
    top.must(top.allocate(own, 0, 3));
    for (let free = top.physmem.store.zones.freeFrames; free > 0; free -= 1) takeOne(top);
    const held = extraOf(top, hog);
    top.must(startMap(top, own, 0, 3, 0x102).finish());
    top.check();
    expect(held - extraOf(top, hog)).toBe(3);
  });
});

/** Binds one guaranteed page of the root, so that free memory goes. */
function takeOne(top: BenchTop): void {
  const before = top.afterEach;
  top.afterEach = () => {};
  const container = top.container();
  top.must(top.allocate(container, 0, 1));
  top.must(top.map(1, container, 0, 1, 0x1ff));
  top.afterEach = before;
}

function fillRest({ top, cache }: World, from: number): void {
  for (let page = from; top.allocate(cache, page, 1, EXTRA).errno === Errno.OK; page += 1) {
    top.poke(HOG, cache, page, page);
  }
}

describe('who gives memory back', () => {
  it('is levelled: who holds most gives most, ties go to the older control', () => {
    const top = new BenchTop({ frames: 512, dmaEnd: 16 });
    const controls = [1, 1, 1, 1].map((frames) => top.split(top.root, frames));
    const sizes = [40, 10, 40, 3];
    for (const task of [1]) top.task(task);
    for (const [i, control] of controls.entries()) {
      const cache = top.container(control);
      top.must(top.allocate(cache, 0, 1));
      top.must(top.allocate(cache, 1, sizes[i]!, EXTRA));
      top.must(top.map(1, cache, 1, sizes[i]!, 0x100));
    }
    const { store } = top.physmem;
    const shares = (frames: number): number[][] =>
      levelDown(store, frames).map((share) => [share.control.index - 2, share.frames]);
    expect(shares(1)).toEqual([[0, 1]]);
    expect(shares(7)).toEqual([
      [0, 4],
      [2, 3],
    ]);
    expect(shares(63)).toEqual([
      [0, 31],
      [2, 31],
      [1, 1],
    ]);
    expect(shares(93).reduce((sum, [, frames]) => sum + frames!, 0)).toBe(93);
    expect(shares(1000)).toEqual([
      [0, 40],
      [2, 40],
      [1, 10],
      [3, 3],
    ]);
  });

  it('is named by control_on_return, with a thread that lives and may be sent to', () => {
    const { top, hog } = world();
    const name = (caps: CapRef[], words = [5]): RpcReply => top.call(Op.CONTROL_ON_RETURN, hog, words, caps);
    const refused = (caps: CapRef[], ...expected: number[]): void => {
      const reply = name(caps);
      expect([reply.errno, ...reply.words]).toEqual(expected);
    };
    top.kernel.deadThreads.add(13);
    refused([threadCap(12, ThreadRight.CONTROL)], Errno.EPERM, 0, Reason.MISSING_RIGHT, 2, ThreadRight.SEND);
    refused([threadCap(13)], Errno.ESRCH, 0, Reason.DEAD_OBJECT, 2, 0);
    refused([hog], Errno.EBADF, 0, Reason.WRONG_TYPE, 2, 0);
    top.must(name([threadCap(12)]));
    expect(top.physmem.store.controls.at(2)).toMatchObject({ returnThread: 12, returnBadge: 5 });
    top.must(name([]));
    expect(top.physmem.store.controls.at(2).returnThread).toBe(0);
  });
});
