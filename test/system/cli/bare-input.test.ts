/** Standard input of `physmem bare` as a process of its own: pipe, file, and a socket that nobody closes. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ECHO_IMAGE } from '../../unit/cli/bare-images.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'input-'));
const image = join(work, 'echo.bin');

beforeAll(() => {
  execFileSync(process.execPath, ['tools/build.mjs', '--quiet'], { cwd: root });
  writeFileSync(image, ECHO_IMAGE);
  writeFileSync(join(work, 'keys'), 'from a file.');
});
afterAll(() => rmSync(work, { recursive: true }));

/** What a shell line prints; the status of the pipe is that of physmem, 1 here, which execFileSync throws. */
function shell(line: string): string {
  const program = `${process.execPath} dist/physmem.js bare ${image} --quiet`;
  const script = `${line.replace('PHYSMEM', program)}; test $? = 1`;
  return execFileSync('sh', ['-c', script], { cwd: root, encoding: 'utf8' });
}

describe('standard input of a bare image', () => {
  it('is a pipe or a file', () => {
    expect(shell("printf 'from a pipe.' | PHYSMEM")).toMatch(/\nfrom a pipe\.\n$/);
    expect(shell(`PHYSMEM < ${join(work, 'keys')}`)).toMatch(/\nfrom a file\.\n$/);
  });

  it('does not hold up a run that was given a socket and waits for nothing', async () => {
    const argv = ['dist/physmem.js', 'bare', 'guest/bin/bare-hello.elf', '--quiet'];
    const child = spawn(process.execPath, argv, { cwd: root });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
  });
});
