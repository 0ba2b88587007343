import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IOAPIC_BASE, LAPIC_BASE, VGA_TEXT_BASE } from '../../../emu/arch/address-map.ts';
import { type Engine, Exit } from '../../../emu/arch/engine.ts';
import type { AccessSize } from '../../../emu/arch/ports.ts';
import { Machine } from '../../../emu/machine.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';

/** What a hostile guest, a clock and a host can do to the board. */
type Step =
  | { readonly kind: 'port'; readonly port: number; readonly size: AccessSize; readonly value: number | null }
  | { readonly kind: 'mmio'; readonly pa: number; readonly size: AccessSize; readonly value: number | null }
  | { readonly kind: 'time'; readonly cycles: number }
  | { readonly kind: 'acknowledge' }
  | { readonly kind: 'type' | 'key'; readonly byte: number };

interface Placed {
  readonly core: number;
  readonly step: Step;
}

const CORES = 2;
const size = fc.constantFrom<AccessSize>(1, 2, 4);
/** A value to write, or null for a read. Small values hit more register fields than random words. */
const value = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 255 }), fc.nat(0xffffffff));
const devicePort = fc.oneof(
  fc.constantFrom(
    0x20,
    0x21,
    0xa0,
    0xa1,
    0x60,
    0x64,
    0x70,
    0x71,
    0x92,
    0x3d4,
    0x3d5,
    0x510,
    0x511,
    0x61,
    0x3f6,
  ),
  fc.integer({ min: 0x40, max: 0x43 }),
  fc.integer({ min: 0x1f0, max: 0x1f7 }),
  fc.integer({ min: 0x3f8, max: 0x3ff }),
  fc.nat(0xffff).filter((port) => port !== 0xf4),
);
const deviceAddress = fc.oneof(
  fc.nat(0x3f).map((register) => LAPIC_BASE + 16 * register),
  fc.constantFrom(IOAPIC_BASE, IOAPIC_BASE + 0x10),
  fc.nat(0xfff).map((offset) => LAPIC_BASE + offset),
  fc.nat(0x7ffc).map((offset) => VGA_TEXT_BASE + offset),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('port' as const), port: devicePort, size, value }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('mmio' as const), pa: deviceAddress, size, value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), cycles: fc.nat(200_000) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'acknowledge' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('type' as const, 'key' as const), byte: fc.nat(255) }),
  },
);
const steps = fc.array(fc.record({ core: fc.nat(CORES - 1), step }), { maxLength: 60 });

const restingEngine: Engine = {
  name: 'resting',
  run: () => Exit.Halt,
  invalidateCode: () => {},
  reset: () => {},
};
const makeMachine = () =>
  new Machine({
    rom: new Uint8Array(4096),
    cores: CORES,
    ramBytes: 4 << 20,
    engine: () => restingEngine,
    disks: [new Uint8Array(4096).fill(1), null],
  });

/** Applies the steps; returns everything that the guest could read. */
function apply(machine: Machine, placed: readonly Placed[]): number[] {
  const seen: number[] = [];
  for (const { core, step } of placed) {
    if (step.kind === 'port') {
      if (step.value === null) seen.push(machine.io.read(step.port, step.size, core));
      else machine.io.write(step.port, step.size, step.value, core);
    } else if (step.kind === 'mmio') {
      if (step.value === null) seen.push(machine.bus.read(step.pa, step.size, core));
      else machine.bus.write(step.pa, step.size, step.value, core);
    } else if (step.kind === 'time') advance(machine, step.cycles);
    else if (step.kind === 'acknowledge') seen.push(machine.board.apicBus.acknowledge(core));
    else if (step.kind === 'type') machine.board.uart.receive([step.byte]);
    else machine.board.keyboard.key([step.byte]);
  }
  return seen;
}

function advance(machine: Machine, byCycles: number): void {
  const until = machine.clock.now() + byCycles;
  // A periodic timer of one cycle fires for ever; a guest pays for that with its own time only.
  for (let fired = 0; fired < 50 && machine.clock.fireNext(until); fired++);
  machine.clock.pause(Math.max(until, machine.clock.now()));
}

/** Board and clock as text: comparing strings is quick, comparing typed arrays element by element is not. */
const stateOf = ({ board, clock }: Machine) =>
  Buffer.from(encode([board.save(), clock.save()])).toString('latin1');

describe('the board', () => {
  it('takes any access at any time without an exception, and answers within the width', () => {
    fc.assert(
      fc.property(steps, (placed) => {
        for (const word of apply(makeMachine(), placed)) {
          expect(Number.isInteger(word) && word >= -1 && word <= 0xffffffff).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('goes on from a snapshot as if nothing had happened', () => {
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const first = makeMachine();
        apply(first, before);
        const second = makeMachine();
        second.board.load(decode(encode(first.board.save())));
        second.clock.load(decode(encode(first.clock.save())));
        for (const [core, { r }] of first.cores.entries()) second.cores[core]!.r.set(r);
        expect(stateOf(second)).toBe(stateOf(first));
        expect(apply(second, after)).toEqual(apply(first, after));
        expect(stateOf(second)).toBe(stateOf(first));
      }),
      { numRuns: 100 },
    );
  });
});
