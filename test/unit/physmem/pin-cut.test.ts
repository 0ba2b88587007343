/** Pins beside what takes the memory under them away: revocation of a shared copy, and a replacement. */
import { describe, expect, it } from 'vitest';
import { AllocFlag, CapType, CopyFlag, PinFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { CapRef, Operation } from '../../../src/abi/server.ts';
import { BenchTop, PAGE } from './bench-top.ts';

const PHYSMEM: CapRef = { type: CapType.PHYSMEM, object: 0, rights: 0 };
const RIGHTS = 1 | 2 | 32;

function world() {
  const top = new BenchTop({ frames: 256, dmaEnd: 64 });
  top.kernel.charge = () => {};
  top.kernel.remote = 'always';
  top.task(1);
  top.drivers.add(1);
  const [a, b] = [top.container(), top.container()];
  top.must(top.allocate(a, 0, 2));
  for (const page of [0, 1]) top.poke(1, a, page, 10 + page);
  return { top, a, b };
}

describe('a pin', () => {
  it('keeps memory in place that a revocation cuts off from everybody else', () => {
    const { top, a, b } = world();
    const limited = top.share(a, RIGHTS);
    top.must(top.copy(limited, 0, b, 0, 2, CopyFlag.SHARED));
    const pin = top.must(top.call(Op.PIN, b, [0, 2 * PAGE, 1000, 0]));
    top.must(top.deallocate(a, 0, 2));
    top.must(top.revoke(a, limited));
    const frame = pin.words[2]! / PAGE;
    top.kernel.contents[frame] = 99;
    expect(top.peek(1, b, 0)).toBe(99);
    top.must(top.call(Op.UNPIN, pin.caps[0]!));
    top.must(top.deallocate(b, 0, 2));
    expect(top.credit(top.root).charged).toBe(3);
  });

  it('does not follow a name that a revocation cuts off from memory that its owner still has', () => {
    const { top, a, b } = world();
    const limited = top.share(a, RIGHTS);
    top.must(top.copy(limited, 0, b, 0, 2, CopyFlag.SHARED));
    const pin = top.must(top.call(Op.PIN, b, [0, 2 * PAGE, 1000, 0]));
    top.must(top.revoke(a, limited));
    expect([top.peek(1, a, 0), top.peek(1, b, 0)]).toEqual([10, 0]);
    top.must(top.deallocate(a, 0, 2));
    expect(top.kernel.contents[pin.words[2]! / PAGE]).toBe(10);
    top.must(top.call(Op.UNPIN, pin.caps[0]!));
  });

  it('that begins while its memory is being replaced is waited for; nothing is charged twice or not at all', () => {
    const top = new BenchTop({ frames: 256, dmaEnd: 64, options: { sliceSteps: 1 } });
    top.kernel.charge = () => {};
    top.kernel.remote = 'always';
    top.task(1);
    const [a, b] = [top.container(), top.container()];
    for (const page of [0, 1]) top.must(top.allocate(a, page, 1));
    top.must(top.copy(a, 0, b, 0, 2, CopyFlag.SHARED));
    top.must(top.map(1, a, 0, 2, 0x100));
    top.afterEach = () => {};
    const squash = top.start(Op.ALLOCATE, a, [0, 2 * PAGE, AllocFlag.SQUASH]) as Operation;
    let step = squash.next('done');
    const pin = top.must(top.call(Op.PIN, b, [PAGE, PAGE, 1000, 0]));
    const gone = top.start(Op.DEALLOCATE, b, [0, 2 * PAGE]) as Operation;
    expect(gone.next('done').value).toMatchObject({ kind: 'event' });
    for (let steps = 0; steps < 50 && step.done !== true; steps += 1) {
      if (step.value.kind === 'shootdown') top.serve(step.value);
      step = squash.next('done');
    }
    expect(step).toMatchObject({ done: false, value: { kind: 'event' } });
    top.finish(gone);
    top.must(top.call(Op.UNPIN, pin.caps[0]!));
    top.finish(squash);
    top.check();
    expect(top.credit(top.root).charged).toBe(2 + 3);
  });

  it('that moves memory waits for translations that others have taken away before: no write is lost (I31)', () => {
    const { top, a } = world();
    top.must(top.map(1, a, 0, 2, 0x100));
    for (const page of [0, 1]) top.kernel.write(1, 1, 0x100 + page, 20 + page);
    top.afterEach = () => {};
    const unmap = top.start(Op.UNMAP, PHYSMEM, [0x100 * PAGE, 2 * PAGE]) as Operation;
    const shootdown = unmap.next('done');
    const pin = top.start(Op.PIN, a, [0, 2 * PAGE, 1000, PinFlag.DMA]) as Operation;
    expect(pin.next('done')).toMatchObject({ done: false, value: { kind: 'event' } });
    expect(top.kernel.write(1, 1, 0x101, 99)).toBe(true);
    if (shootdown.done !== true) top.serve(shootdown.value);
    top.finish(unmap);
    const pinned = top.must(top.finish(pin));
    expect(pinned.words[2]! / PAGE).toBeLessThan(64);
    expect([0, 1].map((page) => top.peek(1, a, page))).toEqual([20, 99]);
    top.check();
  });
});
