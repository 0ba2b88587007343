import { describe, expect, it } from 'vitest';
import { CoreF } from '../../../emu/arch/core-layout.ts';
import { Sys } from '../../../src/abi/syscalls.ts';
import { VEC_DEVICE_QUIET, VEC_TIMER } from '../../../src/kernel/layout.ts';
import { World } from './world.ts';

const time = (w: World, core: number): number => w.machine.counters(core)[CoreF.CYCLES]!;

/** Lets the clock of a core reach `at`; its timer interrupts if it is armed for that. */
function passUntil(w: World, core: number, at: number): void {
  w.machine.counters(core)[CoreF.CYCLES] = at;
  const armed = w.machine.timers[core]!;
  if (armed >= 0 && armed <= at) w.kernel.interrupt(core, VEC_TIMER);
}

describe('the alarm of the memory server', () => {
  it('rings once, at its time, and not before', () => {
    const w = new World();
    const at = time(w, 0) + 5000;
    w.kernel.port.setAlarm(at);
    w.syscall(0, Sys.YIELD);
    expect(w.machine.timers[0]).toBeLessThanOrEqual(at);
    passUntil(w, 0, at - 2000);
    expect(w.server.ticks).toBe(0);
    passUntil(w, 0, at);
    expect(w.server.ticks).toBe(1);
    passUntil(w, 0, at + 1_000_000);
    expect(w.server.ticks).toBe(1);
    expect(w.kernel.check()).toEqual([]);
  });

  it('is the earliest that was asked for, whichever came first', () => {
    const w = new World();
    const now = time(w, 0);
    w.kernel.port.setAlarm(now + 9000);
    w.kernel.port.setAlarm(now + 4000);
    w.kernel.port.setAlarm(now + 6000);
    w.syscall(0, Sys.YIELD);
    expect(w.kernel.check()).toEqual([]);
    passUntil(w, 0, now + 4000);
    passUntil(w, 0, now + 10_000);
    expect(w.server.ticks).toBe(1);
  });

  it('may start an operation, which runs to its end', () => {
    const w = new World();
    let steps = 0;
    w.server.onTick = () =>
      (function* () {
        steps += 1;
        yield { kind: 'pause' };
        steps += 1;
      })();
    const at = time(w, 0) + 3000;
    w.kernel.port.setAlarm(at);
    w.syscall(0, Sys.YIELD);
    passUntil(w, 0, at);
    expect(w.kernel.isQuiescent()).toBe(false);
    w.syscall(0, Sys.YIELD);
    expect([steps, w.kernel.isQuiescent()]).toEqual([2, true]);
  });

  it('is part of a snapshot', () => {
    const w = new World();
    const at = time(w, 0) + 5000;
    w.kernel.port.setAlarm(at);
    w.syscall(0, Sys.YIELD);
    const saved = w.kernel.save();
    passUntil(w, 0, at);
    w.kernel.load(saved);
    expect(w.kernel.check()).toEqual([]);
    w.machine.timers[0] = at;
    passUntil(w, 0, at);
    expect(w.server.ticks).toBe(2);
  });
});

describe('a device that becomes quiet', () => {
  it('interrupts a core when the server waits for it, once, and never otherwise', () => {
    const w = new World();
    const quietIpis = () => w.machine.ipis.filter(({ vector }) => vector === VEC_DEVICE_QUIET);
    w.kernel.deviceQuiet();
    expect(w.kernel.port.deviceHolds(100, 4)).toBe(false);
    w.kernel.deviceQuiet();
    expect(quietIpis()).toEqual([]);
    w.machine.dmaTargets.add(102);
    expect(w.kernel.port.deviceHolds(100, 4)).toBe(true);
    w.kernel.deviceQuiet();
    w.kernel.deviceQuiet();
    expect(quietIpis()).toEqual([{ from: 0, to: 0, vector: VEC_DEVICE_QUIET }]);
    expect(w.server.ticks).toBe(0);
    w.kernel.interrupt(0, VEC_DEVICE_QUIET);
    expect(w.server.ticks).toBe(1);
    expect(w.kernel.counters.spuriousInterrupts).toBe(0);
  });
});
