/** The engines of this project on the image: from power-on through the firmware, as any bare image. */
import type { OwnEngineName } from '../../../emu/arch/engine.ts';
import { engineNamed } from '../../../emu/engine-choice.ts';
import { Machine } from '../../../emu/machine.ts';
import type { TlbGeometry } from '../../../emu/mem/index.ts';
import { loadPlan, planMultiboot } from '../../../emu/multiboot.ts';
import { firmwareRom } from '../../../firmware/image.ts';
import { commandLine, Marks, RAM_BYTES, type Runner, wallSeconds } from './marks.ts';

const PORT_DEBUG = 0xe9;
const QUANTUM = 100_000;

/** 8192 entries: nearer to engines without a finite TLB. */
export const LARGE_TLB: TlbGeometry = {
  data: { entries: 8192, ways: 8 },
  instr: { entries: 1024, ways: 8 },
  replacement: 'fifo',
  seed: 1,
};

function machineFor(
  image: Uint8Array,
  units: ReadonlyMap<string, number>,
  engine: OwnEngineName,
  tlb: TlbGeometry | null,
): Machine {
  const plan = planMultiboot({ image, ramBytes: RAM_BYTES, commandLine: commandLine(units) });
  const machine = new Machine({
    rom: firmwareRom(),
    ramBytes: RAM_BYTES,
    cores: 1,
    bare: plan,
    quantum: QUANTUM,
    ...(tlb === null ? {} : { tlb }),
    engine: engineNamed(engine),
  });
  loadPlan(plan, machine.bus.dma);
  return machine;
}

export const ownRunner = (
  name: string,
  image: Uint8Array,
  engine: OwnEngineName,
  tlb: TlbGeometry | null,
): Runner => ({
  name,
  cannot: [],
  run: (units) => {
    const machine = machineFor(image, units, engine, tlb);
    const marks = new Marks();
    machine.console = (byte, port) => {
      if (port === PORT_DEBUG) marks.take(byte, wallSeconds());
    };
    const stop = machine.run({});
    if (stop.kind !== 'exit-port') throw new Error(`the image ended with ${stop.kind}`);
    return Promise.resolve(marks.results);
  },
});

/**
 * Instructions of one unit of each loop, counted by the translator: the difference of two runs, so that what a loop
 * prepares is left out.
 */
export function instructionsPerUnit(image: Uint8Array, names: readonly string[]): Map<string, number> {
  const count = (name: string, units: number): number => {
    const machine = machineFor(image, new Map([[name, units]]), 'translator', LARGE_TLB);
    machine.run({});
    return machine.instructions;
  };
  return new Map(names.map((name) => [name, (count(name, 5) - count(name, 1)) / 4]));
}
