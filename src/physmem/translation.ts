/**
 * Removing, narrowing and re-labelling installed translations: page tables, their shadow and the map records
 * change together here. Whatever is taken away is recorded in the removal's batch; the caller settles it.
 * Installing is in map.ts.
 */
import { PhysmemEv } from '../abi/events.ts';
import { ContainerRight } from '../abi/rights.ts';
import { FrameState } from './base-frames.ts';
import { LARGE } from './map-record.ts';
import type { Removal } from './removal.ts';
import type { ShadowTable, Space } from './space.ts';
import { TABLE_PAGES } from './space.ts';
import type { Store } from './store.ts';

const { WRITE } = ContainerRight;

/** Puts a record in the lists of its entry and of its limited capability. */
export function linkRecord(store: Store, record: number): void {
  const { maps } = store;
  linkToEntry(store, record, maps.entry[record]!);
  const limited = maps.limited[record]!;
  if (limited === 0) return;
  const owner = store.limiteds.at(limited);
  maps.nextSame[record] = owner.maps;
  maps.prevSame[record] = 0;
  if (owner.maps !== 0) maps.prevSame[owner.maps] = record;
  owner.maps = record;
}

function linkToEntry(store: Store, record: number, entry: number): void {
  const { maps, entries } = store;
  const first = entries.maps[entry]!;
  maps.entry[record] = entry;
  maps.next[record] = first;
  maps.prev[record] = 0;
  if (first !== 0) maps.prev[first] = record;
  entries.maps[entry] = record;
}

function unlinkFromEntry(store: Store, record: number): void {
  const { maps } = store;
  const next = maps.next[record]!;
  const prev = maps.prev[record]!;
  if (prev !== 0) maps.next[prev] = next;
  else store.entries.maps[maps.entry[record]!] = next;
  if (next !== 0) maps.prev[next] = prev;
}

function freeRecord(store: Store, record: number): void {
  const { maps } = store;
  unlinkFromEntry(store, record);
  const limited = maps.limited[record]!;
  if (limited !== 0) {
    const next = maps.nextSame[record]!;
    const prev = maps.prevSame[record]!;
    if (prev !== 0) maps.nextSame[prev] = next;
    else store.limiteds.at(limited).maps = next;
    if (next !== 0) maps.prevSame[next] = prev;
  }
  maps.free(record);
}

/** Map record of a page, or 0. */
export function recordAt(space: Space, page: number): number {
  const region = page >>> 10;
  const table = space.tables.get(region);
  if (table !== undefined) return table.records[page & (TABLE_PAGES - 1)]!;
  return space.large.get(region) ?? 0;
}

/** Makes two records of one that is not large; the right one begins `at` pages further. Returns the right one. */
export function splitRecord(store: Store, record: number, at: number): number {
  const { maps } = store;
  const right = maps.alloc();
  const page = maps.page[record]! + at;
  maps.space[right] = maps.space[record]!;
  maps.page[right] = page;
  maps.entry[right] = maps.entry[record]!;
  maps.offset[right] = maps.offset[record]! + at;
  maps.pages[right] = maps.pages[record]! - at;
  maps.limited[right] = maps.limited[record]!;
  maps.holder[right] = maps.holder[record]!;
  maps.access[right] = maps.access[record]!;
  maps.pages[record] = at;
  linkRecord(store, right);
  const table = store.spaces.get(maps.space[record]!)!.tables.get(page >>> 10)!;
  const slot = page & (TABLE_PAGES - 1);
  table.records.fill(right, slot, slot + maps.pages[right]!);
  return right;
}

/** Cuts a record that is not large so that pages [page, page + count) are one of their own; returns that one. */
export function isolate(store: Store, record: number, page: number, count: number): number {
  const { maps } = store;
  let middle = record;
  if (maps.page[middle]! < page) middle = splitRecord(store, middle, page - maps.page[middle]!);
  if (maps.pages[middle]! > count) splitRecord(store, middle, count);
  return middle;
}

