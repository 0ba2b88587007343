/**
 * How a defragmentation policy is named (physmem.md §7.3): a mode, a way to choose blocks, and a few numbers. Scenario files
 * and the command line use the short form `MODE[/CHOOSER][+grouping]`; the policies themselves are in src/physmem/compact.
 */

/** When memory is moved: never, inside the bind that finds no block, or ahead of need. */
export const POLICY_MODES = ['none', 'on-demand', 'background'] as const;
/** Which memory is moved where. */
export const POLICY_CHOOSERS = ['two-scanner', 'cheapest-block'] as const;

export type PolicyMode = (typeof POLICY_MODES)[number];
export type PolicyChooser = (typeof POLICY_CHOOSERS)[number];

export interface PolicySpec {
  readonly mode: PolicyMode;
  readonly chooser: PolicyChooser;
  /** Memory that is pinned, or will be, gets 4 MiB blocks of its own. */
  readonly grouping: 'on' | 'off';
  /** Frames whose translations go in one shootdown. */
  readonly batch: number;
  /** Background: the order that is to be available, in percent of free memory that is unusable for it. */
  readonly order: number;
  readonly low: number;
  readonly high: number;
}

export const POLICY_BATCH_MAX = 1024;

export const DEFAULT_POLICY_SPEC: PolicySpec = {
  mode: 'none',
  chooser: 'cheapest-block',
  grouping: 'off',
  batch: 64,
  order: 10,
  low: 10,
  high: 30,
};

/** All short names, for lists and for "did you mean". */
export const POLICY_NAMES: readonly string[] = [
  ...POLICY_MODES,
  ...POLICY_MODES.filter((mode) => mode !== 'none').flatMap((mode) =>
    POLICY_CHOOSERS.map((chooser) => `${mode}/${chooser}`),
  ),
].flatMap((name) => [name, `${name}+grouping`]);

/** Reads a short name; null when it is none. */
export function parsePolicyName(name: string): PolicySpec | null {
  if (!POLICY_NAMES.includes(name)) return null;
  const [plain, grouping] = name.split('+');
  const [mode, chooser] = plain!.split('/');
  return {
    ...DEFAULT_POLICY_SPEC,
    mode: mode as PolicyMode,
    chooser: (chooser as PolicyChooser | undefined) ?? DEFAULT_POLICY_SPEC.chooser,
    grouping: grouping === undefined ? 'off' : 'on',
  };
}

/** The short name of a policy; its numbers are not in it. */
export function policyName({ mode, chooser, grouping }: PolicySpec): string {
  const plain = mode === 'none' ? mode : `${mode}/${chooser}`;
  return grouping === 'on' ? `${plain}+grouping` : plain;
}
