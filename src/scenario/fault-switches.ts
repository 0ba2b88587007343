/**
 * Fault switches: each breaks one rule on purpose, so that one can see what the rule is for (system.md §3). The names are
 * what a scenario and `--set faults.NAME=on` use; kernel and physmem look up the ones that are theirs.
 */
export interface FaultSwitch {
  readonly name: string;
  /** What happens when it is on. */
  readonly effect: string;
}

export const FAULT_SWITCHES: readonly FaultSwitch[] = [
  { name: 'skipShootdown', effect: 'other cores are never told that a translation was taken away' },
  { name: 'dontWaitForAcks', effect: 'frames are reused before every core has dropped its translation' },
];

export const FAULT_NAMES: readonly string[] = FAULT_SWITCHES.map((fault) => fault.name);
