import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FIRMWARE_DIR } from '../../../tools/build-firmware.ts';
import { boot } from './boot-fixture.ts';
import { hasQemu } from './qemu-fixture.ts';

const MIB = 1 << 20;

/** Console of the ROM on QEMU's PC, up to the line `  start`. One instruction takes one nanosecond of its clock. */
async function consoleOnQemu(cores: number, mebibytes: number): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), 'qemu-'));
  const serial = join(work, 'serial');
  const machine = [
    '-M',
    'pc',
    '-accel',
    'tcg',
    '-icount',
    'shift=0',
    '-smp',
    `${cores}`,
    '-m',
    `${mebibytes}`,
  ];
  const devices = ['-display', 'none', '-monitor', 'none', '-no-reboot', '-serial', `file:${serial}`];
  const rom = ['-bios', join(FIRMWARE_DIR, 'rom.bin')];
  const qemu = spawn('qemu-system-i386', [...machine, ...devices, ...rom], { stdio: 'ignore' });
  const read = () => {
    try {
      return readFileSync(serial, 'latin1');
    } catch {
      return '';
    }
  };
  try {
    for (let waited = 0; waited < 20_000 && !read().includes('  start'); waited += 50) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return read();
  } finally {
    qemu.kill('SIGKILL');
    rmSync(work, { recursive: true });
  }
}

/** Lines that do not depend on the processor model, up to the start line. */
const comparable = (text: string) =>
  text
    .split('\r\n')
    .filter((line) => !line.startsWith('  cpu'))
    .slice(0, 4);

describe('the firmware on another machine', () => {
  it.skipIf(!hasQemu())('says on QEMU what it says here (skipped without qemu-system-i386)', async () => {
    for (const [cores, mebibytes] of [
      [1, 4],
      [4, 32],
    ] as const) {
      const here = boot({ cores, ramBytes: mebibytes * MIB }).console();
      const there = await consoleOnQemu(cores, mebibytes);
      expect(comparable(there)).toEqual(comparable(here));
    }
  });
});
