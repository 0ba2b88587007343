/**
 * The engine interface: what runs guest instructions (machine.md §2). Several engines stand behind it and one
 * conformance suite runs over all of them. An engine owns nothing but caches: registers are in the core blocks,
 * RAM and TLB in the shared buffer (see core-layout.ts and emu/mem).
 */
export enum Exit {
  /** The instruction budget is used up. */
  Budget = 0,
  /** HLT was executed; RUN_STATE is Halted, EIP is after it. */
  Halt = 1,
  /**
   * Hosted mode, CPL 3: an exception or INT n. R.EXIT_VECTOR, R.FAULT_ERROR, R.CR2 tell which; EIP is the faulting
   * instruction for faults and the next one for traps; R.EXIT_SOFT is 1 for INT n / INT3 / INTO.
   * No stack was touched, CPL and segments are still the guest's.
   */
  Trap = 2,
  /** Hosted mode: an external interrupt is deliverable; nothing was acknowledged yet. */
  Interrupt = 3,
  /** Attention.Stop was set (a breakpoint, a device, the host). */
  Stop = 4,
  /** Triple fault: RUN_STATE is Shutdown. */
  Shutdown = 5,
}

export interface Engine {
  readonly name: string;
  /**
   * Runs `core` until the budget of instructions is used up or an Exit comes first. Adds to the core's
   * INSTRUCTIONS and CYCLES. On return EFLAGS is materialised and the block is canonical.
   * Never throws for anything that a guest does.
   */
  run(core: number, budget: number): Exit;
  /** Forgets every translation or decoded copy of the code in a base frame (the host wrote to it). */
  invalidateCode(frameNo: number): void;
  /** Forgets everything (a snapshot was restored). */
  reset(): void;
}

/** The engines that need nothing from outside; `interpreter` is the reference. */
export const OWN_ENGINE_NAMES = ['interpreter', 'translator'] as const;
export type OwnEngineName = (typeof OWN_ENGINE_NAMES)[number];
/** What runs where nobody has chosen: no result depends on it. */
export const DEFAULT_ENGINE: OwnEngineName = 'translator';

/** Engines that a person can choose; `unicorn` needs a library of the system. */
export const ENGINE_NAMES = [...OWN_ENGINE_NAMES, 'unicorn'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Whether traps at CPL 3 go to the attached kernel (`hosted`) or through the guest's IDT (`bare`). */
export type TrapMode = 'hosted' | 'bare';
