/**
 * Decoding of requests: everything is checked before anything is changed (architecture.md). Range checks of
 * physmem.md §1: size > 0, page aligned, start + size ≤ 2^32.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { USER_BOTTOM, USER_TOP } from '../abi/message.ts';
import { CapType } from '../abi/rights.ts';
import type { CapRef, RpcRequest } from '../abi/server.ts';
import { type Actor, ownerActor } from './actor.ts';
import type { Container, Limited } from './container.ts';
import type { Control } from './control.ts';
import { DEAD, DYING, type Refusal, refusal } from './reply.ts';
import type { Store } from './store.ts';

const PAGE = 4096;
const SPACE_END = 2 ** 32;

/** Checks a byte range given by words `at` (start) and `size`; null when it is good. */
export function rangeFault(request: RpcRequest, at: number, size: number): Refusal | null {
  const start = request.words[at]!;
  const bytes = request.words[size]!;
  if (start % PAGE !== 0) return refusal(Errno.EINVAL, Reason.UNALIGNED, at + 1, PAGE);
  if (bytes % PAGE !== 0) return refusal(Errno.EINVAL, Reason.UNALIGNED, size + 1, PAGE);
  if (bytes === 0) return refusal(Errno.EINVAL, Reason.ZERO_SIZE, size + 1);
  if (start + bytes > SPACE_END) return refusal(Errno.EINVAL, Reason.WRAPS, at + 1);
  return null;
}

/** Checks that `bytes` from word `at` on are linear addresses that a task may have translations at. */
export function linearFault(request: RpcRequest, at: number, bytes: number): Refusal | null {
  const start = request.words[at]!;
  if (start % PAGE !== 0) return refusal(Errno.EINVAL, Reason.UNALIGNED, at + 1, PAGE);
  if (start < USER_BOTTOM) return refusal(Errno.EINVAL, Reason.OUT_OF_RANGE, at + 1, USER_BOTTOM);
  if (start + bytes > USER_TOP) return refusal(Errno.EINVAL, Reason.OUT_OF_RANGE, at + 1, USER_TOP);
  return null;
}

/** Checks flag bits in word `at`. */
export function flagFault(request: RpcRequest, at: number, known: number): Refusal | null {
  if ((request.words[at]! & ~known) === 0) return null;
  return refusal(Errno.EINVAL, Reason.UNKNOWN_FLAG, at + 1, known);
}

/** Checks that a capability has rights; `argument` is 0 for the invoked one. */
export function rightsFault(cap: CapRef, needed: number, argument = 0): Refusal | null {
  const missing = needed & ~cap.rights;
  return missing === 0 ? null : refusal(Errno.EPERM, Reason.MISSING_RIGHT, argument, missing);
}

/** A container as a request names it: directly, or by a limited capability. */
export interface NamedContainer {
  readonly container: Container;
  readonly limited: Limited | null;
  readonly rights: number;
  readonly actor: Actor;
}

/** Finds the container behind a capability, or the refusal; `accept`: also one that is being destroyed. */
export function findContainer(
  store: Store,
  cap: CapRef,
  task: number,
  argument: number,
  dying: 'refuse' | 'accept' = 'refuse',
): NamedContainer | Refusal {
  if (cap.type === CapType.CONTAINER) {
    const index = store.containers.find(cap.object);
    if (index === 0) return { ...DEAD, argument };
    const container = store.containers.at(index);
    if (container.state === 'dying' && dying === 'refuse') return { ...DYING, argument };
    return { container, limited: null, rights: cap.rights, actor: ownerActor(task) };
  }
  if (cap.type === CapType.LIMITED) {
    const index = store.limiteds.find(cap.object);
    const limited = store.limiteds.at(index);
    if (index === 0 || limited.state !== 'live') return { ...DEAD, argument };
    const container = store.containers.at(limited.container);
    if (container.state === 'dying' && dying === 'refuse') return { ...DYING, argument };
    const actor: Actor = { task, limited: index, limitedGeneration: limited.generation };
    return { container, limited, rights: cap.rights & limited.rights, actor };
  }
  return refusal(Errno.EBADF, Reason.WRONG_TYPE, argument);
}

/** Finds the control behind a capability, or the refusal. */
export function findControl(store: Store, cap: CapRef): Control | Refusal {
  const index = store.controls.find(cap.object);
  if (index === 0) return DEAD;
  const control = store.controls.at(index);
  return control.state === 'dying' ? DYING : control;
}

export const isRefusal = (found: object): found is Refusal => 'reason' in found;
