/**
 * Writes the interpreter's inner loop, emu/cpu/loop.generated.ts, from the hot forms in emu/cpu/hot.
 *
 *   npx tsx tools/build-loop.ts            write it if it differs
 *   npx tsx tools/build-loop.ts --check    write nothing; exit code 1 when it is out of date
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { loopSource } from '../emu/cpu/hot/loop-source.ts';

const PATH = 'emu/cpu/loop.generated.ts';
const file = new URL(`../${PATH}`, import.meta.url);
const text = loopSource();

if (existsSync(file) && readFileSync(file, 'utf8') === text) {
  process.exitCode = 0;
} else if (process.argv.includes('--check')) {
  process.stderr.write(`${PATH} is out of date: run npx tsx tools/build-loop.ts\n`);
  process.exitCode = 1;
} else {
  writeFileSync(file, text);
  process.stdout.write(`wrote ${PATH}\n`);
}
