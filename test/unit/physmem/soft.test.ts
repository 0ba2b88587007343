import { beforeEach, describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { AllocFlag, CapType, ContainerRight, CopyFlag, ReleaseFlag } from '../../../src/abi/rights.ts';
import { Op, PageState } from '../../../src/abi/rpcs.ts';
import type { CapRef, Operation } from '../../../src/abi/server.ts';
import { FrameState } from '../../../src/physmem/base-frames.ts';
import { claimBlock } from '../../../src/physmem/claim.ts';
import { moveFrame } from '../../../src/physmem/migrate.ts';
import { BenchTop, outcome, PAGE } from './bench-top.ts';

const { SOFT } = ReleaseFlag;
const { EXTRA } = AllocFlag;

let top: BenchTop;
let control: CapRef;
let cache: CapRef;

/** A control of 64 frames with a container of 16 touched pages, one frame of 16; page p holds 50 + p. */
function build(frames: number, credit: number): void {
  top = new BenchTop({ frames, dmaEnd: 16 });
  top.task(1);
  control = top.split(top.root, credit);
  cache = top.container(control);
  // Its page table stays, so that peek needs no credit later.
  const scratch = top.container();
  bindAll(scratch, 1, 0xf0001);
  top.must(top.allocate(cache, 0, 16));
  for (let page = 0; page < 16; page += 1) top.poke(1, cache, page, 50 + page);
}

beforeEach(() => build(256, 64));

const query = (): { free: number; charged: number; extra: number; soft: number; lost: number } => {
  const { words } = top.must(top.call(Op.CONTROL_QUERY, control));
  const [extra, , soft, lost] = top.must(top.call(Op.CONTROL_QUERY_EXTRA, control)).words;
  expect(words[5]).toBe(extra);
  return { free: words[1]!, charged: words[2]!, extra: extra!, soft: soft!, lost: lost! };
};
const values = (from: number, pages: number): (number | null)[] =>
  Array.from({ length: pages }, (_, i) => top.peek(1, cache, from + i));

/** Takes all memory that is free and `more` base frames besides: first with the root's credit, then with the control's. */
function eat(more: number): CapRef {
  bindAll(top.container(), top.credit(top.root).free - 1, 0x400);
  const eater = top.container(control);
  bindAll(eater, top.physmem.store.zones.freeFrames + more, 0x600);
  return eater;
}

function bindAll(container: CapRef, pages: number, at: number): void {
  top.must(top.allocate(container, 0, pages));
  top.must(top.map(1, container, 0, pages, at));
}

describe('a soft release', () => {
  it('gives the credit back and keeps the contents, which recover makes real again', () => {
    top.must(top.map(1, cache, 0, 16, 0x200));
    expect(outcome(top.release(cache, 4, 8, SOFT))).toEqual(['OK', 8]);
    expect(query()).toEqual({ free: 56, charged: 8, extra: 0, soft: 8, lost: 0 });
    expect(top.kernel.read(0, 1, 0x204)).toBeNull();
    expect(top.kernel.read(0, 1, 0x203)).toBe(53);
    expect(top.states(cache, 3, 2).map((state) => state & PageState.SOFT)).toEqual([0, PageState.SOFT]);
    expect(outcome(top.recover(cache, 0, 16))).toEqual(['OK', 16]);
    expect(query()).toEqual({ free: 48, charged: 16, extra: 0, soft: 0, lost: 0 });
    expect(values(0, 16)).toEqual(Array.from({ length: 16 }, (_, i) => 50 + i));
  });

  it('is a reference only: it can not be mapped, copied or pinned, but it occupies its name', () => {
    top.must(top.release(cache, 4, 4, SOFT));
    const target = top.container(control);
    const seen = (reply: { errno: number; words: readonly number[] }): unknown[] => [
      Errno[reply.errno],
      ...reply.words,
    ];
    const soft = (amount: number): unknown[] => ['ENOENT', amount * PAGE, Reason.SOFT_PAGE, 1, 4 * PAGE];
    expect(seen(top.map(1, cache, 2, 4, 0x200))).toEqual(soft(2));
    for (const flags of [0, CopyFlag.SHARED, CopyFlag.MOVE]) {
      expect(seen(top.copy(cache, 4, target, 0, 4, flags))).toEqual(soft(0));
    }
    expect(seen(top.call(Op.PIN, cache, [4 * PAGE, PAGE, 100, 0]))).toEqual(soft(0));
    expect(outcome(top.allocate(cache, 2, 6))).toEqual(['EEXIST', 0]);
    expect(outcome(top.copy(cache, 0, cache, 4, 1))).toEqual(['EEXIST', 0]);
    expect(outcome(top.copy(cache, 0, cache, 4, 1, CopyFlag.SQUASH))).toEqual(['OK', 1]);
    expect(outcome(top.allocate(cache, 5, 1, AllocFlag.SQUASH))).toEqual(['OK', 1]);
    expect(values(4, 2)).toEqual([50, 0]);
    expect(query()).toEqual({ free: 50, charged: 14, extra: 0, soft: 2, lost: 0 });
    expect(outcome(top.deallocate(cache, 0, 16))).toEqual(['OK', 16]);
    expect(query()).toEqual({ free: 64, charged: 0, extra: 0, soft: 0, lost: 0 });
  });

  it('done twice, or released again without the flag, changes nothing more', () => {
    top.must(top.release(cache, 4, 4, SOFT));
    const before = query();
    expect(outcome(top.release(cache, 4, 4, SOFT))).toEqual(['OK', 4]);
    top.must(top.release(cache, 0, 8));
    expect(query()).toEqual(before);
    expect(outcome(top.recover(cache, 4, 4))).toEqual(['OK', 4]);
    expect(values(4, 4)).toEqual([54, 55, 56, 57]);
  });

  it('loses the oldest first when memory runs out, no more of it than is needed, and counts them', () => {
    top.must(top.release(cache, 8, 4, SOFT));
    top.must(top.release(cache, 0, 4, SOFT));
    expect(query().soft).toBe(8);
    eat(3);
    expect(top.physmem.counters.lostSoftFrames).toBeGreaterThanOrEqual(2);
    const { lost, soft } = query();
    expect(lost + soft).toBe(8);
    expect(lost).toBeLessThan(5);
    expect(outcome(top.recover(cache, 0, 4))).toEqual(['OK', 4]);
    expect(values(0, 4)).toEqual([50, 51, 52, 53]);
    const again = top.recover(cache, 8, 4);
    expect([again.errno, again.words[1]]).toEqual([Errno.ENOENT, Reason.HOLE]);
  });

  it('is not reused while memory is only in pieces', () => {
    top.must(top.release(cache, 0, 16, SOFT));
    const holes = top.container();
    for (let page = 0; page < 64; page += 1) {
      top.must(top.allocate(holes, page, 1));
      top.poke(1, holes, page, 1);
    }
    eat(0);
    for (let page = 0; page < 64; page += 2) top.must(top.deallocate(holes, page, 1));
    expect(top.physmem.store.zones.freeFrames).toBe(32);
    bindAll(top.container(), 16, 0x700);
    expect(query()).toMatchObject({ soft: 16, lost: 0 });
  });

  it('keeps nothing of what has other users: later writes of theirs are never seen (F39)', () => {
    const twin = top.container(control);
    top.must(top.copy(cache, 0, twin, 0, 4));
    top.must(top.copy(cache, 4, twin, 4, 4, CopyFlag.SHARED));
    expect(outcome(top.release(cache, 0, 8, SOFT))).toEqual(['OK', 8]);
    expect(query()).toMatchObject({ soft: 0, lost: 0, charged: 8 + 8 });
    for (let page = 0; page < 8; page += 1) top.poke(1, twin, page, 900 + page);
    expect(outcome(top.recover(cache, 0, 8))).toEqual(['ENOENT', 0]);
    expect(values(0, 8)).toEqual(new Array(8).fill(null));
  });

  it('keeps what had other users once, as it was when the last of them went (F39)', () => {
    const twin = top.container(control);
    top.must(top.copy(cache, 0, twin, 0, 4));
    for (let page = 0; page < 4; page += 1) top.poke(1, twin, page, 900 + page);
    top.must(top.release(cache, 0, 4, SOFT));
    top.must(top.deallocate(twin, 0, 4));
    expect(outcome(top.recover(cache, 0, 4))).toEqual(['OK', 4]);
    expect(values(0, 4)).toEqual([50, 51, 52, 53]);
  });

  it('drops the names of what was never touched', () => {
    top.must(top.allocate(cache, 32, 4));
    expect(outcome(top.release(cache, 30, 8, SOFT))).toEqual(['OK', 4]);
    expect(outcome(top.recover(cache, 32, 4))).toEqual(['ENOENT', 0]);
    expect(query()).toMatchObject({ charged: 16, soft: 0, lost: 0 });
  });

  it('stops at pinned memory', () => {
    top.must(top.call(Op.PIN, cache, [6 * PAGE, PAGE, 1000, 0]));
    const reply = top.release(cache, 2, 10, SOFT);
    expect([Errno[reply.errno], ...reply.words]).toEqual(['EBUSY', 4 * PAGE, Reason.PINNED, 1, 6 * PAGE]);
    expect(query()).toMatchObject({ soft: 4, charged: 12 });
  });

  it('needs DEALLOCATE, and recover ALLOCATE', () => {
    const weak = (right: ContainerRight): CapRef => ({ ...cache, rights: cache.rights & ~right });
    const words = [0, PAGE, SOFT];
    expect(top.call(Op.RELEASE, weak(ContainerRight.DEALLOCATE), words).errno).toBe(Errno.EPERM);
    expect(top.call(Op.RECOVER, weak(ContainerRight.ALLOCATE), [0, PAGE, 0]).errno).toBe(Errno.EPERM);
  });

  it('stays what it is when its memory moves, and can be recovered from the new place', () => {
    top.must(top.release(cache, 0, 16, SOFT));
    const { store } = top.physmem;
    const { frames, entries, loans, base } = store;
    const frame = entries.frame[loans.entry[loans.next[loans.softList]!]!]!;
    const from = frames.block[frame]!;
    const to = claimBlock(store, store.zones.zones[1]!.buddy, 4);
    expect(top.finish(moveFrame(store, frame, to))).toBe(1);
    top.check();
    expect([base.state[from], base.state[to], frames.block[frame]]).toEqual([
      FrameState.FREE,
      FrameState.SOFT,
      to,
    ]);
    expect(outcome(top.recover(cache, 0, 16))).toEqual(['OK', 16]);
    expect(values(0, 16)).toEqual(Array.from({ length: 16 }, (_, i) => 50 + i));
  });

  it('goes with its container and its control, and gives the memory back', () => {
    const { free } = top.credit(top.root);
    top.must(top.release(cache, 0, 16, SOFT));
    top.must(top.call(Op.CONTROL_DESTROY, control));
    expect(top.physmem.store.loans.softPages).toBe(0);
    expect(top.credit(top.root).free).toBe(free + 64);
  });
});

describe('recover', () => {
  it('takes as much as the credit pays, page by page, or makes the rest extra memory', () => {
    top.must(top.release(cache, 0, 16, SOFT));
    const other = top.container(control);
    top.must(top.allocate(other, 0, 59));
    const reply = top.recover(cache, 0, 16);
    expect([Errno[reply.errno], ...reply.words]).toEqual(['ENOMEM', 5 * PAGE, Reason.NO_CREDIT, 0, 0]);
    expect(query()).toEqual({ free: 0, charged: 64, extra: 0, soft: 11, lost: 0 });
    expect(outcome(top.recover(cache, 0, 16, EXTRA))).toEqual(['OK', 16]);
    expect(query()).toEqual({ free: 0, charged: 64, extra: 11, soft: 0, lost: 0 });
    expect(values(0, 16)).toEqual(Array.from({ length: 16 }, (_, i) => 50 + i));
  });

  it('finds holes and what was reused: ENOENT at that byte', () => {
    top.must(top.release(cache, 0, 16, SOFT));
    top.must(top.deallocate(cache, 6, 2));
    const reply = top.recover(cache, 0, 16);
    expect([Errno[reply.errno], ...reply.words]).toEqual(['ENOENT', 6 * PAGE, Reason.HOLE, 1, 6 * PAGE]);
  });

  it('racing with reuse gets its own data or ENOENT, never other data (F38, I29)', () => {
    const seen = new Set<string>();
    for (let more = 0; more <= 16; more += 1) {
      build(128, 20);
      top.must(top.release(cache, 0, 16, SOFT));
      const eater = eat(more);
      for (let page = 0; page < more; page += 1) top.poke(1, eater, page, 666);
      for (let page = 0; page < 16; page += 1) {
        const reply = top.recover(cache, page, 1, EXTRA);
        seen.add(Errno[reply.errno]!);
        if (reply.errno === Errno.OK) expect(top.peek(1, cache, page)).toBe(50 + page);
        else expect([reply.errno, top.peek(1, cache, page)]).toEqual([Errno.ENOENT, null]);
      }
    }
    expect([...seen].sort()).toEqual(['ENOENT', 'OK']);
  });

  it('waits for the soft release before it, and memory is not reused before every TLB forgot it (I19)', () => {
    top.kernel.remote = 'always';
    top.afterEach = () => {};
    top.must(top.map(1, cache, 0, 16, 0x200));
    for (let page = 0; page < 16; page += 1) top.kernel.read(1, 1, 0x200 + page);
    const release = top.start(Op.RELEASE, cache, [0, 16 * PAGE, SOFT]) as Operation;
    const wait = release.next('done').value as { kind: string; batch: never };
    expect(wait.kind).toBe('shootdown');
    const { base, loans } = top.physmem.store;
    expect(base.state.includes(FrameState.SOFT)).toBe(false);
    expect(loans.next[loans.softList]).toBe(loans.softList);
    const recover = top.start(Op.RECOVER, cache, [0, 16 * PAGE, 0]) as Operation;
    expect((recover.next('done').value as { kind: string }).kind).toBe('event');
    top.kernel.acknowledge(wait.batch);
    expect(top.finish(release).errno).toBe(Errno.OK);
    expect(top.finish(recover).errno).toBe(Errno.OK);
    top.check();
    expect(values(0, 16)).toEqual(Array.from({ length: 16 }, (_, i) => 50 + i));
  });

  it('finds its memory not reusable while the shootdown of somebody else may be about it (I19)', () => {
    top.kernel.remote = 'always';
    top.afterEach = () => {};
    top.must(top.map(1, cache, 0, 16, 0x200));
    for (let page = 0; page < 16; page += 1) top.kernel.read(1, 1, 0x200 + page);
    const server: CapRef = { type: CapType.PHYSMEM, object: 0, rights: 0xffff };
    const unmap = top.start(Op.UNMAP, server, [0x200 * PAGE, 16 * PAGE]) as Operation;
    const { batch } = unmap.next('done').value as unknown as { batch: never };
    top.kernel.remote = 'never';
    const release = top.start(Op.RELEASE, cache, [0, 16 * PAGE, SOFT]) as Operation;
    expect((release.next('done').value as { kind: string }).kind).toBe('event');
    expect(top.physmem.store.base.state.includes(FrameState.SOFT)).toBe(false);
    top.kernel.acknowledge(batch);
    top.must(top.finish(unmap));
    top.must(top.finish(release));
    top.check();
    expect(query().soft).toBe(16);
  });

  it('finds nothing when a core did not answer: what may still be seen is not kept', () => {
    top.kernel.remote = 'always';
    top.afterEach = () => {};
    top.must(top.map(1, cache, 0, 16, 0x200));
    const release = top.start(Op.RELEASE, cache, [0, 16 * PAGE, SOFT]) as Operation;
    const { batch } = release.next('done').value as unknown as { batch: never };
    let step = release.next('limbo');
    while (step.done !== true) step = release.next('done');
    expect([step.value.errno, step.value.words[0]]).toEqual([Errno.ETIMEDOUT, 16 * PAGE]);
    expect(query()).toEqual({ free: 48, charged: 16, extra: 0, soft: 0, lost: 16 });
    top.kernel.acknowledge(batch);
    top.physmem.lateAnswer(batch);
    top.check();
    expect(query()).toEqual({ free: 64, charged: 0, extra: 0, soft: 0, lost: 16 });
    expect(outcome(top.recover(cache, 0, 16))).toEqual(['ENOENT', 0]);
  });
});
