/**
 * What the server does while a core may still use what was taken away (physmem.md §6.5, I17, I18, I29, I31;
 * docs/adr/0012): operations wait for the shootdowns of others on which they rely, and when a core stays silent nobody
 * reports success, nothing moves, and nothing is written in place that the core may still read.
 */
import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { ContainerRight, CopyFlag, PinFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply, ShootdownBatch, Wait } from '../../../src/abi/server.ts';
import { BenchTop, PAGE } from './bench-top.ts';

const PHYSMEM_CAP: CapRef = { type: 3, object: 0, rights: 0xffff };
const MILLION = 1_000_000;

interface Flight {
  readonly operation: Operation;
  readonly wait: Wait;
}

const isOperation = (answer: RpcReply | Operation): answer is Operation => !('errno' in answer);

function waiting(answer: RpcReply | Operation): Flight {
  if (!isOperation(answer)) throw new Error(`answered at once: ${Errno[answer.errno]}`);
  const step = answer.next('done');
  if (step.done === true) throw new Error(`did not wait: ${Errno[step.value.errno]}`);
  return { operation: answer, wait: step.value };
}

function batchOf({ wait }: Flight): ShootdownBatch {
  if (wait.kind !== 'shootdown') throw new Error(`waits for ${wait.kind}`);
  return wait.batch;
}

/** Container `a` with 4 pages at 0x100 of task 1, in the TLBs of two cores; other cores must acknowledge. */
function world() {
  const top = new BenchTop({ frames: 512, dmaEnd: 64 });
  top.task(1);
  top.task(2);
  const a = top.container();
  top.must(top.allocate(a, 0, 4));
  top.must(top.map(1, a, 0, 4, 0x100));
  for (let page = 0; page < 4; page += 1) {
    top.kernel.write(0, 1, 0x100 + page, 10 + page);
    top.kernel.write(1, 1, 0x100 + page, 10 + page);
  }
  top.kernel.remote = 'always';
  top.afterEach = () => {};
  return { top, a };
}

/** Ends a waiting operation with 'limbo'; whatever else it waits for is done. */
function silent(top: BenchTop, flight: Flight): RpcReply {
  let step = flight.operation.next('limbo');
  while (step.done !== true) {
    const { value } = step;
    if (value.kind === 'event') throw new Error(`waits for key ${value.key}`);
    step = flight.operation.next(value.kind === 'shootdown' ? 'limbo' : 'done');
  }
  expect(top.physmem.store.inflight.open).toEqual([]);
  return step.value;
}

function answer(top: BenchTop, batch: ShootdownBatch): void {
  top.kernel.acknowledge(batch);
  top.physmem.lateAnswer(batch);
}

const told = (reply: RpcReply) => [Errno[reply.errno], reply.words[0]! / PAGE, reply.words[1]];
const words = (page: number, pages: number, at: number, access = 3) => [
  page * PAGE,
  pages * PAGE,
  at * PAGE,
  access,
  0,
];

describe('an operation that relies on the shootdown of another one', () => {
  const unmapping = (top: BenchTop, task: number, at: number) =>
    waiting(top.start(Op.UNMAP, PHYSMEM_CAP, [at * PAGE, 4 * PAGE], [], task));

  it('waits for it: revoke does not return while an unmap of the same page is on its way (I18)', () => {
    const { top, a } = world();
    const limited = top.share(a, 3);
    top.kernel.remote = 'never';
    top.must(top.map(2, limited, 0, 4, 0x200));
    top.kernel.read(1, 2, 0x200);
    top.kernel.remote = 'always';
    const unmap = unmapping(top, 2, 0x200);
    const revoke = waiting(top.start(Op.REVOKE, a, [], [limited]));
    expect(revoke.wait.kind).toBe('event');
    expect(top.kernel.read(1, 2, 0x200)).toBe(10);
    top.serve(unmap.wait);
    top.finish(unmap.operation);
    expect(top.kernel.read(1, 2, 0x200)).toBeNull();
    expect(top.finish(revoke.operation).errno).toBe(Errno.OK);
    top.check();
  });

  it.each([Op.LOCK, Op.DEALLOCATE, Op.RELEASE, Op.COPY] as const)('so does operation %i', (op) => {
    const { top, a } = world();
    const b = top.container();
    const unmap = unmapping(top, 1, 0x100);
    const special = { [Op.LOCK]: [MILLION], [Op.COPY]: [0, 0, 4 * PAGE, 0], [Op.RELEASE]: [0, 4 * PAGE, 0] };
    const args = special[op as keyof typeof special] ?? [0, 4 * PAGE];
    const other = waiting(top.start(op, a, args, op === Op.COPY ? [b] : [], 2));
    expect(other.wait.kind).toBe('event');
    top.serve(unmap.wait);
    top.finish(unmap.operation);
    expect(top.finish(other.operation).errno).toBe(Errno.OK);
    top.check();
  });

  it('a copy whose source another core may still write is not broken before that is over (I17, I31)', () => {
    const { top, a } = world();
    const b = top.container();
    const c = top.container();
    top.must(top.copy(a, 0, b, 0, 4, CopyFlag.SHARED));
    const copy = waiting(top.start(Op.COPY, a, [0, 0, 4 * PAGE, 0], [c]));
    // Through b the same frame; a break now would copy the bytes before the other core's last write.
    const writer = waiting(top.start(Op.MAP, b, words(0, 4, 0x300), [], 2));
    expect(writer.wait.kind).toBe('event');
    expect(top.kernel.write(1, 1, 0x100, 99)).toBe(true);
    top.serve(copy.wait);
    expect(top.finish(copy.operation).errno).toBe(Errno.OK);
    expect(top.finish(writer.operation).errno).toBe(Errno.OK);
    expect(top.kernel.read(0, 2, 0x300)).toBe(99);
    expect(top.peek(2, c, 0)).toBe(99);
    expect(top.kernel.write(0, 2, 0x300, 7)).toBe(true);
    expect(top.peek(2, c, 0)).toBe(99);
    top.check();
  });
});

