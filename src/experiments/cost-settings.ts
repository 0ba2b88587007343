/**
 * The cost models that every experiment is run under: the published one, and others in which one group of costs is halved or
 * doubled. Scaling all costs together would change no ratio; a conclusion that flips when one group is scaled is none.
 */
import { type CostModel, DEFAULT_COSTS } from '../../emu/arch/cost.ts';

/** Groups of the table of emu/arch/cost.ts that an experiment about memory can feel. */
export const COST_GROUPS = {
  interrupts: ['trapEntry', 'trapReturn', 'ipiSend', 'ipiDeliver'],
  translations: ['pageWalk', 'lockedUpdate', 'invlpg', 'tlbFlush', 'pteWrite'],
  bytes: ['copyFrame', 'zeroFrame'],
  server: ['syscall', 'ipcWord', 'contextSwitch', 'serverRequest', 'serverStep'],
} as const satisfies Readonly<Record<string, readonly (keyof CostModel)[]>>;

export interface CostSetting {
  readonly name: string;
  readonly costs: CostModel;
}

export const PUBLISHED: CostSetting = { name: 'as published', costs: DEFAULT_COSTS };

const FACTORS = [
  ['x 1/2', 0.5],
  ['x 2', 2],
] as const;

function scaled(keys: readonly (keyof CostModel)[], factor: number): CostModel {
  const changes = keys.map((key) => [key, Math.round(DEFAULT_COSTS[key] * factor)]);
  return { ...DEFAULT_COSTS, ...(Object.fromEntries(changes) as Partial<CostModel>) };
}

/** Each group, and all of them against the cost of an instruction, by ½ and 2. */
export const SENSITIVITY: readonly CostSetting[] = [
  ...Object.entries(COST_GROUPS),
  ['all but instructions', Object.values(COST_GROUPS).flat()] as const,
].flatMap(([group, keys]) =>
  FACTORS.map(([label, factor]) => ({ name: `${group} ${label}`, costs: scaled(keys, factor) })),
);
