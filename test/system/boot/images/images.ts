/**
 * Flat multiboot images of the toy kernels in this folder. The binaries are in the repository, so that the tests
 * need no assembler; where there is one, a test holds them to their sources. To rebuild: `rebuild('interrupts')`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIR = dirname(fileURLToPath(import.meta.url));

export const image = (name: string): Uint8Array => new Uint8Array(readFileSync(join(DIR, `${name}.bin`)));

/** Whether GNU as, ld and objcopy are here and make i386 code. */
export function canAssemble(): boolean {
  try {
    for (const program of ['as', 'ld', 'objcopy']) execFileSync(program, ['--version'], { stdio: 'pipe' });
    return process.arch === 'x64';
  } catch {
    return false;
  }
}

/** Assembles one of the sources for 1 MiB. */
export function assemble(name: string): Uint8Array {
  const work = mkdtempSync(join(tmpdir(), 'image-'));
  const file = (suffix: string) => join(work, `image.${suffix}`);
  try {
    execFileSync('as', ['--32', '-o', file('o'), join(DIR, `${name}.s`)]);
    execFileSync('ld', [
      '-m',
      'elf_i386',
      '-Ttext=0x100000',
      '--entry=0x100000',
      '-o',
      file('elf'),
      file('o'),
    ]);
    execFileSync('objcopy', ['-O', 'binary', '-j', '.text', file('elf'), file('bin')]);
    return new Uint8Array(readFileSync(file('bin')));
  } finally {
    rmSync(work, { recursive: true });
  }
}

export const rebuild = (name: string): void => writeFileSync(join(DIR, `${name}.bin`), assemble(name));
