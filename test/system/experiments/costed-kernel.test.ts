/** The kernel that only counts cycles agrees with the real one on real cores about what a shootdown costs. */
import { expect, it } from 'vitest';
import { DEFAULT_COSTS } from '../../../emu/arch/cost.ts';
import { policyNamed } from '../../../src/experiments/policies.ts';
import { ServerWorld } from '../../../src/experiments/server-world.ts';
import { shootdownCores } from '../../../src/experiments/shootdown-cores.ts';
import { shippedImage } from '../../golden/story.ts';

/** Cycles of deallocating a page that so many other cores use. */
function costed(otherCores: number): number {
  const world = new ServerWorld({
    ramFrames: 8192,
    costs: DEFAULT_COSTS,
    policy: policyNamed('none'),
    otherCores,
  });
  const container = world.createContainer();
  world.allocate(container, 0, 1);
  world.touch(container, 0, 1);
  world.deallocate(container, 0, 1);
  return world.lastCycles;
}

it('costs what the machine takes, within a tenth, for one and for fifteen other cores', () => {
  const [variant] = shootdownCores.variants;
  const images = { image: shippedImage };
  const { values } = shootdownCores.run({
    seed: 1,
    variant: variant!,
    costs: DEFAULT_COSTS,
    size: 'tiny',
    images,
  });
  const alone = costed(0);
  for (const cores of [2, 16]) {
    const real = values[`${cores} cores`]! - values['1 core']!;
    expect((costed(cores - 1) - alone) / real, `${cores} cores`).toBeCloseTo(1, 1);
  }
});
