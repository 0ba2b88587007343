import { describe, expect, it } from 'vitest';
import { Errno } from '../../../src/abi/errno.ts';
import { CopyFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import { BenchTop, outcome } from './bench-top.ts';

for (const remote of ['never', 'always'] as const) {
  describe(`the seed's story, shootdowns by other cores: ${remote}`, () => {
    it('splits 100 into 90 and 10, serves the child, and takes everything back', () => {
      const top = new BenchTop();
      top.kernel.remote = remote;
      const hundred = top.split(top.root, 100);
      const child = top.split(hundred, 10);
      expect(top.credit(hundred)).toMatchObject({ free: 90, given: 10 });
      top.task(2, child);
      top.task(1);
      const container = top.container(child);
      expect(outcome(top.allocate(container, 0, 3))).toEqual(['OK', 3]);
      expect(top.physmem.store.containers.at(2).entries).toBe(2);
      top.must(top.map(2, container, 0, 3, 0x100));
      expect(top.credit(child)).toEqual({ total: 10, free: 3, charged: 7, given: 0 });
      expect(top.kernel.read(0, 2, 0x100)).toBe(0);
      expect(top.kernel.write(0, 2, 0x101, 42)).toBe(true);
      const limited = top.share(container, 1);
      top.must(top.map(1, limited, 1, 1, 0x500, 1));
      expect(top.kernel.read(1, 1, 0x500)).toBe(42);
      expect(top.map(1, limited, 1, 1, 0x500, 3).errno).toBe(Errno.EPERM);
      const copy = top.container();
      top.must(top.copy(container, 0, copy, 0, 3));
      expect(top.kernel.write(0, 2, 0x101, 43)).toBe(false);
      top.must(top.map(2, container, 0, 3, 0x100));
      expect(top.kernel.write(0, 2, 0x101, 43)).toBe(true);
      expect(top.peek(1, copy, 1)).toBe(42);
      expect(top.kernel.read(1, 1, 0x500)).toBeNull();
      top.must(top.map(1, limited, 1, 1, 0x500, 1));
      expect(top.kernel.read(1, 1, 0x500)).toBe(43);
      top.must(top.revoke(container, limited));
      expect(top.kernel.read(1, 1, 0x500)).toBeNull();
      top.must(top.call(Op.CONTROL_DESTROY, child));
      expect(top.kernel.read(0, 2, 0x100)).toBeNull();
      expect(top.credit(hundred)).toEqual({ total: 100, free: 100, charged: 0, given: 0 });
      expect(top.peek(1, copy, 1)).toBe(42);
      top.must(top.call(Op.CONTAINER_DESTROY, copy));
    });

    it('moves, shares and releases', () => {
      const top = new BenchTop();
      top.kernel.remote = remote;
      top.task(1);
      const a = top.container();
      const b = top.container();
      top.must(top.allocate(a, 0, 16));
      for (let page = 0; page < 16; page += 1) top.poke(1, a, page, 100 + page);
      top.must(top.copy(a, 3, b, 1, 7, CopyFlag.SHARED));
      top.poke(1, b, 1, 9);
      expect(top.peek(1, a, 3)).toBe(9);
      top.must(top.release(b, 2, 3));
      expect([1, 2, 3, 4, 5].map((page) => top.peek(1, b, page))).toEqual([9, 0, 0, 0, 107]);
      top.must(top.copy(a, 0, b, 20, 16, CopyFlag.MOVE));
      expect(top.peek(1, a, 0)).toBeNull();
      expect(top.peek(1, b, 23)).toBe(9);
      top.must(top.copy(b, 20, b, 24, 16, CopyFlag.SQUASH));
      expect(top.peek(1, b, 27)).toBe(9);
      expect(top.peek(1, b, 20 + 8)).toBe(104);
      expect(top.peek(1, b, 39)).toBe(115);
      expect(outcome(top.deallocate(b, 0, 4000))).toEqual(['OK', 27]);
    });
  });
}
