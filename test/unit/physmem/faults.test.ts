/** Fault switches: each breaks its rule, and something notices. And: no single failed allocation does harm. */
import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { KernelEv } from '../../../src/abi/events.ts';
import { Fault } from '../../../src/abi/fault-switches.ts';
import { AllocFlag, CopyFlag, PinFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { RpcReply } from '../../../src/abi/server.ts';
import type { PhysmemFaults } from '../../../src/physmem/faults.ts';
import { BenchTop, PAGE, taskCap } from './bench-top.ts';

function world(faults: Partial<PhysmemFaults>) {
  const top = new BenchTop({ frames: 256, dmaEnd: 64, options: { faults } });
  top.kernel.recordEvents = true;
  top.task(1);
  top.task(2);
  const a = top.container();
  top.must(top.allocate(a, 0, 4));
  top.must(top.map(1, a, 0, 4, 0x100));
  for (let page = 0; page < 4; page += 1) top.kernel.write(1, 1, 0x100 + page, 10 + page);
  return { top, a };
}

const told = (top: BenchTop): number[] =>
  top.kernel.events.filter(([kind]) => kind === KernelEv.FaultInjected).map(([, fault]) => fault!);

describe('fault switches', () => {
  it('freeBeforeFlush: the free of memory that a TLB still holds is noticed (I19)', () => {
    const { top, a } = world({ freeBeforeFlush: 'on' });
    top.kernel.remote = 'always';
    expect(() => top.deallocate(a, 0, 1)).toThrow('I19');
    expect(told(top)).toContain(Fault.FREE_BEFORE_FLUSH);
  });

  it('keepWriteAccess: a writable map of a shared block is noticed (I17)', () => {
    const { top, a } = world({ keepWriteAccess: 'on' });
    const b = top.container();
    expect(() => top.copy(a, 0, b, 0, 4)).toThrow('I17');
    expect(told(top)).toContain(Fault.KEEP_WRITE_ACCESS);
  });

  it('ignorePins: a pinned block that is free is noticed (I24)', () => {
    const { top, a } = world({ ignorePins: 'on' });
    top.must(top.call(Op.PIN, a, [0, PAGE, 100_000, 0]));
    expect(() => top.deallocate(a, 0, 1)).toThrow('I24');
  });

  it('skipZeroing: the next user sees what was left (I29)', () => {
    const { top, a } = world({ skipZeroing: 'on' });
    expect(top.peek(2, a, 0)).toBe(10);
    const b = top.container();
    top.must(top.allocate(b, 0, 1));
    expect(top.peek(2, b, 0)).not.toBe(0);
    expect(told(top)).toContain(Fault.SKIP_ZEROING);
  });
});

/** A program that takes blocks in every way there is; returns the replies. */
function program(top: BenchTop): RpcReply[] {
  const replies: RpcReply[] = [];
  const note = (reply: RpcReply): RpcReply => {
    replies.push(reply);
    return reply;
  };
  const control = note(top.call(Op.CONTROL_SPLIT, top.root, [120])).caps[0]!;
  note(top.call(Op.CONTROL_SPONSOR, control, [], [taskCap(1)]));
  const [a, b, c] = [top.container(control), top.container(control), top.container(control)];
  note(top.allocate(a, 0, 13));
  note(top.map(1, a, 0, 13, 0x3fb));
  note(top.copy(a, 0, b, 0, 13));
  note(top.map(1, b, 2, 9, 0x800));
  note(top.allocate(c, 0, 5, AllocFlag.CONTIGUOUS));
  note(top.allocate(c, 8, 4, AllocFlag.DMA));
  note(top.map(1, c, 8, 4, 0x900));
  note(top.call(Op.PIN, a, [0, 4 * PAGE, 1000, PinFlag.DMA]));
  note(top.copy(a, 0, c, 20, 6));
  note(top.copy(a, 6, c, 30, 4, CopyFlag.MOVE));
  note(top.release(b, 0, 6));
  note(top.map(1, b, 0, 6, 0xa00));
  note(top.deallocate(a, 1, 4));
  top.kernel.time += 10_000;
  note(top.call(Op.CONTROL_DESTROY, control));
  return replies;
}

describe('a failed allocation', () => {
  it('at any place is refused or made good, loses no credit and leaves a good state', () => {
    const calm = new BenchTop({
      frames: 256,
      dmaEnd: 64,
      options: { faults: { failAllocation: 1_000_000 } },
    });
    expect(program(calm).map(({ errno }) => errno)).toEqual(new Array(16).fill(Errno.OK));
    const attempts = calm.physmem.counters.blockRequests;
    expect(attempts).toBeGreaterThan(12);
    let refused = 0;
    for (let n = 1; n <= attempts; n += 1) {
      const top = new BenchTop({ frames: 256, dmaEnd: 64, options: { faults: { failAllocation: n } } });
      top.kernel.remote = n % 2 === 0 ? 'always' : 'never';
      const before = top.credit(top.root);
      for (const { errno, words } of program(top)) {
        if (errno === Errno.OK) continue;
        refused += 1;
        const reasons = [Reason.NO_BLOCK, Reason.NO_DMA, Reason.NOT_SPONSORED, Reason.HOLE];
        expect(reasons, `attempt ${n}: ${Errno[errno]} ${words.join(' ')}`).toContain(words[1]);
      }
      expect(top.credit(top.root)).toEqual(before);
      expect(top.physmem.store.zones.freeFrames).toBe(256);
    }
    expect(refused).toBeGreaterThan(5);
  });
});
