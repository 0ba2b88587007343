/** The toy kernels of guest/bare: the same lines on this machine, whatever the interleaving, and on QEMU. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PORT_COM1 } from '../../../emu/arch/address-map.ts';
import { OWN_ENGINE_NAMES } from '../../../emu/arch/engine.ts';
import { engineNamed } from '../../../emu/engine-choice.ts';
import { Machine } from '../../../emu/machine.ts';
import type { MachineConfig } from '../../../emu/machine-config.ts';
import { loadPlan, planMultiboot } from '../../../emu/multiboot.ts';
import { decode, encode } from '../../../emu/plain-data-codec.ts';
import { firmwareRom } from '../../../firmware/image.ts';
import { hasQemu } from './qemu-fixture.ts';

const GUEST = fileURLToPath(new URL('../../../guest/', import.meta.url));
/** What the kernel `high` expects; the others are content with less. */
const RAM_BYTES = 256 << 20;
const CORES = 4;
const KERNELS = ['round-robin', 'paging', 'smp', 'disk', 'clock', 'high'] as const;
type Kernel = (typeof KERNELS)[number];

const imagePath = (kernel: Kernel) => join(GUEST, 'bin', `bare-${kernel}.elf`);
const expectedLines = (kernel: Kernel) => readFileSync(join(GUEST, 'bare', kernel, 'expected.txt'), 'utf8');

/** Eight sectors of the letter a, each beginning with its name. */
function diskBytes(): Uint8Array {
  const disk = new Uint8Array(8 * 512).fill(0x61);
  for (let i = 0; i < 8; i++) disk.set(new TextEncoder().encode(`sector ${i}`), i * 512);
  return disk;
}

function boot(kernel: Kernel, config: Partial<MachineConfig> = {}, commandLine = '') {
  const image = new Uint8Array(readFileSync(imagePath(kernel)));
  const plan = planMultiboot({ image, ramBytes: RAM_BYTES, commandLine });
  const disks = [diskBytes(), null] as const;
  const machine = new Machine({
    rom: firmwareRom(),
    cores: CORES,
    ramBytes: RAM_BYTES,
    bare: plan,
    disks,
    ...config,
  });
  loadPlan(plan, machine.bus.dma);
  const output = { serial: '' };
  machine.console = (byte, port) => {
    if (port === PORT_COM1) output.serial += String.fromCharCode(byte);
  };
  return { machine, output };
}

/** What came after the firmware's last line. */
const afterFirmware = (serial: string) => serial.replace(/^[\s\S]*image at [0-9a-f]+\r\n/, '');

function run(kernel: Kernel, config: Partial<MachineConfig> = {}) {
  const { machine, output } = boot(kernel, config);
  const stop = machine.run({ maxInstructions: 100_000_000 });
  return { stop, text: afterFirmware(output.serial), machine };
}

describe.each(KERNELS)('the toy kernel %s', (kernel) => {
  it('prints what is expected and leaves by the exit port, on every engine in the same state', () => {
    const ends = OWN_ENGINE_NAMES.map((name) => {
      const { stop, text, machine } = run(kernel, { engine: engineNamed(name) });
      expect(text).toBe(expectedLines(kernel));
      expect(stop).toEqual({ kind: 'exit-port', core: 0, status: 1 });
      return encode(machine.save());
    });
    for (const end of ends) expect(end).toEqual(ends[0]);
  });

  it('goes on from a snapshot in the middle to the same end', () => {
    const first = boot(kernel);
    first.machine.run({ maxInstructions: 23_000 });
    const second = boot(kernel);
    second.machine.load(decode(encode(first.machine.save())));
    for (const { machine } of [first, second]) machine.run({ maxInstructions: 100_000_000 });
    expect(first.output.serial.endsWith(second.output.serial)).toBe(true);
    expect(encode(second.machine.save())).toEqual(encode(first.machine.save()));
  });

  it.skipIf(!hasQemu())(
    'prints the same on QEMU (skipped without qemu-system-i386)',
    { timeout: 60_000 },
    async () => {
      const { text, status } = await runOnQemu(kernel);
      expect(text).toBe(expectedLines(kernel));
      expect(status).toBe(1);
    },
  );
});

describe('the toy kernel smp', () => {
  it.each([
    [1, 1],
    [1, 2],
    [13, 3],
    [20_000, 4],
  ])('keeps its counts with a quantum of %d and seed %d', (quantum, seed) => {
    expect(run('smp', { quantum, seed }).text).toBe(expectedLines('smp'));
  });
});

describe('the toy kernel disk', () => {
  it('leaves its sector on the medium and touches no other', () => {
    const { machine } = run('disk');
    const before = diskBytes();
    const after = machine.board.disks[0]!.bytes();
    expect(machine.board.disks[0]!.writtenCount).toBe(1);
    expect(after.slice(0, 1024)).toEqual(before.slice(0, 1024));
    expect(after.slice(1536)).toEqual(before.slice(1536));
    expect(after.slice(1024, 1536)).not.toEqual(before.slice(512, 1024));
  });

  it('sees two disks when there are two', () => {
    expect(run('disk', { disks: [diskBytes(), diskBytes()] }).text.split('\n')[0]).toBe('two disks');
  });
});

describe('the toy kernel high, which does what xv6 does', () => {
  it('gets a byte and a key by their interrupts, and leaves its text and cursor on the screen', () => {
    const { machine, output } = boot('high', {}, 'interactive');
    machine.board.uart.receive([0x70]);
    expect(machine.run({ maxInstructions: 1_000_000 })).toEqual({ kind: 'idle' });
    machine.board.keyboard.key([0x1e]);
    expect(machine.run({ maxInstructions: 1_000_000 })).toMatchObject({ kind: 'exit-port', status: 1 });
    expect(afterFirmware(output.serial)).toBe(`${expectedLines('high')}typed: ${0x70}\nkey: ${0x1e}\n`);
    const row = [...machine.board.vga.cells().slice(3 * 80, 3 * 80 + 10)];
    expect(row.map((cell) => String.fromCharCode(cell & 0xff)).join('')).toBe('upper half');
    expect(machine.board.vga.cursor()).toBe(3 * 80 + 10);
  });
});

/** QEMU's PC with as many cores, one per socket so that its firmware lists them all; an instruction is a nanosecond. */
async function runOnQemu(kernel: Kernel): Promise<{ text: string; status: number | null }> {
  const work = mkdtempSync(join(tmpdir(), 'qemu-'));
  const serial = join(work, 'serial');
  const disk = join(work, 'disk');
  writeFileSync(disk, diskBytes());
  const machine = [
    '-M',
    'pc',
    '-accel',
    'tcg',
    '-icount',
    'shift=0',
    '-smp',
    `${CORES},sockets=${CORES}`,
    '-m',
    '256',
  ];
  const quiet = ['-display', 'none', '-monitor', 'none', '-no-reboot'];
  const devices = ['-serial', `file:${serial}`, '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'];
  const media = ['-drive', `file=${disk},format=raw,if=ide,index=0`, '-kernel', imagePath(kernel)];
  const qemu = spawn('qemu-system-i386', [...machine, ...quiet, ...devices, ...media], { stdio: 'ignore' });
  const deadline = setTimeout(() => qemu.kill('SIGKILL'), 40_000);
  try {
    const status = await new Promise<number | null>((resolve) => qemu.on('close', resolve));
    return { text: readFileSync(serial, 'latin1'), status };
  } finally {
    clearTimeout(deadline);
    rmSync(work, { recursive: true });
  }
}
