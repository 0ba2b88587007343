/** Two cores with the same translation in their TLBs, and a server that takes it away: for tests of shootdowns. */
import { expect } from 'vitest';
import type { Operation, ShootdownBatch, WaitResult } from '../../../src/abi/server.ts';
import { OK_REPLY, World } from './world.ts';

export const PAGE = 0x500;
export const VA = PAGE * 4096;
export const READ_WRITE = 3;
export const UNMAP = 100;

export interface Traced {
  readonly steps: string[];
  batch: ShootdownBatch | null;
}

/** Maps `count` pages in a task and has the server unmap them on request UNMAP. */
export function mapAndServe(w: World, task: number, count = 1): Traced {
  const { port } = w.kernel;
  port.installTable(task, PAGE, w.frame());
  port.mapPages(task, PAGE, 0x200, count, READ_WRITE);
  const traced: Traced = { steps: [], batch: null };
  w.server.answer = (request) => (request.op === UNMAP ? unmap() : OK_REPLY);
  function* unmap(): Operation {
    const batch = port.newBatch();
    traced.batch = batch;
    traced.steps.push(`unmapped ${port.unmapPages(task, PAGE, count, batch)}`);
    traced.steps.push(port.needsRemote(batch) ? 'remote' : 'local');
    const result: WaitResult = yield { kind: 'shootdown', batch };
    traced.steps.push(result);
    return OK_REPLY;
  }
  return traced;
}

/** Two threads of the root task on two cores, both with the page in their TLB. */
export function twoCores(count = 1, config = {}): { w: World; traced: Traced; thread: number } {
  const w = new World(2, config);
  const { thread } = w.createThread(0, { core: 1 });
  const traced = mapAndServe(w, w.root, count);
  for (let i = 0; i < count; i++) {
    expect(w.machine.touch(0, VA + i * 4096)).not.toBe(0);
    expect(w.machine.touch(1, VA + i * 4096)).not.toBe(0);
  }
  w.machine.ipis.length = 0;
  return { w, traced, thread };
}
