/** All experiments, in the order of research: contiguity first, then shootdowns. */
import { deferredUnmap } from './deferred-unmap.ts';
import type { Experiment } from './experiment.ts';
import { halfFreeGate } from './half-free-gate.ts';
import { lazyReclamation } from './lazy-reclamation.ts';
import { migrationBatching } from './migration-batching.ts';
import { pinScatter } from './pin-scatter.ts';
import { proactiveCompaction } from './proactive-compaction.ts';
import { shootdownCores } from './shootdown-cores.ts';
import { stressHighalloc } from './stress-highalloc.ts';

export const EXPERIMENTS: readonly Experiment[] = [
  proactiveCompaction,
  stressHighalloc,
  halfFreeGate,
  pinScatter,
  shootdownCores,
  migrationBatching,
  deferredUnmap,
  lazyReclamation,
];

export const EXPERIMENT_NAMES: readonly string[] = EXPERIMENTS.map(({ name }) => name);
