/**
 * Instructions per second of an engine on the loops of guest/bare/loops.c: each loop alone, with paging on, from the
 * machine that firmware and image set up. Time is the host's; the boot is not counted.
 */
import { readFileSync } from 'node:fs';
import type { OwnEngineName } from '../../emu/arch/engine.ts';
import { engineNamed } from '../../emu/engine-choice.ts';
import { Machine } from '../../emu/machine.ts';
import type { TlbGeometry } from '../../emu/mem/index.ts';
import { loadPlan, planMultiboot } from '../../emu/multiboot.ts';
import { firmwareRom } from '../../firmware/image.ts';
import { type Figure, hostSeconds, median } from './measure.ts';

export const LOOPS = ['xorshift', 'crc32', 'fib', 'copy', 'fill', 'sieve', 'chase'] as const;

const RAM_BYTES = 32 << 20;
const PORT_SERIAL = 0x3f8;

/** Runs one loop once; MIPS over the time from the hand-over to the image until its result line. */
function runLoop(image: Uint8Array, loop: string, engine: OwnEngineName, options: LoopOptions): number {
  const plan = planMultiboot({
    image,
    ramBytes: RAM_BYTES,
    commandLine: `loops ${loop}${options.repeat === undefined ? '' : `=${options.repeat[loop] ?? 1}`}`,
  });
  const machine = new Machine({
    rom: firmwareRom(),
    ramBytes: RAM_BYTES,
    cores: 1,
    bare: plan,
    quantum: options.quantum ?? 100_000,
    ...(options.tlb === undefined ? {} : { tlb: options.tlb }),
    engine: engineNamed(engine),
  });
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

export interface LoopOptions {
  readonly quantum?: number;
  readonly tlb?: TlbGeometry;
  /** Repeat counts by loop, instead of the image's own. */
  readonly repeat?: Readonly<Record<string, number>>;
}

/**
 * Figures per engine, one per loop: median of `rounds`, everything interleaved so that drift of the host hits all alike.
 */
export function benchLoops(
  rounds: number,
  engines: readonly OwnEngineName[],
  options: LoopOptions = {},
): Map<OwnEngineName, Figure[]> {
  const image = new Uint8Array(readFileSync(new URL('../guest/bin/bare-loops.elf', import.meta.url)));
  const results = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const loop of LOOPS) {
      for (const engine of engines) {
        const runs = results.get(engine + loop) ?? [];
        runs.push(runLoop(image, loop, engine, options));
        results.set(engine + loop, runs);
      }
    }
  }
  const figureOf = (engine: OwnEngineName, loop: string): Figure => {
    const runs = results.get(engine + loop)!;
    return { name: loop, unit: 'MIPS', median: median(runs), min: Math.min(...runs), max: Math.max(...runs) };
  };
  return new Map(engines.map((engine) => [engine, LOOPS.map((loop) => figureOf(engine, loop))]));
}
