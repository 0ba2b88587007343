import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { AllocFlag, ContainerRight } from '../../../src/abi/rights.ts';
import { LOCK_CYCLES_MAX, Op } from '../../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply } from '../../../src/abi/server.ts';
import { BenchTop, PAGE } from './bench-top.ts';

const { READ, WRITE, LOCK, COPY_OUT, COPY_IN } = ContainerRight;
const OWNER = 1;
const HOLDER = 2;
const CYCLES = 1000;

/** Task 1 owns 4 pages and maps them; task 2 has a limited capability that may lock, and maps two of them. */
function world(remote: 'always' | 'never' = 'always') {
  const top = new BenchTop({ frames: 256, dmaEnd: 64 });
  top.kernel.remote = remote;
  top.task(OWNER);
  top.task(HOLDER);
  const a = top.container();
  top.must(top.allocate(a, 0, 4));
  const limited = top.share(a, READ | WRITE | LOCK | COPY_OUT | COPY_IN);
  top.must(top.map(OWNER, a, 0, 4, 0x100));
  top.must(top.map(HOLDER, limited, 0, 2, 0x200));
  top.kernel.write(0, OWNER, 0x101, 5);
  top.kernel.charge = () => {};
  return { top, a, limited };
}

const lock = (top: BenchTop, cap: CapRef, cycles = CYCLES, task = HOLDER): RpcReply =>
  top.call(Op.LOCK, cap, [cycles], [], task);
const unlock = (top: BenchTop, cap: CapRef, task = HOLDER): RpcReply =>
  top.call(Op.UNLOCK, cap, [], [], task);

/** Everything that the owner may not do during a lock. */
function ownerRequests(top: BenchTop, a: CapRef): RpcReply[] {
  const other = top.container();
  top.must(top.allocate(other, 0, 1));
  return [
    top.map(OWNER, a, 0, 1, 0x100),
    top.copy(a, 0, other, 4, 1),
    top.copy(other, 0, a, 8, 1),
    top.allocate(a, 8, 1),
    top.allocate(a, 0, 1, AllocFlag.SQUASH),
    top.deallocate(a, 0, 1),
    top.release(a, 0, 1),
    top.call(Op.CONTAINER_DESTROY, a),
  ];
}

