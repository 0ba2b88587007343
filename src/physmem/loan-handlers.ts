/** Handlers of what concerns extra memory and soft references (physmem.md §8); the generic part is in server.ts. */
import { Errno, Reason } from '../abi/errno.ts';
import { AllocFlag, CapType, ReleaseFlag, ThreadRight } from '../abi/rights.ts';
import type { RpcReply, RpcRequest } from '../abi/server.ts';
import type { Control } from './control.ts';
import { roomForExtra } from './extra.ts';
import { onControl, onRange } from './handler-shapes.ts';
import { release } from './release.ts';
import { DYING, ok, refusal, refuse } from './reply.ts';
import { findControl, flagFault, isRefusal, rightsFault } from './request.ts';
import { recover, releaseSoft } from './soft.ts';
import type { Store } from './store.ts';

export const releaseRange = onRange((store, { container, actor }, start, pages, request) => {
  const fault = flagFault(request, 2, ReleaseFlag.SOFT);
  if (fault !== null) return refuse(fault);
  const { index } = container;
  if (request.words[2] === 0) return release(store, actor, index, start, pages);
  return releaseSoft(store, { actor, container: index, start, pages });
});

export const recoverRange = onRange((store, { container, actor }, start, pages, request) => {
  const fault = flagFault(request, 2, AllocFlag.EXTRA);
  if (fault !== null) return refuse(fault);
  return recover(store, { actor, container: container.index, start, pages }, request.words[2]!);
});

/** EBADF: not a thread; EPERM: nobody may send to it; ESRCH: it is dead. */
function nameReturnThread(store: Store, control: Control, request: RpcRequest): RpcReply {
  const cap = request.caps[0];
  if (cap === undefined) {
    control.returnThread = 0;
    return ok([]);
  }
  const argument = request.wordCount + 1;
  if (cap.type !== CapType.THREAD) return refuse(refusal(Errno.EBADF, Reason.WRONG_TYPE, argument));
  const fault = rightsFault(cap, ThreadRight.SEND, argument);
  if (fault !== null) return refuse(fault);
  if (store.port.threadLives?.(cap.object) !== true)
    return refuse(refusal(Errno.ESRCH, Reason.DEAD_OBJECT, argument));
  control.returnThread = cap.object;
  control.returnBadge = request.words[0]!;
  return ok([]);
}

/** A dying control may still be asked. */
export function queryExtra(store: Store, request: RpcRequest): RpcReply {
  const found = findControl(store, request.target);
  if (isRefusal(found) && found !== DYING) return refuse(found);
  const { extra, extraBound, soft, lost } = store.controls.at(store.controls.find(request.target.object));
  return ok([extra, extraBound, soft, lost, roomForExtra(store)]);
}

export const onReturn = onControl(nameReturnThread);
