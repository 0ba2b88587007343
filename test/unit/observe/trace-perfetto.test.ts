import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ev } from '../../../emu/arch/events.ts';
import { KernelEv, PhysmemEv } from '../../../src/abi/events.ts';
import { FreeBlockReplay } from '../../../src/observe/free-block-replay.ts';
import { TraceRing } from '../../../src/observe/trace.ts';
import { traceToPerfetto } from '../../../src/observe/trace-perfetto.ts';

interface Entry {
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  id?: number | string;
  name: string;
  args: Record<string, number>;
}

function story(): TraceRing {
  const ring = new TraceRing(64);
  ring.emit(KernelEv.ContextSwitch, 0, 1000, -1, 1, 1, 0);
  ring.emit(KernelEv.ContextSwitch, 1, 1500, -1, 2, 2, 0);
  ring.emit(KernelEv.OpStart, 0, 2000, 9, 1, 17, 0);
  ring.emit(PhysmemEv.FrameAlloc, 0, 2100, 0, 0, 0, 2);
  ring.emit(KernelEv.ShootdownStart, 0, 2200, 4, 2, 2, 1);
  ring.emit(KernelEv.ShootdownAck, 1, 3200, 4, 1, 1, 0);
  ring.emit(KernelEv.ShootdownDone, 0, 3300, 4, 1100, 1, 0);
  ring.emit(KernelEv.OpDone, 0, 3400, 9, 17, 0, 4096);
  ring.emit(KernelEv.ContextSwitch, 0, 4000, 1, -1, 0, 0);
  return ring;
}

const entriesOf = (ring: TraceRing): Entry[] => {
  const text = traceToPerfetto(ring.events(), {
    cores: 2,
    taskNames: new Map([[1, 'story']]),
    freeBlocks: [{ pfn: 0, order: 3 }],
  });
  return (JSON.parse(text) as { traceEvents: Entry[] }).traceEvents;
};

describe('the Perfetto export', () => {
  it('shows a DMA transfer as a slice of its channel, and the bus master by name', () => {
    const ring = new TraceRing(8);
    ring.emit(Ev.DmaStart, -1, 1000, 3, 0x20000, 512, 1);
    ring.emit(Ev.DmaStart, -1, 1500, 8, 0x90000, 4096, 0);
    ring.emit(Ev.DmaDone, -1, 2000, 3, 0x20000, 512, 1);
    ring.emit(Ev.DmaDone, -1, 2500, 8, 0x90000, 4096, 0);
    const slices = entriesOf(ring).filter((e) => 'be'.includes(e.ph));
    expect(slices.map((e) => [e.ph, e.id, e.name, e.ts])).toEqual([
      ['b', 'dma3', 'DMA channel 3', 1],
      ['b', 'dma8', 'bus master', 1.5],
      ['e', 'dma3', 'DMA channel 3', 2],
      ['e', 'dma8', 'bus master', 2.5],
    ]);
  });

  it('shows what runs on each core as slices with the name of the task', () => {
    const slices = entriesOf(story()).filter((e) => e.ph === 'X' && !e.name.startsWith('shootdown'));
    expect(slices.map((e) => [e.tid, e.name, e.ts, e.dur])).toEqual([
      [0, 'story', 1, 3],
      [1, 'task 2', 1.5, 1.7],
    ]);
  });

  it('leads a flow of one shootdown from its initiator over each acknowledgement back', () => {
    const flow = entriesOf(story()).filter((e) => 'stf'.includes(e.ph) && e.id === 4);
    expect(flow.map((e) => [e.ph, e.tid])).toEqual([
      ['s', 0],
      ['t', 1],
      ['f', 0],
    ]);
  });

  it('shows operations of the server as asynchronous slices that begin and end by id', () => {
    const ops = entriesOf(story()).filter((e) => e.id === 'op9');
    expect(ops.map((e) => [e.ph, e.name])).toEqual([
      ['b', 'container_deallocate'],
      ['e', 'container_deallocate'],
    ]);
  });

  it('counts free blocks per order after each allocation', () => {
    const counters = entriesOf(story()).filter((e) => e.ph === 'C');
    expect(counters).toHaveLength(1);
    expect(counters[0]?.args).toMatchObject({ 'order 0': 1, 'order 1': 1, 'order 2': 1, 'order 3': 0 });
  });

  it('gives the same bytes for the same events', () => {
    const options = { cores: 2 };
    expect(traceToPerfetto(story().events(), options)).toBe(traceToPerfetto(story().events(), options));
  });
});

describe('the replay of free blocks', () => {
  it('coalesces to the canonical blocks of whatever set of frames is free', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 31 }), { maxLength: 60 }), (frames) => {
        const replay = new FreeBlockReplay([{ pfn: 0, order: 5 }], 5);
        const taken = new Set<number>();
        for (const frame of frames) {
          if (taken.delete(frame)) replay.freed(frame, 0);
          else {
            taken.add(frame);
            replay.allocated(frame, 0);
          }
        }
        expect(replay.freeFrames()).toBe(32 - taken.size);
        expect(replay.blocksPerOrder()).toEqual(canonicalBlocks(taken));
      }),
    );
  });

  it('leaves a block alone that is not free', () => {
    const replay = new FreeBlockReplay([{ pfn: 8, order: 3 }]);
    replay.allocated(0, 0);
    expect(replay.freeFrames()).toBe(8);
  });
});

/** Blocks of maximal size, found by trying the largest first. */
function canonicalBlocks(taken: ReadonlySet<number>): number[] {
  const counts = [0, 0, 0, 0, 0, 0];
  const used = new Set(taken);
  for (let order = 5; order >= 0; order--) {
    for (let first = 0; first < 32; first += 2 ** order) {
      const frames = Array.from({ length: 2 ** order }, (_, i) => first + i);
      if (frames.some((f) => used.has(f))) continue;
      for (const f of frames) used.add(f);
      counts[order]!++;
    }
  }
  return counts;
}
