/**
 * Ways to break the memory server, one at a time: the defects of the original as they would look here, and the
 * classic mistakes of shootdown and accounting. A test must fail for each (tools/mutate/main.ts).
 */
export interface Mutation {
  readonly name: string;
  /** Below src/physmem. */
  readonly file: string;
  /** Exact text, and what takes its place. */
  readonly find: string;
  readonly put: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'B1: a frame that is not bound is split as if it had a block',
    file: 'split.ts',
    find: 'if (block !== UNBOUND) {\n    upperBlock',
    put: 'if (block !== UNBOUND || order > 1) {\n    upperBlock',
  },
  {
    name: 'B2: who leaves a ring is still counted in it',
    file: 'bind.ts',
    find: 'base.refs[old] = base.refs[old]! - count;',
    put: '',
  },
  {
    name: 'B4: a sharer stays behind in a break',
    file: 'bind.ts',
    find: 'base.refs[head] = base.refs[head]! + count;',
    put: 'base.refs[head] = count - 1;',
  },
  {
    name: 'B5, B6: a copy does not take write access from the source',
    file: 'copy.ts',
    find: 'const narrowed = protectFrame(store, frame, removal);',
    put: 'const narrowed = 0;',
  },
  {
    name: 'B7: two containers of a copy are not guarded',
    file: 'copy.ts',
    find: 'for (const key of keys) yield* store.guards.enter(key);',
    put: '',
  },
  {
    name: 'B9: a split forgets through which capability memory came',
    file: 'split.ts',
    find: 'if (via !== undefined) entries.via.set(sibling, via);',
    put: '',
  },
  {
    name: 'B10: size 0 passes',
    file: 'request.ts',
    find: 'if (bytes === 0) return refusal(Errno.EINVAL, Reason.ZERO_SIZE, size + 1);',
    put: '',
  },
  {
    name: 'B11: a range may wrap',
    file: 'request.ts',
    find: 'if (start + bytes > SPACE_END) return refusal(Errno.EINVAL, Reason.WRAPS, at + 1);',
    put: '',
  },
  {
    name: 'B13: ALL_OR_NONE copies what it can',
    file: 'copy-plan.ts',
    find: 'hasFlag(ends, CopyFlag.ALL_OR_NONE) ||',
    put: '',
  },
  {
    name: 'a list of copies may write what it reads',
    file: 'copy-list.ts',
    find: 'const overwrites = isSelf ?',
    put: 'const overwrites = isSelf && first.pages > 99 ?',
  },
  {
    name: 'a list of copies is paid range by range',
    file: 'copy-plan.ts',
    find: 'planRange(store, ends, range, free - price)',
    put: 'planRange(store, ends, range, free)',
  },
  {
    name: 'B17: blocks are not merged',
    file: 'buddy.ts',
    find: 'if (!this.free[order]!.has(index)) break;',
    put: 'break;',
  },
  {
    name: 'B18: an overlapping copy always walks upwards',
    file: 'copy.ts',
    find: 'backward: overlaps && distance > 0,',
    put: 'backward: false,',
  },
  {
    name: 'free before flush',
    file: 'removal.ts',
    find: "if (store.tuning.faults.freeBeforeFlush === 'on') freeTooEarly",
    put: 'freeTooEarly',
  },
  {
    name: 'memory comes back before older shootdowns have ended',
    file: 'removal.ts',
    find: 'while (inflight.hasOlder(number)) yield',
    put: 'while (inflight.hasOlder(-1)) yield',
  },
  {
    name: 'a late batch is forgotten',
    file: 'removal.ts',
    find: "if (result === 'limbo') parkBatch(store, removal);",
    put: '',
  },
  {
    name: 'a map passes a shootdown of its space',
    file: 'map.ts',
    find: 'if (space!.pending > 0) return MapStep.WAIT_SPACE;',
    put: '',
  },
  {
    name: 'a map uses a frame that is on its way',
    file: 'map.ts',
    find: 'if (frames.has(frame, FrameFlag.MOVING)) return MapStep.WAIT_PROGRESS;',
    put: '',
  },
  {
    name: 'other operations use a frame that is on its way',
    file: 'operation.ts',
    find: 'if (frames.has(entries.frame[entry]!, FrameFlag.MOVING)) return true;',
    put: '',
  },
  {
    name: 'a deallocation leaves the maps',
    file: 'deallocate.ts',
    find: 'else unmapEntry(store, entry, removal);',
    put: '',
  },
  {
    name: 'a break copies nothing',
    file: 'bind.ts',
    find: 'port.copyFrames(old, head, 1 << order);',
    put: '',
  },
  {
    name: 'new memory is not zeroed',
    file: 'bind.ts',
    find: "if (store.tuning.faults.skipZeroing === 'off') store",
    put: 'if (order > 20) store',
  },
  {
    name: 'copy-on-write memory is mapped writable',
    file: 'map.ts',
    find: 'needsBreak(store, frame) ? job.access & ~WRITE : job.access',
    put: 'job.access',
  },
  {
    name: 'a revocation cuts nothing',
    file: 'share.ts',
    find: 'yield* cutCopies(store, limited, sharers, removal);',
    put: '',
  },
  {
    name: 'a revocation leaves the maps',
    file: 'share.ts',
    find: 'while (record.maps !== 0) {',
    put: 'while (record.maps < 0) {',
  },
  {
    name: 'a replaced map stays with its old capability',
    file: 'map-install.ts',
    find: 'if (maps.limited[record] !== limited || maps.holder[record] !== task) return 0;',
    put: '',
  },
  {
    name: 'SQUASH pays twice',
    file: 'allocate.ts',
    find: 'reserve(store, request, extent, extent.pages - old)',
    put: 'reserve(store, request, extent, extent.pages)',
  },
  {
    name: 'a destroyed control loses what is in limbo',
    file: 'control.ts',
    find: 'parent.charged += control.charged;',
    put: '',
  },
  {
    name: 'a release keeps sharing',
    file: 'release.ts',
    find: 'if (isShared(store, entry)) renewEntry(store, entry, job.removal);\n      else store',
    put: 'store',
  },
  {
    name: 'pinned memory is freed',
    file: 'deallocate.ts',
    find: 'const isPinned = block >= 0 && store.base.pins[block] !== 0;',
    put: 'const isPinned = block >= 0 && store.base.pins[block]! > 99;',
  },
  {
    name: 'a pin ends although a device can reach its memory',
    file: 'pin-end.ts',
    find: 'if (isReachable(store, pin)) {',
    put: 'if (isReachable(store, pin) && pin.task < 0) {',
  },
  {
    name: 'a device keeps what it may do when the pin has ended',
    file: 'pin-end.ts',
    find: '    closeToDevices(store, pin);\n  }',
    put: '  }',
  },
  {
    name: 'what other pins let devices do goes with the first one',
    file: 'pin-end.ts',
    find: 'if (base.pins[head]! > 1) shared.add(head);',
    put: '',
  },
  {
    name: 'a device may write what the holder of the pin may only read',
    file: 'pin.ts',
    find: 'record.access = request.driver ? request.access : 0;',
    put: 'record.access = request.driver ? 3 : 0;',
  },
  {
    name: 'devices keep what was pinned through a revoked capability',
    file: 'share.ts',
    find: 'closePinsThrough(store, doomed);',
    put: '',
  },
  {
    name: 'the alarm rings for the first pin only',
    file: 'pin-end.ts',
    find: "for (const pin of store.pins.live()) if (pin.state === 'live') sweepNotAfter(store, pin.until);",
    put: '',
  },
  {
    name: 'the pin quota is asked for before the wait only',
    file: 'pin.ts',
    find: 'const full = refused ?? pinQuotaFault(store, request);',
    put: 'const full = refused;',
  },
  {
    name: 'a pin lasts one cycle too long',
    file: 'pin-end.ts',
    find: 'pin.until <= now',
    put: 'pin.until < now',
  },
  {
    name: 'a copy shares pinned memory',
    file: 'copy.ts',
    find: 'if (store.base.pins[block] !== 0) return copyPinned',
    put: 'if (store.base.pins[block]! > 99) return copyPinned',
  },
  {
    name: 'a lock may be taken before a waiting revocation',
    file: 'lock.ts',
    find: 'if (left > 0 || container.cancels > 0)',
    put: 'if (left > 0)',
  },
  {
    name: 'a lock leaves the maps of others',
    file: 'lock.ts',
    find: 'yield* removeOthersMaps(store, container, actor);',
    put: '',
  },
  {
    name: 'the promise of DMA memory is not kept',
    file: 'zone.ts',
    find: 'if (left < dma.promised || ',
    put: 'if (',
  },
  {
    name: 'silent core: an operation reports success all the same',
    file: 'silent-core.ts',
    find: 'return isSilent && store.inflight.parked.length > 0 ? denied(step.value) : step.value;',
    put: 'return step.value;',
  },
  {
    name: 'silent core: who has nothing to take away itself does not ask for others',
    file: 'silent-core.ts',
    find: 'return denied(reply);',
    put: 'return reply;',
  },
  {
    name: 'silent core: a lock is granted while the owner can still reach the memory',
    file: 'lock.ts',
    find: 'if (store.inflight.parked.length === 0) return ok([]);',
    put: 'return ok([]);',
  },
  {
    name: 'silent core: something new is mapped where it may hold the old translation',
    file: 'map.ts',
    find: 'return store.inflight.holdsSpace(job.task) ? SILENT : null;',
    put: 'return null;',
  },
  {
    name: 'silent core: what it may read is written in place',
    file: 'bind.ts',
    find: 'store.frames.isCow(frame) || store.inflight.shows(store.frames.block[frame]!)',
    put: 'store.frames.isCow(frame)',
  },
  {
    name: 'a revocation does not wait for what others took away before it',
    file: 'removal.ts',
    find: " || removal.promise === 'all';",
    put: ';',
  },
  {
    name: 'a copy may be broken while its source can still be written',
    file: 'copy.ts',
    find: 'if (narrowed > 0 || store.inflight.open.length > 0) removal.moving.push(frame);',
    put: '',
  },
  {
    name: 'deferred unmap: the halves of a split block are forgotten',
    file: 'split.ts',
    find: 'store.deferred.divide(block, upperBlock);',
    put: '',
  },
  {
    name: 'deferred unmap: something new is mapped where the old translation may be',
    file: 'map.ts',
    find: 'if (store.deferred.covers(job.task, job.virtualPage + job.done, job.pages - job.done)) {',
    put: 'if (job.pages < 0) {',
  },
  {
    name: 'a block is written while somebody who has left it can still read it',
    file: 'defer.ts',
    find: "if (store.inflight.isShowing(block)) return 'leaving';",
    put: '',
  },
  {
    name: 'deferred unmap: memory that can be written is left readable',
    file: 'defer.ts',
    find: 'if ((maps.access[record]! & WRITE) !== 0 || left === 0) return true;',
    put: '',
  },
  {
    name: 'deferred unmap: pinned before the flush',
    file: 'pin.ts',
    find: "if (staleness(store, store.frames.block[frame]!) !== 'none') return false;",
    put: '',
  },
  {
    name: 'large page: the rest is mapped again for who has lost the capability meanwhile',
    file: 'keep-mapped.ts',
    find: 'if (demoted.drops !== store.drops || space',
    put: 'if (space',
  },
  {
    name: 'large page: the part that was unmapped comes back',
    file: 'keep-mapped.ts',
    find: 'if (target >= from && target < to) {',
    put: 'if (target < 0) {',
  },
  {
    name: 'large page: the rest stays writable after a copy',
    file: 'keep-mapped.ts',
    find: 'const access = isReadOnly ? demoted.access & ~WRITE : demoted.access;',
    put: 'const { access } = demoted;',
  },
  {
    name: 'who deallocates a copy is forgotten while its translations are still there',
    file: 'deallocate.ts',
    find: 'noteShown(store, entry, removal);',
    put: '',
  },
];
