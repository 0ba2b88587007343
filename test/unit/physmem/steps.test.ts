/**
 * Nothing is quadratic (issue 4, case F28): ten times the size costs about ten times the steps, counted, not timed. The
 * logarithm of the B-tree and the fixed cost of a request leave some room in both directions.
 */

import { describe, expect, it } from 'vitest';
import { ContainerRight, CopyFlag } from '../../../src/abi/rights.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { CapRef } from '../../../src/abi/server.ts';
import { entryAt } from '../../../src/physmem/names.ts';
import { BenchTop } from './bench-top.ts';
import { countSteps } from './step-counter.ts';

const SMALL = 300;
const GROWTH = 10;
/** Steps may grow by this much more than the size: one more level of the tree. */
const TOLERANCE = 1.5;

class Quiet extends BenchTop {
  override afterEach = (): void => {};
}

function world(n: number): { top: BenchTop; control: CapRef; a: CapRef } {
  const top = new Quiet({ frames: 16 * n + 512, dmaEnd: 64, options: { sliceSteps: 64 } });
  top.task(1);
  const control = top.split(top.root, 12 * n + 64);
  return { top, control, a: top.container(control) };
}

function singlePages(top: BenchTop, container: CapRef, n: number): void {
  for (let page = 0; page < n; page += 1) top.must(top.allocate(container, page, 1));
}

/** Prepares a world of size n and gives the work to count. */
type Case = (n: number) => () => void;

/** `n` containers that share one frame, by SHARED copies through as many limited capabilities. */
function sharers(n: number, ways: 'one capability' | 'a capability each') {
  const { top, control, a } = world(n);
  top.must(top.allocate(a, 0, 1));
  top.poke(1, a, 0, 5);
  const rights = ContainerRight.READ | ContainerRight.WRITE | ContainerRight.COPY_OUT;
  const first = top.share(a, rights);
  const containers: CapRef[] = [];
  for (let i = 0; i < n; i += 1) {
    if (i % 8 === 0) containers.push(top.container(control));
    const via = ways === 'one capability' || i === 0 ? first : top.share(a, rights);
    top.must(top.copy(via, 0, containers.at(-1)!, i % 8, 1, CopyFlag.SHARED));
  }
  return { top, a, first, containers };
}

/** A chain of copies: container i is a copy of container i - 1. */
function chain(n: number) {
  const { top, control, a } = world(n);
  top.must(top.allocate(a, 0, 1));
  top.poke(1, a, 0, 5);
  const places: (readonly [CapRef, number])[] = [[a, 0]];
  let container = a;
  for (let i = 1; i < n; i += 1) {
    if (i % 8 === 0) container = top.container(control);
    const [from, page] = places.at(-1)!;
    top.must(top.copy(from, page, container, i % 8, 1));
    places.push([container, i % 8]);
  }
  return { top, places };
}

