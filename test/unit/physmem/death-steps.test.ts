/**
 * Death at every step of every operation (physmem.md §9, F1), for the server alone: each operation is cut into the smallest
 * slices, and at each of its suspension points a task dies: the caller (the kernel runs the operation to its end, drops the
 * reply, then tells the death) or somebody else whose maps, locks and pins it is about. Others keep what they have, and
 * when the control is destroyed all credit is back (I1 to I5). The whole system is killed at every entry of its kernel by
 * `physmem explore --deaths` and test/system/kernel/deaths.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { Op } from '../../../src/abi/rpcs.ts';
import type { Operation, RpcReply, Wait } from '../../../src/abi/server.ts';
import type { BenchTop } from './bench-top.ts';
import { CALLER, OPERATIONS, OTHER, type Scene, SPACE_FRAMES, scene, WITNESS } from './operations-scene.ts';

interface Aloft {
  readonly operation: Operation<RpcReply> | Operation<void>;
  wait: Wait | null;
}

/** Takes one step; returns the reply, 'ended', or null while it goes on. A wait for an event is asked again. */
function step(top: BenchTop, flight: Aloft): RpcReply | 'ended' | null {
  if (flight.wait?.kind === 'shootdown') top.kernel.acknowledge(flight.wait.batch);
  const next = flight.operation.next('done');
  if (next.done === true) return next.value ?? 'ended';
  flight.wait = next.value;
  return null;
}

/** Runs flights in turn to their end; returns the reply of the first. */
function land(top: BenchTop, flights: Aloft[]): RpcReply | 'ended' | null {
  let reply: RpcReply | 'ended' | null = null;
  const left = new Set(flights);
  for (let rounds = 0; left.size > 0; rounds += 1) {
    if (rounds > 5000) throw new Error('I38: nothing can go on');
    for (const flight of left) {
      const result = step(top, flight);
      if (result === null) continue;
      left.delete(flight);
      if (flight === flights[0]) reply = result;
    }
  }
  return reply;
}

const tell = (top: BenchTop, task: number): Aloft[] => {
  const operation = top.physmem.taskDied(task);
  return operation === null ? [] : [{ operation, wait: null }];
};

/** The operation, with a death at its n-th suspension point; returns whether it had so many. */
function run(name: string, n: number, victim: number): boolean {
  const s = scene();
  const { top } = s;
  const [op, target, words, caps] = OPERATIONS[name]!(s);
  const started = top.start(op, target, words, caps ?? [], CALLER);
  let reply: RpcReply | 'ended' | null = 'errno' in started ? started : null;
  let isReached = n === 0;
  if (!('errno' in started)) {
    const flight: Aloft = { operation: started, wait: null };
    for (let at = 0; at < n && reply === null; at += 1) reply = step(top, flight);
    isReached = reply === null;
    const flights = reply === null ? [flight] : [];
    if (victim === OTHER) flights.push(...tell(top, OTHER));
    const last = land(top, flights);
    reply ??= last;
  } else if (victim === OTHER) land(top, tell(top, OTHER));
  if (victim === CALLER) {
    land(top, tell(top, CALLER));
    const made = reply !== null && reply !== 'ended' ? reply.caps : [];
    for (const cap of made) {
      const dropped = top.physmem.capDropped(CALLER, cap);
      if (dropped !== null) land(top, [{ operation: dropped, wait: null }]);
    }
  }
  settle(s);
  return isReached;
}

/** Nobody else was hurt, and everything charged to the control comes back. */
function settle({ top, control, own }: Scene): void {
  top.runSpawned();
  top.check();
  expect([top.kernel.read(1, WITNESS, 0x100), top.kernel.read(1, WITNESS, 0x101)]).toEqual([70, 71]);
  expect([0, 1].map((page) => top.peek(1, own, page))).toEqual([70, 71]);
  top.kernel.time += 100_000;
  top.physmem.tick();
  const destroyed = top.start(Op.CONTROL_DESTROY, control);
  if (!('errno' in destroyed)) land(top, [{ operation: destroyed, wait: null }]);
  top.check();
  const tables = [1, WITNESS].reduce((sum, task) => sum + top.kernel.spaces.get(task)!.tables.size, 0);
  expect(top.credit(top.root)).toMatchObject({
    total: 256,
    given: 0,
    charged: 2 * SPACE_FRAMES + 2 + tables,
  });
}

const POINTS_MAX = 200;

describe('a task dies at every step', () => {
  it.each(Object.keys(OPERATIONS))('of %s: the caller, and somebody else', (name) => {
    for (const victim of [CALLER, OTHER]) {
      let n = 0;
      while (n < POINTS_MAX && run(name, n, victim)) n += 1;
      expect(n).toBeLessThan(POINTS_MAX);
    }
  });

  it('and most operations have many steps', () => {
    const points = (name: string): number => {
      let n = 0;
      while (n < POINTS_MAX && run(name, n, CALLER)) n += 1;
      return n;
    };
    for (const name of ['deallocate', 'copy', 'revoke', 'destroy the control'])
      expect(points(name)).toBeGreaterThan(3);
  });
});
