import { defineConfig } from 'vitest/config';

/** Each project is one tier of test/: `unit` is the fast one that `npm run check:quick` runs. */
const tier = (name: string, timeoutMs: number) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: timeoutMs, hookTimeout: timeoutMs },
});

/** The tests of single instructions, faults and interrupts once more, on the translator. */
const translated = {
  test: {
    ...tier('unit', 10_000).test,
    name: 'translated',
    include: ['corners', 'debug', 'engine-of-suite', 'exceptions', 'slices', 'string-runs'].map(
      (name) => `test/unit/cpu/${name}.test.ts`,
    ),
    env: { PHYSMEM_TEST_ENGINE: 'translator' },
  },
};

export default defineConfig({
  test: {
    projects: [
      tier('unit', 10_000),
      translated,
      tier('property', 120_000),
      tier('golden', 60_000),
      tier('engines', 120_000),
      tier('system', 120_000),
      tier('lab', 120_000),
    ],
  },
});
