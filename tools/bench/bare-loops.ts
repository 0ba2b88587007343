/**
 * Instructions per second of an engine on the loops of guest/bare/loops.c: each loop alone, with paging on, from the
 * machine that firmware and image set up. Time is the host's; the boot is not counted.
 */
import { readFileSync } from 'node:fs';
import { Machine } from '../../emu/machine.ts';
import { loadPlan, planMultiboot } from '../../emu/multiboot.ts';
import { firmwareRom } from '../../firmware/image.ts';
import { type Figure, hostSeconds, median } from './measure.ts';

export const LOOPS = ['xorshift', 'crc32', 'fib', 'copy', 'fill', 'sieve', 'chase'] as const;
const RAM_BYTES = 32 << 20;
const PORT_SERIAL = 0x3f8;

/** Runs one loop once; MIPS over the time from the hand-over to the image until its result line. */
function runLoop(image: Uint8Array, loop: string, quantum: number): number {
  const plan = planMultiboot({ image, ramBytes: RAM_BYTES, commandLine: `loops ${loop}` });
  const machine = new Machine({ rom: firmwareRom(), ramBytes: RAM_BYTES, cores: 1, bare: plan, quantum });
  loadPlan(plan, machine.bus.dma);
  let line = '';
  let isDone = false;
  machine.console = (byte, port) => {
    if (port !== PORT_SERIAL) return;
    line = byte === 10 ? '' : line + String.fromCharCode(byte);
    if (line.startsWith(`${loop} 0x`)) isDone = true;
  };
  const limit = { maxInstructions: 200_000 };
  while (!machine.cores[0]!.r[16]! && machine.instructions < 1e6) machine.run(limit);
  const [instructions, start] = [machine.instructions, hostSeconds()];
  while (!isDone && machine.run(limit).kind === 'budget');
  if (!isDone) throw new Error(`the loop ${loop} ended without a result`);
  return (machine.instructions - instructions) / (hostSeconds() - start) / 1e6;
}

/** One figure per loop: median of `rounds`, all loops interleaved so that drift of the host hits all alike. */
export function benchLoops(rounds: number, quantum = 100_000): Figure[] {
  const image = new Uint8Array(readFileSync(new URL('../guest/bin/bare-loops.elf', import.meta.url)));
  const results = new Map<string, number[]>(LOOPS.map((loop) => [loop, []]));
  for (let round = 0; round < rounds; round++) {
    for (const loop of LOOPS) results.get(loop)!.push(runLoop(image, loop, quantum));
  }
  return LOOPS.map((loop) => {
    const runs = results.get(loop)!;
    return { name: loop, unit: 'MIPS', median: median(runs), min: Math.min(...runs), max: Math.max(...runs) };
  });
}
