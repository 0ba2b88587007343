/** A snapshot in the middle of a transfer: pins, alarm, quarantine, the table of the unit and the device go on from it as they were. */
import { describe, expect, it } from 'vitest';
import { Ev } from '../../../emu/arch/events.ts';
import { PhysmemEv } from '../../../src/abi/events.ts';
import { System } from '../../../src/system.ts';
import { checkSystem } from '../../../src/system-check.ts';
import { type Changes, configOf } from './trial.ts';

/** Runs to the first moment after `kind` at which a snapshot can be taken, while a device is aimed at memory. */
function runTo(system: System, kind: number): void {
  let came = false;
  const end = system.trace.listen((event) => {
    if (event.kind === kind) came = true;
  });
  system.run({ until: () => came && system.isQuiescent && system.machine.dmaActivity().length > 0 });
  end();
  expect(system.machine.dmaActivity()).not.toEqual([]);
}

/** What a run from here on tells, and where it ends. */
function goOn(system: System): unknown[] {
  const told: unknown[] = [];
  const end = system.trace.listen(({ kind, core, time, a, b, c, d }) =>
    told.push([kind, core, time, a, b, c, d].join()),
  );
  const stop = system.run({ maxInstructions: 20_000_000 });
  end();
  return [stop, system.cycles, system.instructions, ...told];
}

describe('a snapshot in mid-transfer', () => {
  it.each<[string, number, Changes]>([
    ['disk-expiry', PhysmemEv.Pin, {}],
    ['disk-expiry', PhysmemEv.PinDrain, {}],
    ['disk-expiry', Ev.DmaBlocked, { 'machine.ioProtection': 'on' }],
    ['disk-driver-dies', PhysmemEv.Quarantine, {}],
  ])('of %s after event %i goes on to the same end, event by event', (name, kind, changes) => {
    const config = configOf(name, changes);
    const system = new System(config);
    runTo(system, kind);
    const saved = system.save();
    const expected = goOn(system);
    const restored = System.restore(config, saved);
    expect(checkSystem(restored)).toEqual([]);
    expect(goOn(restored)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(100);
  });
});
