/**
 * One handler per operation: decodes the arguments of its request and starts the work. The generic part (does the
 * object have such an operation, the number of words and capabilities, the rights of the table) is done by
 * server.ts before.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import {
  ACCESS_MASK,
  ALL_CONTAINER_RIGHTS,
  ALL_CONTROL_RIGHTS,
  AllocFlag,
  CapType,
  ContainerRight,
  LIMITED_RIGHTS_MAX,
  MapFlag,
  PinFlag,
  TaskRight,
} from '../abi/rights.ts';
import { LOCK_CYCLES_MAX, Op, PIN_CYCLES_MAX } from '../abi/rpcs.ts';
import type { Operation, RpcReply, RpcRequest } from '../abi/server.ts';
import { allocate } from './allocate.ts';
import type { Told } from './clear.ts';
import { CONTROL_DEPTH_MAX, type Control, Controls } from './control.ts';
import { copyList, copyOne } from './copy-handlers.ts';
import { createContainer } from './create.ts';
import { deallocate } from './deallocate.ts';
import { destroyContainer, destroyControl } from './destroy.ts';
import { allocateExtra, EXTRA_FLAGS } from './extra.ts';
import { type Handler, onContainer, onControl, onRange, onUnlocked, PAGE_SHIFT } from './handler-shapes.ts';
import { onReturn, queryExtra, recoverRange, releaseRange } from './loan-handlers.ts';
import { lock, unlock } from './lock.ts';
import { newMapJob, runMap } from './map.ts';
import { pin } from './pin.ts';
import { endPin } from './pin-end.ts';
import { queryPages } from './query.ts';
import { DEAD, DYING, noCredit, ok, type Refusal, refusal, refuse } from './reply.ts';
import {
  findContainer,
  findControl,
  flagFault,
  isRefusal,
  linearFault,
  rangeFault,
  rightsFault,
} from './request.ts';
import { isDerived, revoke, share } from './share.ts';
import { sponsor } from './sponsor.ts';
import type { Store } from './store.ts';
import { unmapPages } from './unmap.ts';

const quotaFault = (store: Store, control: Control, hasRoom: boolean): Refusal | null => {
  const quota = Controls.quota(control);
  if (control.objects < quota && hasRoom) return null;
  return refusal(Errno.ENOMEM, Reason.QUOTA, 0, store.controls.hasRoom() ? quota : 0);
};

function split(store: Store, control: Control, request: RpcRequest): RpcReply {
  const frames = request.words[0]!;
  if (frames === 0) return refuse(refusal(Errno.EINVAL, Reason.OUT_OF_RANGE, 1, control.free));
  if (frames > control.free) return refuse(noCredit(control.free));
  if (control.depth >= CONTROL_DEPTH_MAX || !store.controls.hasRoom()) {
    return refuse(refusal(Errno.ENOMEM, Reason.QUOTA, 0, CONTROL_DEPTH_MAX));
  }
  const child = store.controls.split(control, frames);
  store.port.emit(PhysmemEv.Split, control.index, child.index, frames, control.free);
  const object = store.controls.id(child.index);
  return ok([], [{ type: CapType.CONTROL, object, rights: ALL_CONTROL_RIGHTS }]);
}

function destroyControlOf(store: Store, control: Control): RpcReply | Operation {
  if (control.parent === 0) return refuse(refusal(Errno.EPERM, Reason.IS_ROOT));
  return destroyControl(store, control);
}

/** A dying control may still be asked. */
function queryControl(store: Store, request: RpcRequest): RpcReply {
  const control = findControl(store, request.target);
  if (isRefusal(control) && control !== DYING) return refuse(control);
  const { total, free, charged, given, pinned, extra } = store.controls.at(
    store.controls.find(request.target.object),
  );
  return ok([total, free, charged, given, pinned, extra]);
}

function create(store: Store, control: Control): RpcReply {
  const fault = quotaFault(store, control, store.containers.hasRoom());
  if (fault !== null) return refuse(fault);
  const object = store.containers.id(createContainer(store, control));
  return ok([], [{ type: CapType.CONTAINER, object, rights: ALL_CONTAINER_RIGHTS }]);
}

