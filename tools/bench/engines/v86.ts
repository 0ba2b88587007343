/** v86 (npm, MIT; a dev dependency) on the image, with its translator to WebAssembly. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { V86 } from 'v86';
import { commandLine, Marks, RAM_BYTES, type Runner, wallSeconds } from './marks.ts';

const TIMEOUT_MS = 120_000;

/** The parts of v86's CPU that are not in its declarations. */
interface V86Ports {
  register_write(port: number, device: null, ...writes: ((value: number) => void)[]): void;
}

export function v86Runner(image: Uint8Array): Runner {
  const wasm = join(dirname(createRequire(import.meta.url).resolve('v86')), 'v86.wasm');
  return {
    name: 'v86',
    cannot: [],
    run: async (units) => {
      const emulator = new V86({
        wasm_path: wasm,
        memory_size: RAM_BYTES,
        multiboot: { buffer: image.slice().buffer },
        cmdline: commandLine(units),
        autostart: false,
        disable_speaker: true,
        log_level: 0,
      });
      await new Promise<void>((resolve) => emulator.add_listener('emulator-loaded', () => resolve()));
      const { io } = (emulator as unknown as { v86: { cpu: { io: V86Ports } } }).v86.cpu;
      const marks = new Marks();
      let timer: NodeJS.Timeout | undefined;
      const ended = new Promise<void>((resolve, reject) => {
        io.register_write(0xe9, null, (value) => marks.take(value, wallSeconds()));
        // In widths of 8, 16 and 32 bits; v86 has an exit port of its own there, which throws.
        io.register_write(0xf4, null, ...[1, 2, 4].map(() => () => resolve()));
        timer = setTimeout(() => reject(new Error('v86 did not end')), TIMEOUT_MS);
      });
      emulator.run();
      await ended;
      clearTimeout(timer);
      await emulator.destroy();
      return marks.results;
    },
  };
}
