/**
 * Fault switches: each breaks one rule on purpose, so that one can see what the rule is for (system.md §3). Names
 * are what a scenario and `--set faults.NAME=…` use, numbers what the event fault:injected says; their values are in
 * the schema of scenarios. Kernel and physmem read those that are theirs. 1..19 are the kernel's, 20..39 physmem's.
 */
export enum Fault {
  SKIP_SHOOTDOWN = 1,
  DONT_WAIT_FOR_ACKS = 2,
  LOSE_IPI = 3,
  DELAY_IPI = 4,
  STALL_CORE = 5,
  KILL_TASK_AT = 6,
  FREE_BEFORE_FLUSH = 20,
  SKIP_ZEROING = 21,
  IGNORE_PINS = 22,
  KEEP_WRITE_ACCESS = 23,
  FAIL_ALLOCATION = 24,
  DEFER_UNSAFE = 25,
}

export interface FaultSwitch {
  readonly number: number;
  readonly name: string;
  /** What happens when it is on. */
  readonly effect: string;
}

export const FAULT_SWITCHES: readonly FaultSwitch[] = [
  {
    number: Fault.SKIP_SHOOTDOWN,
    name: 'skipShootdown',
    effect: 'other cores are never told that a translation was taken away',
  },
  {
    number: Fault.DONT_WAIT_FOR_ACKS,
    name: 'dontWaitForAcks',
    effect: 'frames are reused before every core has dropped its translation',
  },
  {
    number: Fault.LOSE_IPI,
    name: 'loseIpi',
    effect: 'the n-th shootdown IPI of the run never arrives',
  },
  {
    number: Fault.DELAY_IPI,
    name: 'delayIpi',
    effect: 'every shootdown IPI is sent so many cycles late',
  },
  {
    number: Fault.STALL_CORE,
    name: 'stallCore',
    effect:
      'from its first shootdown request on, the core answers none for so many cycles; its threads run on',
  },
  {
    number: Fault.KILL_TASK_AT,
    name: 'killTaskAt',
    effect: 'the task is killed when the kernel is entered for the n-th time',
  },
  {
    number: Fault.FREE_BEFORE_FLUSH,
    name: 'freeBeforeFlush',
    effect: 'memory is free before the translations to it are shot down',
  },
  {
    number: Fault.SKIP_ZEROING,
    name: 'skipZeroing',
    effect: 'memory is handed out with what its last user left in it',
  },
  {
    number: Fault.IGNORE_PINS,
    name: 'ignorePins',
    effect: 'pinned memory is freed when its name goes, whatever a device still does',
  },
  {
    number: Fault.KEEP_WRITE_ACCESS,
    name: 'keepWriteAccess',
    effect: 'a copy-on-write copy leaves the source writable',
  },
  {
    number: Fault.FAIL_ALLOCATION,
    name: 'failAllocation',
    effect: 'the n-th time that physmem takes a block of memory, there is none',
  },
  {
    number: Fault.DEFER_UNSAFE,
    name: 'deferUnsafe',
    effect: 'deferred unmap does without one of the conditions that make it safe',
  },
];
