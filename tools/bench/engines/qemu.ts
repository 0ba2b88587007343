/** QEMU's translator (TCG) on the image, as a process beside this one; the debug console is its standard output. */
import { execFileSync, spawn } from 'node:child_process';
import { commandLine, Marks, type RunnerOrReason, wallSeconds } from './marks.ts';

const PROGRAM = 'qemu-system-i386';
const TIMEOUT_MS = 120_000;
/** isa-debug-exit gives (0 << 1) | 1. */
const DONE = 1;

export function qemuRunner(imagePath: string): RunnerOrReason {
  try {
    execFileSync(PROGRAM, ['--version'], { stdio: 'pipe' });
  } catch {
    return `${PROGRAM} is not installed (Debian: qemu-system-x86)`;
  }
  const machine = '-M pc -accel tcg -cpu pentium2 -m 64 -display none -monitor none -no-reboot -serial none';
  const devices = '-global isa-debugcon.iobase=0xe9 -device isa-debug-exit,iobase=0xf4,iosize=4';
  return {
    name: 'QEMU TCG',
    cannot: [],
    run: (units) =>
      new Promise((resolve, reject) => {
        const args = [...`${machine} ${devices}`.split(' '), '-debugcon', 'stdio', '-kernel', imagePath];
        const child = spawn(PROGRAM, [...args, '-append', commandLine(units)], { timeout: TIMEOUT_MS });
        const marks = new Marks();
        let complaint = '';
        child.stdout.on('data', (bytes: Buffer) => {
          const seconds = wallSeconds();
          for (const byte of bytes) marks.take(byte, seconds);
        });
        child.stderr.on('data', (bytes: Buffer) => {
          complaint += bytes.toString();
        });
        child.on('error', reject);
        child.on('close', (status) => {
          if (status === DONE) resolve(marks.results);
          else reject(new Error(`${PROGRAM} ended with ${status}: ${complaint}`));
        });
      }),
  };
}
