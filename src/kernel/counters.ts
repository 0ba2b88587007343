/** Statistics of the kernel: how often each thing happened since boot. Plain numbers, part of the snapshot. */
export type KernelCounters = {
  traps: number;
  interrupts: number;
  syscalls: number;
  /** Messages between threads, fault messages included. */
  ipcs: number;
  /** Requests to the memory server. */
  rpcs: number;
  pageFaults: number;
  /** Faults on a stale narrower TLB entry, cured by a local invalidation (physmem.md §6.3). */
  spuriousFaults: number;
  exceptions: number;
  /** Threads killed for want of a pager or by their pager. */
  faultKills: number;
  contextSwitches: number;
  shootdowns: number;
  /** Shootdowns that no other core had to answer. */
  shootdownsLocal: number;
  shootdownIpis: number;
  /** Cores that held the space without running it: marked, not interrupted. */
  ipisAvoided: number;
  reschedules: number;
  pagesInvalidated: number;
  fullFlushes: number;
  acks: number;
  /** Acknowledgements that were late, repeated or unasked for; they count for nothing. */
  acksIgnored: number;
  shootdownTimeouts: number;
  /** Shootdowns that were answered after their bound. */
  lateAnswers: number;
  /** Cores that were declared dead, and such that came back. */
  coresDead: number;
  coresReadmitted: number;
  operations: number;
  /** Steps of operations: first starts and resumptions. */
  operationSteps: number;
  /** Interrupts on lines that a driver has. */
  deviceInterrupts: number;
  spuriousInterrupts: number;
};

export const newCounters = (): KernelCounters => ({
  traps: 0,
  interrupts: 0,
  syscalls: 0,
  ipcs: 0,
  rpcs: 0,
  pageFaults: 0,
  spuriousFaults: 0,
  exceptions: 0,
  faultKills: 0,
  contextSwitches: 0,
  shootdowns: 0,
  shootdownsLocal: 0,
  shootdownIpis: 0,
  ipisAvoided: 0,
  reschedules: 0,
  pagesInvalidated: 0,
  fullFlushes: 0,
  acks: 0,
  acksIgnored: 0,
  shootdownTimeouts: 0,
  lateAnswers: 0,
  coresDead: 0,
  coresReadmitted: 0,
  operations: 0,
  operationSteps: 0,
  deviceInterrupts: 0,
  spuriousInterrupts: 0,
});

/** What one task caused. */
export type TaskCounters = {
  syscalls: number;
  ipcs: number;
  rpcs: number;
  pageFaults: number;
  contextSwitches: number;
};

export const newTaskCounters = (): TaskCounters => ({
  syscalls: 0,
  ipcs: 0,
  rpcs: 0,
  pageFaults: 0,
  contextSwitches: 0,
});
