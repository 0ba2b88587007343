/**
 * Bare-mode images (tools/compare/images) on this machine, on QEMU and on v86: rings, faults through the IDT, stack
 * switches, paging, single step. Where QEMU is not installed its recorded transcript stands in.
 */
import { describe, expect, it } from 'vitest';
import { hasQemu, runHere, runOnQemu, runOnV86 } from '../../tools/compare/image-run.ts';
import {
  compareTranscripts,
  IMAGES,
  recordedHashes,
  recordedTranscript,
  sourceHash,
} from '../../tools/compare/images.ts';

const agrees = (name: string, reference: 'qemu' | 'v86', there: string): void => {
  const { unexplained, unused } = compareTranscripts(name, reference, runHere(name), there);
  expect(unexplained).toEqual([]);
  expect(unused).toEqual([]);
};

describe('bare-mode images', () => {
  for (const { name, references } of IMAGES) {
    it(`${name}: prints what QEMU printed, but for the listed deviations`, () => {
      agrees(name, 'qemu', recordedTranscript(name));
    });

    it(`${name}: was built from the present sources`, () => {
      expect(recordedHashes()[name], 'run tools/compare/build-images.ts').toBe(sourceHash(name));
    });

    it.skipIf(!hasQemu())(`${name}: QEMU still prints that (skipped without qemu-system-i386)`, () => {
      expect(runOnQemu(name)).toBe(recordedTranscript(name));
    });

    if (references.includes('v86')) {
      it(`${name}: prints what v86 prints, but for the listed deviations`, async () => {
        agrees(name, 'v86', await runOnV86(name));
      });
    }
  }
});
