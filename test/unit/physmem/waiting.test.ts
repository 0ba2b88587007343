/** What waits for what: guards, frames on their way to another block, shootdowns that others began, limbo. */
import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { CopyFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply, ShootdownBatch, Wait } from '../../../src/abi/server.ts';
import { FrameState } from '../../../src/physmem/base-frames.ts';
import { BenchTop, PAGE } from './bench-top.ts';

function world() {
  const top = new BenchTop({ frames: 256, dmaEnd: 64 });
  top.task(1);
  top.task(2);
  const a = top.container();
  top.must(top.allocate(a, 0, 8));
  top.must(top.map(1, a, 0, 8, 0x100));
  for (let page = 0; page < 8; page += 1) top.kernel.write(0, 1, 0x100 + page, 10 + page);
  top.kernel.remote = 'always';
  // Operations are in flight during these tests: the whole state is checked when they have ended.
  top.afterEach = () => {};
  return { top, a };
}

const isOperation = (answer: RpcReply | Operation): answer is Operation => !('errno' in answer);

/** An operation that must wait; returns it with its first wait. */
function waiting(answer: RpcReply | Operation): { operation: Operation; wait: Wait } {
  if (!isOperation(answer)) throw new Error(`answered at once: ${answer.errno}`);
  const step = answer.next('done');
  if (step.done === true) throw new Error(`did not wait: ${step.value.errno}`);
  return { operation: answer, wait: step.value };
}

const mapWords = (page: number, pages: number, at: number, access = 3) => [
  page * PAGE,
  pages * PAGE,
  at * PAGE,
  access,
  0,
];
const batchOf = (wait: Wait): ShootdownBatch => {
  if (wait.kind !== 'shootdown') throw new Error(`waits for ${wait.kind}`);
  return wait.batch;
};
/** Lets an operation go on to its end; its shootdowns are acknowledged. */
function land(top: BenchTop, { operation, wait }: { operation: Operation; wait: Wait }): RpcReply {
  top.serve(wait);
  return top.finish(operation);
}

