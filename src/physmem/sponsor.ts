/**
 * Address spaces and who pays for them (docs/adr/0003): a control sponsors a task with three frames at once
 * (directory, system table, message frame) and one more per page table. The space ends with its task or with its
 * control, whichever dies first; then all its maps and tables go and the credit comes back.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { PhysmemEv } from '../abi/events.ts';
import type { Operation, RpcReply } from '../abi/server.ts';
import { FrameState } from './base-frames.ts';
import { takeServerFrame } from './bind.ts';
import { awaitsMemory } from './claim.ts';
import type { Control } from './control.ts';
import { NEVER, PROGRESS_KEY, spaceKey } from './guard.ts';
import { begin } from './operation.ts';
import { claimFrames, UNASKED } from './reclaim.ts';
import { freeBlock, Removal, settle } from './removal.ts';
import { DYING, noCredit, ok, refusal, refuse } from './reply.ts';
import type { Space } from './space.ts';
import { LARGE_REGION_SHIFT } from './space.ts';
import type { Store } from './store.ts';
import { canClaim } from './supply.ts';
import { removeTable, unmapRecord } from './translation.ts';

/** Base frames that a space costs without page tables. */
export const SPACE_FRAMES = 3;
/** What takeServerFrame gives when nothing is free. */
const NONE = -1;

/** Gives a task an address space at a control's cost. */
export const sponsor = (store: Store, control: Control, task: number): RpcReply | Operation =>
  begin(sponsorWhenFree(store, control.index, control.generation, task));

function* sponsorWhenFree(store: Store, index: number, generation: number, task: number): Operation {
  let until = UNASKED;
  for (;;) {
    const control = store.controls.at(index);
    if (control.state !== 'live' || control.generation !== generation) return refuse(DYING);
    if (!store.port.taskLives(task)) return refuse(refusal(Errno.ESRCH, Reason.DEAD_OBJECT, 1));
    if (store.spaces.get(task) !== undefined) {
      return refuse(refusal(Errno.EEXIST, Reason.OCCUPIED, 1));
    }
    if (control.free < SPACE_FRAMES) return refuse(noCredit(control.free));
    if (installSpace(store, control, task)) return ok([]);
    if (canClaim(store, SPACE_FRAMES)) {
      until = yield* claimFrames(store, SPACE_FRAMES, until);
      continue;
    }
    if (!awaitsMemory(store)) return refuse(refusal(Errno.ENOMEM, Reason.NO_BLOCK));
    yield { kind: 'event', key: PROGRESS_KEY, deadlineCycles: NEVER };
  }
}

/** Installs a space, if three base frames are free now; the credit is there. */
export function installSpace(store: Store, control: Control, task: number): boolean {
  const directory = takeServerFrame(store, FrameState.PAGE_TABLE, task);
  const systemTable = takeServerFrame(store, FrameState.PAGE_TABLE, task);
  const messageFrame = takeServerFrame(store, FrameState.SERVER, task);
  const frames = [directory, systemTable, messageFrame];
  if (frames.includes(NONE)) {
    for (const frame of frames) if (frame !== NONE) freeBlock(store, frame);
    return false;
  }
  store.controls.charge(control.index, SPACE_FRAMES);
  store.spaces.byTask.set(task, {
    task,
    state: 'live',
    control: control.index,
    directory,
    systemTable,
    messageFrame,
    tables: new Map(),
    large: new Map(),
    pending: 0,
  });
  control.spaces.push(task);
  store.port.installSpace(task, directory, systemTable, messageFrame);
  store.port.emit(PhysmemEv.Sponsor, control.index, task, 0, 0);
  return true;
}

/** Takes a space away. When two operations want to (its task and its control die), the second one waits. */
export function* removeSpace(store: Store, task: number): Operation<void> {
  const space = store.spaces.get(task);
  if (space === undefined) return;
  const key = spaceKey(task);
  if (space.state === 'dying') {
    while (store.spaces.get(task) === space) yield { kind: 'event', key, deadlineCycles: NEVER };
    return;
  }
  space.state = 'dying';
  // Maps that wait for this space must learn that it is dying.
  store.port.wake(key);
  while (space.pending > 0) yield { kind: 'event', key, deadlineCycles: NEVER };
  // A task can not be stopped in the middle of its own request, so the request is suspended first.
  yield { kind: 'pause' };
  while (!store.port.stopTask(task, key)) yield { kind: 'event', key, deadlineCycles: NEVER };
  const removal = new Removal();
  yield* clearSpace(store, space, removal);
  store.port.removeSpace(task, removal.batchFor(store, task));
  for (const frame of [space.directory, space.systemTable, space.messageFrame]) {
    removal.takeBlock(store, frame);
  }
  removal.addCharge(space.control, SPACE_FRAMES);
  yield* settle(store, removal);
  store.deferred.forgetTask(task);
  const control = store.controls.at(space.control);
  control.spaces.splice(control.spaces.indexOf(task), 1);
  store.spaces.byTask.delete(task);
  store.port.wake(key);
}

/** Removes all translations and user page tables of a space, one 4 MiB region after the other. */
function* clearSpace(store: Store, space: Space, removal: Removal): Operation<void> {
  for (const record of [...space.large.values()]) unmapRecord(store, record, removal);
  for (const region of [...space.tables.keys()]) {
    // Another operation may have emptied the table since the last pause.
    const table = space.tables.get(region);
    if (table === undefined) continue;
    if (table.used === 0) removeTable(store, space, region << LARGE_REGION_SHIFT, table, removal);
    for (let slot = 0; table.used > 0; slot += 1) {
      const record = table.records[slot]!;
      if (record !== 0) unmapRecord(store, record, removal);
    }
    yield* settle(store, removal);
    yield { kind: 'pause' };
  }
}
