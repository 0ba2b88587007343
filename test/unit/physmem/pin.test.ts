import { describe, expect, it } from 'vitest';
import { Errno, Reason } from '../../../src/abi/errno.ts';
import { AllocFlag, CapType, ContainerRight, CopyFlag, PinFlag } from '../../../src/abi/rights.ts';
import { Op, PIN_CYCLES_MAX } from '../../../src/abi/rpcs.ts';
import type { CapRef, Operation, RpcReply } from '../../../src/abi/server.ts';
import { FrameState } from '../../../src/physmem/base-frames.ts';
import { BenchTop, outcome, PAGE } from './bench-top.ts';

const DRIVER = 2;
const CYCLES = 1000;
const DMA_END = 64;

/** Task 2 is a driver; container a has 8 pages with values 10 … 17. */
function world() {
  const top = new BenchTop({ frames: 512, dmaEnd: DMA_END });
  top.kernel.remote = 'always';
  top.task(1);
  top.task(DRIVER);
  top.drivers.add(DRIVER);
  top.kernel.charge = () => {};
  const a = top.container();
  top.must(top.allocate(a, 0, 8));
  for (let page = 0; page < 8; page += 1) top.poke(1, a, page, 10 + page);
  return { top, a };
}

const pin = (top: BenchTop, a: CapRef, page: number, pages: number, flags = 0, task = DRIVER): RpcReply =>
  top.call(Op.PIN, a, [page * PAGE, pages * PAGE, CYCLES, flags], [], task);
const unpin = (top: BenchTop, reply: RpcReply): RpcReply =>
  top.call(Op.UNPIN, reply.caps[0]!, [], [], DRIVER);
const stateOf = (top: BenchTop, address: number): FrameState => {
  const { base } = top.physmem.store;
  return base.state[base.headOf(address / PAGE)]!;
};