/** Removes the translations of a whole record and the record. */
export function unmapRecord(store: Store, record: number, removal: Removal): void {
  const { maps, port } = store;
  const task = maps.space[record]!;
  const page = maps.page[record]!;
  const pages = maps.pages[record]!;
  const space = store.spaces.get(task)!;
  const batch = removal.batchFor(store, task);
  removal.unmappedPages += pages;
  store.counters.unmappedPages += pages;
  port.emit(PhysmemEv.Unmap, task, page * 4096, pages, 0);
  if ((maps.access[record]! & LARGE) !== 0) {
    port.unmapLarge(task, page, batch);
    space.large.delete(page >>> 10);
  } else {
    port.unmapPages(task, page, pages, batch);
    const table = space.tables.get(page >>> 10)!;
    const slot = page & (TABLE_PAGES - 1);
    table.records.fill(0, slot, slot + pages);
    table.used -= pages;
    if (table.used === 0 && removal.emptyTables === 'remove') removeTable(store, space, page, table, removal);
  }
  freeRecord(store, record);
}

/**
 * As unmapRecord, but the translation may be left in other cores' TLBs (defer.ts): it is noted in the removal, and the
 * page table stays until it is flushed, even when it is empty.
 */
function leaveRecord(store: Store, record: number, removal: Removal): void {
  const { maps, port, entries } = store;
  const task = maps.space[record]!;
  const page = maps.page[record]!;
  const pages = maps.pages[record]!;
  const limited = maps.limited[record]!;
  const container = entries.container[maps.entry[record]!]!;
  const space = store.spaces.get(task)!;
  const isLarge = (maps.access[record]! & LARGE) !== 0;
  const { batch, runs } = removal.laterFor(store);
  runs.push({
    task,
    page,
    pages,
    size: isLarge ? 'large' : 'small',
    container,
    containerGeneration: store.containers.at(container).generation,
    limited,
    limitedGeneration: store.limiteds.at(limited).generation,
    holder: maps.holder[record]!,
  });
  removal.unmappedPages += pages;
  store.counters.unmappedPages += pages;
  port.emit(PhysmemEv.Unmap, task, page * 4096, pages, 0);
  if (isLarge) {
    port.unmapLarge(task, page, batch);
    space.large.delete(page >>> 10);
  } else {
    port.unmapPages(task, page, pages, batch);
    const table = space.tables.get(page >>> 10)!;
    const slot = page & (TABLE_PAGES - 1);
    table.records.fill(0, slot, slot + pages);
    table.used -= pages;
  }
  freeRecord(store, record);
}

/** Takes every translation of an entry away, to be left in other cores' TLBs if it comes to that. */
export function leaveEntry(store: Store, entry: number, removal: Removal): void {
  const { entries, frames } = store;
  removal.laterFor(store).blocks.push(frames.block[entries.frame[entry]!]!);
  for (let record = entries.maps[entry]!; record !== 0; record = entries.maps[entry]!) {
    leaveRecord(store, record, removal);
  }
}

/** Removes pages [page, page + count), which lie inside a record. A large page goes as a whole. */
export function unmapRun(store: Store, record: number, page: number, count: number, removal: Removal): void {
  const { maps } = store;
  if ((maps.access[record]! & LARGE) !== 0) {
    if (maps.pages[record]! > count) demote(store, record, removal, page, page + count);
    unmapRecord(store, record, removal);
  } else unmapRecord(store, isolate(store, record, page, count), removal);
}

/** Notes a large page that goes for the sake of a part of it, so that the rest can be mapped again, but for [from, to). */
function demote(store: Store, record: number, removal: Removal, from: number, to: number): void {
  const { maps, entries, frames, containers, limiteds } = store;
  const entry = maps.entry[record]!;
  const container = entries.container[entry]!;
  const limited = maps.limited[record]!;
  store.counters.demotions += 1;
  removal.demoted.push({
    task: maps.space[record]!,
    page: maps.page[record]!,
    start: entries.start[entry]! + maps.offset[record]!,
    block: frames.block[entries.frame[entry]!]! + maps.offset[record]!,
    container,
    containerGeneration: containers.at(container).generation,
    actor: { task: maps.holder[record]!, limited, limitedGeneration: limiteds.at(limited).generation },
    access: maps.access[record]! & ~LARGE,
    drops: store.drops,
    from,
    to,
  });
}