/** Checks the task capability in item 0. */
function taskFault(request: RpcRequest): Refusal | null {
  const cap = request.caps[0]!;
  const argument = request.wordCount + 1;
  if (cap.type !== CapType.TASK) return refusal(Errno.EBADF, Reason.WRONG_TYPE, argument);
  return rightsFault(cap, TaskRight.MAP, argument);
}

function sponsorTask(store: Store, control: Control, request: RpcRequest): RpcReply | Operation {
  const fault = taskFault(request);
  return fault !== null ? refuse(fault) : sponsor(store, control, request.caps[0]!.object);
}

const ALLOC_FLAGS =
  AllocFlag.ALL_OR_NONE | AllocFlag.SQUASH | AllocFlag.DMA | AllocFlag.CONTIGUOUS | AllocFlag.EXTRA;

const allocateRange = onRange((store, { container, rights, actor }, page, pages, request) => {
  const flags = request.words[2]!;
  const pagesMax = 2 ** store.tuning.maxOrder;
  const fault =
    flagFault(request, 2, ALLOC_FLAGS) ??
    ((flags & AllocFlag.EXTRA) === 0 ? null : flagFault(request, 2, EXTRA_FLAGS)) ??
    ((flags & AllocFlag.CONTIGUOUS) !== 0 && pages > pagesMax
      ? refusal(Errno.EINVAL, Reason.OUT_OF_RANGE, 2, pagesMax * 4096)
      : null) ??
    ((flags & AllocFlag.SQUASH) === 0
      ? null
      : rightsFault({ ...request.target, rights }, ContainerRight.DEALLOCATE));
  if (fault !== null) return refuse(fault);
  const { index, generation } = container;
  const told: Told = request.driver ? 'driver' : 'client';
  const wanted = { actor, container: index, generation, start: page, pages, flags, told };
  return (flags & AllocFlag.EXTRA) === 0 ? allocate(store, wanted) : allocateExtra(store, wanted);
});

const mapRange = onRange((store, { container, rights, actor }, page, pages, request) => {
  const access = request.words[3]!;
  const fault =
    linearFault(request, 2, pages * 4096) ??
    (access === 0 || (access & ~ACCESS_MASK) !== 0
      ? refusal(Errno.EINVAL, Reason.OUT_OF_RANGE, 4, ACCESS_MASK)
      : null) ??
    flagFault(request, 4, MapFlag.NO_BREAK) ??
    rightsFault({ ...request.target, rights }, access | ContainerRight.READ) ??
    (request.caps.length === 0 ? null : taskFault(request));
  if (fault !== null) return refuse(fault);
  const fields = {
    container: container.index,
    actor,
    task: request.caps.length === 0 ? request.task : request.caps[0]!.object,
    startPage: page,
    pages,
    virtualPage: request.words[2]! >>> PAGE_SHIFT,
  };
  return runMap(store, newMapJob(store, fields, access, request.words[4]!));
});

function unmapRange(store: Store, request: RpcRequest): RpcReply | Operation {
  const fault = rangeFault(request, 0, 1) ?? linearFault(request, 0, request.words[1]!);
  if (fault !== null) return refuse(fault);
  return unmapPages(store, request.task, request.words[0]! >>> PAGE_SHIFT, request.words[1]! / 4096);
}

const shareContainer = onContainer((store, { container, limited, rights }, request) => {
  const wanted = request.words[0]!;
  if (wanted === 0 || (wanted & ~ALL_CONTAINER_RIGHTS) !== 0) {
    return refuse(refusal(Errno.EINVAL, Reason.OUT_OF_RANGE, 1, ALL_CONTAINER_RIGHTS));
  }
  const fault =
    rightsFault({ ...request.target, rights: rights & LIMITED_RIGHTS_MAX }, wanted) ??
    quotaFault(store, store.controls.at(container.control), store.limiteds.hasRoom());
  if (fault !== null) return refuse(fault);
  return share(store, container, limited === null ? 0 : limited.index, wanted);
});

