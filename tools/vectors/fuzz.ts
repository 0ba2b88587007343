/**
 * `tsx tools/vectors/fuzz.ts [rounds] [seed] [group...]`: new cases for every form, run on this machine's processor and on
 * the interpreter at once, nothing written. Each round is about as large as the recorded set. Needs what `main.ts` needs.
 */
import { fileURLToPath } from 'node:url';
import { describeVector, EngineWorld } from './engine-world.ts';
import { FORM_GROUPS } from './forms/index.ts';
import { generateGroup } from './generate.ts';
import { buildHarness } from './host-protocol.ts';

const SHOWN = 10;
const [rounds = 1, seed = 1] = process.argv.slice(2, 4).map(Number);
const named = process.argv.slice(4);
const groups = named.length > 0 ? named : Object.keys(FORM_GROUPS);

function main(): number {
  if (!(rounds > 0) || !Number.isInteger(seed) || groups.some((name) => !(name in FORM_GROUPS))) {
    console.error(
      `usage: fuzz.ts [rounds] [seed] [group...]; groups: ${Object.keys(FORM_GROUPS).join(', ')}`,
    );
    return 2;
  }
  const harness = buildHarness(fileURLToPath(new URL('../../.cache/vectors', import.meta.url)));
  if ('reason' in harness) {
    console.error(`fuzz: cannot run here: ${harness.reason}`);
    return 2;
  }
  const world = new EngineWorld();
  let cases = 0;
  let failures = 0;
  for (let round = 0; round < rounds; round++) {
    for (const group of groups) {
      for (const vector of generateGroup(group, seed + round, harness.path).vectors) {
        cases++;
        const differences = world.check(vector);
        if (differences.length > 0 && failures++ < SHOWN) {
          console.log(`seed ${seed + round}, ${describeVector(vector)}\n  ${differences.join('; ')}`);
        }
      }
    }
    console.log(`${cases} cases, ${failures} differ`);
  }
  return failures > 0 ? 1 : 0;
}

process.exitCode = main();
