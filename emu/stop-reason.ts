/**
 * Why a run ended.
 */

/** The last fault of a core that shut down, as its register block has it. */
export interface FaultRecord {
  readonly vector: number;
  readonly errorCode: number;
  /** Address of the instruction that raised it (offset in CS). */
  readonly eip: number;
  readonly cr2: number;
}

export type StopReason =
  /** The guest wrote the exit port, or the kernel ended the run. */
  | { readonly kind: 'exit-port'; readonly core: number; readonly status: number }
  /** Triple fault of a core. */
  | { readonly kind: 'shutdown'; readonly core: number; readonly fault: FaultRecord }
  /** The guest pulled the reset line. */
  | { readonly kind: 'reset' }
  /** maxInstructions, maxCycles or until. */
  | { readonly kind: 'budget' }
  /** Every core is halted and no timer is armed: nothing can happen until the host sends a byte or a key. */
  | { readonly kind: 'idle' }
  /** `stop` was called. */
  | { readonly kind: 'stopped' };

/** Reasons after which the machine cannot go on. */
export const isFinal = (reason: StopReason): boolean =>
  reason.kind === 'exit-port' || reason.kind === 'shutdown' || reason.kind === 'reset';
