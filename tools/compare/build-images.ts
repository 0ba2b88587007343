/**
 * `tsx tools/compare/build-images.ts`: assembles images/*.s into images/bin and, where QEMU is installed, records its
 * transcripts. Needs GNU as and ld.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasQemu, runOnQemu } from './image-run.ts';
import { IMAGE_DIRECTORY, IMAGES, sourceHash } from './images.ts';

const bin = `${IMAGE_DIRECTORY}bin`;

function build(name: string, work: string): void {
  const object = join(work, `${name}.o`);
  const script = `${IMAGE_DIRECTORY}image.ld`;
  const as = ['--32', '--fatal-warnings', '-I', IMAGE_DIRECTORY, '-o', object, `${IMAGE_DIRECTORY}${name}.s`];
  const ld = ['-m', 'elf_i386', '--build-id=none', '-nostdlib', '-T', script, '--oformat', 'binary'];
  execFileSync('as', as, { stdio: 'inherit' });
  execFileSync('ld', [...ld, '-o', `${bin}/${name}.bin`, object], { stdio: 'inherit' });
}

mkdirSync(bin, { recursive: true });
const work = mkdtempSync(join(tmpdir(), 'images-'));
try {
  const hashes: Record<string, string> = {};
  for (const { name } of IMAGES) {
    build(name, work);
    hashes[name] = sourceHash(name);
    if (hasQemu()) writeFileSync(`${bin}/${name}.qemu.txt`, runOnQemu(name));
    console.log(`built ${name}`);
  }
  writeFileSync(`${bin}/manifest.json`, `${JSON.stringify(hashes, null, 2)}\n`);
  if (!hasQemu()) console.log('no qemu-system-i386 here: its transcripts are as they were');
} finally {
  rmSync(work, { recursive: true });
}
