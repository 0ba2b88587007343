/**
 * Writes the files that are generated from src/abi (guest headers, stubs, docs/abi.md).
 *
 *   npx tsx tools/build-abi.ts            write what differs
 *   npx tsx tools/build-abi.ts --check    write nothing; exit code 1 when a file is out of date
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { abiFiles } from './abi/files.ts';

const ROOT = new URL('../', import.meta.url);
const checkOnly = process.argv.includes('--check');

const differs = (path: string, text: string): boolean => {
  const file = new URL(path, ROOT);
  return !existsSync(file) || readFileSync(file, 'utf8') !== text;
};

const stale = [...abiFiles()].filter(([path, text]) => differs(path, text));
for (const [path, text] of stale) {
  if (checkOnly) {
    console.error(`${path} is out of date: run npx tsx tools/build-abi.ts`);
  } else {
    writeFileSync(fileURLToPath(new URL(path, ROOT)), text);
    console.log(`wrote ${path}`);
  }
}
process.exitCode = checkOnly && stale.length > 0 ? 1 : 0;
