/** Cases of docs/adversarial-cases.md that have no better place. After every call the whole-state checker runs. */
import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { CapType, CopyFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { Operation, RpcReply } from '../../../src/abi/server.ts';
import { BenchTop, outcome, PAGE } from './bench-top.ts';

const isOperation = (answer: RpcReply | Operation): answer is Operation => !('errno' in answer);

/** Lets operations take steps in turn until all have ended; returns their replies. */
function landTogether(top: BenchTop, answers: readonly (RpcReply | Operation)[]): RpcReply[] {
  const replies: RpcReply[] = [];
  for (let rounds = 0; replies.filter(Boolean).length < answers.length; rounds += 1) {
    if (rounds > 1000) throw new Error('I38: nothing can go on');
    for (const [i, answer] of answers.entries()) {
      if (replies[i] !== undefined) continue;
      if (!isOperation(answer)) replies[i] = answer;
      else {
        const step = answer.next('done');
        if (step.done === true) replies[i] = step.value;
        else if (step.value.kind === 'shootdown') top.kernel.acknowledge(step.value.batch);
      }
    }
  }
  return replies;
}

/** A control with a task 2 and a container of 4 pages that task 1 and 2 have mapped and in their TLBs. */
function family() {
  const top = new BenchTop({ frames: 256, dmaEnd: 64 });
  top.task(1);
  const control = top.split(top.root, 40);
  top.task(2, control);
  const a = top.container(control);
  top.must(top.allocate(a, 0, 4));
  for (const task of [1, 2]) {
    top.must(top.map(task, a, 0, 4, 0x100));
    for (let page = 0; page < 4; page += 1) top.kernel.write(page % 2, task, 0x100 + page, 5);
  }
  top.kernel.remote = 'always';
  return { top, control, a };
}

describe('adversarial cases', () => {
  it('F19: a split of nothing, of more than is free, of the largest word is refused and changes nothing', () => {
    const { top, control } = family();
    const before = top.credit(control);
    for (const frames of [0, before.free + 1, 2 ** 31, 2 ** 32 - 1]) {
      expect(Errno[top.call(Op.CONTROL_SPLIT, control, [frames]).errno]).toBe(
        frames === 0 ? 'EINVAL' : 'ENOMEM',
      );
      expect(top.credit(control)).toEqual(before);
    }
  });

  it('F20: a control is destroyed while an allocation in it waits, and while one comes: credit is whole', () => {
    const { top, control, a } = family();
    top.afterEach = () => {};
    const squash = top.start(Op.ALLOCATE, a, [0, 2 * PAGE, 2]);
    const destroy = top.start(Op.CONTROL_DESTROY, control);
    const late = top.start(Op.ALLOCATE, a, [8 * PAGE, PAGE, 0]);
    const [first, second, third] = landTogether(top, [squash, destroy, late]).map(
      ({ errno }) => Errno[errno],
    );
    expect([first, second, third]).toEqual(['OK', 'OK', 'EBUSY']);
    top.check();
    expect(top.credit(top.root)).toMatchObject({ given: 0, total: 256 });
  });

  it('F21: a task destroys the control that pays for its own space and memory', () => {
    const { top, control } = family();
    top.must(top.call(Op.CONTROL_DESTROY, control, [], [], 2));
    expect(top.kernel.spaces.has(2)).toBe(false);
    expect(top.kernel.read(0, 2, 0x100)).toBeNull();
    expect(top.credit(top.root).given).toBe(0);
  });

  it('F22: two tasks share a control; when it is destroyed both lose all, and no TLB keeps anything', () => {
    const { top, control, a } = family();
    top.must(top.call(Op.CONTROL_DESTROY, control));
    for (const core of [0, 1])
      expect([top.kernel.read(core, 1, 0x101), top.kernel.read(core, 2, 0x101)]).toEqual([null, null]);
    expect(top.kernel.revoked).toContainEqual({ type: CapType.CONTROL, object: control.object });
    expect(
      [top.allocate(a, 9, 1), top.call(Op.CONTROL_SPLIT, control, [1])].map(({ errno }) => Errno[errno]),
    ).toEqual(['EBADF', 'EBADF']);
  });

  it('F25: A is copied to B while B is copied to A, by COW, sharing and moving: no deadlock', () => {
    for (const flags of [0, CopyFlag.SHARED, CopyFlag.MOVE]) {
      const { top, a } = family();
      const b = top.container();
      top.must(top.allocate(b, 8, 4));
      top.must(top.map(1, b, 8, 4, 0x200));
      top.afterEach = () => {};
      const both = [
        top.start(Op.COPY, a, [0, 0, 4 * PAGE, flags], [b]),
        top.start(Op.COPY, b, [8 * PAGE, 8 * PAGE, 4 * PAGE, flags], [a], 2),
      ];
      expect(landTogether(top, both).map(outcome)).toEqual([
        ['OK', 4],
        ['OK', 4],
      ]);
      top.check();
    }
  });

  it('F27: a copy is broken although no block is large enough, down to single frames', () => {
    const top = new BenchTop({ frames: 64, dmaEnd: 16 });
    top.task(1);
    const [a, b, filler] = [top.container(), top.container(), top.container()];
    top.must(top.allocate(a, 0, 8));
    for (let page = 0; page < 8; page += 1) top.poke(1, a, page, 10 + page);
    top.must(top.copy(a, 0, b, 0, 8));
    const { free } = top.credit(top.root);
    for (let page = 0; page < free - 1; page += 1) top.must(top.allocate(filler, page, 1));
    top.must(top.map(1, filler, 0, free - 1, 0x200));
    for (let page = 0; page < 16; page += 2) top.must(top.deallocate(filler, page, 1));
    expect(outcome(top.map(1, b, 0, 8, 0x100, 3))).toEqual(['OK', 8]);
    for (let page = 0; page < 8; page += 1) top.kernel.write(0, 1, 0x100 + page, 90 + page);
    expect([0, 7].map((page) => top.peek(1, a, page))).toEqual([10, 17]);
  });

  it('F28: a chain of 300 copies and 300 sharers of one frame; the first one goes, the others keep the bytes', () => {
    const top = new BenchTop({ frames: 2048, dmaEnd: 64 });
    top.task(1);
    const first = top.container();
    top.must(top.allocate(first, 0, 1));
    top.poke(1, first, 0, 7);
    top.afterEach = () => {};
    const chain = [first];
    for (let depth = 0; depth < 300; depth += 1) {
      const next = top.container();
      top.must(top.copy(chain.at(-1)!, 0, next, 0, 1));
      top.must(top.copy(first, 0, next, 1, 1, CopyFlag.SHARED));
      chain.push(next);
    }
    top.must(top.call(Op.CONTAINER_DESTROY, first));
    top.poke(1, chain[150]!, 0, 8);
    expect([1, 149, 151, 300].map((depth) => top.peek(1, chain[depth]!, 0))).toEqual([7, 7, 7, 7]);
    top.poke(1, chain[1]!, 1, 9);
    expect(top.peek(1, chain[300]!, 1)).toBe(9);
    top.check();
  });

  it('F36: one page in each 4 MiB region costs a page table each, until the credit is used up', () => {
    const { top, a, control } = family();
    const { free } = top.credit(control);
    let tables = 0;
    for (; tables < 100; tables += 1) {
      const reply = top.map(2, a, 0, 1, 0x800 + 1024 * tables);
      if (reply.errno === Errno.OK) continue;
      expect(reply.words[1]).toBe(Reason.NO_TABLE_CREDIT);
      break;
    }
    expect(tables).toBe(free);
    expect(top.credit(control).free).toBe(0);
  });
});
