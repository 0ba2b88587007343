import fc from 'fast-check';
import { expect, it } from 'vitest';
import { USER_BOTTOM, USER_TOP } from '../../../src/abi/message.ts';
import { DEFAULT_ELF_LIMITS, type ElfImage, parseElf } from '../../../src/kernel/elf.ts';
import { elfFile } from '../../unit/kernel/elf-file.ts';

const RUNS = 100_000;
const GOOD = elfFile();
/** Values at the edges of what the header fields mean. */
const EDGES = [0, 1, 2, 3, 0x20, 0x34, 0x7f, 0x80, 0xff, 0x1000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** What every accepted file must satisfy, so that the system can load it without further checks. */
function checkImage(image: ElfImage, fileBytes: number): void {
  let end = 0;
  let total = 0;
  for (const segment of image.segments) {
    expect(segment.vaddr).toBeGreaterThanOrEqual(Math.max(end, USER_BOTTOM));
    end = segment.vaddr + segment.memoryBytes;
    total += segment.memoryBytes;
    expect(segment.fileBytes).toBeLessThanOrEqual(segment.memoryBytes);
    expect(segment.fileOffset + segment.fileBytes).toBeLessThanOrEqual(fileBytes);
  }
  expect(end).toBeLessThanOrEqual(USER_TOP);
  expect(total).toBeLessThanOrEqual(DEFAULT_ELF_LIMITS.maxBytes);
  let covered = 0;
  for (const run of image.runs) {
    expect(run.vaddr % 4096).toBe(0);
    expect(run.vaddr).toBeGreaterThanOrEqual(covered);
    expect(run.pages).toBeGreaterThan(0);
    covered = run.vaddr + run.pages * 4096;
  }
  for (const { vaddr, memoryBytes, access } of image.segments) {
    const last = vaddr + memoryBytes - 1;
    for (const at of [vaddr, last]) {
      const run = image.runs.find((r) => at >= r.vaddr && at < r.vaddr + r.pages * 4096);
      expect((run?.access ?? 0) & access).toBe(access);
    }
  }
}

it('the ELF loader never throws on a mutated file, and what it accepts can be loaded', () => {
  let accepted = 0;
  const mutation = fc.tuple(
    fc.oneof(fc.nat(115), fc.nat(GOOD.length - 5)),
    fc.oneof(fc.constantFrom(...EDGES), fc.nat(0xffffffff)),
    fc.constantFrom<1 | 2 | 4>(1, 2, 4),
  );
  fc.assert(
    fc.property(
      fc.array(mutation, { maxLength: 4 }),
      fc.oneof(fc.constant(GOOD.length), fc.nat(GOOD.length)),
      (changes, size) => {
        const file = elfFile({ patch: changes.map(([at, value, width]) => [at, width, value] as const) });
        const result = parseElf(file.subarray(0, size));
        if (result.ok) {
          accepted++;
          checkImage(result.image, size);
        } else {
          expect(result.error.sentence.endsWith('.')).toBe(true);
          expect(result.error.offset).toBeLessThanOrEqual(size);
        }
      },
    ),
    { numRuns: RUNS, seed: 3 },
  );
  expect(accepted).toBeGreaterThan(RUNS / 20);
});
