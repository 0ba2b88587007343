/**
 * Exit codes of the program. A guest's own status passes through when the scenario has no checks, so these are
 * what the program itself says.
 */
export enum ExitCode {
  OK = 0,
  /** A check of the scenario failed. */
  CHECK_FAILED = 1,
  /** Bad input: one sentence on standard error. */
  BAD_INPUT = 2,
  /** An instruction or cycle limit ended the run. */
  LIMIT = 3,
  /** The machine cannot go on: triple fault, reset, or everything waits for ever. */
  MACHINE_STOPPED = 4,
  /** A bug of this program. */
  INTERNAL = 70,
  /** Ctrl-C, as the shell counts it. */
  INTERRUPTED = 130,
}
