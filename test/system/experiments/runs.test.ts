/** Every experiment, as small as it goes: it runs, gives each of its metrics, and gives the same twice. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_COSTS } from '../../../emu/arch/cost.ts';
import { EXPERIMENTS } from '../../../src/experiments/all.ts';
import type { Trial } from '../../../src/experiments/experiment.ts';
import { shippedImage } from '../../golden/story.ts';

const trial = (variant: string): Trial => ({
  seed: 1,
  variant,
  costs: DEFAULT_COSTS,
  size: 'tiny',
  images: { image: shippedImage },
});

describe.each(EXPERIMENTS)('the experiment $name', ({ run, variants, metrics, plots }) => {
  it.each(variants)('gives the same twice, and all that it promises: %s', (variant) => {
    const sample = run(trial(variant));
    expect(run(trial(variant))).toEqual(sample);
    expect(Object.keys(sample.values).sort()).toEqual(metrics.map(({ name }) => name).sort());
    const curves = plots.filter(({ kind }) => kind === 'curve').map(({ name }) => name);
    expect(Object.keys(sample.curves ?? {}).sort()).toEqual(curves.sort());
  });
});
