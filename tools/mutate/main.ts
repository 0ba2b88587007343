/**
 * Measures the tests of the memory server: breaks one rule after the other in a copy of the tree, runs the tests, and
 * prints which mutation no test noticed, and the score. `npm run mutate [-- parts of names]`
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTATIONS, type Mutation } from './mutations.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = [
  ...['src', 'emu', 'firmware', 'guest/bin', 'scenarios'],
  ...['test/unit', 'test/property', 'test/system', 'test/fixtures'],
  ...['package.json', 'tsconfig.base.json', 'vitest.config.ts'],
];
/** Quick tests first; most mutations die there. */
const SUITES = [
  ['--project', 'unit', 'test/unit/physmem'],
  ['--project', 'property', 'test/property/physmem-model', 'test/property/physmem-races'],
  ['--project', 'property', 'test/property/physmem-arena'],
];
/** Programs per test of the last two suites. */
const RUNS = '60';
const TIMEOUT_MS = 180_000;

function copyTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'physmem-mutate-'));
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  // The tests' own tsconfig refers to projects that are not copied.
  writeFileSync(join(folder, 'test/tsconfig.json'), '{ "extends": "../tsconfig.base.json" }');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Whether all tests pass in a folder. A test that does not end fails. */
function testsPass(folder: string): boolean {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  return SUITES.every((suite) => {
    const done = spawnSync(process.execPath, [vitest, 'run', '--bail', '1', ...suite], {
      cwd: folder,
      timeout: TIMEOUT_MS,
      stdio: 'ignore',
      env: { ...process.env, PHYSMEM_RUNS: RUNS },
    });
    return done.status === 0;
  });
}

function isNoticed(folder: string, { file, find, put }: Mutation): boolean {
  const path = join(folder, 'src/physmem', file);
  const text = readFileSync(path, 'utf8');
  if (text.split(find).length !== 2) throw new Error(`${file} does not have exactly once: ${find}`);
  writeFileSync(path, text.replace(find, put));
  const passes = testsPass(folder);
  writeFileSync(path, text);
  return !passes;
}

const parts = process.argv.length > 2 ? process.argv.slice(2) : [''];
const wanted = MUTATIONS.filter(({ name }) => parts.some((part) => name.includes(part)));
const folder = copyTree();
try {
  if (!testsPass(folder)) throw new Error('the tests fail without any mutation');
  let noticed = 0;
  for (const mutation of wanted) {
    const isKilled = isNoticed(folder, mutation);
    if (isKilled) noticed += 1;
    console.log(`${isKilled ? 'noticed' : 'MISSED '}  ${mutation.name}`);
  }
  console.log(`${noticed} of ${wanted.length} mutations were noticed`);
  process.exitCode = noticed === wanted.length ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