describe('locking a container', () => {
  it('takes the maps of everybody but the holder, who works on undisturbed (I27)', () => {
    const { top, a, limited } = world();
    top.kernel.time = 5000;
    top.must(lock(top, limited));
    expect(top.kernel.read(1, OWNER, 0x101)).toBeNull();
    expect(top.kernel.read(0, HOLDER, 0x201)).toBe(5);
    for (const reply of ownerRequests(top, a)) {
      expect([reply.errno, reply.words[1], reply.words[3]]).toEqual([Errno.EBUSY, Reason.LOCKED, CYCLES]);
    }
    top.must(top.map(HOLDER, limited, 2, 2, 0x202));
    top.must(top.call(Op.COPY, limited, [0, 0x20 * PAGE, PAGE, 0], [limited], HOLDER));
    expect(top.states(a, 0, 1)[0]! & 1).toBe(1);
    top.must(unlock(top, limited));
    top.must(top.map(OWNER, a, 0, 4, 0x100));
    expect(top.kernel.read(0, HOLDER, 0x201)).toBe(5);
  });

  it('ends by itself when its time is over (I26)', () => {
    const { top, a, limited } = world();
    top.must(lock(top, limited));
    top.kernel.time += CYCLES - 1;
    expect(top.map(OWNER, a, 0, 1, 0x100).words[3]).toBe(1);
    top.kernel.time += 1;
    top.must(top.map(OWNER, a, 0, 1, 0x100));
    expect(unlock(top, limited).words[1]).toBe(Reason.NOT_HOLDER);
  });

  it('ends with its holder, by death or with the capability', () => {
    const { top, a, limited } = world();
    top.must(lock(top, limited));
    top.taskDied(HOLDER);
    top.must(top.map(OWNER, a, 0, 1, 0x100));
    top.task(3);
    top.must(lock(top, limited, CYCLES, 3));
    top.finish(top.physmem.capDropped(3, { ...limited, rights: READ })!);
    expect(top.map(OWNER, a, 0, 1, 0x100).errno).toBe(Errno.EBUSY);
    top.finish(top.physmem.capDropped(3, { ...limited, rights: LOCK })!);
    top.must(top.map(OWNER, a, 0, 1, 0x100));
  });

  it('is refused for a bad time, without the right, and while there is a lock, also to its holder', () => {
    const { top, a, limited } = world();
    const reason = (reply: RpcReply) => [Errno[reply.errno], reply.words[1], reply.words[3]];
    expect(reason(lock(top, limited, 0))).toEqual(['EINVAL', Reason.OUT_OF_RANGE, LOCK_CYCLES_MAX]);
    expect(reason(lock(top, limited, LOCK_CYCLES_MAX + 1))).toEqual([
      'EINVAL',
      Reason.OUT_OF_RANGE,
      LOCK_CYCLES_MAX,
    ]);
    expect(reason(lock(top, { ...limited, rights: 1 }))).toEqual(['EPERM', Reason.MISSING_RIGHT, LOCK]);
    expect(reason(unlock(top, limited))).toEqual(['EPERM', Reason.NOT_HOLDER, 0]);
    top.must(lock(top, limited, LOCK_CYCLES_MAX));
    expect(reason(lock(top, limited, 1))).toEqual(['EBUSY', Reason.LOCKED, LOCK_CYCLES_MAX]);
    expect(reason(lock(top, a, 1, OWNER))).toEqual(['EBUSY', Reason.LOCKED, LOCK_CYCLES_MAX]);
    expect(reason(unlock(top, a, OWNER))).toEqual(['EPERM', Reason.NOT_HOLDER, 0]);
    expect(reason(unlock(top, limited, OWNER))).toEqual(['EPERM', Reason.NOT_HOLDER, 0]);
  });

  it('lets a waiting revocation come before any new lock: nobody locks for ever (I28)', () => {
    const { top, a, limited } = world();
    top.must(lock(top, limited));
    const revoke = top.start(Op.REVOKE, a, [], [limited]) as Operation;
    const wait = revoke.next('done');
    expect(wait.value).toMatchObject({ kind: 'event', deadlineCycles: top.kernel.time + CYCLES });
    top.must(unlock(top, limited));
    expect(lock(top, limited).errno).toBe(Errno.EBUSY);
    expect(top.finish(revoke).errno).toBe(Errno.OK);
    expect(lock(top, limited).errno).toBe(Errno.EBADF);
    expect(top.kernel.read(0, HOLDER, 0x201)).toBeNull();
    top.must(top.map(OWNER, a, 0, 1, 0x100));
  });

  it('lets a revocation give up at the end of its call’s time, and then the holder lock again', () => {
    const { top, a, limited } = world();
    top.must(lock(top, limited));
    const revoke = top.start(Op.REVOKE, a, [], [limited]) as Operation;
    revoke.next('done');
    const step = revoke.next('timeout');
    expect(step.done && Errno[step.value.errno]).toBe('ETIMEDOUT');
    top.must(unlock(top, limited));
    top.must(lock(top, limited));
  });

  it('can be ended by its holder while its container waits to be destroyed', () => {
    const { top } = world('never');
    const control = top.split(top.root, 30);
    const a = top.container(control);
    top.must(top.allocate(a, 0, 4));
    const limited = top.share(a, LOCK);
    top.must(lock(top, limited));
    top.afterEach = () => {};
    const destroy = top.start(Op.CONTROL_DESTROY, control) as Operation;
    expect(destroy.next('done').value).toMatchObject({ kind: 'event' });
    expect(top.allocate(a, 32, 1).errno).toBe(Errno.EBUSY);
    top.must(unlock(top, limited));
    expect(top.finish(destroy).errno).toBe(Errno.OK);
    top.check();
  });

  it('delays the destruction of the control for the rest of its time, and no longer', () => {
    const { top } = world('never');
    const control = top.split(top.root, 30);
    const a = top.container(control);
    top.must(top.allocate(a, 0, 4));
    top.must(top.map(HOLDER, a, 0, 1, 0x300));
    top.must(lock(top, a));
    top.afterEach = () => {};
    const destroy = top.start(Op.CONTROL_DESTROY, control) as Operation;
    expect(destroy.next('done').value).toMatchObject({ kind: 'event' });
    expect(top.kernel.read(0, HOLDER, 0x300)).toBe(0);
    top.kernel.time += CYCLES;
    const step = destroy.next('timeout');
    if (step.done !== true) {
      top.serve(step.value);
      top.finish(destroy);
    }
    expect(top.kernel.read(0, HOLDER, 0x300)).toBeNull();
    expect(top.credit(top.root).given).toBe(0);
    top.check();
  });

  it('waits for an operation that began before it, and refuses what came after', () => {
    const { top, a, limited } = world();
    top.afterEach = () => {};
    const before = top.start(Op.DEALLOCATE, a, [0, PAGE]) as Operation;
    const shootdown = before.next('done');
    const locking = top.start(Op.LOCK, limited, [CYCLES], [], HOLDER) as Operation;
    expect(locking.next('done').value).toMatchObject({ kind: 'event' });
    const after = top.start(Op.MAP, a, [PAGE, PAGE, 0x100 * PAGE, 1, 0], [], OWNER) as Operation;
    expect(after.next('done').value).toMatchObject({ kind: 'event' });
    if (shootdown.done !== true) top.serve(shootdown.value);
    expect(top.finish(before).errno).toBe(Errno.OK);
    expect(top.finish(locking).errno).toBe(Errno.OK);
    expect(top.finish(after).errno).toBe(Errno.EBUSY);
    top.check();
  });
});
