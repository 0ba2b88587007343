import { describe, expect, it } from 'vitest';
import { PhysmemEv } from '../../../src/abi/events.ts';
import { EventWatch } from '../../../src/observe/event-watch.ts';
import { TraceRing } from '../../../src/observe/trace.ts';

describe('a watch for events', () => {
  const emit = (ring: TraceRing, kind: number): void => ring.emit(kind, 0, 0, 0, 0, 0, 0);

  it('gives each wanted event once, at its nth occurrence, in the order of coming', () => {
    const ring = new TraceRing(4);
    const second = { after: 'physmem:copy', nth: 2 };
    const first = { after: 'physmem:revoke', nth: 1 };
    const watch = new EventWatch(ring, [second, first]);
    emit(ring, PhysmemEv.Copy);
    expect(watch.isDue).toBe(false);
    expect(watch.missing).toEqual([second, first]);
    emit(ring, PhysmemEv.Revoke);
    emit(ring, PhysmemEv.Copy);
    expect(watch.isDue).toBe(true);
    expect(watch.take()).toEqual([first, second]);
    expect(watch.missing).toEqual([]);
    expect(watch.isDue).toBe(false);
    emit(ring, PhysmemEv.Copy);
    expect(watch.take()).toEqual([]);
  });

  it('hears nothing after it was stopped', () => {
    const ring = new TraceRing(4);
    const watch = new EventWatch(ring, [{ after: 'physmem:copy', nth: 1 }]);
    watch.stop();
    emit(ring, PhysmemEv.Copy);
    expect(watch.isDue).toBe(false);
  });
});