describe('waiting', () => {
  it('frees memory and gives credit back only after the acknowledgement', () => {
    const { top, a } = world();
    const { free } = top.credit(top.root);
    const block = [...top.kernel.spaces.get(1)!.pages.values()][0]!.frame;
    const flight = waiting(top.start(Op.DEALLOCATE, a, [0, 8 * PAGE]));
    expect(top.physmem.store.base.state[block]).toBe(FrameState.LIMBO);
    expect(top.physmem.store.controls.at(1).free).toBe(free);
    expect(land(top, flight).words).toEqual([8 * PAGE]);
    expect(top.credit(top.root).free).toBe(free + 9);
    top.check();
  });

  it('lets a second operation on a container wait its turn, first come first served', () => {
    const { top, a } = world();
    const order: string[] = [];
    const first = waiting(top.start(Op.DEALLOCATE, a, [0, 4 * PAGE]));
    const second = waiting(top.start(Op.ALLOCATE, a, [0, PAGE, 0]));
    const third = waiting(top.start(Op.ALLOCATE, a, [0, 2 * PAGE, 0]));
    const keys = [second.wait, third.wait].map((wait) => (wait.kind === 'event' ? wait.key : -1));
    expect(keys[0]).toBe(keys[1]);
    expect(third.operation.next('done').done).toBe(false);
    order.push(Errno[land(top, first).errno]!);
    expect(third.operation.next('done').done).toBe(false);
    order.push(Errno[top.finish(second.operation).errno]!);
    order.push(Errno[top.finish(third.operation).errno]!);
    expect(order).toEqual(['OK', 'OK', 'EEXIST']);
    top.check();
  });

  it('does not let a map into a space pass a shootdown of that space', () => {
    const { top } = world();
    const b = top.container();
    top.must(top.allocate(b, 0, 1));
    const first = waiting(top.start(Op.UNMAP, { type: 3, object: 0, rights: 0 }, [0x100 * PAGE, PAGE]));
    const second = waiting(top.start(Op.MAP, b, mapWords(0, 1, 0x100)));
    expect(second.wait.kind).toBe('event');
    expect(top.kernel.read(0, 1, 0x100)).toBe(10);
    land(top, first);
    expect(top.finish(second.operation).errno).toBe(Errno.OK);
    expect(top.kernel.read(0, 1, 0x100)).toBe(0);
    top.check();
  });

  it('lets nobody use a frame whose copy-on-write break is not in every TLB yet', () => {
    for (const op of [Op.MAP, Op.DEALLOCATE, Op.RELEASE, Op.COPY] as const) {
      const { top, a } = world();
      const b = top.container();
      const c = top.container();
      const d = top.container();
      top.must(top.copy(a, 0, b, 0, 8, CopyFlag.SHARED));
      top.must(top.copy(a, 0, c, 0, 8));
      top.kernel.read(1, 1, 0x101);
      const first = waiting(top.start(Op.MAP, a, mapWords(0, 8, 0x100)));
      expect(first.wait.kind).toBe('shootdown');
      const words: { [op: number]: number[] } = {
        [Op.MAP]: mapWords(0, 8, 0x200),
        [Op.DEALLOCATE]: [PAGE, PAGE],
        [Op.RELEASE]: [PAGE, PAGE, 0],
        [Op.COPY]: [0, 0, PAGE, CopyFlag.SHARED],
      };
      const second = waiting(top.start(op, b, words[op]!, op === Op.COPY ? [d] : [], 2));
      expect(second.wait.kind).toBe('event');
      expect(land(top, first).errno).toBe(Errno.OK);
      expect(top.finish(second.operation).errno).toBe(Errno.OK);
      expect(top.peek(1, c, 1)).toBe(11);
      top.check();
    }
  });

  it('frees a block only when older shootdowns of others have ended, too', () => {
    const { top, a } = world();
    const first = waiting(top.start(Op.UNMAP, { type: 3, object: 0, rights: 0 }, [0x100 * PAGE, 8 * PAGE]));
    const second = waiting(top.start(Op.DEALLOCATE, a, [0, 8 * PAGE]));
    expect(second.wait.kind).toBe('event');
    expect(second.operation.next('done').done).toBe(false);
    land(top, first);
    expect(top.finish(second.operation).words).toEqual([8 * PAGE]);
    top.check();
  });

  it('refuses what waited for a container that is destroyed meanwhile', () => {
    const { top, a } = world();
    const first = waiting(top.start(Op.CONTAINER_DESTROY, a, []));
    expect(top.call(Op.ALLOCATE, a, [0x10000, PAGE, 0]).errno).toBe(Errno.EBUSY);
    land(top, first);
    const b = top.container();
    top.must(top.allocate(b, 0, 1));
    top.must(top.map(1, b, 0, 1, 0x100));
    const slow = waiting(top.start(Op.DEALLOCATE, b, [0, PAGE]));
    const late = waiting(top.start(Op.MAP, b, mapWords(0, 1, 0x300)));
    const destroy = waiting(top.start(Op.CONTAINER_DESTROY, b, []));
    land(top, slow);
    expect(Errno[top.finish(late.operation).errno]).toBe('EBADF');
    expect(top.finish(destroy.operation).errno).toBe(Errno.OK);
    top.check();
  });
});

/** ETIMEDOUT, 4 pages done, reason CORE_SILENT. */
const SILENT_AFTER_4 = ['ETIMEDOUT', 4 * PAGE, Reason.CORE_SILENT, 0, 0];

