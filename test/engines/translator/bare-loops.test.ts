/**
 * The loops and traps that engines are measured with give the same results and the same machine on both engines, wherever a
 * run pauses.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Interpreter, Translator } from '../../../emu/cpu/index.ts';
import { Machine } from '../../../emu/machine.ts';
import type { MachineConfig } from '../../../emu/machine-config.ts';
import { loadPlan, planMultiboot } from '../../../emu/multiboot.ts';
import { encode } from '../../../emu/plain-data-codec.ts';
import { firmwareRom } from '../../../firmware/image.ts';

const RAM_BYTES = 64 << 20;
const MAX_INSTRUCTIONS = 8_000_000;
const file = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/${path}`, import.meta.url)));
const image = file('bin/bare-loops.elf');
/** What one unit of each loop prints. */
const RESULTS = new TextDecoder().decode(file('bare/loops/expected.txt')).trim().split('\n');

function runLoop(loop: string, quantum: number, engine: NonNullable<MachineConfig['engine']>) {
  const plan = planMultiboot({ image, ramBytes: RAM_BYTES, commandLine: `loops ${loop}=1` });
  const machine = new Machine({
    rom: firmwareRom(),
    ramBytes: RAM_BYTES,
    cores: 1,
    bare: plan,
    quantum,
    engine,
  });
  loadPlan(plan, machine.bus.dma);
  let output = '';
  machine.console = (byte) => (output += String.fromCharCode(byte));
  // Pauses at odd moments must change nothing either.
  for (let part = 997; machine.run({ maxInstructions: part }).kind === 'budget'; part += 4999) {
    if (machine.instructions > MAX_INSTRUCTIONS) break;
  }
  const state = createHash('sha256').update(encode(machine.save())).digest('hex');
  return { output, state, instructions: machine.instructions, cycles: machine.cycles };
}

describe.each(RESULTS)('the loop %s', (result) => {
  const loop = result.split('<')[0]!;
  it.each([300, 100_000])('ends in the same state with a quantum of %i', (quantum) => {
    let translated: Translator | null = null;
    const expected = runLoop(loop, quantum, (context) => new Interpreter(context));
    const found = runLoop(
      loop,
      quantum,
      (context) => (translated = new Translator(context, { threshold: 1500 })),
    );
    expect(found).toEqual(expected);
    expect(found.output).toContain(result);
    expect(translated!.translatedInstructions).toBeGreaterThan(1000);
  });
});
