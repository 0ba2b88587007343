/**
 * Measures tests: breaks one rule after the other in a copy of the tree, runs the tests, and prints which mutation no
 * test noticed, and the score. `npm run mutate [-- parts of names]`, or `-- area NAMES` (areas.ts).
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AREAS, type Area } from './areas.ts';
import type { Mutation } from './mutations.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = [
  ...['src', 'emu', 'firmware', 'guest/bin', 'scenarios', 'tools'],
  ...['test/unit', 'test/property', 'test/system', 'test/fixtures', 'test/engines', 'test/golden'],
  ...['package.json', 'tsconfig.base.json', 'vitest.config.ts'],
];
/** Programs per property. */
const RUNS = '60';
/** A suite that does not end fails; long, because a test may be slow for a busy host only. */
const SUITE_TIMEOUT_MS = 600_000;
const TEST_TIMEOUT_MS = 240_000;

function copyTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'physmem-mutate-'));
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  // The tests' own tsconfig refers to projects that are not copied.
  writeFileSync(join(folder, 'test/tsconfig.json'), '{ "extends": "../tsconfig.base.json" }');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Whether all tests of an area pass in a folder. */
function testsPass(folder: string, { suites }: Area): boolean {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  return suites.every((suite) => {
    const options = ['run', '--bail', '1', `--testTimeout=${TEST_TIMEOUT_MS}`];
    const done = spawnSync(process.execPath, [vitest, ...options, ...suite], {
      cwd: folder,
      timeout: SUITE_TIMEOUT_MS,
      stdio: 'ignore',
      env: { ...process.env, PHYSMEM_RUNS: RUNS },
    });
    return done.status === 0;
  });
}

function isNoticed(folder: string, area: Area, { file, find, put }: Mutation): boolean {
  const path = join(folder, area.folder, file);
  const text = readFileSync(path, 'utf8');
  if (text.split(find).length !== 2) throw new Error(`${file} does not have exactly once: ${find}`);
  writeFileSync(
    path,
    text.replace(find, () => put),
  );
  const passes = testsPass(folder, area);
  writeFileSync(path, text);
  return !passes;
}

/** Runs the mutations of an area with one of `parts` in their names; how many there were, and were noticed. */
function measure(folder: string, area: Area, parts: readonly string[]): { count: number; noticed: number } {
  const wanted = area.mutations.filter(({ name }) => parts.some((part) => name.includes(part)));
  if (wanted.length > 0 && !testsPass(folder, area)) {
    throw new Error(`the tests of ${area.name} fail without any mutation`);
  }
  let noticed = 0;
  for (const mutation of wanted) {
    const isKilled = isNoticed(folder, area, mutation);
    if (isKilled) noticed += 1;
    console.log(`${isKilled ? 'noticed' : 'MISSED '}  ${mutation.name}`);
  }
  return { count: wanted.length, noticed };
}

const [first, ...others] = process.argv.slice(2);
const areas = first === 'area' ? AREAS.filter(({ name }) => others.includes(name)) : AREAS;
const parts = first === undefined || first === 'area' ? [''] : [first, ...others];
const folder = copyTree();
try {
  const scores = areas.map((area) => measure(folder, area, parts));
  const count = scores.reduce((sum, score) => sum + score.count, 0);
  const noticed = scores.reduce((sum, score) => sum + score.noticed, 0);
  console.log(`${noticed} of ${count} mutations were noticed`);
  process.exitCode = noticed === count ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
