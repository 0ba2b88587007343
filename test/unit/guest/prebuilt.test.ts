/** The pre-built guest images belong to the sources in the tree. That a fresh build gives the same is in test/system/guests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BOOT_STACK_TOP, IMAGE_BASE } from '../../../src/abi/boot-page.ts';
import { GUEST_BIN, ROOT, readBytes, sha256, sourceHash } from '../../../tools/guests/build.ts';
import type { GuestManifest } from '../../../tools/guests/manifest.ts';
import { GUEST_PROGRAMS } from '../../../tools/guests/programs.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, GUEST_BIN, 'manifest.json'), 'utf8')) as GuestManifest;
const imagePath = (name: string): string => join(ROOT, GUEST_BIN, `${name}.elf`);
const PAGE = 4096;

interface Segment {
  readonly offset: number;
  readonly vaddr: number;
  readonly memsz: number;
  readonly flags: number;
}

const loadSegments = (bytes: Uint8Array): Segment[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const first = view.getUint32(28, true);
  return Array.from({ length: view.getUint16(44, true) }, (_, index) => first + 32 * index)
    .filter((at) => view.getUint32(at, true) === 1)
    .map((at) => ({
      offset: view.getUint32(at + 4, true),
      vaddr: view.getUint32(at + 8, true),
      memsz: view.getUint32(at + 20, true),
      flags: view.getUint32(at + 24, true),
    }));
};

describe.each(GUEST_PROGRAMS)('$name.elf', (program) => {
  it('was built from the sources in the tree (else run npx tsx tools/build-guests.ts)', () => {
    expect(manifest.images[program.name]?.sources).toBe(sourceHash(program));
  });

  it('is the file that the manifest names', () => {
    expect(sha256(readBytes(imagePath(program.name)))).toBe(manifest.images[program.name]?.image);
  });
});

describe.each(GUEST_PROGRAMS.filter((program) => program.kind === 'task'))('task $name.elf', (program) => {
  const segments = loadSegments(readBytes(imagePath(program.name)));

  it('begins at IMAGE_BASE and shares the 4 MiB region of the boot stack', () => {
    expect(Math.min(...segments.map((segment) => segment.vaddr))).toBe(IMAGE_BASE);
    const end = Math.max(...segments.map((segment) => segment.vaddr + segment.memsz));
    expect(end >>> 22).toBe(BOOT_STACK_TOP >>> 22);
  });

  it('has no segment that is writable and executable, and pages of the file that can be shared', () => {
    for (const segment of segments) {
      expect(segment.flags & 3).not.toBe(3);
      expect(segment.offset % PAGE).toBe(segment.vaddr % PAGE);
    }
  });
});
