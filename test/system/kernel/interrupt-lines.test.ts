/** The kernel's port to the I/O APIC (src/machine-binding.ts), on the real one: edges, levels, masks. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { MachinePort } from '../../../src/kernel/machine-port.ts';
import { bindMachine } from '../../../src/machine-binding.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { System } from '../../../src/system.ts';

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));

const LINE = 5;
/** A vector that the kernel gives to nothing: it counts such interrupts as spurious and ends them. */
const VECTOR = 0x60;

interface Wired {
  readonly port: MachinePort;
  /** Drives the line, lets the guest run on and returns how many interrupts came. */
  drive(level: 0 | 1): number;
  interruptsDuring(change: () => void): number;
}

/** A computing guest on two cores, just handed over to the kernel. */
function booted(): System {
  const scenario = builtInScenario('spin', [{ path: 'machine.cores', value: 2 }]);
  const system = new System(scenarioConfig(scenario, { image }));
  system.run({ until: () => system.physmem !== null });
  return system;
}

function wired(): Wired {
  const system = booted();
  const line = system.machine.board.ioApic.line(LINE);
  const interruptsDuring = (change: () => void): number => {
    const before = system.kernel.counters.spuriousInterrupts;
    change();
    system.run({ maxCycles: 20_000 });
    return system.kernel.counters.spuriousInterrupts - before;
  };
  return {
    port: bindMachine(system.machine, () => {}),
    drive: (level) => interruptsDuring(() => line.set(level)),
    interruptsDuring,
  };
}

describe('a line of the I/O APIC', () => {
  it('is silent before it is routed', () => {
    const { drive } = wired();
    expect([drive(1), drive(0), drive(1)]).toEqual([0, 0, 0]);
  });

  it('with an edge interrupts once for each rise', () => {
    const { port, drive } = wired();
    port.routeLine(LINE, 0, VECTOR, 'edge');
    expect([drive(1), drive(1), drive(0), drive(1)]).toEqual([1, 0, 0, 1]);
  });

  it('with a level interrupts again after each EOI until it is masked, and again when it is unmasked', () => {
    const { port, drive, interruptsDuring } = wired();
    port.routeLine(LINE, 0, VECTOR, 'level');
    expect(drive(1)).toBeGreaterThan(1);
    expect(interruptsDuring(() => port.maskLine(LINE))).toBeLessThanOrEqual(1);
    expect(interruptsDuring(() => {})).toBe(0);
    expect(interruptsDuring(() => port.unmaskLine(LINE))).toBeGreaterThan(1);
    expect(drive(0)).toBeLessThanOrEqual(1);
    expect(drive(0)).toBe(0);
  });

  it('reaches the core that it is routed to', () => {
    const system = booted();
    const cores: number[] = [];
    system.machine.attach({
      handOver: () => {},
      trap: (core, vector, code) => system.kernel.trap(core, vector, code),
      interrupt: (core, vector) => {
        if (vector === VECTOR) cores.push(core);
        system.kernel.interrupt(core, vector);
      },
    });
    bindMachine(system.machine, () => {}).routeLine(LINE, 1, VECTOR, 'edge');
    system.machine.board.ioApic.line(LINE).pulse();
    system.run({ maxCycles: 20_000 });
    expect(cores).toEqual([1]);
  });
});
