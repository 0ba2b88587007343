/**
 * A broken assumption inside the kernel or the memory server: never the answer to anything that a guest does.
 * What guests do wrong gets an errno; what the person at the command line does wrong is a sentence.
 */
export class KernelBug extends Error {}

/** Ends the run because of a defect of our own. */
export const bug = (what: string): never => {
  throw new KernelBug(what);
};

/** Stops at a value that the caller believes impossible. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) bug(what);
}
