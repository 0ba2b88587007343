import { describe, it } from 'vitest';
import { soak } from './arena/soak.ts';

const RUNS = Number(process.env['PHYSMEM_RUNS'] ?? 50);

describe('physmem against the flat model, with deferred unmap', () => {
  it('agrees when operations run one after the other: what is left in a TLB shows what it showed', () => {
    soak({ sliceSteps: 1024, steps: 0, limbo: 'never', deferredUnmap: 'on' }, 31, RUNS);
  });

  it('agrees when many are in flight', () => {
    soak({ sliceSteps: 4, steps: 3, limbo: 'never', deferredUnmap: 'on' }, 32, RUNS);
  });
});