describe('a core that stays silent', () => {
  /** Deallocates a mapped page of a control of its own, and gets 'limbo'. */
  function stuck() {
    const { top } = world();
    const control = top.split(top.root, 20);
    const a: CapRef = top.container(control);
    top.kernel.remote = 'never';
    top.must(top.allocate(a, 0, 4));
    top.must(top.map(1, a, 0, 4, 0x300));
    top.kernel.write(1, 1, 0x300, 5);
    top.kernel.remote = 'always';
    const flight = waiting(top.start(Op.DEALLOCATE, a, [0, 4 * PAGE]));
    const step = flight.operation.next('limbo');
    expect(step.done && [Errno[step.value.errno], ...step.value.words]).toEqual(SILENT_AFTER_4);
    return { top, control, a, batch: batchOf(flight.wait) };
  }

  it('keeps the memory in limbo and charged, and frees it on the late answer', () => {
    const { top, control, batch } = stuck();
    expect(top.physmem.store.controls.at(2)).toMatchObject({ free: 16, charged: 4 });
    const { freeFrames } = top.physmem.store.zones;
    top.kernel.acknowledge(batch);
    expect(top.physmem.lateAnswer(batch)).toBeNull();
    expect(top.credit(control)).toMatchObject({ free: 20, charged: 0 });
    expect(top.physmem.store.zones.freeFrames).toBe(freeFrames + 4);
  });

  it('leaves the charge to the parent when the control is destroyed; it arrives later (I4)', () => {
    const { top, control, batch } = stuck();
    const before = top.physmem.store.controls.at(1).free;
    top.kernel.remote = 'never';
    const destroyed = top.start(Op.CONTROL_DESTROY, control);
    if (isOperation(destroyed)) top.finish(destroyed);
    const root = top.physmem.store.controls.at(1);
    expect(root.free).toBe(before + 16);
    expect(root.given).toBe(0);
    top.kernel.acknowledge(batch);
    top.physmem.lateAnswer(batch);
    expect(root.free).toBe(before + 20);
    top.check();
  });

  it('frees nothing at all while an answer is missing', () => {
    const { top, a, batch } = stuck();
    const b = top.container();
    top.kernel.remote = 'never';
    top.must(top.allocate(b, 0, 2));
    const started = top.start(Op.MAP, b, mapWords(0, 2, 0x310), [], 2);
    if (isOperation(started)) top.finish(started);
    const { freeFrames } = top.physmem.store.zones;
    const freed = top.start(Op.DEALLOCATE, b, [0, 2 * PAGE]);
    if (isOperation(freed)) top.finish(freed);
    expect(top.physmem.store.zones.freeFrames).toBe(freeFrames);
    top.kernel.acknowledge(batch);
    top.physmem.lateAnswer(batch);
    expect(top.physmem.store.zones.freeFrames).toBe(freeFrames + 4 + 2 + 1);
    expect(top.states(a, 0, 1)).toEqual([0]);
    top.check();
  });
});

describe('save and load', () => {
  it('continue as if nothing had happened', () => {
    const { top, a } = world();
    const b = top.container();
    top.must(top.copy(a, 2, b, 0, 3));
    const limited = top.share(a, 3);
    const saved = JSON.stringify(top.physmem.save(), (_, value) =>
      ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value,
    );
    const state = structuredClone(top.physmem.save());
    const contents = top.kernel.contents.slice();
    const run = () => {
      top.must(top.deallocate(a, 1, 4));
      top.must(top.map(2, limited, 0, 1, 0x50));
      top.must(top.revoke(a, limited));
      const replies = [top.copy(b, 0, a, 1, 3, CopyFlag.MOVE), top.states(a, 0, 8), top.credit(top.root)];
      return JSON.stringify(replies);
    };
    const spaces = structuredClone(top.kernel.spaces);
    const first = run();
    top.physmem.load(state);
    top.kernel.contents.set(contents);
    top.kernel.spaces.clear();
    for (const [task, space] of spaces) top.kernel.spaces.set(task, space);
    for (const tlb of top.kernel.tlbs) tlb.clear();
    top.check();
    expect(
      JSON.stringify(top.physmem.save(), (_, value) =>
        ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value,
      ),
    ).toBe(saved);
    expect(run()).toBe(first);
  });
});