describe('who stays when another one leaves a copy-on-write block', () => {
  /** `b` is a copy of `a`; task 2 reads it, and a second core has its translation. */
  function copies(flags = 0) {
    const { top, a } = world();
    top.kernel.remote = 'never';
    const b = top.container();
    top.must(top.copy(a, 0, b, 0, 4, flags));
    top.must(top.map(2, b, 0, 4, 0x200, ContainerRight.READ));
    expect(top.kernel.read(1, 2, 0x200)).toBe(10);
    top.kernel.remote = 'always';
    return { top, a, b };
  }
  const leave = {
    deallocate: ({ top, b }: ReturnType<typeof copies>) => top.start(Op.DEALLOCATE, b, [0, 4 * PAGE]),
    release: ({ top, b }: ReturnType<typeof copies>) => top.start(Op.RELEASE, b, [0, 4 * PAGE, 0]),
    'a break': ({ top, b }: ReturnType<typeof copies>) => top.start(Op.MAP, b, words(0, 4, 0x200), [], 2),
  };

  it.each(['deallocate', 'release', 'a break'] as const)(
    'writes it only when no TLB shows it to who has left by %s (I29)',
    (how) => {
      const made = copies();
      const { top, a } = made;
      const leaving = waiting(leave[how](made));
      expect(leaving.wait.kind).toBe('shootdown');
      // The last one that names the block: no copy-on-write any more, and yet it must wait.
      const writer = waiting(top.start(Op.MAP, a, words(0, 4, 0x180)));
      expect(writer.wait.kind).toBe('event');
      expect(top.kernel.read(1, 2, 0x200)).toBe(10);
      top.serve(leaving.wait);
      expect(top.finish(leaving.operation).errno).toBe(Errno.OK);
      expect(top.finish(writer.operation).errno).toBe(Errno.OK);
      expect(top.kernel.write(0, 1, 0x180, 77)).toBe(true);
      expect([10, null]).toContain(top.kernel.read(1, 2, 0x200));
      expect(top.physmem.store.inflight.showing).toEqual([]);
      top.check();
    },
  );

  it('also when the translation had been unmapped a moment before, and that is still on its way', () => {
    const { top, a, b } = copies();
    const unmap = waiting(top.start(Op.UNMAP, PHYSMEM_CAP, [0x200 * PAGE, 4 * PAGE], [], 2));
    const leaving = waiting(top.start(Op.DEALLOCATE, b, [0, 4 * PAGE]));
    expect(leaving.wait.kind).toBe('event');
    const writer = waiting(top.start(Op.MAP, a, words(0, 4, 0x180)));
    expect(writer.wait.kind).toBe('event');
    expect(top.kernel.read(1, 2, 0x200)).toBe(10);
    top.serve(unmap.wait);
    top.finish(unmap.operation);
    top.finish(leaving.operation);
    expect(top.finish(writer.operation).errno).toBe(Errno.OK);
    expect(top.kernel.read(1, 2, 0x200)).toBeNull();
    top.check();
  });

  it('does not write it after a silent core either, but a block of its own', () => {
    const made = copies();
    const { top, a } = made;
    const leaving = waiting(leave.deallocate(made));
    const batch = batchOf(leaving);
    expect(told(silent(top, leaving))[0]).toBe('ETIMEDOUT');
    top.kernel.remote = 'never';
    const started = top.start(Op.MAP, a, words(0, 4, 0x180));
    if (isOperation(started)) top.finish(started);
    expect(top.kernel.write(0, 1, 0x180, 77)).toBe(true);
    expect(top.kernel.read(1, 2, 0x200)).toBe(10);
    answer(top, batch);
    expect(top.peek(1, a, 0)).toBe(77);
    top.check();
  });
});