/** Takes an empty page table out; its frame and its credit come back when the removal is settled. */
export function removeTable(
  store: Store,
  space: Space,
  page: number,
  table: ShadowTable,
  removal: Removal,
): void {
  store.port.removeTable(space.task, page, removal.batchFor(store, space.task));
  space.tables.delete(page >>> 10);
  store.spaces.retire(table);
  removal.takeBlock(store, table.frame);
  removal.addCharge(space.control, 1);
  store.counters.tablesRemoved += 1;
}

/** Removes every translation of an entry. */
export function unmapEntry(store: Store, entry: number, removal: Removal): void {
  const { entries } = store;
  for (let record = entries.maps[entry]!; record !== 0; record = entries.maps[entry]!) {
    unmapRecord(store, record, removal);
  }
}

/** Removes every translation of all entries of a frame. */
export function unmapFrame(store: Store, frame: number, removal: Removal): void {
  for (let entry = store.frames.entries[frame]!; entry !== 0; entry = store.entries.next[entry]!) {
    unmapEntry(store, entry, removal);
  }
}

/** Takes write access from every translation of all entries of a frame; returns how many records had it. */
export function protectFrame(store: Store, frame: number, removal: Removal): number {
  let narrowed = 0;
  for (let entry = store.frames.entries[frame]!; entry !== 0; entry = store.entries.next[entry]!) {
    const { maps } = store;
    for (let record = store.entries.maps[entry]!; record !== 0; record = maps.next[record]!) {
      if ((maps.access[record]! & WRITE) === 0) continue;
      protectRecord(store, record, removal);
      narrowed += 1;
    }
  }
  return narrowed;
}

export function protectRecord(store: Store, record: number, removal: Removal): void {
  const { maps, port } = store;
  const task = maps.space[record]!;
  const batch = removal.batchFor(store, task);
  const page = maps.page[record]!;
  if ((maps.access[record]! & LARGE) !== 0) port.protectLarge(task, page, batch);
  else port.protectPages(task, page, maps.pages[record]!, batch);
  maps.access[record] = maps.access[record]! & ~WRITE;
}

/**
 * An entry was halved: moves the records of its upper half (from page `half` on) to the new entry. Translations stay
 * as they are, except that a large page which no longer lies in one frame goes.
 */
export function divideRecords(
  store: Store,
  entry: number,
  upper: number,
  half: number,
  removal: Removal,
): void {
  const { maps, entries } = store;
  let next = 0;
  for (let record = entries.maps[entry]!; record !== 0; record = next) {
    next = maps.next[record]!;
    const offset = maps.offset[record]!;
    if (offset + maps.pages[record]! <= half) continue;
    let moved = record;
    if (offset < half) {
      if ((maps.access[record]! & LARGE) !== 0) {
        demote(store, record, removal, 0, 0);
        unmapRecord(store, record, removal);
        continue;
      }
      moved = splitRecord(store, record, half - offset);
    }
    unlinkFromEntry(store, moved);
    linkToEntry(store, moved, upper);
    maps.offset[moved] = maps.offset[moved]! - half;
  }
}

/** Puts a fresh page table in place. The caller has taken the frame and charged it. */
export function installTable(store: Store, space: Space, page: number, frame: number): ShadowTable {
  store.base.set(frame, FrameState.PAGE_TABLE, space.task);
  store.port.installTable(space.task, page, frame);
  const table = store.spaces.newTable(frame);
  space.tables.set(page >>> 10, table);
  store.counters.tablesInstalled += 1;
  return table;
}

/** Removes all translations of a range of pages of a space; returns how many pages of the range had one. */
export function clearRange(
  store: Store,
  space: Space,
  page: number,
  count: number,
  removal: Removal,
): number {
  const end = page + count;
  let removed = 0;
  let at = page;
  while (at < end) {
    const record = recordAt(space, at);
    if (record === 0) {
      at = space.tables.has(at >>> 10) ? at + 1 : ((at >>> 10) + 1) << 10;
      continue;
    }
    const recordEnd = store.maps.page[record]! + store.maps.pages[record]!;
    const to = Math.min(recordEnd, end);
    unmapRun(store, record, at, to - at, removal);
    removed += to - at;
    at = to;
  }
  return removed;
}
