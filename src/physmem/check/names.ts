/**
 * Invariants of names: I12 (entries disjoint, no wrap), I13 (look-up finds every page of every region and none
 * outside), I14 (reference counts), and that the lists of frames and rings are consistent in both directions.
 */
import type { Container } from '../container.ts';
import { UNBOUND } from '../frame.ts';
import { entryAt } from '../names.ts';
import type { Store } from '../store.ts';
import { liveFrames } from './physical.ts';
import type { Report } from './report.ts';
import { treeFaults } from './tree.ts';

export function checkNames(store: Store, report: Report): void {
  let entries = 0;
  for (const container of store.containers.records) {
    if (container.state !== 'free') entries += checkContainer(store, report, container);
  }
  const { live } = store.entries.numbers;
  report.expect('I14', live === entries, () => `${live} entries are live, ${entries} are in containers`);
  const frames = liveFrames(store);
  const liveCount = store.frames.numbers.live;
  report.expect(
    'I14',
    liveCount === frames.size,
    () => `${liveCount} frames are live, ${frames.size} are named`,
  );
  for (const frame of frames) checkFrame(store, report, frame, frames);
  checkReferences(store, report, frames);
}

function checkContainer(store: Store, report: Report, container: Container): number {
  const { entries, frames } = store;
  const name = `container ${container.index}`;
  for (const what of treeFaults(store.trees, container.tree))
    report.expect('I13', false, () => `${name}: ${what}`);
  let end = 0;
  let count = 0;
  let pages = 0;
  for (const [key, entry] of store.trees.pairs(container.tree)) {
    const start = entries.start[entry]!;
    const size = 1 << frames.order(entries.frame[entry]!);
    report.expect('I13', key === start, () => `${name}: key ${key} leads to the entry at ${start}`);
    const next = store.trees.find(container.tree, start + size);
    report.expect('I13', next !== entry, () => `${name}: the key at ${start} is longer than its frame`);
    report.expect('I12', start >= end, () => `${name}: the entry at ${start} overlaps the one before`);
    report.expect('I12', start + size <= 2 ** 20, () => `${name}: the entry at ${start} wraps`);
    report.expect(
      'I13',
      entries.container[entry] === container.index,
      () => `entry ${entry} is in two containers`,
    );
    if (start > end) {
      report.expect('I13', entryAt(store, container.index, end) === 0, () => `${name}: page ${end} is found`);
    }
    for (const page of [start, start + (size >> 1), start + size - 1]) {
      report.expect(
        'I13',
        entryAt(store, container.index, page) === entry,
        () => `${name}: page ${page} is lost`,
      );
    }
    end = start + size;
    count += 1;
    pages += size;
  }
  report.expect(
    'I37',
    count === container.entries,
    () => `${name}: entries is ${container.entries}, not ${count}`,
  );
  report.expect('I37', pages === container.pages, () => `${name}: pages is ${container.pages}, not ${pages}`);
  return count;
}

function checkFrame(store: Store, report: Report, frame: number, live: ReadonlySet<number>): void {
  const { frames, entries } = store;
  let prev = 0;
  for (let entry = frames.entries[frame]!; entry !== 0; entry = entries.next[entry]!) {
    const isLinked = entries.frame[entry] === frame && entries.prev[entry] === prev;
    report.expect('I14', isLinked, () => `entry ${entry} is not properly on the list of frame ${frame}`);
    if (!isLinked) return;
    prev = entry;
  }
  const next = frames.ringNext[frame]!;
  report.expect('I14', live.has(next), () => `frame ${frame} is in a ring with dead frame ${next}`);
  report.expect('I14', frames.ringPrev[next] === frame, () => `the ring of frame ${frame} is broken`);
  const isSame = frames.block[next] === frames.block[frame] && frames.order(next) === frames.order(frame);
  report.expect('I14', isSame, () => `frames ${frame} and ${next} of one ring differ`);
  if (frames.block[frame] === UNBOUND) {
    report.expect('I15', next === frame, () => `unbound frame ${frame} is in a ring`);
  }
}

function checkReferences(store: Store, report: Report, frames: ReadonlySet<number>): void {
  const counts = new Map<number, number>();
  const rings = new Map<number, number>();
  for (const frame of frames) {
    const block = store.frames.block[frame]!;
    if (block === UNBOUND) continue;
    let entries = 0;
    for (let entry = store.frames.entries[frame]!; entry !== 0; entry = store.entries.next[entry]!)
      entries += 1;
    counts.set(block, (counts.get(block) ?? 0) + entries);
    rings.set(block, (rings.get(block) ?? 0) + 1);
  }
  for (const [block, count] of counts) {
    const refs = store.base.refs[block]!;
    report.expect(
      'I14',
      refs === count,
      () => `block ${block} counts ${refs} references, ${count} entries name it`,
    );
    let ring = 0;
    const first = store.base.owner[block]!;
    let member = first;
    do {
      ring += 1;
      member = store.frames.ringNext[member]!;
    } while (member !== first && ring <= frames.size);
    report.expect(
      'I14',
      ring === rings.get(block),
      () => `block ${block} is shared by two rings (false sharing)`,
    );
  }
}
