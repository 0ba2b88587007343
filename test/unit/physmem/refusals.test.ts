/** Every way in which a request is refused: errno, amount, reason, argument and limit, and nothing has changed. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { AllocFlag, CapType, ContainerRight, ControlRight, CopyFlag } from '../../../src/abi/rights.ts';
import { Op, RPCS } from '../../../src/abi/rpcs.ts';
import type { CapRef } from '../../../src/abi/server.ts';
import { CONTROL_DEPTH_MAX, OBJECTS_BASE, OBJECTS_PER_FRAME } from '../../../src/physmem/control.ts';
import { BenchTop, PAGE, taskCap } from './bench-top.ts';

const SERVER: CapRef = { type: CapType.PHYSMEM, object: 0, rights: 0xffff };
let top: BenchTop;
let container: CapRef;
let other: CapRef;

beforeEach(() => {
  top = new BenchTop({ frames: 512, dmaEnd: 128 });
  top.task(1);
  container = top.container();
  other = top.container();
  top.must(top.allocate(container, 0, 8));
});

/** Asserts a refusal that changes nothing. */
function refused(
  [op, target, words, caps = [], task = 1]: [Op, CapRef, number[], CapRef[]?, number?],
  [errno, amount, reason, argument, limit]: [Errno, number, Reason, number, number],
): void {
  const before = JSON.stringify(snapshot());
  const reply = top.call(op, target, words, caps, task);
  expect([Errno[reply.errno], reply.words]).toEqual([Errno[errno], [amount, reason, argument, limit]]);
  if (amount === 0) expect(JSON.stringify(snapshot())).toBe(before);
}

const snapshot = () => {
  const { controls, containers, limiteds, zones } = top.physmem.store;
  return [controls.records, containers.records, limiteds.records, zones.freeFrames];
};
const without = (cap: CapRef, rights: number): CapRef => ({ ...cap, rights: cap.rights & ~rights });

