/**
 * The n-th allocation of a block fails, for all n, in every operation (F34): what cannot be done is refused, what is
 * promised is done in smaller pieces or after a wait; no credit is lost (I2, I5), the state is sound after each call.
 */
import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { Op } from '../../../src/abi/rpcs.ts';
import type { RpcReply } from '../../../src/abi/server.ts';
import { CALLER, OPERATIONS, scene, WITNESS } from './operations-scene.ts';

const NEVER = 1_000_000;
const PLACEMENT: readonly number[] = [Reason.NO_BLOCK, Reason.NO_DMA, Reason.NO_ROOM];

/** Runs an operation, then touches what it made, so that what it left for later is bound; the n-th allocation fails. */
function run(name: string, failAllocation: number) {
  const s = scene({ failAllocation });
  const { top, control, a, b } = s;
  const before = top.physmem.counters.blockRequests;
  const total = top.credit(top.root);
  const [op, target, words, caps] = OPERATIONS[name]!(s);
  const creditBefore = top.credit(control);
  const replies: RpcReply[] = [top.call(op, target, words, caps ?? [], CALLER)];
  top.check();
  if (replies[0]!.errno !== Errno.OK && replies[0]!.words[0] === 0 && op !== Op.CONTROL_DESTROY)
    expect(top.credit(control).total).toBe(creditBefore.total);
  for (const container of [a, b]) {
    replies.push(top.map(CALLER, container, 0, 16, 0x800, 3));
    top.check();
  }
  const requests = top.physmem.counters.blockRequests;
  expect(top.kernel.read(0, WITNESS, 0x100) ?? 70).toBe(70);
  top.kernel.time += 100_000;
  top.physmem.tick();
  top.call(Op.CONTROL_DESTROY, control);
  top.runSpawned();
  top.check();
  expect(top.credit(top.root)).toMatchObject({ total: total.total, given: 0 });
  return { replies, before, requests };
}

describe('an allocation that fails', () => {
  it.each(Object.keys(OPERATIONS))('is borne by %s, whichever it is', (name) => {
    const calm = run(name, NEVER);
    for (let n = calm.before + 1; n <= calm.requests; n += 1) {
      const { replies } = run(name, n);
      for (const [i, { errno, words }] of replies.entries()) {
        if (errno === calm.replies[i]!.errno) continue;
        expect(PLACEMENT, `${name}, allocation ${n}: ${Errno[errno]} ${words.join(' ')}`).toContain(words[1]);
      }
    }
  });

  it('is tried at many places', () => {
    const places = Object.keys(OPERATIONS).reduce((sum, name) => {
      const { before, requests } = run(name, NEVER);
      return sum + requests - before;
    }, 0);
    expect(places).toBeGreaterThan(25);
  });
});
