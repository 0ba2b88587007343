/**
 * `npm run vectors [group...]`: generates instruction test vectors on this machine's processor and writes them to
 * test/engines/data. Needs Linux on x86 and gcc -m32; says so and changes nothing elsewhere.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { FORM_GROUPS } from './forms/index.ts';
import { generateGroup } from './generate.ts';
import { buildHarness } from './host-protocol.ts';
import { writeVectors } from './vector-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SEED = 20251122;

function main(names: readonly string[]): number {
  const unknown = names.find((name) => !(name in FORM_GROUPS));
  if (unknown !== undefined) {
    console.error(`vectors: no group '${unknown}'; there are ${Object.keys(FORM_GROUPS).join(', ')}`);
    return 2;
  }
  const harness = buildHarness(`${root}/.cache/vectors`);
  if ('reason' in harness) {
    console.error(`vectors: cannot generate here: ${harness.reason}`);
    return 2;
  }
  const directory = `${root}/test/engines/data`;
  mkdirSync(directory, { recursive: true });
  let total = 0;
  for (const name of names.length > 0 ? names : Object.keys(FORM_GROUPS)) {
    const group = generateGroup(name, SEED, harness.path);
    const packed = new Uint8Array(gzipSync(writeVectors(group.forms, group.vectors), { level: 9 }));
    writeFileSync(`${directory}/vectors-${name}.bin.gz`, packed);
    total += group.vectors.length;
    const size = `${(packed.length / 1024).toFixed(0)} KiB`;
    console.log(`${name}: ${group.forms.length} forms, ${group.vectors.length} vectors, ${size}`);
  }
  console.log(`${total} vectors`);
  return 0;
}

process.exitCode = main(process.argv.slice(2));
