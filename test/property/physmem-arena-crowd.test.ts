import { describe, it } from 'vitest';
import { SOAK_MS, soak } from './arena/soak.ts';

describe('physmem against the flat model, with many operations in flight', () => {
  it(
    'agrees when shootdowns are answered slowly',
    () => {
      soak({ sliceSteps: 1024, steps: 1, limbo: 'never' }, 5);
    },
    SOAK_MS,
  );

  it(
    'agrees when every step is a slice',
    () => {
      soak({ sliceSteps: 1, steps: 2, limbo: 'never' }, 6);
    },
    SOAK_MS,
  );
});
