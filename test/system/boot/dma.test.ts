/**
 * A bare program that programs the 8237 and the bus master and sleeps until their interrupts (guest/bare/dma): on
 * every engine the same to the event, and from a snapshot at any moment of a transfer.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OWN_ENGINE_NAMES, type OwnEngineName } from '../../../emu/arch/engine.ts';
import { Ev } from '../../../emu/arch/events.ts';
import { engineNamed } from '../../../emu/engine-choice.ts';
import { Machine } from '../../../emu/machine.ts';
import { loadPlan, planMultiboot } from '../../../emu/multiboot.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import { firmwareRom } from '../../../firmware/image.ts';

const RAM_BYTES = 8 << 20;
const SECTORS = 64;
const MAX_INSTRUCTIONS = 20_000_000;
const KINDS = [Ev.DmaStart, Ev.DmaDone, Ev.DiskIssue, Ev.DiskComplete];

const guest = (path: string) => readFileSync(new URL(`../../../guest/${path}`, import.meta.url));
const EXPECTED = guest('bare/dma/expected.txt').toString();
const IMAGE = new Uint8Array(guest('bin/bare-dma.elf'));
const MEDIUM = Uint8Array.from({ length: SECTORS * 512 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 0xff);

function power(engine: OwnEngineName = 'interpreter', commandLine = '') {
  const plan = planMultiboot({ image: IMAGE, ramBytes: RAM_BYTES, commandLine });
  const machine = new Machine({
    rom: firmwareRom(),
    cores: 1,
    ramBytes: RAM_BYTES,
    engine: engineNamed(engine),
    bare: plan,
    dmaDisk: { image: MEDIUM },
    busMaster: { image: MEDIUM },
  });
  loadPlan(plan, machine.bus.dma);
  const world = { machine, console: '', events: [] as string[] };
  machine.console = (byte) => {
    world.console += String.fromCharCode(byte);
  };
  machine.events.sink = {
    emit: (kind, core, time, ...args) => {
      if (KINDS.includes(kind)) world.events.push([kind, core, time, ...args].join(' '));
    },
  };
  return world;
}

type World = ReturnType<typeof power>;

function finish({ machine }: World) {
  const stop = machine.run({ maxInstructions: MAX_INSTRUCTIONS });
  return { stop, instructions: machine.instructions, cycles: machine.cycles };
}

/** A new machine at the moment of another one, through the bytes of a file. */
function continued(from: World): World {
  const world = power();
  world.machine.load(decode(encode(from.machine.save())));
  world.console = from.console;
  world.events.push(...from.events);
  return world;
}

describe('DMA in a bare program', () => {
  it.each(OWN_ENGINE_NAMES)('moves what it should, and wakes the program by interrupts (%s)', (engine) => {
    const world = power(engine);
    expect(finish(world).stop).toMatchObject({ kind: 'exit-port', status: 1 });
    expect(world.console.split(/image at [0-9a-f]+\r\n/)[1]).toBe(EXPECTED);
    const { dma } = world.machine.board;
    const sectors = (first: number) => [...dma.disk!.image.bytes().subarray(first * 512, (first + 4) * 512)];
    expect(sectors(20)).toEqual(sectors(8).map((byte) => byte ^ 0xff));
    expect(world.machine.dmaActivity()).toEqual([]);
  });

  it('is the same on every engine, to the cycle of each event', () => {
    const runs = OWN_ENGINE_NAMES.map((engine) => {
      const world = power(engine);
      return { ...finish(world), console: world.console, events: world.events };
    });
    expect(runs[0]!.events.length).toBeGreaterThan(16);
    for (const run of runs) expect(run).toEqual(runs[0]);
  });

  it('goes on exactly from a snapshot at any moment of a transfer', () => {
    const whole = power('interpreter', 'awake');
    const end = { ...finish(whole), console: whole.console, events: whole.events };
    expect(whole.console).toContain(EXPECTED);
    const walker = power('interpreter', 'awake');
    let running = 0;
    while (walker.machine.run({ maxInstructions: 701 }).kind === 'budget') {
      if (!walker.machine.dmaActivity().some(({ state }) => state === 'running')) continue;
      const other = continued(walker);
      expect({ ...finish(other), console: other.console, events: other.events }).toEqual(end);
      running++;
    }
    expect(running).toBeGreaterThan(20);
  });
});
