/** What is broken, and the tests that must notice it: quick tests first; most mutations die there. */
import { COMPACTION_MUTATIONS } from './compaction-mutations.ts';
import { DMA_MUTATIONS } from './dma-mutations.ts';
import { GATE_MUTATIONS, TRANSLATOR_MUTATIONS, UNICORN_MUTATIONS } from './engine-mutations.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

export interface Area {
  readonly name: string;
  /** What the files of its mutations are below of. */
  readonly folder: string;
  readonly mutations: readonly Mutation[];
  /** Arguments of vitest, one run each. */
  readonly suites: readonly (readonly string[])[];
}

const UNIT = ['--project', 'unit'];
const PROPERTY = ['--project', 'property'];
const ENGINES = 'test/engines/translator';
const POLICIES = ['policy', 'choosers', 'modes', 'compaction'].map(
  (name) => `test/unit/physmem/${name}.test`,
);

export const AREAS: readonly Area[] = [
  {
    name: 'physmem',
    folder: 'src/physmem',
    mutations: MUTATIONS,
    suites: [
      [...UNIT, 'test/unit/physmem'],
      [...PROPERTY, 'test/property/physmem-model', 'test/property/physmem-races'],
      [...PROPERTY, 'test/property/physmem-arena'],
    ],
  },
  {
    name: 'compaction',
    folder: 'src/physmem',
    mutations: COMPACTION_MUTATIONS,
    suites: [
      [...UNIT, ...POLICIES],
      [...UNIT, 'test/unit/physmem'],
      [...PROPERTY, 'test/property/guaranteed-binds', 'test/property/physmem-races'],
    ],
  },
  {
    name: 'translator',
    folder: 'emu',
    mutations: TRANSLATOR_MUTATIONS,
    suites: [
      ['stops', 'changing-code', 'remapped-code', 'assumptions', 'corners'].map(
        (name) => `${ENGINES}/${name}`,
      ),
      ['--project', 'translated'],
      ['test/unit/cpu/walk-code'],
      [`${ENGINES}/lock-step`],
      [`${ENGINES}/bare-images`],
      [`${ENGINES}/scenarios.test`, `${ENGINES}/host-vectors`],
    ],
  },
  { name: 'gate', folder: 'emu', mutations: GATE_MUTATIONS, suites: [['test/unit/cpu']] },
  { name: 'unicorn', folder: 'emu', mutations: UNICORN_MUTATIONS, suites: [['test/engines/unicorn/']] },
  {
    name: 'dma',
    folder: 'emu',
    mutations: DMA_MUTATIONS,
    suites: [[...UNIT, 'test/unit/dev', 'test/unit/machine/dma-board']],
  },
];
