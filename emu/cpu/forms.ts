/**
 * Dispatch numbers of records. Pseudo records steer the loop and are not instructions. Hot forms are instructions whose
 * operands have one common shape under flat segments; they are executed inside the loop (loop.ts) and must do what the
 * table's semantics do, which they fall back to whenever an access is not a plain TLB hit.
 */

/** Run the table entry's semantics. */
export const OP_GENERAL = 0;
/** Continue with the next page. */
export const OP_END = 1;
/** Continue at the record LINK. */
export const OP_GOTO = 2;
/** Find the record again by EIP. */
export const OP_LOOKUP = 3;
/** The instruction continues in the next page. */
export const OP_CROSSING = 4;

/** Dispatch number for the decoded record at `i`. */
export function selectForm(_ops: Int32Array, _i: number): number {
  return OP_GENERAL;
}
