import { describe, expect, it } from 'vitest';
import { LABEL_RETURN_FRAMES, makeTag, REPLY_SLOT, Receive } from '../../../src/abi/message.ts';
import { NOTICES_MAX } from '../../../src/kernel/notices.ts';
import { OK_REPLY, World } from './world.ts';

const TAG = makeTag(LABEL_RETURN_FRAMES, 2, 0);
const BADGE = 0x77;

/** A thread on core 1 that has not received yet. */
function listener() {
  const w = new World(2);
  const { slot, thread } = w.createThread(0, { core: 1 });
  const ask = (frames: number, badge = BADGE): boolean =>
    w.kernel.port.askToReturn({ thread, badge, frames, cycles: 900 });
  return { w, slot, thread, ask };
}

const receive = (w: World) => w.ipc(1, 0, Receive.ANY);

describe('a request of the memory server to give frames back', () => {
  it('is a message to a thread that waits for anyone', () => {
    const { w, thread, ask } = listener();
    receive(w);
    expect(w.isHalted(1)).toBe(true);
    // The server runs on the core of its caller.
    w.server.answer = () => (ask(40) ? OK_REPLY : { ...OK_REPLY, errno: 1 });
    expect(w.rpc(0, 5).eax).toBe(0);
    w.deliver();
    expect(w.running(1)).toBe(thread);
    expect(w.results(1)).toMatchObject({ eax: 0, ebx: BADGE, edx: TAG, esi: 40, edi: 900 });
    expect([w.word(thread, 0), w.word(thread, 1)]).toEqual([40, 900]);
    expect(w.kernel.check()).toEqual([]);
  });

  it('waits for a thread that is busy, adds up per badge, and comes before messages of threads', () => {
    const { w, slot, ask } = listener();
    expect([ask(3), ask(4), ask(5, 0x78)]).toEqual([true, true, true]);
    w.ipc(0, slot, Receive.NONE, { label: 7, timeout: 1_000_000 });
    expect(receive(w)).toMatchObject({ eax: 0, ebx: BADGE, edx: TAG, esi: 7 });
    expect(receive(w)).toMatchObject({ eax: 0, ebx: 0x78, edx: TAG, esi: 5 });
    expect(receive(w)).toMatchObject({ eax: 0, edx: makeTag(7, 0, 0) });
    expect(w.kernel.check()).toEqual([]);
  });

  it('leaves a call that was not answered yet to be answered', () => {
    const { w, slot, ask } = listener();
    w.ipc(0, slot, Receive.REPLY, { label: 9 });
    expect(receive(w)).toMatchObject({ eax: 0, edx: makeTag(9, 0, 0) });
    ask(2);
    expect(receive(w)).toMatchObject({ eax: 0, edx: TAG });
    expect(w.ipc(1, REPLY_SLOT, Receive.NONE).eax).toBe(0);
    w.deliver();
    expect(w.results(0).eax).toBe(0);
  });

  it('is not kept for more badges than the bound, and never more than a word can tell', () => {
    const { w, ask } = listener();
    for (let badge = 0; badge < NOTICES_MAX; badge += 1) expect(ask(1, badge)).toBe(true);
    expect(ask(1, NOTICES_MAX)).toBe(false);
    expect(ask(0xffff_ffff, 0)).toBe(true);
    expect(receive(w).esi).toBe(0xffff_ffff);
  });

  it('finds no thread that is dead or was never there', () => {
    const { w, thread, ask } = listener();
    expect(w.kernel.port.threadLives(thread)).toBe(true);
    expect(w.kernel.port.threadLives(999)).toBe(false);
    expect(w.kernel.port.askToReturn({ thread: 999, badge: 0, frames: 1, cycles: 1 })).toBe(false);
    w.syscall(1, 6);
    w.deliver();
    expect(w.kernel.port.threadLives(thread)).toBe(false);
    expect(ask(1)).toBe(false);
  });

  it('is part of a snapshot', () => {
    const { w, ask } = listener();
    ask(3);
    const saved = w.kernel.save();
    expect(receive(w).esi).toBe(3);
    w.kernel.load(saved);
    ask(4);
    expect(receive(w).esi).toBe(7);
  });
});
