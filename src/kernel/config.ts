/**
 * Configuration of the kernel: sizes, times in cycles, and the fault switches that break one rule on purpose so
 * that its consequences can be seen (system.md §3). Everything has a default.
 */
export interface KernelFaults {
  /** Other cores are never told that a translation changed. */
  readonly skipShootdown: 'off' | 'on';
  /** The IPIs are sent, but the operation goes on without the acknowledgements. */
  readonly dontWaitForAcks: 'off' | 'on';
  /** The n-th shootdown IPI of the run is lost on its way; 0 = none. */
  readonly loseIpi: number;
  /** Every shootdown IPI is sent so many cycles late; 0 = at once. */
  readonly delayIpi: number;
  /** From the first request that reaches it, the core serves no shootdown for so long; its threads run on. */
  readonly stallCore: { readonly core: number; readonly cycles: number } | null;
  /** The task is killed when the kernel is entered for the n-th time since the hand-over, if it lives then. */
  readonly killTaskAt: { readonly task: number; readonly step: number } | null;
}

export interface KernelConfig {
  /** Longest time that a thread keeps its core while others of its priority are ready. */
  readonly quantumCycles: number;
  /** After this time without an acknowledgement a core is reported; after four it is declared dead (docs/adr/0012). */
  readonly shootdownTimeoutCycles: number;
  /** Up to this many pages of a space are invalidated one by one, more by a flush (the figure of Linux). */
  readonly singlePageCeiling: number;
  /**
   * How cores learn that translations must go: by an interrupt at once; or at their next entry of the kernel, at the latest
   * their own timer's, without one (LATR). Either way an operation goes on only after the last answer.
   */
  readonly shootdownBy: 'interrupt' | 'tick';
  /** Bound of live tasks; task_create answers EAGAIN beyond it. */
  readonly maxTasks: number;
  readonly faults: KernelFaults;
}

export const NO_FAULTS: KernelFaults = {
  skipShootdown: 'off',
  dontWaitForAcks: 'off',
  loseIpi: 0,
  delayIpi: 0,
  stallCore: null,
  killTaskAt: null,
};

export const DEFAULT_KERNEL_CONFIG: KernelConfig = {
  quantumCycles: 50_000,
  shootdownTimeoutCycles: 2_000_000,
  singlePageCeiling: 33,
  shootdownBy: 'interrupt',
  maxTasks: 1024,
  faults: NO_FAULTS,
};
