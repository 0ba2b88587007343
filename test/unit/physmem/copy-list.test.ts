/** Scatter and gather: container_copy_list (physmem.md §4 copy, I33, F33). */
import { beforeEach, describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { CopyFlag } from '../../../src/abi/rights.ts';
import { COPY_LIST_RANGES_MAX, Op, PageState } from '../../../src/abi/rpcs.ts';
import type { CapRef } from '../../../src/abi/server.ts';
import { BenchTop, PAGE } from './bench-top.ts';

const { SHARED, MOVE, SQUASH, ALL_OR_NONE } = CopyFlag;
let top: BenchTop;
let a: CapRef;
let b: CapRef;

/** `a` has 16 single pages with the values 100 … 115, `b` is empty. */
beforeEach(() => {
  top = new BenchTop({ frames: 512, dmaEnd: 64 });
  top.kernel.remote = 'always';
  top.task(1);
  a = top.container();
  b = top.container();
  for (let page = 0; page < 16; page += 1) {
    top.must(top.allocate(a, page, 1));
    top.poke(1, a, page, 100 + page);
  }
});

const read = (container: CapRef, pages: readonly number[]) =>
  pages.map((page) => top.peek(1, container, page));
const free = (): number => top.must(top.call(Op.CONTROL_QUERY, top.root)).words[1]!;

/** Errno, pages done, reason, argument, limit in pages where it is a place. */
function outcome(ranges: readonly (readonly number[])[], flags = 0, target = b) {
  const { errno, words } = top.copyList(a, target, ranges, flags);
  const detail = errno === Errno.OK ? [] : [Reason[words[1]!], words[2], words[3]!];
  return [Errno[errno], words[0]! / PAGE, ...detail];
}

describe('a list of ranges', () => {
  it('gathers scattered pages into one run', () => {
    expect(
      outcome([
        [3, 0, 1],
        [9, 1, 2],
        [0, 3, 1],
      ]),
    ).toEqual(['OK', 4]);
    expect(read(b, [0, 1, 2, 3, 4])).toEqual([103, 109, 110, 100, null]);
  });

  it('scatters one run, and one page to many places', () => {
    expect(
      outcome([
        [0, 10, 1],
        [1, 20, 1],
        [2, 30, 2],
        [0, 40, 1],
        [0, 41, 1],
      ]),
    ).toEqual(['OK', 6]);
    expect(read(b, [10, 20, 30, 31, 40, 41])).toEqual([100, 101, 102, 103, 100, 100]);
    top.poke(1, b, 40, 7);
    expect([read(a, [0]), read(b, [10, 40, 41])]).toEqual([[100], [100, 7, 100]]);
  });

  it('holds as many ranges as a message has room for, and no other number of words', () => {
    const full = Array.from({ length: COPY_LIST_RANGES_MAX }, (_, i) => [i % 16, 100 + 2 * i, 1]);
    expect(outcome(full)).toEqual(['OK', COPY_LIST_RANGES_MAX]);
    for (const [count, wanted] of [
      [0, 4],
      [1, 4],
      [3, 4],
      [5, 4],
      [57, 55],
      [59, 58],
      [60, 58],
    ] as const) {
      const reply = top.call(Op.COPY_LIST, a, new Array<number>(count).fill(0), [b]);
      expect([Errno[reply.errno], reply.words]).toEqual(['EMSGSIZE', [0, Reason.BAD_COUNT, 0, wanted]]);
    }
  });

  it('shares, or moves, all of its ranges', () => {
    expect(
      outcome(
        [
          [0, 0, 1],
          [2, 1, 1],
        ],
        SHARED,
      ),
    ).toEqual(['OK', 2]);
    top.poke(1, b, 1, 55);
    expect(read(a, [2])).toEqual([55]);
    const before = free();
    expect(
      outcome(
        [
          [4, 8, 2],
          [8, 10, 1],
        ],
        MOVE,
      ),
    ).toEqual(['OK', 3]);
    expect([read(a, [4, 5, 8, 9]), read(b, [8, 9, 10])]).toEqual([
      [null, null, null, 109],
      [104, 105, 108],
    ]);
    expect(free()).toBe(before);
  });

  it('stops at the first byte that cannot be done and says where that is', () => {
    top.must(top.deallocate(a, 6, 1));
    expect(
      outcome([
        [0, 0, 2],
        [5, 4, 3],
        [10, 8, 1],
      ]),
    ).toEqual(['ENOENT', 3, 'HOLE', 5, 6 * PAGE]);
    expect(read(b, [0, 1, 4, 5, 8])).toEqual([100, 101, 105, null, null]);
    expect(
      outcome([
        [10, 20, 1],
        [11, 3, 2],
      ]),
    ).toEqual(['EEXIST', 2, 'OCCUPIED', 6, 4 * PAGE]);
    expect(read(b, [20, 3])).toEqual([110, 111]);
  });

  it('does nothing with ALL_OR_NONE unless everything can be done', () => {
    top.must(top.deallocate(a, 6, 1));
    const before = free();
    expect(
      outcome(
        [
          [0, 0, 2],
          [5, 4, 3],
        ],
        ALL_OR_NONE,
      ),
    ).toEqual(['ENOENT', 0, 'HOLE', 5, 6 * PAGE]);
    expect([free(), top.states(b, 0, 8)]).toEqual([before, new Array(8).fill(0)]);
  });

  it('adds up the credit of its ranges', () => {
    const poor = top.split(top.root, 5);
    const c = top.container(poor);
    expect(
      outcome(
        [
          [0, 0, 3],
          [4, 8, 4],
        ],
        ALL_OR_NONE,
        c,
      ),
    ).toEqual(['ENOMEM', 0, 'NO_CREDIT', 0, 5]);
    expect(
      outcome(
        [
          [0, 0, 3],
          [4, 8, 4],
        ],
        MOVE,
        c,
      ),
    ).toEqual(['ENOMEM', 0, 'NO_CREDIT', 0, 5]);
    expect(
      outcome(
        [
          [0, 0, 3],
          [4, 8, 4],
        ],
        0,
        c,
      ),
    ).toEqual(['ENOMEM', 5, 'NO_CREDIT', 0, 5]);
    expect(
      outcome(
        [
          [10, 1, 2],
          [12, 8, 2],
        ],
        SQUASH | MOVE,
        c,
      ),
    ).toEqual(['OK', 4]);
    expect([read(c, [0, 1, 2, 8, 9]), read(a, [10, 11, 12, 13, 14])]).toEqual([
      [100, 110, 111, 112, 113],
      [null, null, null, null, 114],
    ]);
  });

  it('replaces what is there with SQUASH, also where its two ends overlap', () => {
    expect(
      outcome(
        [
          [0, 1, 3],
          [10, 9, 3],
        ],
        SQUASH,
        a,
      ),
    ).toEqual(['OK', 6]);
    expect(read(a, [0, 1, 2, 3, 4, 8, 9, 10, 11, 12])).toEqual([
      100, 100, 101, 102, 104, 108, 110, 111, 112, 112,
    ]);
  });

  it('counts a range onto itself as done, with SQUASH only', () => {
    expect(
      outcome(
        [
          [0, 0, 2],
          [4, 6, 1],
        ],
        SQUASH,
        a,
      ),
    ).toEqual(['OK', 3]);
    expect(read(a, [0, 1, 6])).toEqual([100, 101, 104]);
    expect(
      outcome(
        [
          [0, 20, 1],
          [1, 1, 2],
        ],
        0,
        a,
      ),
    ).toEqual(['EEXIST', 1, 'OCCUPIED', 6, PAGE]);
  });

  it('takes write access away from what was copied, also when it stops half-way', () => {
    for (let page = 0; page < 4; page += 1) {
      top.must(top.map(1, a, page, 1, 0x200 + page));
      top.kernel.write(1, 1, 0x200 + page, 100 + page);
    }
    expect(
      outcome([
        [3, 0, 1],
        [0, 1, 1],
        [1, 0, 1],
      ]).slice(0, 2),
    ).toEqual(['EINVAL', 0]);
    expect(
      outcome([
        [3, 0, 1],
        [0, 1, 1],
        [20, 2, 1],
      ]).slice(0, 2),
    ).toEqual(['ENOENT', 2]);
    const writes = [0, 1, 2, 3].map((page) => top.kernel.write(1, 1, 0x200 + page, 5));
    expect(writes).toEqual([false, true, true, false]);
    expect(top.states(a, 0, 4).map((state) => (state & PageState.COW) !== 0)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it.each([
    [
      'writes a page twice',
      [
        [0, 4, 2],
        [8, 5, 1],
      ],
      0,
      6,
      5,
    ],
    [
      'reads what it writes',
      [
        [0, 20, 2],
        [21, 30, 1],
      ],
      0,
      5,
      21,
    ],
    [
      'writes what it reads',
      [
        [0, 20, 2],
        [8, 1, 1],
      ],
      0,
      6,
      1,
    ],
    [
      'moves a page twice',
      [
        [0, 20, 2],
        [8, 30, 1],
        [1, 40, 1],
      ],
      MOVE,
      8,
      1,
    ],
  ] as const)('is refused when it %s', (_, ranges, flags, argument, page) => {
    const before = JSON.stringify(top.physmem.store.containers.records);
    expect(outcome(ranges, flags, a)).toEqual(['EINVAL', 0, 'OVERLAPS', argument, page * PAGE]);
    expect(JSON.stringify(top.physmem.store.containers.records)).toBe(before);
  });

  it('checks flags, ranges and both ends before anything changes', () => {
    const at = (words: number[], target = b) => {
      const { errno, words: reply } = top.call(Op.COPY_LIST, a, words, [target]);
      return [Errno[errno], Reason[reply[1]!], reply[2]];
    };
    expect(at([16, 0, 0, PAGE])).toEqual(['EINVAL', 'UNKNOWN_FLAG', 1]);
    expect(at([SHARED | MOVE, 0, 0, PAGE])).toEqual(['EINVAL', 'OUT_OF_RANGE', 1]);
    expect(at([0, 0, 0, PAGE, 1, 0, PAGE])).toEqual(['EINVAL', 'UNALIGNED', 5]);
    expect(at([0, 0, 0, PAGE, 0, PAGE, 0])).toEqual(['EINVAL', 'ZERO_SIZE', 7]);
    expect(at([0, 0, 0, PAGE, 0, 0xfffff000, 2 * PAGE])).toEqual(['EINVAL', 'WRAPS', 6]);
    expect(at([0, 0, 0, PAGE], { ...b, rights: 0 })).toEqual(['EPERM', 'MISSING_RIGHT', 5]);
    expect(at([0, 0, 0, PAGE], top.root)).toEqual(['EBADF', 'WRONG_TYPE', 5]);
  });

  it('leaves the rest of the credit to others while it waits for a shootdown', () => {
    const poor = top.split(top.root, 4);
    const c = top.container(poor);
    const d = top.container(poor);
    top.must(top.map(1, a, 0, 2, 0x200));
    const started = top.start(Op.COPY_LIST, a, [0, 0, 0, PAGE, PAGE, PAGE, PAGE], [c]);
    expect('errno' in started).toBe(false);
    // Between two steps of an operation credit may be paid for names that it has still to make.
    top.afterEach = () => {};
    expect(top.allocate(d, 0, 4).words[0]).toBe(2 * PAGE);
    expect(top.finish(started as never)).toMatchObject({ errno: Errno.OK, words: [2 * PAGE] });
    top.check();
  });
});
