/** Runs a bare-mode image here, on v86 and on QEMU; each gives what was printed on port 0xE9. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { V86 } from 'v86';
import { PORT_DEBUG_CONSOLE } from '../../emu/arch/address-map.ts';
import { Machine } from '../../emu/machine.ts';
import { loadPlan, planMultiboot } from '../../emu/multiboot.ts';
import { firmwareRom } from '../../firmware/image.ts';
import { IMAGE_DIRECTORY, imageBytes, RAM_BYTES } from './images.ts';

const MAX_INSTRUCTIONS = 20_000_000;
const TIMEOUT_MS = 30_000;

/** On the machine of this project, by its own firmware. */
export function runHere(name: string): string {
  const plan = planMultiboot({ image: imageBytes(name), ramBytes: RAM_BYTES });
  const machine = new Machine({ rom: firmwareRom(), ramBytes: RAM_BYTES, bare: plan });
  loadPlan(plan, machine.bus.dma);
  let text = '';
  machine.console = (byte, port) => {
    if (port === PORT_DEBUG_CONSOLE) text += String.fromCharCode(byte);
  };
  const stop = machine.run({ maxInstructions: MAX_INSTRUCTIONS });
  return stop.kind === 'exit-port' ? text : `${text}\n(${stop.kind})`;
}

/** The parts of v86's CPU that are not in its declarations. */
interface V86Ports {
  register_write(port: number, device: null, write: (value: number) => void): void;
  register_read(port: number, device: null, read: () => number): void;
}

/** On v86. Text so far when it panics or does not end. */
export async function runOnV86(name: string): Promise<string> {
  const wasm = join(dirname(createRequire(import.meta.url).resolve('v86')), 'v86.wasm');
  const image = imageBytes(name);
  const emulator = new V86({
    wasm_path: wasm,
    memory_size: RAM_BYTES,
    multiboot: { buffer: image.slice().buffer },
    autostart: false,
    disable_speaker: true,
    log_level: 0,
  });
  await new Promise<void>((resolve) => emulator.add_listener('emulator-loaded', () => resolve()));
  const { io } = (emulator as unknown as { v86: { cpu: { io: V86Ports } } }).v86.cpu;
  let text = '';
  const ended = new Promise<void>((resolve, reject) => {
    io.register_write(PORT_DEBUG_CONSOLE, null, (value) => {
      text += String.fromCharCode(value);
    });
    io.register_read(PORT_DEBUG_CONSOLE, null, () => PORT_DEBUG_CONSOLE);
    io.register_write(0xf4, null, () => resolve());
    setTimeout(() => reject(new Error(`v86 did not end:\n${text}`)), TIMEOUT_MS).unref();
  });
  emulator.run();
  await ended;
  await emulator.destroy();
  return text;
}

/** Whether qemu-system-i386 is installed. */
export function hasQemu(): boolean {
  try {
    execFileSync('qemu-system-i386', ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** On QEMU's translator. @throws when it does not end by the exit port. */
export function runOnQemu(name: string): string {
  const work = mkdtempSync(join(tmpdir(), 'qemu-'));
  const output = join(work, 'console');
  const machine = '-M pc -accel tcg -cpu pentium2 -m 16 -display none -monitor none -no-reboot -serial none';
  const devices = '-global isa-debugcon.iobase=0xe9 -device isa-debug-exit,iobase=0xf4,iosize=4';
  const args = [...`${machine} ${devices}`.split(' '), '-debugcon', `file:${output}`];
  try {
    const run = spawnSync('qemu-system-i386', [...args, '-kernel', `${IMAGE_DIRECTORY}bin/${name}.bin`], {
      timeout: TIMEOUT_MS,
      encoding: 'utf8',
    });
    const text = readFileSync(output, 'latin1');
    if (run.status !== 1)
      throw new Error(`QEMU ended with ${run.status ?? run.signal}: ${run.stderr}\n${text}`);
    return text;
  } finally {
    rmSync(work, { recursive: true });
  }
}
