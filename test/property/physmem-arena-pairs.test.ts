import { describe, it } from 'vitest';
import { SOAK_MS, soak } from './arena/soak.ts';

describe('physmem against the flat model, operations side by side', () => {
  it(
    'agrees when an operation or two are in flight',
    () => {
      soak({ sliceSteps: 1024, steps: 3, limbo: 'never' }, 3);
    },
    SOAK_MS,
  );

  it(
    'agrees when they are cut into slices',
    () => {
      soak({ sliceSteps: 2, steps: 4, limbo: 'never' }, 4);
    },
    SOAK_MS,
  );
});