describe('requests that are refused', () => {
  it('names an operation that the object does not have', () => {
    const none = Errno.ENOSYS;
    refused([999 as Op, container, []], [none, 0, Reason.UNKNOWN_OP, 0, 999]);
    refused([Op.ALLOCATE, top.root, [0, PAGE, 0]], [none, 0, Reason.UNKNOWN_OP, 0, Op.ALLOCATE]);
    refused([Op.CONTROL_SPLIT, container, [1]], [none, 0, Reason.UNKNOWN_OP, 0, Op.CONTROL_SPLIT]);
    const limited = top.share(container, 1);
    refused([Op.DEALLOCATE, limited, [0, PAGE]], [none, 0, Reason.UNKNOWN_OP, 0, Op.DEALLOCATE]);
  });

  it('sponsors a task that is dead', () => {
    top.kernel.deadTasks.add(9);
    refused([Op.CONTROL_SPONSOR, top.root, [], [taskCap(9)]], [Errno.ESRCH, 0, Reason.DEAD_OBJECT, 1, 0]);
  });

  it('has too few or too many words or capabilities', () => {
    refused([Op.ALLOCATE, container, [0, PAGE]], [Errno.EMSGSIZE, 0, Reason.BAD_COUNT, 0, 3]);
    refused([Op.DEALLOCATE, container, [0, PAGE, 0]], [Errno.EMSGSIZE, 0, Reason.BAD_COUNT, 0, 2]);
    refused([Op.COPY, container, [0, 0, PAGE, 0]], [Errno.EMSGSIZE, 0, Reason.BAD_COUNT, 0, 1]);
    refused(
      [Op.MAP, container, [0, PAGE, PAGE, 1, 0], [taskCap(1), taskCap(1)]],
      [Errno.EMSGSIZE, 0, Reason.BAD_COUNT, 0, 1],
    );
  });

  it('lacks a right, for every right in the table', () => {
    for (const { op, on, rights, args, list } of RPCS) {
      if (rights.length === 0) continue;
      const target = on.includes('control') ? top.root : container;
      const right = on.includes('control')
        ? ControlRight[rights[0] as 'SPLIT']
        : ContainerRight[rights[0] as 'READ'];
      const row = RPCS.find((one) => one.op === op)!;
      const caps = row.caps.map(() => other);
      const words = new Array<number>(args.length + (list === undefined ? 0 : list.words - 1)).fill(0);
      refused([op, without(target, right), words, caps], [Errno.EPERM, 0, Reason.MISSING_RIGHT, 0, right]);
    }
  });

  it('asks for access that the capability does not give', () => {
    const words = [0, PAGE, PAGE, 3, 0];
    const { WRITE, READ, EXECUTE } = ContainerRight;
    refused([Op.MAP, without(container, WRITE), words], [Errno.EPERM, 0, Reason.MISSING_RIGHT, 0, WRITE]);
    words[3] = WRITE;
    refused([Op.MAP, without(container, READ), words], [Errno.EPERM, 0, Reason.MISSING_RIGHT, 0, READ]);
    words[3] = READ | EXECUTE;
    refused([Op.MAP, without(container, EXECUTE), words], [Errno.EPERM, 0, Reason.MISSING_RIGHT, 0, EXECUTE]);
    const task = { ...taskCap(1), rights: 1 };
    refused([Op.MAP, container, words, [task]], [Errno.EPERM, 0, Reason.MISSING_RIGHT, 6, 2]);
    refused([Op.MAP, container, words, [other]], [Errno.EBADF, 0, Reason.WRONG_TYPE, 6, 0]);
  });

  it('gives a range that is not aligned, empty, or beyond the end', () => {
    const of = (start: number, size: number): [Op, CapRef, number[]] => [
      Op.DEALLOCATE,
      container,
      [start, size],
    ];
    refused(of(1, PAGE), [Errno.EINVAL, 0, Reason.UNALIGNED, 1, PAGE]);
    refused(of(0, PAGE + 1), [Errno.EINVAL, 0, Reason.UNALIGNED, 2, PAGE]);
    refused(of(0, 0), [Errno.EINVAL, 0, Reason.ZERO_SIZE, 2, 0]);
    refused(of(0xfffff000, 2 * PAGE), [Errno.EINVAL, 0, Reason.WRAPS, 1, 0]);
    top.must(top.call(Op.ALLOCATE, container, [0xfffff000, PAGE, 0]));
    top.must(top.call(Op.DEALLOCATE, container, [0xfffff000, PAGE]));
  });

  it('maps outside of user space', () => {
    const at = (vaddr: number): [Op, CapRef, number[]] => [Op.MAP, container, [0, 2 * PAGE, vaddr, 1, 0]];
    refused(at(0), [Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 3, PAGE]);
    refused(at(0x1800), [Errno.EINVAL, 0, Reason.UNALIGNED, 3, PAGE]);
    refused(at(0xffc00000 - PAGE), [Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 3, 0xffc00000]);
    refused([Op.MAP, container, [0, PAGE, PAGE, 0, 0]], [Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 4, 7]);
    refused([Op.MAP, container, [0, PAGE, PAGE, 9, 0]], [Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 4, 7]);
    refused([Op.UNMAP, SERVER, [0xffc00000, PAGE]], [Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 1, 0xffc00000]);
  });

  it('has unknown or contradictory flags', () => {
    const { SHARED, MOVE } = CopyFlag;
    refused([Op.ALLOCATE, container, [0, PAGE, 64]], [Errno.EINVAL, 0, Reason.UNKNOWN_FLAG, 3, 31]);
    refused([Op.RELEASE, container, [0, PAGE, 2]], [Errno.EINVAL, 0, Reason.UNKNOWN_FLAG, 3, 1]);
    refused([Op.RECOVER, container, [0, PAGE, 1]], [Errno.EINVAL, 0, Reason.UNKNOWN_FLAG, 3, 8]);
    refused([Op.MAP, container, [0, PAGE, PAGE, 1, 2]], [Errno.EINVAL, 0, Reason.UNKNOWN_FLAG, 5, 1]);
    refused([Op.COPY, container, [0, 0, PAGE, 32], [other]], [Errno.EINVAL, 0, Reason.UNKNOWN_FLAG, 4, 15]);
    refused(
      [Op.COPY, container, [0, 0, PAGE, SHARED | MOVE], [other]],
      [Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 4, MOVE],
    );
  });

  it('splits more than there is, or nothing', () => {
    const { free } = top.credit(top.root);
    refused([Op.CONTROL_SPLIT, top.root, [0]], [Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 1, free]);
    refused([Op.CONTROL_SPLIT, top.root, [free + 1]], [Errno.ENOMEM, 0, Reason.NO_CREDIT, 0, free]);
    refused([Op.CONTROL_SPLIT, top.root, [0xffffffff]], [Errno.ENOMEM, 0, Reason.NO_CREDIT, 0, free]);
    refused([Op.CONTROL_DESTROY, top.root, []], [Errno.EPERM, 0, Reason.IS_ROOT, 0, 0]);
  });

  it('nests controls or creates objects beyond the bounds of the server', () => {
    let control = top.root;
    for (let depth = 0; depth < CONTROL_DEPTH_MAX; depth += 1) control = top.split(control, 40 - depth);
    refused([Op.CONTROL_SPLIT, control, [1]], [Errno.ENOMEM, 0, Reason.QUOTA, 0, CONTROL_DEPTH_MAX]);
    const small = top.split(top.root, 1);
    const quota = OBJECTS_BASE + OBJECTS_PER_FRAME;
    const first = top.container(small);
    for (let i = 1; i < quota; i += 1) top.container(small);
    refused([Op.CONTAINER_CREATE, small, []], [Errno.ENOMEM, 0, Reason.QUOTA, 0, quota]);
    refused([Op.SHARE, first, [1]], [Errno.ENOMEM, 0, Reason.QUOTA, 0, quota]);
    top.must(top.call(Op.CONTAINER_DESTROY, first));
    top.container(small);
  });

  it('names an occupied page, a hole, or runs out of credit, exactly at byte `amount`', () => {
    const { ALL_OR_NONE, SQUASH } = AllocFlag;
    top.must(top.deallocate(container, 3, 2));
    const occupied: [Errno, number, Reason, number, number] = [
      Errno.EEXIST,
      2 * PAGE,
      Reason.OCCUPIED,
      1,
      5 * PAGE,
    ];
    refused([Op.ALLOCATE, container, [3 * PAGE, 4 * PAGE, 0]], occupied);
    const small = top.container(top.split(top.root, 3));
    const shortage: [Errno, number, Reason, number, number] = [Errno.ENOMEM, 0, Reason.NO_CREDIT, 0, 3];
    refused([Op.ALLOCATE, small, [0, 4 * PAGE, ALL_OR_NONE]], shortage);
    shortage[1] = 3 * PAGE;
    refused([Op.ALLOCATE, small, [0, 4 * PAGE, 0]], shortage);
    refused([Op.ALLOCATE, small, [PAGE, 4 * PAGE, SQUASH]], [Errno.ENOMEM, 2 * PAGE, Reason.NO_CREDIT, 0, 0]);
    refused(
      [Op.MAP, container, [PAGE, 8 * PAGE, PAGE, 1, 0]],
      [Errno.ENOENT, 7 * PAGE, Reason.HOLE, 1, 8 * PAGE],
    );
    refused(
      [Op.COPY, container, [0, 0, 4 * PAGE, CopyFlag.MOVE], [small]],
      [Errno.EEXIST, 0, Reason.OCCUPIED, 2, 0],
    );
    refused(
      [Op.COPY, container, [0, 8 * PAGE, 4 * PAGE, CopyFlag.MOVE], [small]],
      [Errno.ENOMEM, 0, Reason.NO_CREDIT, 0, 0],
    );
  });

  it('maps without an address space, or without credit for a page table', () => {
    refused([Op.MAP, container, [0, PAGE, PAGE, 1, 0], [], 9], [Errno.ENOMEM, 0, Reason.NOT_SPONSORED, 0, 0]);
    const three = top.split(top.root, 3);
    top.task(2, three);
    refused(
      [Op.MAP, container, [0, PAGE, PAGE, 1, 0], [], 2],
      [Errno.ENOMEM, 0, Reason.NO_TABLE_CREDIT, 0, 0],
    );
    refused([Op.CONTROL_SPONSOR, top.root, [], [taskCap(2)]], [Errno.EEXIST, 0, Reason.OCCUPIED, 1, 0]);
    refused([Op.CONTROL_SPONSOR, three, [], [taskCap(3)]], [Errno.ENOMEM, 0, Reason.NO_CREDIT, 0, 0]);
    refused([Op.CONTROL_SPONSOR, top.root, [], [other]], [Errno.EBADF, 0, Reason.WRONG_TYPE, 1, 0]);
  });

  it('uses a limited capability for more than it is for (F16)', () => {
    const { READ, WRITE, COPY_OUT, SHARE, ALLOCATE, QUERY } = ContainerRight;
    refused([Op.SHARE, container, [ALLOCATE]], [Errno.EPERM, 0, Reason.MISSING_RIGHT, 0, ALLOCATE]);
    refused([Op.SHARE, container, [0]], [Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 1, 0xfff]);
    refused([Op.SHARE, container, [0x1000]], [Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 1, 0xfff]);
    const limited = top.share(container, READ | COPY_OUT | SHARE);
    refused([Op.SHARE, limited, [READ | WRITE]], [Errno.EPERM, 0, Reason.MISSING_RIGHT, 0, WRITE]);
    refused([Op.CONTAINER_QUERY, limited, [0, PAGE]], [Errno.EPERM, 0, Reason.MISSING_RIGHT, 0, QUERY]);
    const { SHARED, MOVE } = CopyFlag;
    refused(
      [Op.COPY, limited, [0, 0, PAGE, SHARED], [other]],
      [Errno.EPERM, 0, Reason.MISSING_RIGHT, 0, WRITE],
    );
    refused([Op.COPY, limited, [0, 0, PAGE, MOVE], [other]], [Errno.EPERM, 0, Reason.MISSING_RIGHT, 0, 16]);
  });

  it('names an object that is gone, also when its number was used again (F17)', () => {
    top.must(top.call(Op.CONTAINER_DESTROY, other));
    refused([Op.ALLOCATE, other, [0, PAGE, 0]], [Errno.EBADF, 0, Reason.DEAD_OBJECT, 0, 0]);
    const again = top.container();
    expect(again.object).not.toBe(other.object);
    refused([Op.ALLOCATE, other, [0, PAGE, 0]], [Errno.EBADF, 0, Reason.DEAD_OBJECT, 0, 0]);
    refused([Op.COPY, container, [0, 0, PAGE, 0], [other]], [Errno.EBADF, 0, Reason.DEAD_OBJECT, 5, 0]);
    refused([Op.COPY, container, [0, 0, PAGE, 0], [taskCap(1)]], [Errno.EBADF, 0, Reason.WRONG_TYPE, 5, 0]);
    const limited = top.share(container, 1);
    refused([Op.REVOKE, again, [], [limited]], [Errno.EINVAL, 0, Reason.OUT_OF_RANGE, 1, 0]);
    refused([Op.REVOKE, container, [], [again]], [Errno.EBADF, 0, Reason.WRONG_TYPE, 1, 0]);
    top.must(top.revoke(container, limited));
    refused([Op.REVOKE, container, [], [limited]], [Errno.EBADF, 0, Reason.DEAD_OBJECT, 1, 0]);
    refused([Op.MAP, limited, [0, PAGE, PAGE, 1, 0]], [Errno.EBADF, 0, Reason.DEAD_OBJECT, 0, 0]);
    const child = top.split(top.root, 5);
    top.must(top.call(Op.CONTROL_DESTROY, child));
    refused([Op.CONTROL_QUERY, child, []], [Errno.EBADF, 0, Reason.DEAD_OBJECT, 0, 0]);
  });
});