const CASES: { readonly [name: string]: Case } = {
  'allocate n pages one by one': (n) => {
    const { top, a } = world(n);
    return () => singlePages(top, a, n);
  },
  'allocate and deallocate a page in a container of n, n times': (n) => {
    const { top, a } = world(n);
    singlePages(top, a, n);
    return () => {
      for (let i = 0; i < n; i += 1) {
        top.must(top.deallocate(a, (i * 7919) % n, 1));
        top.must(top.allocate(a, (i * 7919) % n, 1));
      }
    };
  },
  'look up n entries': (n) => {
    const { top, a } = world(n);
    singlePages(top, a, n);
    const index = top.physmem.store.containers.find(a.object);
    return () => {
      for (let i = 0; i < n; i += 1) expect(entryAt(top.physmem.store, index, i)).toBeGreaterThan(0);
    };
  },
  'bind and map n single pages': (n) => {
    const { top, a } = world(n);
    singlePages(top, a, n);
    return () => top.must(top.map(1, a, 0, n, 0x1000));
  },
  'unmap n single pages': (n) => {
    const { top, a } = world(n);
    singlePages(top, a, n);
    top.must(top.map(1, a, 0, n, 0x1000));
    return () => top.must(top.unmap(1, 0x1000, n));
  },
  'copy n mapped single pages on write': (n) => {
    const { top, control, a } = world(n);
    singlePages(top, a, n);
    top.must(top.map(1, a, 0, n, 0x1000));
    const b = top.container(control);
    return () => top.must(top.copy(a, 0, b, 0, n));
  },
  'move n single pages down by one, in place': (n) => {
    const { top, a } = world(n);
    for (let page = 1; page <= n; page += 1) top.must(top.allocate(a, page, 1));
    return () => top.must(top.copy(a, 1, a, 0, n, CopyFlag.MOVE | CopyFlag.SQUASH));
  },
  'destroy a control with n bound, mapped pages': (n) => {
    const { top, control, a } = world(n);
    singlePages(top, a, n);
    top.must(top.map(1, a, 0, n, 0x1000));
    return () => top.must(top.call(Op.CONTROL_DESTROY, control));
  },
  'destroy a control with n children': (n) => {
    const { top, control } = world(n);
    for (let i = 0; i < n; i += 1) top.split(control, 1);
    return () => top.must(top.call(Op.CONTROL_DESTROY, control));
  },
  'destroy a control with n containers': (n) => {
    const { top, control } = world(n);
    for (let i = 0; i < n; i += 1) top.must(top.allocate(top.container(control), 0, 1));
    return () => top.must(top.call(Op.CONTROL_DESTROY, control));
  },
  'make n sharers of a frame': (n) => {
    return () => void sharers(n, 'one capability');
  },
  'write to a frame with n sharers that is copied': (n) => {
    const { top, a, containers } = sharers(n, 'one capability');
    top.must(top.copy(a, 0, a, 1, 1));
    return () => top.poke(1, containers[0]!, 0, 6);
  },
  'deallocate the base of n sharers, then the sharers': (n) => {
    const { top, a, containers } = sharers(n, 'one capability');
    return () => {
      top.must(top.deallocate(a, 0, 1));
      for (const container of containers) top.must(top.deallocate(container, 0, 8));
    };
  },
  'revoke a capability through which n sharers came': (n) => {
    const { top, a, first } = sharers(n, 'one capability');
    return () => top.must(top.revoke(a, first));
  },
  'revoke a capability through which one page came n times, and n times on from there': (n) => {
    const { top, control, a } = world(n);
    top.must(top.allocate(a, 0, 1));
    top.poke(1, a, 0, 5);
    const [b, c] = [top.container(control), top.container(control)];
    const rights = ContainerRight.READ | ContainerRight.WRITE | ContainerRight.COPY_OUT;
    const [first, onward] = [top.share(a, rights), top.share(b, rights)];
    for (let page = 0; page < n; page += 1) {
      top.must(top.copy(first, 0, b, page, 1, CopyFlag.SHARED));
      top.must(top.copy(onward, page, c, page, 1, CopyFlag.SHARED));
    }
    return () => {
      top.must(top.revoke(a, first));
      expect([top.peek(1, a, 0), top.peek(1, b, n - 1), top.peek(1, c, n - 1)]).toEqual([5, 0, 0]);
    };
  },
  'destroy a container with n capabilities, a sharer through each': (n) => {
    const { top, a } = sharers(n, 'a capability each');
    return () => top.must(top.call(Op.CONTAINER_DESTROY, a));
  },
  'make a chain of n copies': (n) => {
    return () => void chain(n);
  },
  'write to every link of a chain of n copies': (n) => {
    const { top, places } = chain(n);
    return () => {
      for (const [container, page] of places) top.poke(1, container, page, page);
    };
  },
  'deallocate a chain of n copies from its base': (n) => {
    const { top, places } = chain(n);
    return () => {
      for (const [container, page] of places) top.must(top.deallocate(container, page, 1));
    };
  },
};

describe('the server takes steps in proportion to the size of the work', () => {
  it.each(Object.entries(CASES))('%s', (_, prepare) => {
    const [small, large] = [SMALL, SMALL * GROWTH].map((n) => countSteps(prepare(n))) as [number, number];
    expect(large / small).toBeLessThan(GROWTH * TOLERANCE);
    expect(large).toBeGreaterThan(SMALL);
  });
});
