import { describe, it } from 'vitest';
import { SOAK_MS, soak } from './arena/soak.ts';

describe('physmem against the flat model, with cores that answer too late', () => {
  it(
    'agrees when a few operations are in flight',
    () => {
      soak({ sliceSteps: 4, steps: 4, limbo: 'sometimes' }, 7);
    },
    SOAK_MS,
  );

  it(
    'agrees when many are',
    () => {
      soak({ sliceSteps: 1, steps: 2, limbo: 'sometimes' }, 8);
    },
    SOAK_MS,
  );
});
