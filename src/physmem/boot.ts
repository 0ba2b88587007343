/**
 * Boot: the memory map becomes zones, everything that is not reserved becomes the root control's credit, and the
 * boot container gets the boot modules (bound in place) and the root task's image. The server's own records live
 * outside the emulated RAM, so it keeps no frames for itself.
 */
import { BOOT_MODULES_CONTAINER_BASE } from '../abi/boot-page.ts';
import { Errno, Reason } from '../abi/errno.ts';
import type { BootFault, Operation, RpcReply } from '../abi/server.ts';
import { ownerActor } from './actor.ts';
import { addFrames } from './allocate.ts';
import { FrameState } from './base-frames.ts';
import { BindResult, bindFrame } from './bind.ts';
import type { Control } from './control.ts';
import { createContainer } from './create.ts';
import { newMapJob, runMap } from './map.ts';
import { addEntry, entryAt, pagesOf } from './names.ts';
import { assert } from './plain-data.ts';
import type { Access, PhysmemBoot } from './port.ts';
import { Removal } from './removal.ts';
import { refusal, refuse } from './reply.ts';
import type { Store } from './store.ts';
import { alignedBlocks } from './zone.ts';

const PAGE = 4096;
const FAULT_WRITE = 2;
const WRITE = 2;

export interface BootModulePlace {
  readonly name: string;
  readonly start: number;
  readonly sizeBytes: number;
}

/** Pages of the root task's image: [page, page + pages) may be mapped with `access` at their own address. */
export interface BootSegment {
  readonly page: number;
  readonly pages: number;
  readonly access: Access;
}

/** Fills the base-frame table and the zones; returns the base frames that the root control guarantees. */
export function bootMemory(store: Store, boot: PhysmemBoot): number {
  const isModule = moduleFrames(boot);
  let total = isModule.size;
  for (const { frame, count, use } of boot.memory) {
    const state = use === 'hole' ? FrameState.HOLE : FrameState.RESERVED;
    store.base.state.fill(state, frame, frame + count);
    if (use !== 'free') continue;
    let at = frame;
    while (at < frame + count) {
      let end = at;
      while (end < frame + count && !isModule.has(end)) end += 1;
      if (end > at) {
        store.zones.giveRange(at, end - at);
        if (boot.poison === 'on') store.port.poisonFrames(at, end - at);
        total += end - at;
      }
      at = end;
      while (at < frame + count && isModule.has(at)) at += 1;
    }
  }
  store.zones.setReserve(store.tuning.dmaReserve);
  return total;
}

function moduleFrames(boot: PhysmemBoot): Set<number> {
  const frames = new Set<number>();
  for (const { frame, count } of boot.modules) {
    for (let i = 0; i < count; i += 1) frames.add(frame + i);
  }
  return frames;
}

/** Makes the boot container with the modules in it. */
export function bootContainer(store: Store, boot: PhysmemBoot, root: Control): BootModulePlace[] {
  const container = createContainer(store, root);
  let page = BOOT_MODULES_CONTAINER_BASE / PAGE;
  return boot.modules.map(({ name, frame, count }) => {
    const start = page * PAGE;
    store.controls.charge(root.index, count);
    for (const { head, order } of alignedBlocks(frame, count, store.tuning.maxOrder)) {
      const id = store.frames.alloc(order);
      store.base.makeBlock(head, order, FrameState.BOUND);
      store.base.set(head, FrameState.BOUND, id);
      store.frames.block[id] = head;
      addEntry(store, container, page, id);
      page += 1 << order;
    }
    return { name, start, sizeBytes: count * PAGE };
  });
}

/** Names and binds new pages at `page`; returns their base frames in order. */
export function bindBootPages(store: Store, container: number, page: number, pages: number): number[] {
  store.controls.charge(store.containers.at(container).control, pages);
  addFrames(store, container, page, pages);
  const removal = new Removal();
  const frames: number[] = [];
  while (frames.length < pages) {
    const entry = entryAt(store, container, page + frames.length);
    const frame = store.entries.frame[entry]!;
    const result = bindFrame(store, frame, removal);
    assert(store.zones.freeFrames > 0 || result === BindResult.DONE, 'no memory for the boot image');
    if (result !== BindResult.DONE) continue;
    for (let i = 0; i < pagesOf(store, entry); i += 1) frames.push(store.frames.block[frame]! + i);
  }
  return frames;
}

/** Maps the page of a boot fault, if the segment that it lies in allows the access. */
export function serveBootFault(
  store: Store,
  container: number,
  segments: readonly BootSegment[],
  fault: BootFault,
): RpcReply | Operation {
  const page = fault.address >>> 12;
  const segment = segments.find((one) => page >= one.page && page < one.page + one.pages);
  if (segment === undefined) return refuse(refusal(Errno.EFAULT, Reason.HOLE, 0, page * PAGE));
  if ((fault.errorCode & FAULT_WRITE) !== 0 && (segment.access & WRITE) === 0) {
    return refuse(refusal(Errno.EPERM, Reason.MISSING_RIGHT, 0, WRITE));
  }
  const fields = {
    container,
    actor: ownerActor(fault.task),
    task: fault.task,
    startPage: page,
    pages: 1,
    virtualPage: page,
  };
  return runMap(store, newMapJob(store, fields, segment.access, 0));
}
