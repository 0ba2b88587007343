/**
 * Invariants of translations, as far as the server's own records go: I15 (unbound means unmapped), I16 (every map
 * goes through a live capability), I17 (one writer per logical copy), I21 (large and small never together), and that
 * records, lists and shadow tables agree. `PageTableView` adds what the kernel's page tables say.
 */
import { ContainerRight } from '../../abi/rights.ts';
import { UNBOUND } from '../frame.ts';
import { LARGE } from '../map-record.ts';
import type { Space } from '../space.ts';
import type { Store } from '../store.ts';
import type { Report } from './report.ts';

/** The page tables as they are, for comparison. */
export interface PageTableView {
  /** Every present translation of a task: page, base frame, access, large or small. */
  translations(task: number): Iterable<{ page: number; frame: number; access: number; large: boolean }>;
}

export function checkMaps(store: Store, report: Report, view: PageTableView | null): void {
  const seen = new Set<number>();
  for (const space of store.spaces.byTask.values()) checkSpace(store, report, space, seen);
  const { live } = store.maps.numbers;
  report.expect('I37', live === seen.size, () => `${live} map records are live, ${seen.size} are in spaces`);
  for (const record of seen) checkRecord(store, report, record);
  if (view !== null)
    for (const space of store.spaces.byTask.values()) compareTables(store, report, space, view);
}

function checkSpace(store: Store, report: Report, space: Space, seen: Set<number>): void {
  const { maps } = store;
  for (const [region, record] of space.large) {
    report.expect('I21', !space.tables.has(region), () => `region ${region} has a table and a large page`);
    const isRight = maps.page[record] === region << 10 && (maps.access[record]! & LARGE) !== 0;
    report.expect('I16', isRight, () => `record ${record} is not the large page of region ${region}`);
    seen.add(record);
  }
  for (const [region, table] of space.tables) {
    let used = 0;
    // Most slots are empty, and a closure per slot is a tenth of the whole checker.
    for (let slot = 0; slot < table.records.length; slot += 1) {
      const record = table.records[slot]!;
      if (record === 0) continue;
      used += 1;
      seen.add(record);
      const page = (region << 10) + slot;
      const from = maps.page[record]!;
      const isInside = maps.space[record] === space.task && page >= from && page < from + maps.pages[record]!;
      report.expect(
        'I16',
        isInside,
        () => `page ${page} of task ${space.task} has record ${record} of ${from}`,
      );
      report.expect('I21', (maps.access[record]! & LARGE) === 0, () => `page ${page} has a large record`);
    }
    report.expect(
      'I37',
      used === table.used,
      () => `table of region ${region} counts ${table.used}, has ${used}`,
    );
    const isDeferred = store.deferred.covers(space.task, region << 10, 1024);
    report.expect(
      'I37',
      used > 0 || isDeferred,
      () => `task ${space.task} keeps an empty table for region ${region}`,
    );
  }
}

function checkRecord(store: Store, report: Report, record: number): void {
  const { maps, entries, frames } = store;
  const entry = maps.entry[record]!;
  const frame = entries.frame[entry]!;
  const access = maps.access[record]!;
  const name = `map record ${record} (task ${maps.space[record]}, page ${maps.page[record]})`;
  report.expect('I16', isOnList(store, entry, record), () => `${name} is not on the list of entry ${entry}`);
  const size = 1 << frames.order(frame);
  report.expect(
    'I16',
    maps.offset[record]! + maps.pages[record]! <= size,
    () => `${name} reaches beyond its entry`,
  );
  report.expect('I15', frames.block[frame] !== UNBOUND, () => `${name} maps an unbound frame`);
  if ((access & ContainerRight.WRITE) !== 0) {
    report.expect('I17', !frames.isCow(frame), () => `${name} can write a copy-on-write frame`);
  }
  const container = store.containers.at(entries.container[entry]!);
  report.expect('I16', container.state !== 'free', () => `${name} outlives its container`);
  const limited = maps.limited[record]!;
  if (container.lockUntil > store.port.now()) {
    const isHolder = maps.holder[record] === container.lockTask && limited === container.lockLimited;
    report.expect('I27', isHolder, () => `${name} is there although container ${container.index} is locked`);
  }
  if (limited === 0) return;
  const cap = store.limiteds.at(limited);
  report.expect('I16', cap.state !== 'free', () => `${name} outlives its limited capability`);
  report.expect('I16', (access & 7 & ~cap.rights) === 0, () => `${name} has more rights than its capability`);
  report.expect(
    'I16',
    cap.container === container.index,
    () => `${name} goes through another container's capability`,
  );
}

function isOnList(store: Store, entry: number, record: number): boolean {
  for (let at = store.entries.maps[entry]!; at !== 0; at = store.maps.next[at]!)
    if (at === record) return true;
  return false;
}

/** Page tables and records say the same (I16, I23). */
function compareTables(store: Store, report: Report, space: Space, view: PageTableView): void {
  const { maps, entries, frames } = store;
  let installed = 0;
  for (const { page, frame, access, large } of view.translations(space.task)) {
    installed += large ? 1024 : 1;
    const table = space.tables.get(page >>> 10);
    const record = large ? (space.large.get(page >>> 10) ?? 0) : (table?.records[page & 1023] ?? 0);
    const at = `task ${space.task} page ${page}`;
    report.expect('I16', record !== 0, () => `${at} is mapped, and nobody knows`);
    if (record === 0) continue;
    const backing = frames.block[entries.frame[maps.entry[record]!]!]!;
    const wanted = backing + maps.offset[record]! + (page - maps.page[record]!);
    report.expect('I16', frame === wanted, () => `${at} maps base frame ${frame}, not ${wanted}`);
    const said = maps.access[record]! & 7;
    const isSame = ((access ^ said) & ContainerRight.WRITE) === 0;
    report.expect('I16', isSame, () => `${at} has access ${access}, its record ${said}`);
  }
  let recorded = space.large.size * 1024;
  for (const table of space.tables.values()) recorded += table.used;
  report.expect(
    'I16',
    installed === recorded,
    () => `task ${space.task}: ${installed} pages, ${recorded} recorded`,
  );
}