const revokeLimited = onContainer((store, { container, limited }, request) => {
  const cap = request.caps[0]!;
  if (cap.type !== CapType.LIMITED) return refuse(refusal(Errno.EBADF, Reason.WRONG_TYPE, 1));
  const index = store.limiteds.find(cap.object);
  if (index === 0) return refuse(refusal(Errno.EBADF, Reason.DEAD_OBJECT, 1));
  const victim = store.limiteds.at(index);
  const isOwn = victim.container === container.index;
  if (!isOwn || (limited !== null && !isDerived(store, index, limited.index))) {
    return refuse(refusal(Errno.EINVAL, Reason.OUT_OF_RANGE, 1));
  }
  return revoke(store, victim);
});

const queryRange = onContainer((store, { container }, request) => {
  const fault = rangeFault(request, 0, 1);
  if (fault !== null) return refuse(fault);
  return queryPages(store, container.index, request.words[0]! >>> PAGE_SHIFT, request.words[1]! / 4096);
});

const lockContainer = onContainer((store, { container, actor }, request) => {
  const cycles = request.words[0]!;
  if (cycles >= 1 && cycles <= LOCK_CYCLES_MAX) return lock(store, container, actor, cycles);
  return refuse(refusal(Errno.EINVAL, Reason.OUT_OF_RANGE, 1, LOCK_CYCLES_MAX));
});

const pinRange = onRange((store, { container, rights, actor }, page, pages, request) => {
  const cycles = request.words[2]!;
  const fault =
    (cycles < 1 || cycles > PIN_CYCLES_MAX
      ? refusal(Errno.EINVAL, Reason.OUT_OF_RANGE, 3, PIN_CYCLES_MAX)
      : null) ?? flagFault(request, 3, PinFlag.DMA);
  if (fault !== null) return refuse(fault);
  const { index, generation } = container;
  const { driver } = request;
  const flags = request.words[3]!;
  const access = rights & (ContainerRight.READ | ContainerRight.WRITE);
  const place = { actor, container: index, generation, start: page, pages };
  return pin(store, { ...place, cycles, flags, driver, access });
});

function unpin(store: Store, request: RpcRequest): RpcReply {
  const index = store.pins.table.find(request.target.object);
  const record = store.pins.table.at(index);
  if (index === 0 || record.state !== 'live') return refuse(DEAD);
  endPin(store, record);
  return ok([]);
}

/** A destruction waits for the end of the lock, so its holder must be able to end it. */
function unlockContainer(store: Store, request: RpcRequest): RpcReply {
  const named = findContainer(store, request.target, request.task, 0, 'accept');
  return isRefusal(named) ? refuse(named) : unlock(store, named.container, named.actor);
}

/** Handlers by operation number. */
export const HANDLERS: { readonly [op: number]: Handler } = {
  [Op.NULL]: () => ok([]),
  [Op.CONTROL_SPLIT]: onControl(split),
  [Op.CONTROL_DESTROY]: onControl(destroyControlOf),
  [Op.CONTROL_QUERY]: queryControl,
  [Op.CONTROL_QUERY_EXTRA]: queryExtra,
  [Op.CONTAINER_CREATE]: onControl(create),
  [Op.CONTROL_SPONSOR]: onControl(sponsorTask),
  [Op.ALLOCATE]: allocateRange,
  [Op.DEALLOCATE]: onRange((store, { container, actor }, page, pages) =>
    deallocate(store, actor, container.index, page, pages),
  ),
  [Op.MAP]: mapRange,
  [Op.UNMAP]: unmapRange,
  [Op.COPY]: copyOne,
  [Op.COPY_LIST]: copyList,
  [Op.RELEASE]: releaseRange,
  [Op.RECOVER]: recoverRange,
  [Op.CONTROL_ON_RETURN]: onReturn,
  [Op.SHARE]: shareContainer,
  [Op.REVOKE]: revokeLimited,
  [Op.CONTAINER_QUERY]: queryRange,
  [Op.CONTAINER_DESTROY]: onUnlocked((store, { container }) => destroyContainer(store, container)),
  [Op.LOCK]: lockContainer,
  [Op.PIN]: pinRange,
  [Op.UNPIN]: unpin,
  [Op.UNLOCK]: unlockContainer,
};
