/**
 * Credit invariants: I1 (per control), I2 (the root's total is what booted), I3 (a tree), and that `charged` is what the
 * names, page tables and limbo really cost.
 */

import { SPACE_FRAMES } from '../sponsor.ts';
import type { Store } from '../store.ts';
import type { Report } from './report.ts';

export function checkCredit(store: Store, report: Report): void {
  const costs = realCosts(store);
  let roots = 0;
  for (const control of store.controls.records) {
    if (control.state === 'free') continue;
    const { index, total, free, charged, given, parent } = control;
    const name = `control ${index}`;
    report.expect(
      'I1',
      total === free + charged + given,
      () => `${name}: ${total} ≠ ${free} + ${charged} + ${given}`,
    );
    report.expect('I1', free >= 0 && charged >= 0 && given >= 0, () => `${name} has a negative number`);
    report.expect('I1', Number.isInteger(free + charged), () => `${name} has a fraction`);
    const cost = costs.get(index) ?? 0;
    report.expect('I1', charged === cost, () => `${name} is charged ${charged}, its memory costs ${cost}`);
    report.expect(
      'I1',
      given === sumOfChildren(store, index),
      () => `${name}: given is not the sum of the children`,
    );
    if (parent === 0) roots += 1;
    else report.expect('I3', store.controls.at(parent).state !== 'free', () => `${name} has a dead parent`);
    report.expect('I3', depthOf(store, index) === control.depth, () => `${name}: depth is wrong`);
    report.expect('I37', control.objects === countObjects(store, index), () => `${name}: objects is wrong`);
  }
  report.expect('I3', roots === 1, () => `${roots} root controls`);
}

function sumOfChildren(store: Store, index: number): number {
  let sum = 0;
  for (
    let child = store.controls.at(index).firstChild;
    child !== 0;
    child = store.controls.at(child).nextSibling
  ) {
    sum += store.controls.at(child).total;
  }
  return sum;
}

/** Steps to the root, or -1 on a cycle. */
function depthOf(store: Store, index: number): number {
  let depth = 0;
  for (let at = store.controls.at(index).parent; at !== 0; at = store.controls.at(at).parent) {
    depth += 1;
    if (depth > store.controls.records.length) return -1;
  }
  return depth;
}

function countObjects(store: Store, control: number): number {
  let count = 0;
  for (const container of store.containers.records) {
    if (container.state !== 'free' && container.control === control) count += 1;
  }
  for (const limited of store.limiteds.records) {
    if (limited.state !== 'free' && store.containers.at(limited.container).control === control) count += 1;
  }
  return count;
}

/** Base frames per control: names, spaces, page tables, limbo. */
function realCosts(store: Store): Map<number, number> {
  const costs = new Map<number, number>();
  const add = (control: number, frames: number): void => {
    costs.set(control, (costs.get(control) ?? 0) + frames);
  };
  for (const container of store.containers.records) {
    if (container.state === 'free') continue;
    for (const [, entry] of store.trees.pairs(container.tree)) {
      if (store.entries.loan[entry] === 0)
        add(container.control, 1 << store.frames.order(store.entries.frame[entry]!));
    }
  }
  for (const space of store.spaces.byTask.values()) add(space.control, SPACE_FRAMES + space.tables.size);
  for (const { charges } of store.inflight.parked) {
    for (let i = 0; i < charges.length; i += 2) add(charges[i]!, charges[i + 1]!);
  }
  for (const [head, control] of store.pins.quarantine) add(control, 1 << store.base.order[head]!);
  return costs;
}
