/** Comparison of everything, after every step: server against model, invariants, and every TLB. */
import { FrameState } from '../../../src/physmem/base-frames.ts';
import { check } from '../../../src/physmem/check/check.ts';
import { objectIndex } from '../../../src/physmem/control.ts';
import type { Arena } from './arena.ts';

/** What may be otherwise while operations are in flight: their credit, guards and blocks on the way. */
const AT_REST_ONLY =
  /^(I38|I1: .* (is charged|can be had)|I6: (bound block|page table)|I14: block|I24: |I25: |I37: (task .* empty table|.* claimed))/;

export function verify(w: Arena): void {
  if (w.flights.isEmpty && w.flights.late.length === 0) {
    w.journal.clear();
    w.top.check();
    compareCredit(w);
  } else checkInFlight(w);
  compareContents(w);
  comparePins(w);
}

function checkInFlight(w: Arena): void {
  const { kernel, physmem } = w.top;
  const { store } = physmem;
  const isLocking = w.flights.aloft.some(({ what }) => what === 'lock');
  const broken = check(store)
    .map(({ invariant, what }) => `${invariant}: ${what}`)
    .filter((line) => !AT_REST_ONLY.test(line) && !(isLocking && line.startsWith('I27')));
  for (const [core, tlb] of kernel.tlbs.entries()) {
    for (const [key, { frame }] of tlb) {
      const state = store.base.state[store.base.headOf(frame)]!;
      if (state === FrameState.FREE || state === FrameState.PAGE_TABLE || state === FrameState.SERVER)
        broken.push(`I19: core ${core} holds ${key} to base frame ${frame}, which is in state ${state}`);
    }
  }
  const mixture = store.counters.limboBatches > 0 ? null : kernel.mixture();
  if (mixture !== null) broken.push(`I18: ${mixture}`);
  if (broken.length > 0) throw new Error(broken.slice(0, 6).join('\n'));
}

/** Containers that no operation works on hold what the model says. */
function compareContents(w: Arena): void {
  const busy = new Set<number>(w.flux);
  for (const { uses } of w.flights.aloft) for (const id of uses) busy.add(id);
  const { containers } = w.top.physmem.store;
  for (const [id, { names }] of w.model.containers) {
    if (busy.has(id)) continue;
    w.same(containers.at(objectIndex(id)).pages, names.size, `container ${id}: pages`);
    for (const [page, { cell }] of names) {
      w.same(w.valueOf(id, page), cell.value, `container ${id} page ${page}`);
    }
  }
}

function compareCredit(w: Arena): void {
  const { controls } = w.top.physmem.store;
  for (const { id } of w.controls) {
    const { free, total, pinned } = controls.at(objectIndex(id));
    w.same(total, w.model.controls.get(id)!.total, `control ${id}: total`);
    w.same(free, w.model.free(id), `control ${id}: free`);
    w.same(pinned, w.model.pinned(id), `control ${id}: pinned`);
  }
}

/** I24: pinned memory is where it was, and holds what was written last, with a name or without. */
function comparePins(w: Arena): void {
  const { pins } = w.top.physmem.store;
  for (const [id, pin] of w.model.pins) {
    const record = pins.table.at(objectIndex(id));
    if (record.until <= w.now) continue;
    const frames: number[] = [];
    for (let i = 0; i < record.blocks.length; i += 2) {
      for (let n = 0; n < record.blocks[i + 1]!; n += 1) frames.push(record.blocks[i]! + n);
    }
    w.same(frames.length, pin.cells.length, `pin ${id}: pages`);
    pin.cells.forEach((cell, i) => {
      w.same(w.top.kernel.contents[frames[i]!], cell.value, `pin ${id}: base frame ${frames[i]}`);
    });
  }
}
