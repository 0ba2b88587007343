import { describe, expect, it } from 'vitest';
import { RunState } from '../../../emu/arch/core-layout.ts';
import { resetCore } from '../../../emu/cpu/index.ts';
import { Machine } from '../../../emu/machine.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import { boot, makeMachine } from './boot-fixture.ts';

const COUNTER = 0x500;
const ROUNDS = 512;

/**
 * Real-mode ROM in which every core adds to one counter without a lock:
 *   mov cx,ROUNDS; again: mov ax,[COUNTER]; inc ax; mov [COUNTER],ax; loop again; cli; hlt
 */
function racingRom(): Uint8Array {
  const rom = new Uint8Array(0x10000).fill(0x90);
  rom.set([0xb9, 0x00, ROUNDS >> 8, 0xa1, 0x00, 0x05, 0x40, 0xa3, 0x00, 0x05, 0xe2, 0xf7, 0xfa, 0xf4]);
  rom.set([0xe9, 0x0d, 0x00], 0xfff0);
  return rom;
}

/** Two cores at the reset vector at once, a few instructions each in turn. */
function race(seed: number): Machine {
  const machine = new Machine({ rom: racingRom(), cores: 2, ramBytes: 4 << 20, seed, quantum: 5 });
  resetCore(machine.memory, 1, 'power-on', RunState.Running);
  return machine;
}

const bytesOf = (machine: Machine) => encode(machine.save());
const counter = (machine: Machine) => machine.bus.read32(COUNTER);

describe('two cores on one time line', () => {
  it('lose updates of an unlocked counter, as real cores do', () => {
    const machine = race(1);
    expect(machine.run({ maxInstructions: 100_000 })).toEqual({ kind: 'idle' });
    expect(counter(machine)).toBeGreaterThanOrEqual(ROUNDS);
    expect(counter(machine)).toBeLessThan(2 * ROUNDS);
  });

  it('end in the same state for the same seed, to the last bit', () => {
    const [first, second] = [race(7), race(7)];
    first.run({ maxInstructions: 100_000 });
    second.run({ maxInstructions: 100_000 });
    expect(bytesOf(second)).toEqual(bytesOf(first));
  });

  it('interleave differently for different seeds', () => {
    const counts = [1, 2, 3, 4, 5, 6].map((seed) => {
      const machine = race(seed);
      machine.run({ maxInstructions: 100_000 });
      return counter(machine);
    });
    expect(new Set(counts).size).toBeGreaterThan(1);
  });
});

describe('a run that goes on from a snapshot', () => {
  it('ends where the uninterrupted run ends, in a race of two cores', () => {
    const whole = race(3);
    whole.run({ maxInstructions: 100_000 });
    for (const pauseAt of [1, 500, 1801]) {
      const first = race(3);
      first.run({ maxInstructions: pauseAt });
      const second = race(99);
      second.load(decode(bytesOf(first)));
      second.run({ maxInstructions: 100_000 });
      expect(bytesOf(second)).toEqual(bytesOf(whole));
    }
  });

  it('ends where the uninterrupted boot ends, wherever it is cut', () => {
    const config = { cores: 2, ramBytes: 4 << 20 };
    const whole = boot(config);
    const total = whole.machine.instructions;
    for (const share of [0.1, 0.5, 0.93, 0.99]) {
      const first = makeMachine(config);
      first.machine.run({ maxInstructions: Math.floor(total * share) });
      const second = makeMachine(config);
      second.machine.load(decode(bytesOf(first.machine)));
      second.machine.run({ until: () => second.handOvers() > 0 });
      expect(bytesOf(second.machine)).toEqual(bytesOf(whole.machine));
      expect(first.console() + second.console()).toBe(whole.console());
    }
  });
});
