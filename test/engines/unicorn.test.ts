/**
 * The interpreter and libunicorn in lock-step; the longer run (10^6 instructions: ten minutes) is `tsx tools/compare/lock-step-main.ts`.
 */
import { describe, expect, it } from 'vitest';
import { runLockStep } from '../../tools/compare/lock-step.ts';
import { unicornMissing } from '../../tools/compare/unicorn.ts';

const missing = unicornMissing();

describe('lock-step with Unicorn', () => {
  it.skipIf(missing !== null)(
    `finds no divergence in random programs${missing === null ? '' : ` (skipped: ${missing})`}`,
    () => {
      const { divergence, instructions } = runLockStep(6_000, 7);
      expect(divergence).toBeNull();
      expect(instructions).toBeGreaterThanOrEqual(6_000);
    },
  );
});
