/**
 * How entries are held, and the accounts that follow from it (docs/adr/0010): a paid entry is charged to its control's
 * guarantee, an extra one counts in `extra` and a soft one in `soft`, which are no part of `charged`. Every change of an
 * entry's hold goes through here, so that records, lists and counts agree (I1, I37).
 */
import type { Control } from './control.ts';
import { UNBOUND } from './frame.ts';
import { Hold } from './loan.ts';
import { pagesOf } from './names.ts';
import type { Store } from './store.ts';

export function holdOf(store: Store, entry: number): Hold {
  const loan = store.entries.loan[entry]!;
  return loan === 0 ? Hold.PAID : (store.loans.kind[loan] as Hold);
}

export const controlOf = (store: Store, entry: number): Control =>
  store.controls.at(store.containers.at(store.entries.container[entry]!).control);

const isBound = (store: Store, entry: number): boolean =>
  store.frames.block[store.entries.frame[entry]!] !== UNBOUND;

/** Makes an entry that nothing is charged for extra memory of its control. */
export function holdExtra(store: Store, entry: number): void {
  const { loans } = store;
  const control = controlOf(store, entry);
  const pages = pagesOf(store, entry);
  store.entries.loan[entry] = loans.add(Hold.EXTRA, entry);
  control.extra += pages;
  loans.extraPages += pages;
  if (isBound(store, entry)) enlist(store, entry, control, pages);
}

/** A bound extra entry joins its control's list as the youngest. */
function enlist(store: Store, entry: number, control: Control, pages: number): void {
  const { loans } = store;
  if (control.extraList === 0) control.extraList = loans.newList();
  loans.append(control.extraList, store.entries.loan[entry]!);
  control.extraBound += pages;
  loans.boundPages += pages;
}

function delist(store: Store, entry: number, control: Control, pages: number): void {
  const { loans } = store;
  const loan = store.entries.loan[entry]!;
  if (!loans.isLinked(loan)) return;
  loans.unlink(loan);
  control.extraBound -= pages;
  loans.boundPages -= pages;
}

/** A frame got memory: its extra entries can be taken away from now on. */
export function frameBound(store: Store, frame: number): void {
  if (store.loans.extraPages === 0) return;
  for (let entry = store.frames.entries[frame]!; entry !== 0; entry = store.entries.next[entry]!) {
    if (holdOf(store, entry) === Hold.EXTRA) {
      enlist(store, entry, controlOf(store, entry), pagesOf(store, entry));
    }
  }
}

/** An entry lost its memory and keeps its name. */
export function entryUnbound(store: Store, entry: number): void {
  if (holdOf(store, entry) === Hold.EXTRA) {
    delist(store, entry, controlOf(store, entry), pagesOf(store, entry));
  }
}

/** Makes an entry a soft reference which can not be reused yet: its translations may still be in some TLB. */
export function holdSoft(store: Store, entry: number): void {
  const pages = pagesOf(store, entry);
  holdNothing(store, entry);
  store.entries.loan[entry] = store.loans.add(Hold.SOFT, entry);
  controlOf(store, entry).soft += pages;
  store.loans.softPages += pages;
}

/** Ends the loan of an entry, if it has one. Who charges for it afterwards is the caller's business. */
export function holdNothing(store: Store, entry: number): void {
  const { loans, entries } = store;
  const loan = entries.loan[entry]!;
  if (loan === 0) return;
  const control = controlOf(store, entry);
  const pages = pagesOf(store, entry);
  if (loans.kind[loan] === Hold.SOFT) {
    control.soft -= pages;
    loans.softPages -= pages;
  } else {
    delist(store, entry, control, pages);
    control.extra -= pages;
    loans.extraPages -= pages;
  }
  loans.remove(loan);
  entries.loan[entry] = 0;
}

/** An entry was halved: its new upper half is held alike and as old. */
export function splitHold(store: Store, entry: number, upper: number): void {
  const { loans, entries } = store;
  const loan = entries.loan[entry]!;
  if (loan === 0) return;
  const half = loans.add(loans.kind[loan] as Hold, upper);
  if (loans.isLinked(loan)) loans.insertAfter(loan, half);
  entries.loan[upper] = half;
}

/** Whether a guarantee stands behind a frame: some entry of it is paid for. */
export function isGuaranteed(store: Store, frame: number): boolean {
  if (store.loans.extraPages === 0) return true;
  for (let entry = store.frames.entries[frame]!; entry !== 0; entry = store.entries.next[entry]!) {
    if (store.entries.loan[entry] === 0) return true;
  }
  return false;
}

/** Whether an entry of a frame is on loan. */
export function hasLoan(store: Store, frame: number): boolean {
  for (let entry = store.frames.entries[frame]!; entry !== 0; entry = store.entries.next[entry]!) {
    if (store.entries.loan[entry] !== 0) return true;
  }
  return false;
}

/** An extra list is empty when its control goes: nothing of it is left. */
export function dropExtraList(store: Store, control: Control): void {
  if (control.extraList !== 0) store.loans.remove(control.extraList);
  control.extraList = 0;
}
