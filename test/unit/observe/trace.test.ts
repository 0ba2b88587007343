import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ev } from '../../../emu/arch/events.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import { KernelEv } from '../../../src/abi/events.ts';
import { TraceRing } from '../../../src/observe/trace.ts';
import { TraceRecording } from '../../../src/observe/trace-recording.ts';

const filled = (capacity: number, events: number): TraceRing => {
  const ring = new TraceRing(capacity);
  for (let i = 0; i < events; i++) ring.emit(Ev.TlbFill, i % 2, 10 * i, i, -1, 0, 7);
  return ring;
};

describe('the trace ring', () => {
  it('holds the newest events in order and knows how many there were', () => {
    const ring = filled(4, 6);
    expect(ring.total).toBe(6);
    expect(ring.firstSeq).toBe(2);
    expect(ring.events().map((e) => e.seq)).toEqual([2, 3, 4, 5]);
    expect(ring.events(2).map((e) => e.a)).toEqual([4, 5]);
    expect(ring.at(1)).toBeNull();
    expect(ring.at(6)).toBeNull();
    expect(ring.at(5)).toEqual({
      seq: 5,
      time: 50,
      core: 1,
      task: 0,
      kind: Ev.TlbFill,
      a: 5,
      b: -1,
      c: 0,
      d: 7,
    });
  });

  it('rounds its capacity up to a power of two', () => {
    expect(new TraceRing(5).capacity).toBe(8);
    expect(new TraceRing(1).capacity).toBe(1);
  });

  it('learns from the scheduler which task a core runs', () => {
    const ring = new TraceRing(8);
    ring.emit(KernelEv.ContextSwitch, 1, 5, 0, 3, 2, 0);
    ring.emit(Ev.Exception, 1, 6, 14, 0, 0, 0);
    ring.emit(Ev.Exception, 0, 6, 14, 0, 0, 0);
    expect(ring.events().map((e) => e.task)).toEqual([2, 2, 0]);
  });

  it('keeps the events of bus masters, which no core causes', () => {
    const ring = new TraceRing(8);
    ring.emit(Ev.DmaDone, -1, 5, 2, 0x1000, 512, 0);
    expect(ring.at(0)?.core).toBe(-1);
    expect(ring.count(Ev.DmaDone, -1)).toBe(1);
  });

  it('counts every event by kind and core, also those that it has lost', () => {
    const ring = filled(4, 7);
    expect(ring.count(Ev.TlbFill)).toBe(7);
    expect(ring.count(Ev.TlbFill, 0)).toBe(4);
    expect(ring.count(Ev.TlbFill, 1)).toBe(3);
    expect(ring.count(Ev.Exception)).toBe(0);
  });

  it('tells listeners of every event until they leave', () => {
    const ring = new TraceRing(2);
    const heard: number[] = [];
    const leave = ring.listen((event) => heard.push(event.seq));
    for (let i = 0; i < 5; i++) ring.emit(Ev.Reset, 0, i, 0, 0, 0, 0);
    leave();
    ring.emit(Ev.Reset, 0, 9, 0, 0, 0, 0);
    expect(heard).toEqual([0, 1, 2, 3, 4]);
  });

  it('goes on after a restore as if it had never stopped, whatever was lost before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }), (before, after) => {
        const whole = filled(8, before);
        const saved = decode(encode(whole.save()));
        const restored = new TraceRing(8);
        restored.load(saved);
        for (const ring of [whole, restored]) {
          for (let i = 0; i < after; i++) ring.emit(Ev.Interrupt, 0, 1000 + i, i, 0, 0, 0);
        }
        expect(restored.events()).toEqual(whole.events());
        expect(restored.save()).toEqual(whole.save());
      }),
      { numRuns: 30 },
    );
  });

  it('says that events are lost when it is restored with less room', () => {
    const small = new TraceRing(2);
    small.load(filled(8, 5).save());
    expect(small.events().map((e) => e.seq)).toEqual([3, 4]);
    const big = new TraceRing(8);
    big.load(filled(2, 5).save());
    expect(big.firstSeq).toBe(3);
    expect(big.events().map((e) => e.a)).toEqual([3, 4]);
  });
});

describe('a recording', () => {
  it('has every event of its kinds, also when the ring is too small for them', () => {
    const ring = new TraceRing(4);
    const all = new TraceRecording(ring);
    const some = new TraceRecording(ring, new Set([Ev.Exception]));
    for (let i = 0; i < 40_000; i++) ring.emit(i % 4 === 0 ? Ev.Exception : Ev.TlbFill, 0, i, i, 0, 0, -5);
    some.stop();
    ring.emit(Ev.Exception, 0, 1, 0, 0, 0, 0);
    expect(all.length).toBe(40_001);
    expect(some.length).toBe(10_000);
    const events = [...some];
    expect(events.at(-1)).toMatchObject({ seq: 39_996, time: 39_996, kind: Ev.Exception, a: 39_996, d: -5 });
    expect(events.every((e) => e.kind === Ev.Exception)).toBe(true);
  });
});