describe('pinning', () => {
  it('binds a range, tells a driver where it is, and nobody else', () => {
    const { top } = world();
    const b = top.container();
    top.must(top.allocate(b, 0, 6));
    const reply = top.must(pin(top, b, 1, 4));
    expect(reply.words.slice(0, 2)).toEqual([4 * PAGE, reply.words.length / 2 - 1]);
    const [, , address, size] = reply.words as number[];
    top.must(top.map(1, b, 1, 1, 0x100));
    expect(top.kernel.spaces.get(1)!.pages.get(0x100)!.frame).toBe(address! / PAGE);
    expect(size).toBeGreaterThanOrEqual(PAGE);
    expect(top.must(pin(top, b, 1, 4, 0, 1)).words).toEqual([4 * PAGE, 0]);
    expect(top.states(b, 0, 6).map((state) => (state >> 4) & 1)).toEqual([0, 1, 1, 1, 1, 0]);
    expect(reply.caps[0]!.type).toBe(CapType.PIN);
  });

  it('moves memory below 16 MiB first, with its contents and names, and maps come back', () => {
    const { top, a } = world();
    const b = top.container();
    top.must(top.copy(a, 0, b, 0, 8, CopyFlag.SHARED));
    top.must(top.map(1, a, 0, 8, 0x100));
    top.kernel.write(1, 1, 0x103, 99);
    const reply = top.must(pin(top, a, 2, 3, PinFlag.DMA));
    for (let i = 2; i < reply.words.length; i += 2) expect(reply.words[i]! / PAGE).toBeLessThan(DMA_END);
    expect(top.kernel.read(0, 1, 0x103)).toBeNull();
    expect([2, 3, 4].map((page) => top.peek(1, b, page))).toEqual([12, 99, 14]);
    expect(top.physmem.counters.movedFrames).toBe(3);
  });

  it('keeps a copy-on-write copy from seeing what the device writes, before and after (I29)', () => {
    const { top, a } = world();
    const before = top.container();
    top.must(top.copy(a, 0, before, 0, 8));
    const reply = top.must(pin(top, a, 0, 8));
    const after = top.container();
    top.must(top.copy(a, 0, after, 0, 8));
    const frame = (reply.words[2] as number) / PAGE;
    top.kernel.contents[frame] = 1234;
    expect(top.peek(1, a, 0)).toBe(1234);
    expect([before, after].map((one) => top.peek(1, one, 0))).toEqual([10, 10]);
    top.poke(1, a, 0, 5);
    expect(top.kernel.contents[frame]).toBe(5);
  });

  it('puts what is deallocated into quarantine, charged, until the last pin ends (F31)', () => {
    const { top, a } = world();
    const first = top.must(pin(top, a, 0, 8));
    const second = top.must(pin(top, a, 3, 1));
    const { free } = top.credit(top.root);
    expect(outcome(top.deallocate(a, 2, 4))).toEqual(['OK', 4]);
    const address = first.words[2] as number;
    expect(stateOf(top, address + 3 * PAGE)).toBe(FrameState.QUARANTINE);
    expect(stateOf(top, address)).toBe(FrameState.BOUND);
    expect(top.credit(top.root).free).toBe(free);
    top.must(unpin(top, first));
    expect(stateOf(top, address + 3 * PAGE)).toBe(FrameState.QUARANTINE);
    expect(stateOf(top, address + 2 * PAGE)).toBe(FrameState.FREE);
    top.must(unpin(top, second));
    expect(stateOf(top, address + 3 * PAGE)).toBe(FrameState.FREE);
    expect(top.credit(top.root).free).toBe(free + 4);
    expect(unpin(top, first).errno).toBe(Errno.EBADF);
  });

  it('ends by time and with its holder, and counts are zero at rest (I25, I26)', () => {
    const { top, a } = world();
    const reply = top.must(pin(top, a, 0, 8));
    top.must(top.deallocate(a, 0, 1));
    top.kernel.time += CYCLES;
    top.must(top.call(Op.NULL, { type: CapType.PHYSMEM, object: 0, rights: 0 }));
    expect(stateOf(top, reply.words[2] as number)).toBe(FrameState.FREE);
    expect(top.kernel.revoked).toContainEqual({ type: CapType.PIN, object: reply.caps[0]!.object });
    top.must(pin(top, a, 1, 7));
    top.taskDied(DRIVER);
    top.task(3);
    const dropped = top.must(pin(top, a, 1, 7, 0, 3));
    expect(top.physmem.capDropped(3, dropped.caps[0]!)).toBeNull();
    expect(top.physmem.store.pins.pages).toBe(0);
    expect(top.states(a, 1, 1)[0]! & 16).toBe(0);
  });

  it('holds the memory after its end while a device can still reach it (F3, F4)', () => {
    const { top, a } = world();
    const reply = top.must(pin(top, a, 0, 8));
    const frame = (reply.words[2] as number) / PAGE;
    top.kernel.reachable.add(frame + 1);
    top.must(top.deallocate(a, 0, 8));
    top.taskDied(DRIVER);
    expect(stateOf(top, frame * PAGE)).toBe(FrameState.QUARANTINE);
    top.kernel.time += 2 * CYCLES;
    top.credit(top.root);
    expect(stateOf(top, frame * PAGE)).toBe(FrameState.QUARANTINE);
    top.kernel.reachable.clear();
    expect(top.physmem.tick()).toBeNull();
    expect(stateOf(top, frame * PAGE)).toBe(FrameState.FREE);
    expect(top.credit(top.root).charged).toBe(3);
  });

  it('needs no request to end: the alarm does it, one for all pins', () => {
    const { top, a } = world();
    top.must(pin(top, a, 0, 2));
    top.kernel.time += 400;
    top.must(pin(top, a, 4, 2));
    top.must(top.deallocate(a, 0, 8));
    const ring = (): number => {
      expect(top.kernel.alarmAt).toBeLessThan(top.kernel.time + 2 * CYCLES);
      top.kernel.time = top.kernel.alarmAt;
      top.kernel.alarmAt = Number.MAX_SAFE_INTEGER;
      expect(top.physmem.tick()).toBeNull();
      top.check();
      return top.physmem.store.pins.pages;
    };
    expect([ring(), ring()]).toEqual([2, 0]);
    expect(top.kernel.alarmAt).toBe(Number.MAX_SAFE_INTEGER);
    expect(top.physmem.store.pins.quarantine.size).toBe(0);
  });

  it('lets devices do with just the pinned memory what the capability allows, and only for a driver', () => {
    const { top, a } = world();
    const { deviceAccess } = top.kernel;
    const readOnly = { ...a, rights: ContainerRight.READ | ContainerRight.PIN };
    top.must(pin(top, a, 0, 8, 0, 1));
    expect(deviceAccess.size).toBe(0);
    const first = top.must(pin(top, readOnly, 2, 3));
    const frame = (first.words[2] as number) / PAGE;
    expect([...deviceAccess]).toEqual([frame, frame + 1, frame + 2].map((at) => [at, 1]));
    const second = top.must(pin(top, a, 3, 1));
    expect(deviceAccess.get(frame + 1)).toBe(3);
    top.must(unpin(top, first));
    expect([...deviceAccess]).toEqual([[frame + 1, 3]]);
    top.must(unpin(top, second));
    expect(deviceAccess.size).toBe(0);
  });

  it('made through a limited capability loses the devices when that is revoked, and holds the memory on', () => {
    const { top, a } = world();
    const rights = ContainerRight.READ | ContainerRight.WRITE | ContainerRight.PIN;
    const limited = top.must(top.call(Op.SHARE, a, [rights])).caps[0]!;
    const through = top.must(pin(top, limited, 0, 4));
    const own = top.must(pin(top, a, 2, 4));
    const frame = (through.words[2] as number) / PAGE;
    top.must(top.call(Op.REVOKE, a, [], [limited]));
    expect([...top.kernel.deviceAccess.keys()].sort()).toEqual([2, 3, 4, 5].map((page) => frame + page));
    top.must(top.deallocate(a, 0, 1));
    expect(stateOf(top, frame * PAGE)).toBe(FrameState.QUARANTINE);
    top.must(unpin(top, through));
    expect(stateOf(top, frame * PAGE)).toBe(FrameState.FREE);
    expect(top.kernel.deviceAccess.size).toBe(4);
    top.must(unpin(top, own));
    expect(top.kernel.deviceAccess.size).toBe(0);
  });

  it('takes the memory from devices when it ends, before it asks whether one holds it', () => {
    const { top, a } = world();
    const reply = top.must(pin(top, a, 0, 8));
    const frame = (reply.words[2] as number) / PAGE;
    const held: boolean[] = [];
    top.kernel.deviceHolds = (at) => {
      held.push(top.kernel.deviceAccess.has(at));
      return false;
    };
    top.must(top.deallocate(a, 0, 8));
    top.must(unpin(top, reply));
    expect(held).not.toContain(true);
    expect(stateOf(top, frame * PAGE)).toBe(FrameState.FREE);
  });

  it('leaves quarantined credit to the parent when the control is destroyed; it arrives later (I4)', () => {
    const { top } = world();
    const control = top.split(top.root, 20);
    const a = top.container(control);
    top.must(top.allocate(a, 0, 4));
    const reply = top.must(pin(top, a, 0, 4));
    const { free } = top.credit(top.root);
    top.must(top.call(Op.CONTROL_DESTROY, control));
    expect(top.credit(top.root).free).toBe(free + 16);
    expect(top.must(top.call(Op.CONTROL_QUERY, top.root)).words[4]).toBe(4);
    top.must(unpin(top, reply));
    expect(top.credit(top.root).free).toBe(free + 20);
  });

  it('is refused for a hole, a bad time, a quota, a full zone, too many ranges, without the right', () => {
    const { top, a } = world();
    const why = (reply: RpcReply) => [Errno[reply.errno], reply.words[1], reply.words[2], reply.words[3]];
    expect(why(pin(top, a, 4, 8))).toEqual(['ENOENT', Reason.HOLE, 1, 8 * PAGE]);
    const words = [0, PAGE, 0, 0];
    expect(why(top.call(Op.PIN, a, words))).toEqual(['EINVAL', Reason.OUT_OF_RANGE, 3, PIN_CYCLES_MAX]);
    words[2] = PIN_CYCLES_MAX + 1;
    expect(why(top.call(Op.PIN, a, words))).toEqual(['EINVAL', Reason.OUT_OF_RANGE, 3, PIN_CYCLES_MAX]);
    expect(why(pin(top, a, 0, 1, 2))).toEqual(['EINVAL', Reason.UNKNOWN_FLAG, 4, 1]);
    const weak = { ...a, rights: 7 };
    expect(why(pin(top, weak, 0, 1))).toEqual(['EPERM', Reason.MISSING_RIGHT, 0, ContainerRight.PIN]);
    const small = top.split(top.root, 10);
    const b = top.container(small);
    top.must(top.allocate(b, 0, 8));
    expect(why(pin(top, b, 0, 8))).toEqual(['ENOMEM', Reason.QUOTA, 0, 5]);
    top.must(top.allocate(a, 100, 300));
    expect(why(pin(top, a, 100, 200))).toEqual(['ENOMEM', Reason.QUOTA, 0, 128]);
    top.must(top.allocate(a, 600, 50, AllocFlag.DMA));
    expect(why(pin(top, a, 100, 32, PinFlag.DMA))).toEqual(['ENOMEM', Reason.NO_DMA, 0, 14]);
    for (let page = 1000; page < 1060; page += 2) top.must(top.allocate(a, page, 1));
    for (let page = 1001; page < 1060; page += 2) top.must(top.allocate(a, page, 1));
    for (let page = 1000; page < 1060; page += 2) top.peek(1, a, page);
    expect(why(pin(top, a, 1000, 60))[0]).toBe('EMSGSIZE');
    expect(top.physmem.store.pins.pages).toBe(0);
  });

  it('is refused beyond the quota, and so is DMA memory when pins fill the zone; not for ever (F40)', () => {
    const { top } = world();
    const control = top.split(top.root, 200);
    const b = top.container(control);
    top.must(top.allocate(b, 0, 120));
    const zone = Math.min(100, top.physmem.store.zones.dmaRoom);
    const pins = Array.from({ length: zone }, (_, page) => top.must(pin(top, b, page, 1, PinFlag.DMA)));
    const why = (reply: RpcReply) => [Errno[reply.errno], reply.words[1], reply.words[3]];
    expect(why(pin(top, b, zone, 1, PinFlag.DMA)).slice(0, 2)).toEqual(['EBUSY', Reason.PINS_AT]);
    expect(why(top.allocate(b, 200, 16, AllocFlag.DMA)).slice(0, 2)).toEqual(['ENOMEM', Reason.NO_DMA]);
    for (let page = zone; page < 100; page += 1) pins.push(top.must(pin(top, b, page, 1)));
    expect(why(pin(top, b, 100, 1))).toEqual(['ENOMEM', Reason.QUOTA, 100]);
    for (const one of pins) top.must(unpin(top, one));
    top.must(top.deallocate(b, 0, 120));
    top.must(top.allocate(b, 200, 16, AllocFlag.DMA));
    top.must(pin(top, b, 200, 16, PinFlag.DMA));
  });

  it('keeps to the quota when two pins of one control wait side by side', () => {
    const { top } = world();
    const control = top.split(top.root, 40);
    const containers = [top.container(control), top.container(control)];
    for (const [i, one] of containers.entries()) {
      top.must(top.allocate(one, 0, 12));
      // In a TLB, so that both have to wait for a shootdown before they move.
      top.must(top.map(1, one, 0, 12, 0x100 + 16 * i));
      expect(top.kernel.write(0, 1, 0x100 + 16 * i, 5)).toBe(true);
    }
    const words = [0, 12 * PAGE, CYCLES, PinFlag.DMA];
    const started = containers.map((one) => top.start(Op.PIN, one, words, [], DRIVER) as Operation);
    const replies: RpcReply[] = [];
    for (let turn = 0; replies.length < 2 && turn < 1000; turn += 1) {
      const operation = started[turn % started.length]!;
      const step = operation.next('done');
      if (step.done === true) {
        replies.push(step.value);
        started.splice(started.indexOf(operation), 1);
      }
      if (step.done !== true && step.value.kind === 'shootdown') top.kernel.acknowledge(step.value.batch);
    }
    expect(replies.map(({ errno }) => errno).sort()).toEqual([Errno.OK, Errno.ENOMEM]);
    expect(top.physmem.store.pins.pages).toBe(12);
    top.check();
  });

  it('keeps pinned memory from being squashed, and lets it be moved by name and released (F32)', () => {
    const { top, a } = world();
    const reply = top.must(pin(top, a, 2, 1));
    const address = reply.words[2] as number;
    expect(top.allocate(a, 0, 8, AllocFlag.SQUASH).words).toEqual([2 * PAGE, Reason.PINNED, 1, 2 * PAGE]);
    const b = top.container();
    top.must(top.allocate(b, 0, 8));
    expect(top.copy(b, 0, a, 0, 8, CopyFlag.SQUASH).errno).toBe(Errno.EBUSY);
    top.must(top.release(a, 0, 8));
    top.must(top.copy(a, 0, b, 8, 8, CopyFlag.MOVE));
    top.must(top.map(1, b, 10, 1, 0x100));
    expect(top.kernel.spaces.get(1)!.pages.get(0x100)!.frame).toBe(address / PAGE);
    top.must(unpin(top, reply));
    top.must(top.allocate(b, 8, 8, AllocFlag.SQUASH));
  });
});
