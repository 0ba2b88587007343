/**
 * Invariants of deferred unmaps: I16, I18 and I20 make an exception for what is on the list, and this is what the
 * exception asks for (physmem.md §6.6): (a) the memory is in its old use and nobody can write it, (b) which is why the
 * holder reads what it could read before, (c) the list keeps its bounds, (d) what was locked, revoked or destroyed is not
 * on it. `allowsStale` says whether one translation in a TLB is excused.
 */
import { ContainerRight } from '../../abi/rights.ts';
import { FRAME_STATE_NAMES, FrameState } from '../base-frames.ts';
import type { DeferredRun } from '../deferred.ts';
import type { Store } from '../store.ts';
import { recordAt } from '../translation.ts';
import type { Report } from './report.ts';

/** An alarm may be late by what its core has to do first, and by the difference of the cores' clocks. */
const LATE_CYCLES = 200_000;

export function checkDeferred(store: Store, report: Report): void {
  const { deferred, tuning, port } = store;
  const { entriesMax, cycles } = tuning.deferral;
  for (const block of deferred.blocks) checkBlock(store, report, block);
  for (const run of deferred.runs) checkRun(store, report, run);
  report.expect(
    'I18',
    deferred.entries <= entriesMax,
    () => `${deferred.entries} deferred unmaps, at most ${entriesMax}`,
  );
  const late = deferred.isEmpty ? 0 : port.now() - deferred.deadline;
  report.expect(
    'I18',
    late <= Math.min(cycles, LATE_CYCLES),
    () => `deferred unmaps are ${late} cycles overdue`,
  );
  const { showing } = store.inflight;
  report.expect(
    'I38',
    showing.length === 0,
    () => 'blocks are still shown by a shootdown, and no operation runs',
  );
}

function checkBlock(store: Store, report: Report, block: number): void {
  const { base } = store;
  const head = base.headOf(block);
  const state = base.state[head]!;
  const isInUse = state === FrameState.BOUND && head === block;
  report.expect(
    'I20',
    isInUse,
    () => `block ${block} may be read through a deferred unmap, and is ${FRAME_STATE_NAMES[state]}`,
  );
  if (!isInUse) return;
  report.expect(
    'I20',
    base.pins[block] === 0,
    () => `pinned block ${block} may be read through a deferred unmap`,
  );
  const writer = writerOf(store, block);
  report.expect(
    'I17',
    writer === 0,
    () => `block ${block} may be read through a deferred unmap, and task ${writer} can write it`,
  );
}

/** A task that can write a block that is in use, or 0. */
function writerOf(store: Store, block: number): number {
  const { base, frames, entries, maps } = store;
  const first = base.owner[block]!;
  let frame = first;
  do {
    for (let entry = frames.entries[frame]!; entry !== 0; entry = entries.next[entry]!) {
      for (let record = entries.maps[entry]!; record !== 0; record = maps.next[record]!) {
        if ((maps.access[record]! & ContainerRight.WRITE) !== 0) return maps.space[record]!;
      }
    }
    frame = frames.ringNext[frame]!;
  } while (frame !== first);
  return 0;
}

function checkRun(store: Store, report: Report, run: DeferredRun): void {
  const name = `the deferred unmap of page ${run.page} of task ${run.task}`;
  const space = store.spaces.get(run.task);
  report.expect('I18', space !== undefined, () => `${name} outlives the address space`);
  for (let page = run.page; space !== undefined && page < run.page + run.pages; page += 1) {
    report.expect('I18', recordAt(space, page) === 0, () => `${name}: page ${page} is mapped anew`);
  }
  const container = store.containers.at(run.container);
  const isSame = container.state !== 'free' && container.generation === run.containerGeneration;
  report.expect('I18', isSame, () => `${name} outlives its container`);
  if (isSame && container.lockUntil > store.port.now()) {
    const isHolder = run.holder === container.lockTask && run.limited === container.lockLimited;
    report.expect('I27', isHolder, () => `${name} is there although container ${run.container} is locked`);
  }
  if (run.limited === 0) return;
  const limited = store.limiteds.at(run.limited);
  const isLive = limited.state === 'live' && limited.generation === run.limitedGeneration;
  report.expect('I18', isLive, () => `${name} outlives its limited capability`);
}

/** Whether a translation in a TLB, which the page tables do not have, is a deferred unmap that keeps its conditions. */
export function allowsStale(store: Store, task: number, page: number, frame: number): boolean {
  const { base, deferred } = store;
  const head = base.headOf(frame);
  return deferred.covers(task, page, 1) && deferred.marks(head) && writerOf(store, head) === 0;
}
