/** What is kept of faults: the bytes of an invalid opcode, the chain of a shutdown, and instructions that were begun. */
import { describe, expect, it } from 'vitest';
import { CHAIN_WORDS, CoreF, R } from '../../../emu/arch/core-layout.ts';
import { OWN_ENGINE_NAMES } from '../../../emu/arch/engine.ts';
import { Ev } from '../../../emu/arch/events.ts';
import { engineNamed } from '../../../emu/engine-choice.ts';
import { Machine } from '../../../emu/machine.ts';
import { loadPlan, planMultiboot } from '../../../emu/multiboot.ts';
import { firmwareRom } from '../../../firmware/image.ts';
import { ENDLESS_FAULT_IMAGE, flatImage, TRIPLE_FAULT_IMAGE } from '../cli/bare-images.ts';

const RAM_BYTES = 8 << 20;

describe.each(OWN_ENGINE_NAMES)('faults on the %s', (name) => {
  const make = (image: Uint8Array): Machine => {
    const plan = planMultiboot({ image, ramBytes: RAM_BYTES });
    const machine = new Machine({
      rom: firmwareRom(),
      ramBytes: RAM_BYTES,
      cores: 1,
      bare: plan,
      engine: engineNamed(name),
    });
    loadPlan(plan, machine.bus.dma);
    return machine;
  };

  it('count as begun instructions, not as completed ones, so that a limit ends a guest that only faults', () => {
    const machine = make(ENDLESS_FAULT_IMAGE);
    expect(machine.run({ maxInstructions: 200_000 })).toEqual({ kind: 'budget' });
    expect(machine.attempts).toBe(200_000);
    const faulted = machine.cores[0]!.f[CoreF.FAULTED]!;
    expect(faulted).toBeGreaterThan(100_000);
    expect(machine.instructions + faulted).toBe(200_000);
  });

  it('are told with the bytes of an invalid opcode', () => {
    const machine = make(flatImage(0x90, 0x0f, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13));
    const seen: number[][] = [];
    machine.events.sink = {
      emit: (kind, _core, _time, ...args) => {
        if (kind === Ev.InvalidOpcode) seen.push(args.map((word) => word >>> 0));
      },
    };
    machine.run({ maxInstructions: 100_000, until: () => seen.length > 0 });
    expect(seen[0]).toEqual([0x100021, 0x0fff0102, 0x03040506, 0x0708090a]);
  });

  it('leave the chain of a triple fault in the core', () => {
    const machine = make(TRIPLE_FAULT_IMAGE);
    expect(machine.run({ maxInstructions: 1_000_000 })).toMatchObject({ kind: 'shutdown' });
    const { r } = machine.cores[0]!;
    const chain = Array.from({ length: r[R.CHAIN_LENGTH]! }, (_, i) => {
      const word = r[R.CHAIN + i * CHAIN_WORDS]!;
      return [word & 0xff, word >>> 8];
    });
    const beyond = (vector: number) => vector * 8 + 3;
    expect(chain).toEqual([
      [6, 0],
      [13, beyond(6)],
      [13, beyond(13)],
      [8, 0],
      [13, beyond(8)],
    ]);
  });
});
