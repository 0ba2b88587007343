/** A fresh build of all guests: every program links, and the compiler of the manifest gives the bytes in guest/bin. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildGuests, GUEST_BIN, ROOT, readBytes, sha256 } from '../../../tools/guests/build.ts';
import type { GuestManifest } from '../../../tools/guests/manifest.ts';
import { GUEST_PROGRAMS } from '../../../tools/guests/programs.ts';
import { findToolchains } from '../../../tools/guests/toolchain.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, GUEST_BIN, 'manifest.json'), 'utf8')) as GuestManifest;

describe.each(findToolchains())('a fresh build with $name', (toolchain) => {
  it('links every program, and gives the same bytes with the compiler of the manifest', {
    timeout: 120_000,
  }, async () => {
    const into = mkdtempSync(join(tmpdir(), 'guests-'));
    try {
      await buildGuests(toolchain, into);
      for (const program of GUEST_PROGRAMS) {
        const bytes = readBytes(join(into, `${program.name}.elf`));
        expect(bytes.length).toBeGreaterThan(0);
        if (manifest.compiler === `${toolchain.name} ${toolchain.major}`) {
          expect(sha256(bytes), program.name).toBe(manifest.images[program.name]?.image);
        }
      }
    } finally {
      rmSync(into, { recursive: true, force: true });
    }
  });
});
