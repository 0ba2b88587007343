/**
 * Replies of the server. A refusal carries the amount done, the reason, the index of the argument to blame and
 * the limit that was hit (src/abi/rpcs.ts), so that the guest's `pm_strerror` can print a whole sentence.
 */
import { Errno, Reason } from '../abi/errno.ts';
import type { CapRef, RpcReply } from '../abi/server.ts';

const NO_CAPS: readonly CapRef[] = [];

export const ok = (words: readonly number[], caps: readonly CapRef[] = NO_CAPS): RpcReply => ({
  errno: Errno.OK,
  words,
  caps,
});

export interface Refusal {
  readonly errno: Errno;
  readonly reason: Reason;
  /** From 1; 0 when no argument is to blame. Capability items follow the words. */
  readonly argument: number;
  readonly limit: number;
  /** Further numbers of the sentence, in the order %c %m %n of REASONS. */
  readonly more?: readonly number[];
}

export const refusal = (errno: Errno, reason: Reason, argument = 0, limit = 0): Refusal => ({
  errno,
  reason,
  argument,
  limit,
});

/** A refusal after `amount` bytes were done. */
export const refuse = (why: Refusal, amount = 0): RpcReply => ({
  errno: why.errno,
  words: [amount, why.reason, why.argument, why.limit, ...(why.more ?? [])],
  caps: NO_CAPS,
});

export const DYING = refusal(Errno.EBUSY, Reason.DYING);
export const DEAD = refusal(Errno.EBADF, Reason.DEAD_OBJECT);
export const NOT_SPONSORED = refusal(Errno.ENOMEM, Reason.NOT_SPONSORED);
export const noCredit = (free: number): Refusal => refusal(Errno.ENOMEM, Reason.NO_CREDIT, 0, free);
