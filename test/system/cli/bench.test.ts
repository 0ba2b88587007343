/** `physmem bench memory` as a process: worker threads change nothing, files are written, errors are told before anything runs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const into = mkdtempSync(join(tmpdir(), 'bench-'));

beforeAll(() => {
  execFileSync(process.execPath, ['tools/build.mjs', '--quiet'], { cwd: root });
});
afterAll(() => rmSync(into, { recursive: true, force: true }));

/** Runs the bench; returns its status and all that it wrote. */
function bench(name: string, words: string) {
  const json = join(into, `${name}.json`);
  const svg = join(into, name);
  const argv = ['dist/physmem.js', 'bench', 'memory', ...words.split(' '), '--json', json, '--svg', svg];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: root, encoding: 'utf8' });
  const pictures = readdirSync(svg).map((file) => [file, readFileSync(join(svg, file), 'utf8')]);
  return { status, stdout, stderr, json: readFileSync(json, 'utf8'), pictures };
}

it('gives the same bytes with one worker and with three', () => {
  const words = '--quick --seeds 2 --only half-free-gate';
  const alone = bench('alone', `${words} --workers 1`);
  expect(alone).toMatchObject({ status: 0, stderr: '' });
  expect(bench('three', `${words} --workers 3`)).toEqual(alone);
  expect(alone.stdout).toContain('half-free-gate');
  expect(alone.pictures.map(([file]) => file)).toEqual(['half-free-gate-share.svg']);
  const { size, seeds, experiments } = JSON.parse(alone.json);
  expect({ size, seeds }).toEqual({ size: 'quick', seeds: 2 });
  expect(experiments[0].figures.none.huge.samples).toHaveLength(2);
});

it('tells that a file cannot be written before it runs anything', () => {
  const argv = ['dist/physmem.js', 'bench', 'memory', '--json', join(into, 'no', 'folder.json')];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: root, encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/cannot be written: there is no such (file|folder)/);
});
