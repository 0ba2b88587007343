/**
 * Invariants of extra memory and soft references (physmem.md §8, docs/adr/0010): I1 and I37 (the accounts `extra` and
 * `soft` are what the entries say), I6 (soft blocks are the blocks of soft references), I24 (nothing on loan is pinned),
 * I29 (a soft reference is the only name of its memory, and nobody maps it), and that every guarantee can be kept: what is
 * held for guarantees is no more than what is charged.
 */
import { FrameState, TAIL } from '../base-frames.ts';
import type { Control } from '../control.ts';
import { UNBOUND } from '../frame.ts';
import { holdOf } from '../hold.ts';
import { Hold } from '../loan.ts';
import { pagesOf } from '../names.ts';
import type { Store } from '../store.ts';
import type { Report } from './report.ts';

interface Sums {
  extra: number;
  bound: number;
  soft: number;
}

export function checkLoans(store: Store, report: Report): void {
  const { controls, loans } = store;
  const sums = new Map<number, Sums>();
  let live = 1;
  for (const container of store.containers.records) {
    if (container.state === 'free') continue;
    for (const [, entry] of store.trees.pairs(container.tree)) {
      if (store.entries.loan[entry] === 0) continue;
      live += 1;
      checkLoan(store, report, entry);
      add(store, sums, container.control, entry);
    }
  }
  const all: Sums = { extra: 0, bound: 0, soft: 0 };
  for (const control of controls.records) {
    if (control.state === 'free') continue;
    const sum = sums.get(control.index) ?? { extra: 0, bound: 0, soft: 0 };
    checkAccounts(report, control, sum);
    if (control.extraList !== 0) live += 1;
    const listed = control.extraList === 0 ? 0 : pagesIn(store, report, control.extraList, Hold.EXTRA);
    report.expect('I37', listed === sum.bound, () => `the extra list of control ${control.index} is wrong`);
    all.extra += sum.extra;
    all.bound += sum.bound;
    all.soft += sum.soft;
  }
  const isCounted =
    all.extra === loans.extraPages && all.bound === loans.boundPages && all.soft === loans.softPages;
  report.expect('I37', isCounted, () => 'the sums of extra and soft pages are wrong');
  const listed = pagesIn(store, report, loans.softList, Hold.SOFT);
  report.expect('I6', listed === all.soft, () => `${listed} soft pages can be reused, ${all.soft} are soft`);
  report.expect(
    'I37',
    loans.numbers.live === live,
    () => `${loans.numbers.live} loans are live, not ${live}`,
  );
  report.expect('I38', loans.claims === 0, () => 'a claim is open, and no operation runs');
  checkSoftBlocks(store, report, all.soft);
  checkGuarantees(store, report, all.bound);
}

function add(store: Store, sums: Map<number, Sums>, control: number, entry: number): void {
  const sum = sums.get(control) ?? { extra: 0, bound: 0, soft: 0 };
  sums.set(control, sum);
  const pages = pagesOf(store, entry);
  if (holdOf(store, entry) === Hold.SOFT) sum.soft += pages;
  else {
    sum.extra += pages;
    if (store.frames.block[store.entries.frame[entry]!] !== UNBOUND) sum.bound += pages;
  }
}

function checkAccounts(report: Report, control: Control, sum: Sums): void {
  const { index, extra, extraBound, soft } = control;
  const isRight = extra === sum.extra && extraBound === sum.bound && soft === sum.soft;
  report.expect('I1', isRight, () => {
    const says = `${extra} extra (${extraBound} bound), ${soft} soft`;
    return `control ${index} says ${says}; it has ${sum.extra} (${sum.bound}), ${sum.soft}`;
  });
}

function checkLoan(store: Store, report: Report, entry: number): void {
  const { loans, entries, frames, base } = store;
  const loan = entries.loan[entry]!;
  report.expect('I37', loans.entry[loan] === entry, () => `loan ${loan} is not that of entry ${entry}`);
  const frame = entries.frame[entry]!;
  const block = frames.block[frame]!;
  const isBound = block !== UNBOUND;
  report.expect('I37', loans.isLinked(loan) === isBound, () => `loan ${loan} is in the wrong list`);
  if (isBound) report.expect('I24', base.pins[block] === 0, () => `entry ${entry} on loan is pinned`);
  if (holdOf(store, entry) !== Hold.SOFT) return;
  const isAlone = isBound && base.refs[block] === 1 && !frames.isCow(frame);
  report.expect('I29', isAlone, () => `soft entry ${entry} is not the only name of its memory`);
  report.expect('I29', entries.maps[entry] === 0, () => `soft entry ${entry} is mapped`);
  if (isBound)
    report.expect(
      'I6',
      base.state[block] === FrameState.SOFT,
      () => `block ${block} of a soft entry is not soft`,
    );
}

function pagesIn(store: Store, report: Report, list: number, kind: Hold): number {
  let pages = 0;
  for (const loan of store.loans.inList(list)) {
    report.expect('I37', store.loans.kind[loan] === kind, () => `loan ${loan} stands in a list of others`);
    pages += pagesOf(store, store.loans.entry[loan]!);
  }
  return pages;
}

function checkSoftBlocks(store: Store, report: Report, expected: number): void {
  let soft = 0;
  for (let head = 0; head < store.base.count; head += 1) {
    if (store.base.order[head] !== TAIL && store.base.state[head] === FrameState.SOFT) {
      soft += 1 << store.base.order[head]!;
    }
  }
  report.expect('I6', soft === expected, () => `${soft} frames are soft, soft references name ${expected}`);
}

/**
 * §3.5: everything that is guaranteed and has no memory yet fits into what is free, soft, or extra memory that nobody
 * else names: so a guaranteed bind finds memory, whatever the holders of extra memory do.
 */
function checkGuarantees(store: Store, report: Report, bound: number): void {
  const { controls, zones, loans, frames, base } = store;
  let covered = 0;
  let charged = 0;
  for (const { state, extraList } of controls.records) {
    if (state === 'free' || extraList === 0) continue;
    for (const loan of loans.inList(extraList)) {
      const entry = loans.entry[loan]!;
      const block = frames.block[store.entries.frame[entry]!]!;
      if (base.refs[block] !== 1) covered += pagesOf(store, entry);
    }
  }
  for (const { state, charged: own } of controls.records) if (state !== 'free') charged += own;
  let parked = 0;
  for (const { blocks } of store.inflight.parked) for (const head of blocks) parked += 1 << base.order[head]!;
  const there = zones.freeFrames + loans.softPages + bound - covered + parked;
  const owed = controls.at(1).total - charged;
  report.expect('I1', there >= owed, () => `${owed} frames of credit are free, ${there} can be had`);
}
