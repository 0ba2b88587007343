/**
 * Invariants of physical memory: I6 (one state per base frame, blocks tile the table), I7 (no base frame in two
 * frames), I8 (free lists canonical), I9 (alignment), I10 (DMA), I11 (poison).
 */
import { FRAME_STATE_NAMES, FrameState, TAIL } from '../base-frames.ts';
import { FrameFlag, UNBOUND } from '../frame.ts';
import type { Store } from '../store.ts';
import { ZoneId } from '../zone.ts';
import type { Report } from './report.ts';

export function checkPhysical(store: Store, report: Report): void {
  checkTiling(store, report);
  checkFreeLists(store, report);
  checkOwners(store, report);
  checkPromises(store, report);
}

/** What was promised in the DMA zone is what frames that must lie there still lack, and it is free. */
function checkPromises(store: Store, report: Report): void {
  let owed = 0;
  for (const frame of liveFrames(store)) {
    const lacks = store.frames.block[frame] === UNBOUND && store.frames.has(frame, FrameFlag.DMA);
    if (lacks) owed += 1 << store.frames.order(frame);
  }
  const { promised, buddy } = store.zones.zones[ZoneId.DMA]!;
  report.expect('I10', promised === owed, () => `${promised} DMA frames are promised, ${owed} are owed`);
  report.expect(
    'I10',
    promised <= buddy.freeFrames,
    () => `${promised} DMA frames are promised, not so many free`,
  );
}

function checkTiling(store: Store, report: Report): void {
  const { base } = store;
  let frame = 0;
  while (frame < base.count) {
    const order = base.order[frame]!;
    const state = base.state[frame]!;
    const at = frame;
    report.expect('I6', order !== TAIL, () => `base frame ${at} is in no block`);
    if (order === TAIL) return;
    report.expect('I6', state <= FrameState.HOLE, () => `base frame ${at} has state ${state}`);
    report.expect(
      'I9',
      (frame & ((1 << order) - 1)) === 0,
      () => `block ${at} of order ${order} is misaligned`,
    );
    for (let i = 1; i < 1 << order; i += 1) {
      report.expect('I7', base.order[frame + i] === TAIL, () => `block ${at} overlaps block ${at + i}`);
    }
    frame += 1 << order;
  }
  report.expect('I6', frame === base.count, () => 'the last block reaches beyond the top of RAM');
}

function checkFreeLists(store: Store, report: Report): void {
  const { base, zones } = store;
  const listed = new Set<number>();
  for (const { name, buddy } of zones.zones) {
    let sum = 0;
    for (let order = 0; order <= buddy.maxOrder; order += 1) {
      const heads = buddy.blocks(order);
      report.expect(
        'I8',
        heads.length === buddy.blockCount(order),
        () => `${name} order ${order}: count is wrong`,
      );
      for (const head of heads) {
        sum += 1 << order;
        listed.add(head);
        const isRight = base.state[head] === FrameState.FREE && base.order[head] === order;
        report.expect('I8', isRight, () => `${name}: block ${head} is listed free at order ${order}`);
        report.expect(
          'I8',
          head >= buddy.base && head + (1 << order) <= buddy.end,
          () => `block ${head} left ${name}`,
        );
        checkBuddy(store, report, head, order);
        if (store.tuning.poison === 'on') {
          const isClean = store.port.isPoisoned(head, 1 << order);
          report.expect('I11', isClean, () => `free block ${head} was written`);
        }
      }
    }
    report.expect('I37', sum === buddy.freeFrames, () => `${name}: freeFrames is wrong`);
  }
  for (let frame = 0; frame < base.count; frame += 1) {
    const isFree = base.order[frame] !== TAIL && base.state[frame] === FrameState.FREE;
    if (isFree) report.expect('I8', listed.has(frame), () => `free block ${frame} is in no list`);
  }
}

function checkBuddy(store: Store, report: Report, head: number, order: number): void {
  const { buddy } = store.zones.zones[store.zones.zoneOf(head)]!;
  const other = head ^ (1 << order);
  if (order === buddy.maxOrder || other < buddy.base || other + (1 << order) > buddy.end) return;
  const both = store.base.state[other] === FrameState.FREE && store.base.order[other] === order;
  report.expect('I8', !both, () => `free buddies ${head} and ${other} of order ${order} are not merged`);
}

/** Every block that is in use is used by exactly the one thing that says so. */
function checkOwners(store: Store, report: Report): void {
  const { base, frames } = store;
  const users = new Map<number, number>();
  for (const frame of liveFrames(store)) {
    const block = frames.block[frame]!;
    if (block === UNBOUND) continue;
    users.set(block, (users.get(block) ?? 0) + 1);
    const isInUse = base.state[block] === FrameState.BOUND || base.state[block] === FrameState.SOFT;
    const fits = isInUse && base.order[block] === frames.order(frame);
    report.expect(
      'I7',
      fits,
      () => `frame ${frame} is backed by block ${block}, which is ${nameOf(store, block)}`,
    );
    const inDma = store.zones.zoneOf(block) === ZoneId.DMA;
    report.expect(
      'I10',
      inDma || !frames.has(frame, FrameFlag.DMA),
      () => `DMA frame ${frame} at block ${block}`,
    );
  }
  const tables = new Map<number, number>();
  for (const space of store.spaces.byTask.values()) {
    for (const frame of [space.directory, space.systemTable]) tables.set(frame, space.task);
    for (const table of space.tables.values()) {
      report.expect('I7', !tables.has(table.frame), () => `page table ${table.frame} has two users`);
      tables.set(table.frame, space.task);
    }
  }
  for (let head = 0; head < base.count; head += 1) {
    if (base.order[head] === TAIL) continue;
    if (base.state[head] === FrameState.BOUND || base.state[head] === FrameState.SOFT) {
      report.expect('I6', users.has(head), () => `bound block ${head} backs no frame`);
      const owner = base.owner[head]!;
      report.expect(
        'I14',
        frames.block[owner] === head,
        () => `block ${head} names frame ${owner} as its owner`,
      );
    }
    if (base.state[head] === FrameState.PAGE_TABLE) {
      report.expect(
        'I6',
        tables.get(head) === base.owner[head],
        () => `page table ${head} belongs to no space`,
      );
    }
  }
  for (const table of tables.keys()) {
    const isTable = base.state[table] === FrameState.PAGE_TABLE;
    report.expect('I6', isTable, () => `page table ${table} is ${nameOf(store, table)}`);
  }
}

const nameOf = (store: Store, frame: number): string =>
  FRAME_STATE_NAMES[store.base.state[store.base.headOf(frame)]!]!;

/** Every frame that some container's entry names. */
export function liveFrames(store: Store): Set<number> {
  const found = new Set<number>();
  for (const container of store.containers.records) {
    if (container.state === 'free') continue;
    for (const [, entry] of store.trees.pairs(container.tree)) found.add(store.entries.frame[entry]!);
  }
  return found;
}
