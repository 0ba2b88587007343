import { describe, expect, it } from 'vitest';
import { DEFAULT_ELF_LIMITS, type ElfLimits, parseElf } from '../../../src/kernel/elf.ts';
import { DATA, elfFile, type FileSpec, TEXT } from './elf-file.ts';

describe('a good executable', () => {
  it('gives its segments, the pages that they cover and the end of the image', () => {
    const result = parseElf(elfFile({ headers: [DATA, { type: 0x6474e551 }, TEXT] }));
    expect(result).toEqual({
      ok: true,
      image: {
        entry: 0x400010,
        segments: [
          { vaddr: 0x400000, memoryBytes: 0x800, fileOffset: 0x1000, fileBytes: 0x800, access: 5 },
          { vaddr: 0x402800, memoryBytes: 0x3000, fileOffset: 0x1800, fileBytes: 0x100, access: 3 },
        ],
        runs: [
          { vaddr: 0x400000, pages: 1, access: 5 },
          { vaddr: 0x402000, pages: 4, access: 3 },
        ],
        end: 0x406000,
      },
    });
  });

  it('may have segments that share a page, which then has the access of both', () => {
    const result = parseElf(elfFile({ headers: [TEXT, { ...DATA, vaddr: 0x400800 }] }));
    expect(result.ok && result.image.runs).toEqual([
      { vaddr: 0x400000, pages: 1, access: 7 },
      { vaddr: 0x401000, pages: 3, access: 3 },
    ]);
  });

  it('may lie at an odd place in a larger buffer', () => {
    const outer = new Uint8Array(0x3003);
    outer.set(elfFile(), 3);
    expect(parseElf(outer.subarray(3)).ok).toBe(true);
  });
});

const limits: ElfLimits = {
  ...DEFAULT_ELF_LIMITS,
  kept: [{ start: 0x406000, end: 0x407000, name: 'boot page' }],
};

const DEFECTS: readonly (readonly [string, FileSpec, number, RegExp])[] = [
  ['is not ELF', { patch: [[0, 1, 0]] }, 0, /not an ELF file/],
  ['is 64-bit', { patch: [[4, 1, 2]] }, 4, /64-bit ELF file; build it with -m32/],
  ['has an unknown class', { patch: [[4, 1, 7]] }, 4, /ELF class is 7/],
  ['is big-endian', { patch: [[5, 1, 2]] }, 5, /not little-endian/],
  ['has another ELF version', { patch: [[6, 1, 0]] }, 6, /ELF version is 0/],
  ['is a relocatable object', { patch: [[16, 2, 1]] }, 16, /relocatable object; a static executable/],
  ['is a PIE', { patch: [[16, 2, 3]] }, 16, /shared object or PIE/],
  ['is for another machine', { patch: [[18, 2, 62]] }, 18, /machine 62; 3 \(Intel 80386\)/],
  ['has no program headers', { headers: [] }, 44, /no program headers/],
  ['has short program headers', { patch: [[42, 2, 16]] }, 42, /16 bytes long; 32/],
  ['has program headers beyond its end', { patch: [[28, 4, 0x1ff0]] }, 28, /beyond the end of the file/],
  ['wants a dynamic linker', { headers: [TEXT, { type: 3 }] }, 84, /PT_INTERP/],
  ['is dynamically linked', { headers: [{ type: 2 }, TEXT] }, 52, /PT_DYNAMIC/],
  ['has nothing to load', { headers: [{ type: 4 }] }, 52, /no loadable segment/],
  ['has a segment beyond its end', { headers: [{ ...TEXT, offset: 0x1900 }] }, 56, /beyond the end/],
  [
    'has more bytes in file than in memory',
    { headers: [{ ...TEXT, memoryBytes: 5 }] },
    68,
    /only 5 in memory/,
  ],
  ['has a segment at page 0', { headers: [{ ...TEXT, vaddr: 0x800 }] }, 60, /outside user space/],
  ['reaches into the kernel', { headers: [{ ...TEXT, vaddr: 0xffbff900 }] }, 60, /outside user space/],
  ['wraps around', { headers: [{ ...TEXT, memoryBytes: 0xffffffff }] }, 60, /outside user space/],
  ['is too large', { headers: [{ ...TEXT, memoryBytes: 0x20000000 }] }, 72, /the limit is 268435456/],
  [
    'is too large in all',
    { headers: [TEXT, ...[1, 2].map((i) => ({ ...DATA, vaddr: i << 28, memoryBytes: 0x9000000 }))] },
    52,
    /together; the limit/,
  ],
  [
    'has overlapping segments',
    { headers: [DATA, { ...TEXT, vaddr: 0x402100 }] },
    52,
    /0x402100 and 0x402800 overlap/,
  ],
  ['has its entry nowhere', { entry: 0x500000 }, 24, /entry point 0x500000 is not in an executable/],
  ['has its entry in data', { entry: 0x402900 }, 24, /not in an executable segment/],
  [
    'lies on the boot page',
    { headers: [TEXT, { ...DATA, memoryBytes: 0x3801 }] },
    92,
    /overlaps the boot page/,
  ],
];

describe('a file that', () => {
  it.each(DEFECTS)('%s is refused with one sentence and the offset', (_, spec, offset, sentence) => {
    const result = parseElf(elfFile(spec), limits);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.error.sentence).toMatch(sentence);
    expect(result.error.sentence).toMatch(/^[A-Z].*\.$/);
    expect(result.error.offset).toBe(offset);
  });

  it('is truncated at any byte is refused or unharmed, never an exception', () => {
    const whole = elfFile();
    for (let size = 0; size < 0x1900; size++) {
      expect(parseElf(whole.subarray(0, size)).ok).toBe(false);
    }
    expect(parseElf(whole.subarray(0, 0x1900)).ok).toBe(true);
    expect(parseElf(new Uint8Array(0))).toMatchObject({ error: { offset: 0 } });
  });
});
