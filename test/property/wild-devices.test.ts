/**
 * Whatever is written to the ports of devices, at whatever moment: with the protection unit on, no device touches a frame
 * that is not pinned or in quarantine (F5, I20), while guests go on. The host plays a driver that has lost its mind, beside
 * the one of the scenario.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PORT_BUS_MASTER, PORT_DMA_DISK } from '../../emu/arch/dma.ts';
import type { AccessSize } from '../../emu/arch/ports.ts';
import { PhysmemEv } from '../../src/abi/events.ts';
import { DmaWatch } from '../../src/explore/dma-watch.ts';
import { System } from '../../src/system.ts';
import { checkSystem } from '../../src/system-check.ts';
import { configOf } from '../system/driver/trial.ts';

const RUNS = Number(process.env['PHYSMEM_RUNS'] ?? 25);

interface Write {
  readonly port: number;
  readonly size: AccessSize;
  readonly value: number;
}

const write = (
  port: fc.Arbitrary<number>,
  size: AccessSize,
  value: fc.Arbitrary<number>,
): fc.Arbitrary<Write> => fc.record({ port, size: fc.constant(size), value });
const byte = fc.nat(255);
const anyWord = fc.oneof(
  fc.nat(0xffffffff),
  fc.nat(5),
  fc.nat(5000).map((page) => page * 4096),
);

const step: fc.Arbitrary<Write> = fc.oneof(
  write(fc.nat(15), 1, byte),
  write(fc.integer({ min: 0x81, max: 0x8f }), 1, byte),
  // Channel 3 is opened, in single mode, to memory: what a transfer needs.
  write(fc.constant(0x0b), 1, fc.constantFrom(0x47, 0x4b, 0x57)),
  write(fc.constant(0x0a), 1, fc.constantFrom(3, 7)),
  write(fc.constant(PORT_DMA_DISK), 1, fc.nat(5)),
  write(fc.constant(PORT_DMA_DISK + 2), 1, fc.nat(129)),
  write(fc.constant(PORT_DMA_DISK + 4), 4, fc.nat(600)),
  write(
    fc.constantFrom(0, 4, 8, 12, 16).map((at) => PORT_BUS_MASTER + at),
    4,
    anyWord,
  ),
  write(fc.constant(PORT_BUS_MASTER), 4, fc.constantFrom(1, 1, 4, 5)),
);
const run = fc.array(fc.tuple(step, fc.nat(20_000)), { minLength: 20, maxLength: 60 });

/** The moment at which the client's memory is pinned for the first time. */
function pinned(): System {
  const system = new System(configOf('disk-driver', { 'machine.ioProtection': 'on' }));
  let pins = 0;
  const end = system.trace.listen(({ kind }) => {
    if (kind === PhysmemEv.Pin) pins += 1;
  });
  system.run({ until: () => pins >= 2 && system.isQuiescent });
  end();
  return system;
}

describe('devices that are programmed at random', () => {
  it('touch no frame that is not held for them, and much of what they try is blocked', () => {
    const system = pinned();
    const begin = system.snapshot();
    let blocked = 0;
    let passed = 0;
    fc.assert(
      fc.property(run, (steps) => {
        system.restore(begin);
        const watch = new DmaWatch(system);
        const inner = system.machine.ioProtection.observer!;
        system.machine.ioProtection.observer = (...access) => {
          passed += 1;
          inner(...access);
        };
        for (const [{ port, size, value }, cycles] of steps) {
          system.machine.io.write(port, size, value, 1);
          system.run({ maxCycles: cycles });
          expect(watch.take()).toEqual([]);
        }
        watch.stop();
        system.runUntilQuiescent();
        expect(checkSystem(system)).toEqual([]);
        blocked += system.machine.ioProtection.blockedCount;
      }),
      { numRuns: RUNS },
    );
    expect(blocked).toBeGreaterThan(RUNS);
    expect(passed).toBeGreaterThan(RUNS);
  });
});
