/**
 * Runs a machine in slices, so that Ctrl-C, a closed pipe and the status line get their turn in between. Pausing does not
 * change what the machine does (emu/machine.ts), so neither does the slice length.
 */
import { thousands } from '../observe/number-format.ts';
import type { Io } from './io.ts';

/** What can be run: a bare machine or a whole system. Limits count from the start of each call. */
export interface Runnable<Stop extends { readonly kind: string }> {
  readonly instructions: number;
  /**
   * Instructions begun: the ones above and those that raised an exception instead. Where they are told the limit counts
   * them, so that it also ends a bare guest whose every instruction faults; behind a kernel each fault has its end.
   */
  readonly attempts?: number;
  readonly cycles: number;
  run(limits: {
    readonly maxInstructions?: number;
    readonly maxCycles?: number;
    readonly until?: () => boolean;
  }): Stop;
}

export interface TotalLimits {
  readonly maxInstructions: number | null;
  readonly maxCycles: number | null;
}

export type RunEnd<Stop> =
  | { readonly kind: 'stop'; readonly stop: Stop }
  /** A limit of the person at the command line. */
  | { readonly kind: 'limit'; readonly sentence: string }
  /** Ctrl-C. */
  | { readonly kind: 'interrupted' };

/** About 25 ms of the interpreter at 40 MIPS. */
const SLICE_INSTRUCTIONS = 1_000_000;

export interface SliceHooks {
  /** Called after every slice, the last one included. */
  readonly afterSlice: () => void;
  /** True ends a slice early, at the next turn of a core; the run goes on after `afterSlice`. */
  readonly until?: () => boolean;
  /** Asked when nothing can happen until the host does something; true when it has. */
  readonly onIdle?: () => Promise<boolean>;
}

/**
 * Runs until the machine stops, a total limit is reached or Ctrl-C is pressed.
 */
export async function runSliced<Stop extends { readonly kind: string }>(
  target: Runnable<Stop>,
  limits: TotalLimits,
  io: Io,
  hooks: SliceHooks,
): Promise<RunEnd<Stop>> {
  let isInterrupted = false;
  const release = io.onInterrupt(() => {
    isInterrupted = true;
  });
  const maxInstructions = limits.maxInstructions ?? Number.POSITIVE_INFINITY;
  const maxCycles = limits.maxCycles ?? Number.POSITIVE_INFINITY;
  try {
    for (;;) {
      const instructionsLeft = maxInstructions - (target.attempts ?? target.instructions);
      const cyclesLeft = maxCycles - target.cycles;
      if (instructionsLeft <= 0) {
        const faulted = (target.attempts ?? target.instructions) - target.instructions;
        return limitReached('instructions', maxInstructions, faulted);
      }
      if (cyclesLeft <= 0) return limitReached('cycles', maxCycles, 0);
      const stop = target.run({
        maxInstructions: Math.min(SLICE_INSTRUCTIONS, instructionsLeft),
        maxCycles: cyclesLeft,
        ...(hooks.until === undefined ? {} : { until: hooks.until }),
      });
      hooks.afterSlice();
      const goesOn = stop.kind === 'budget' || (stop.kind === 'idle' && (await hooks.onIdle?.()) === true);
      if (!goesOn && !(stop.kind === 'idle' && isInterrupted)) return { kind: 'stop', stop };
      await io.breathe();
      if (isInterrupted) return { kind: 'interrupted' };
    }
  } finally {
    release();
  }
}

/** `faulted`: how many of the instructions raised an exception instead of completing. */
function limitReached(what: string, limit: number, faulted: number): { kind: 'limit'; sentence: string } {
  const exceptions = faulted > 0 ? `; ${thousands(faulted)} of them raised an exception` : '';
  return {
    kind: 'limit',
    sentence: `stopped: the limit of ${thousands(limit)} ${what} was reached before the guest ended${exceptions}`,
  };
}
