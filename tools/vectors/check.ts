/**
 * `tsx tools/vectors/check.ts [group...]`: runs the recorded vectors on the interpreter and prints what differs, by form,
 * with the first differing cases in full.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describeVector, EngineWorld } from './engine-world.ts';
import { readVectors } from './vector-file.ts';

const directory = fileURLToPath(new URL('../../test/engines/data/', import.meta.url));
const SHOWN_PER_FORM = 2;

function checkFile(world: EngineWorld, name: string): { vectors: number; failures: number } {
  const data = gunzipSync(readFileSync(directory + name));
  const failed = new Map<string, number>();
  let vectors = 0;
  for (const vector of readVectors(data)) {
    vectors++;
    const differences = world.check(vector);
    if (differences.length === 0) continue;
    const key = `${vector.form.name} (${vector.form.codeBits})`;
    const count = (failed.get(key) ?? 0) + 1;
    failed.set(key, count);
    if (count <= SHOWN_PER_FORM) console.log(`${describeVector(vector)}\n  ${differences.join('; ')}`);
  }
  for (const [form, count] of failed) console.log(`${count} differ: ${form}`);
  const failures = [...failed.values()].reduce((sum, n) => sum + n, 0);
  return { vectors, failures };
}

const wanted = process.argv.slice(2);
const world = new EngineWorld();
for (const file of readdirSync(directory).filter((f) => f.startsWith('vectors-'))) {
  if (wanted.length > 0 && !wanted.some((name) => file === `vectors-${name}.bin.gz`)) continue;
  const { vectors, failures } = checkFile(world, file);
  console.log(`${file}: ${vectors} vectors, ${failures} differ`);
  if (failures > 0) process.exitCode = 1;
}
