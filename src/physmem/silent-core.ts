/**
 * What an operation says when a core stays silent (physmem.md §6.5, docs/adr/0012): it never reports success while a
 * core that runs user code may still use a translation that it took away. The kernel has waited, reported the core and
 * declared it dead before it says 'limbo'; what was to be freed is in limbo then. The work itself is done and told as
 * `amount`; the errno is ETIMEDOUT, the reason CORE_SILENT.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { Op } from '../abi/rpcs.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { refusal, refuse } from './reply.ts';
import type { Store } from './store.ts';

export const SILENT = refusal(Errno.ETIMEDOUT, Reason.CORE_SILENT);

/**
 * Operations whose success means that translations are gone. They rely on what others took away before them, too, and no
 * record says which core may still hold what; so while one answer is missing, none of them reports success.
 */
const REVOKING: ReadonlySet<number> = new Set([
  Op.DEALLOCATE,
  Op.UNMAP,
  Op.COPY,
  Op.COPY_LIST,
  Op.RELEASE,
  Op.REVOKE,
  Op.CONTAINER_DESTROY,
  Op.CONTROL_DESTROY,
  Op.LOCK,
]);

/** The reply to a request that did not wait. */
export function truthful(store: Store, op: number, reply: RpcReply): RpcReply {
  if (store.inflight.parked.length === 0 || !REVOKING.has(op)) return reply;
  return denied(reply);
}

/** Runs an operation; its reply is the operation's own, unless a core did not answer and still has not. */
export function* watched(store: Store, op: number, operation: Operation): Operation {
  let isSilent = REVOKING.has(op);
  let step = operation.next('done');
  while (step.done !== true) {
    const result = yield step.value;
    isSilent ||= result === 'limbo';
    step = operation.next(result);
  }
  return isSilent && store.inflight.parked.length > 0 ? denied(step.value) : step.value;
}

/** Replies with capabilities refuse by themselves (pin.ts): nothing that was made may be lost on the way. */
const denied = (reply: RpcReply): RpcReply =>
  reply.errno === Errno.OK && reply.caps.length === 0 ? refuse(SILENT, reply.words[0] ?? 0) : reply;
