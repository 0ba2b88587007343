import { describe, it } from 'vitest';
import { SOAK_MS, soak } from './arena/soak.ts';

describe('physmem against the flat model, one operation after another', () => {
  it(
    'agrees in errors, amounts, credit and contents',
    () => {
      soak({ sliceSteps: 1024, steps: 0, limbo: 'never' }, 1);
    },
    SOAK_MS,
  );

  it(
    'agrees when every operation is cut into slices',
    () => {
      soak({ sliceSteps: 1, steps: 0, limbo: 'never' }, 2);
    },
    SOAK_MS,
  );
});
