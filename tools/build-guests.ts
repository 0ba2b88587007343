/**
 * Builds the guest programs into guest/bin and writes guest/bin/manifest.json (hashes of inputs and images).
 *
 *   npx tsx tools/build-guests.ts                 with the first tool chain found (GCC, else clang)
 *   npx tsx tools/build-guests.ts --clang --into DIR   with clang, elsewhere, without a manifest
 *   npx tsx tools/build-guests.ts --only bare-    only images whose names begin so; the manifest keeps the others
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildGuests, GUEST_BIN, ROOT, readBytes, sha256, sourceHash, ToolError } from './guests/build.ts';
import type { GuestManifest } from './guests/manifest.ts';
import { GUEST_PROGRAMS } from './guests/programs.ts';
import { findToolchains } from './guests/toolchain.ts';

const { values } = parseArgs({
  options: { clang: { type: 'boolean' }, into: { type: 'string' }, only: { type: 'string', default: '' } },
});
const toolchain = findToolchains().find((found) => !values.clang || found.name === 'clang');
if (toolchain === undefined) {
  console.error('no compiler: install gcc and ld, or clang and ld.lld');
  process.exit(2);
}

const work = mkdtempSync(join(tmpdir(), 'guests-'));
try {
  await buildGuests(toolchain, work);
  const into = values.into === undefined ? join(ROOT, GUEST_BIN) : resolve(values.into);
  mkdirSync(into, { recursive: true });
  const images: GuestManifest['images'] = {};
  const before = values.into === undefined && values.only !== '' ? readManifest(into).images : {};
  for (const program of GUEST_PROGRAMS) {
    const kept = before[program.name];
    if (!program.name.startsWith(values.only)) {
      if (kept !== undefined) images[program.name] = kept;
      continue;
    }
    const file = `${program.name}.elf`;
    const bytes = readBytes(join(work, file));
    copyFileSync(join(work, file), join(into, file));
    images[program.name] = { sources: sourceHash(program), image: sha256(bytes), sizeBytes: bytes.length };
    console.log(`${file.padEnd(16)} ${String(bytes.length).padStart(7)} bytes`);
  }
  if (values.into === undefined) {
    const manifest: GuestManifest = { compiler: `${toolchain.name} ${toolchain.major}`, images };
    writeFileSync(join(into, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  }
} catch (error) {
  if (!(error instanceof ToolError)) {
    throw error;
  }
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

function readManifest(folder: string): GuestManifest {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as GuestManifest;
}
