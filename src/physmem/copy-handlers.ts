/**
 * Decoding of container_copy and container_copy_list: flags, ranges, and the rights that both ends must have.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { ContainerRight, CopyFlag } from '../abi/rights.ts';
import { COPY_LIST_WORDS } from '../abi/rpcs.ts';
import type { RpcRequest } from '../abi/server.ts';
import { lockFault } from './actor.ts';
import { copy } from './copy.ts';
import { findCollision } from './copy-list.ts';
import type { CopyEnds, CopyRange } from './copy-plan.ts';
import { onUnlocked, PAGE_SHIFT } from './handler-shapes.ts';
import { type Refusal, refusal, refuse } from './reply.ts';
import {
  findContainer,
  flagFault,
  isRefusal,
  type NamedContainer,
  rangeFault,
  rightsFault,
} from './request.ts';
import type { Store } from './store.ts';

const COPY_FLAGS = CopyFlag.SHARED | CopyFlag.MOVE | CopyFlag.SQUASH | CopyFlag.ALL_OR_NONE;

/** Rights that a copy needs of its source: taking names away or sharing for writing is more than reading. */
function sourceRights(flags: number): number {
  let needed = ContainerRight.COPY_OUT;
  if ((flags & CopyFlag.MOVE) !== 0) needed |= ContainerRight.DEALLOCATE;
  if ((flags & CopyFlag.SHARED) !== 0) needed |= ContainerRight.READ | ContainerRight.WRITE;
  return needed;
}

/** Both ends of a copy, or why it may not be; the destination is item 0. */
function copyEnds(
  store: Store,
  named: NamedContainer,
  request: RpcRequest,
  flags: number,
): CopyEnds | Refusal {
  const rights = rightsFault({ ...request.target, rights: named.rights }, sourceRights(flags));
  if (rights !== null) return rights;
  const argument = request.wordCount + 1;
  const target = findContainer(store, request.caps[0]!, request.task, argument);
  if (isRefusal(target)) return target;
  const locked = lockFault(store, target.container, target.actor);
  if (locked !== null) return { ...locked, argument };
  let needed = ContainerRight.COPY_IN;
  if ((flags & CopyFlag.SQUASH) !== 0) needed |= ContainerRight.WRITE;
  const missing = rightsFault({ ...request.target, rights: target.rights }, needed, argument);
  if (missing !== null) return missing;
  return {
    source: named.container.index,
    sourceGeneration: named.container.generation,
    destination: target.container.index,
    destinationGeneration: target.container.generation,
    actor: named.actor,
    destinationActor: target.actor,
    flags,
  };
}

function copyFlagsFault(request: RpcRequest, at: number): Refusal | null {
  const both = CopyFlag.SHARED | CopyFlag.MOVE;
  const isBoth = (request.words[at]! & both) === both;
  return (
    flagFault(request, at, COPY_FLAGS) ??
    (isBoth ? refusal(Errno.EINVAL, Reason.OUT_OF_RANGE, at + 1, CopyFlag.MOVE) : null)
  );
}

/** The range whose source, destination and size are three words from `at` on. */
const copyRangeAt = ({ words }: RpcRequest, at: number): CopyRange => ({
  sourcePage: words[at]! >>> PAGE_SHIFT,
  destinationPage: words[at + 1]! >>> PAGE_SHIFT,
  pages: words[at + 2]! / 4096,
});

const copyRangeFault = (request: RpcRequest, at: number): Refusal | null =>
  rangeFault(request, at, at + 2) ?? rangeFault(request, at + 1, at + 2);

export const copyOne = onUnlocked((store, named, request) => {
  const fault = copyRangeFault(request, 0) ?? copyFlagsFault(request, 3);
  if (fault !== null) return refuse(fault);
  const ends = copyEnds(store, named, request, request.words[3]!);
  if (isRefusal(ends)) return refuse(ends);
  return copy(store, { ends, list: [copyRangeAt(request, 0)], blamed: 0 });
});

export const copyList = onUnlocked((store, named, request) => {
  const fault = copyFlagsFault(request, 0);
  if (fault !== null) return refuse(fault);
  const list: CopyRange[] = [];
  for (let at = 1; at < request.wordCount; at += COPY_LIST_WORDS) {
    const wrong = copyRangeFault(request, at);
    if (wrong !== null) return refuse(wrong);
    list.push(copyRangeAt(request, at));
  }
  const ends = copyEnds(store, named, request, request.words[0]!);
  if (isRefusal(ends)) return refuse(ends);
  const collision = findCollision(ends, list);
  if (collision !== null) {
    const argument = 2 + COPY_LIST_WORDS * collision.index + (collision.at === 'source' ? 0 : 1);
    return refuse(refusal(Errno.EINVAL, Reason.OVERLAPS, argument, collision.page * 4096));
  }
  return copy(store, { ends, list, blamed: 1 });
});
