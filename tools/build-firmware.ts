/**
 * Builds the firmware ROM from firmware/*.s: `tsx tools/build-firmware.ts`. Writes firmware/rom.bin, rom.ts (the
 * same bytes for the browser) and rom.json (hashes, so that a test can tell when sources and ROM have parted).
 *
 * Addresses, ports and layouts that the firmware shares with the machine are not written twice: facts.inc is made
 * here from the numeric exports of emu/arch/address-map.ts and boot-info.ts.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as addressMap from '../emu/arch/address-map.ts';
import * as bootInfo from '../emu/arch/boot-info.ts';

export const FIRMWARE_DIR = join(dirname(fileURLToPath(import.meta.url)), '..', 'firmware');
const ROM_BYTES = addressMap.ROM_SIZE;
const FILLER = 0xff;
const SHT_PROGBITS = 1;
const SHF_ALLOC = 2;
/** Runs of filler at least this long separate the parts in rom.ts. */
const LEAST_GAP = 64;

export interface RomRecord {
  /** SHA-256 of the sources, of facts.inc and of the linker script. */
  readonly sources: string;
  /** SHA-256 of rom.bin. */
  readonly rom: string;
  readonly toolchain: string;
}

/** A set of programs that can build the ROM. */
export interface Toolchain {
  readonly name: string;
  assemble(source: string, object: string, include: string): void;
  link(objects: readonly string[], script: string, elf: string): void;
}

const run = (program: string, args: readonly string[]) => execFileSync(program, args, { stdio: 'pipe' });

const GNU: Toolchain = {
  name: 'gnu',
  assemble: (source, object, include) =>
    void run('as', ['--32', '--fatal-warnings', '-I', FIRMWARE_DIR, '-I', include, '-o', object, source]),
  link: (objects, script, elf) =>
    void run('ld', ['-m', 'elf_i386', '--build-id=none', '-nostdlib', '-T', script, '-o', elf, ...objects]),
};

const LLVM: Toolchain = {
  name: 'llvm',
  assemble: (source, object, include) => {
    const target = ['--target=i386-unknown-none-elf', '-x', 'assembler', '-c'];
    run('clang', [...target, `-I${FIRMWARE_DIR}`, `-I${include}`, '-o', object, source]);
  },
  link: (objects, script, elf) =>
    void run('ld.lld', [
      '-m',
      'elf_i386',
      '--build-id=none',
      '-nostdlib',
      '-T',
      script,
      '-o',
      elf,
      ...objects,
    ]),
};

/** The toolchains that are installed here, the preferred one first. */
export function installedToolchains(): readonly Toolchain[] {
  const answers = (programs: readonly string[]) =>
    programs.every((program) => {
      try {
        run(program, ['--version']);
        return true;
      } catch {
        return false;
      }
    });
  const found: Toolchain[] = [];
  if (process.arch === 'x64' && answers(['as', 'ld'])) found.push(GNU);
  if (answers(['clang', 'ld.lld'])) found.push(LLVM);
  return found;
}

/** Text of facts.inc: one `.equ` per number. */
export function factsInclude(): string {
  const facts = Object.entries({ ...addressMap, ...bootInfo }).filter(
    ([, value]) => typeof value === 'number',
  );
  // Sorted, because the order of a module's exports depends on who loaded it.
  facts.sort(([a], [b]) => (a < b ? -1 : 1));
  return facts.map(([name, value]) => `.equ ${name}, 0x${(value as number).toString(16)}\n`).join('');
}

/** SHA-256 over everything that the ROM is made from. */
export function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const name of sourceNames())
    hash.update(`${name}\n`).update(readFileSync(join(FIRMWARE_DIR, name), 'utf8'));
  return hash.update(factsInclude()).digest('hex');
}

const sourceNames = () =>
  readdirSync(FIRMWARE_DIR)
    .filter((name) => /\.(s|inc|ld)$/.test(name))
    .sort();

/** Assembles and links; the result is the ROM's bytes. Throws with the tool's own message. */
export function buildRom(toolchain: Toolchain): Uint8Array {
  const work = mkdtempSync(join(tmpdir(), 'firmware-'));
  try {
    writeFileSync(join(work, 'facts.inc'), factsInclude());
    const objects = sourceNames()
      .filter((name) => name.endsWith('.s'))
      .map((name) => {
        const object = join(work, `${name}.o`);
        toolchain.assemble(join(FIRMWARE_DIR, name), object, work);
        return object;
      });
    const elf = join(work, 'rom.elf');
    toolchain.link(objects, join(FIRMWARE_DIR, 'rom.ld'), elf);
    return romOf(new Uint8Array(readFileSync(elf)));
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** The loaded sections of the linked ELF file at their places in the ROM, filler elsewhere. */
function romOf(elf: Uint8Array): Uint8Array {
  const view = new DataView(elf.buffer, elf.byteOffset);
  const [sectionsAt, entryBytes, count] = [
    view.getUint32(32, true),
    view.getUint16(46, true),
    view.getUint16(48, true),
  ];
  const rom = new Uint8Array(ROM_BYTES).fill(FILLER);
  for (let i = 0; i < count; i++) {
    const word = (index: number) => view.getUint32(sectionsAt + i * entryBytes + 4 * index, true);
    const [type, flags, address, offset, size] = [word(1), word(2), word(3), word(4), word(5)];
    if (type !== SHT_PROGBITS || (flags & SHF_ALLOC) === 0) continue;
    rom.set(elf.subarray(offset, offset + size), address - addressMap.ROM_BASE);
  }
  return rom;
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** The parts between long runs of filler. */
function romParts(rom: Uint8Array): [number, Uint8Array][] {
  const parts: [number, Uint8Array][] = [];
  for (let at = 0; at < rom.length; at++) {
    if (rom[at] === FILLER) continue;
    const start = at;
    let end = at + 1;
    for (; at < rom.length && at - end < LEAST_GAP; at++) if (rom[at] !== FILLER) end = at + 1;
    parts.push([start, rom.subarray(start, end)]);
    at = end;
  }
  return parts;
}

function romModule(rom: Uint8Array): string {
  const lines = romParts(rom).map(([offset, bytes]) => {
    const rows = Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,96}/g)!;
    const text = rows.map((row) => `      '${row}'`).join(' +\n');
    return `  [\n    0x${offset.toString(16)},\n${text},\n  ],\n`;
  });
  return (
    `/** Generated by tools/build-firmware.ts from firmware/*.s: offset and base64 of each part. Do not edit. */\n` +
    `// biome-ignore format: generated\n` +
    `export const ROM_PARTS: readonly (readonly [number, string])[] = [\n${lines.join('')}];\n`
  );
}

function main(): void {
  const [toolchain] = installedToolchains();
  if (toolchain === undefined) {
    process.stderr.write('build-firmware: neither as and ld nor clang and ld.lld are installed\n');
    process.exitCode = 2;
    return;
  }
  const rom = buildRom(toolchain);
  const record: RomRecord = { sources: sourcesHash(), rom: sha256(rom), toolchain: toolchain.name };
  writeFileSync(join(FIRMWARE_DIR, 'rom.bin'), rom);
  writeFileSync(join(FIRMWARE_DIR, 'rom.ts'), romModule(rom));
  writeFileSync(join(FIRMWARE_DIR, 'rom.json'), `${JSON.stringify(record, null, 2)}\n`);
  const used = romParts(rom).reduce((sum, [, bytes]) => sum + bytes.length, 0);
  process.stdout.write(
    `firmware/rom.bin: ${used} of ${ROM_BYTES} bytes used, built with ${toolchain.name}\n`,
  );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
