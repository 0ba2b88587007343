/**
 * Kernels on the bare machine, with interrupts, timers, page faults, several cores and TLB shootdowns: the same events
 * at the same times and the same machine at the end on both engines.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Interpreter, Translator } from '../../../emu/cpu/index.ts';
import { Machine } from '../../../emu/machine.ts';
import type { MachineConfig } from '../../../emu/machine-config.ts';
import { loadPlan, planMultiboot } from '../../../emu/multiboot.ts';
import { encode } from '../../../emu/plain-data-codec.ts';
import { firmwareRom } from '../../../firmware/image.ts';

const RAM_BYTES = 32 << 20;
const MAX_INSTRUCTIONS = 600_000;
const BIN = new URL('../../../guest/bin/', import.meta.url);
const IMAGES = readdirSync(BIN).filter((name) => name.startsWith('bare-') && name !== 'bare-loops.elf');

function runImage(name: string, quantum: number, engine: NonNullable<MachineConfig['engine']>) {
  const image = new Uint8Array(readFileSync(new URL(name, BIN)));
  const bare = planMultiboot({ image, ramBytes: RAM_BYTES, commandLine: name });
  const machine = new Machine({ rom: firmwareRom(), ramBytes: RAM_BYTES, cores: 3, bare, quantum, engine });
  loadPlan(bare, machine.bus.dma);
  const trace = createHash('sha256');
  const words = new Float64Array(7);
  let events = 0;
  machine.events.sink = {
    emit: (...args) => {
      words.set(args);
      trace.update(words);
      events++;
    },
  };
  const stop = machine.run({ maxInstructions: MAX_INSTRUCTIONS });
  const state = createHash('sha256').update(encode(machine.save())).digest('hex');
  return { stop, events, trace: trace.digest('hex'), state, instructions: machine.instructions };
}

describe.each(IMAGES)('the image %s', (name) => {
  it.each([1, 100, 3000])('runs the same with a quantum of %i', (quantum) => {
    let translator: Translator | null = null;
    const expected = runImage(name, quantum, (context) => new Interpreter(context));
    const found = runImage(
      name,
      quantum,
      (context) => (translator = new Translator(context, { threshold: 50, leastBudget: 1 })),
    );
    expect(found).toEqual(expected);
    expect(expected.events).toBeGreaterThan(10);
    expect(translator!.translatedInstructions).toBeGreaterThan(100);
  });
});