describe('a silent core', () => {
  /** Task 1 unmapped a page, a core stays silent. */
  function afterSilence() {
    const { top, a } = world();
    const flight = waiting(top.start(Op.UNMAP, PHYSMEM_CAP, [0x100 * PAGE, PAGE], [], 1));
    const batch = batchOf(flight);
    expect(told(silent(top, flight))).toEqual(['ETIMEDOUT', 1, Reason.CORE_SILENT]);
    return { top, a, batch };
  }

  it.each([
    ['deallocate', Op.DEALLOCATE, [0, PAGE], 1],
    ['release', Op.RELEASE, [0, PAGE, 0], 1],
    ['lock', Op.LOCK, [MILLION], 0],
  ] as const)('makes %s refuse although it had nothing to take away itself', (_, op, args, amount) => {
    const { top, a, batch } = afterSilence();
    top.kernel.remote = 'never';
    const started = top.start(op, a, args);
    expect(told(isOperation(started) ? top.finish(started) : started)).toEqual([
      'ETIMEDOUT',
      amount,
      Reason.CORE_SILENT,
    ]);
    answer(top, batch);
    top.check();
    expect(top.must(top.call(Op.LOCK, a, [MILLION])).errno).toBe(Errno.OK);
  });

  it('makes a second unmap of the same page refuse, too, although nothing is there any more', () => {
    const { top, batch } = afterSilence();
    expect(told(top.unmap(1, 0x100, 1))).toEqual(['ETIMEDOUT', 0, Reason.CORE_SILENT]);
    answer(top, batch);
    expect(told(top.unmap(1, 0x100, 1)).slice(0, 2)).toEqual(['OK', 0]);
  });

  it('lets a lock not stand: the owner could still reach the memory (I27)', () => {
    const { top, a } = world();
    const flight = waiting(top.start(Op.LOCK, a, [MILLION], [], 2));
    const batch = batchOf(flight);
    expect(told(silent(top, flight))).toEqual(['ETIMEDOUT', 0, Reason.CORE_SILENT]);
    expect(Errno[top.call(Op.UNLOCK, a, [], [], 2).errno]).toBe('EPERM');
    answer(top, batch);
    top.check();
  });

  it('lets nothing new be mapped where it may still hold the old translation (I18)', () => {
    const { top, a, batch } = afterSilence();
    expect(told(top.map(1, a, 0, 1, 0x100))).toEqual(['ETIMEDOUT', 0, Reason.CORE_SILENT]);
    expect(top.kernel.mixture()).toBeNull();
    answer(top, batch);
    expect(top.map(1, a, 0, 1, 0x100).errno).toBe(Errno.OK);
    top.check();
  });

  it('F13: lets no frame move, because it may still write the old place (I31)', () => {
    const { top, a } = world();
    const frame = top.kernel.spaces.get(1)!.pages.get(0x100)!.frame;
    expect(frame).toBeGreaterThanOrEqual(64);
    const flight = waiting(top.start(Op.PIN, a, [0, PAGE, MILLION, PinFlag.DMA]));
    const batch = batchOf(flight);
    const reply = silent(top, flight);
    expect([...told(reply), reply.caps]).toEqual(['ETIMEDOUT', 0, Reason.CORE_SILENT, []]);
    expect(top.kernel.write(1, 1, 0x100, 77)).toBe(true);
    answer(top, batch);
    top.kernel.remote = 'never';
    expect(top.peek(2, a, 0)).toBe(77);
    expect(top.physmem.counters.movedFrames).toBe(0);
    top.check();
  });

  it('reads no later write of another logical copy through what it still holds (I29)', () => {
    const { top, a } = world();
    const b = top.container();
    top.kernel.remote = 'never';
    top.must(top.copy(a, 0, b, 0, 4));
    top.must(top.map(2, b, 0, 4, 0x200, ContainerRight.READ));
    top.kernel.read(1, 2, 0x200);
    top.kernel.remote = 'always';
    // b leaves the block that a keeps; a core of task 2 still reads it.
    const flight = waiting(top.start(Op.MAP, b, words(0, 1, 0x200), [], 2));
    const batch = batchOf(flight);
    expect(told(silent(top, flight))[0]).toBe('ETIMEDOUT');
    top.kernel.remote = 'never';
    const started = top.start(Op.MAP, a, words(0, 1, 0x180), [], 1);
    if (isOperation(started)) top.finish(started);
    expect(top.kernel.write(0, 1, 0x180, 1234)).toBe(true);
    expect(top.kernel.read(1, 2, 0x200)).toBe(10);
    answer(top, batch);
    expect(top.peek(1, a, 0)).toBe(1234);
    expect(top.peek(2, b, 0)).toBe(10);
    top.check();
  });

  it('is forgotten with its answer: success is success again', () => {
    const { top, a, batch } = afterSilence();
    answer(top, batch);
    top.kernel.remote = 'never';
    top.afterEach = () => top.check();
    expect(told(top.deallocate(a, 0, 4)).slice(0, 2)).toEqual(['OK', 4]);
  });
});
