/**
 * What a copy can do, decided before anything changes (physmem.md §4 copy): for every range of the list, in order,
 * the pages before the first hole, the first occupied name, the end of the credit, the first pinned page. Ranges
 * of one list never touch each other (copy-list.ts), so what one does cannot change what the next may do but for
 * the credit, which is added up. A partial result is exact: everything before the first byte that cannot be done.
 */
import { Errno, Reason } from '../abi/errno.ts';
import { CopyFlag } from '../abi/rights.ts';
import { type Actor, admission } from './actor.ts';
import { beforePins, type Extent, namedPages, squashRoom } from './allocate.ts';
import { holdOf } from './hold.ts';
import { Hold } from './loan.ts';
import { entryAt, entryFrom, nextEntry, pagesOf } from './names.ts';
import { noCredit, type Refusal, refusal } from './reply.ts';
import type { Store } from './store.ts';

/** The two ends of a copy, and how it is done. */
export interface CopyEnds {
  readonly source: number;
  readonly sourceGeneration: number;
  readonly destination: number;
  readonly destinationGeneration: number;
  /** Who asks, as the source and the destination are named. */
  readonly actor: Actor;
  readonly destinationActor: Actor;
  /** CopyFlag bits. */
  readonly flags: number;
}

export interface CopyRange {
  readonly sourcePage: number;
  readonly destinationPage: number;
  readonly pages: number;
}

export interface CopyPlan {
  /** What is to be done, in order. */
  readonly ranges: readonly CopyRange[];
  /** Pages done when that is done; ranges onto themselves are done already. */
  readonly pages: number;
  /** Frames to charge to the destination's control. */
  readonly price: number;
  readonly refused: Refusal | null;
}

/** Objects may have died, or been locked, while the request waited its turn. */
export function admissionToBoth(store: Store, ends: CopyEnds): Refusal | null {
  return (
    admission(store, ends.source, ends.sourceGeneration, ends.actor) ??
    admission(store, ends.destination, ends.destinationGeneration, ends.destinationActor)
  );
}

export const hasFlag = (ends: CopyEnds, flag: CopyFlag): boolean => (ends.flags & flag) !== 0;

export const isSameControl = (store: Store, ends: CopyEnds): boolean =>
  store.containers.at(ends.source).control === store.containers.at(ends.destination).control;

const isOntoItself = (ends: CopyEnds, range: CopyRange): boolean =>
  ends.source === ends.destination && range.sourcePage === range.destinationPage;

/**
 * Plans a list of ranges. Argument numbers of the refusal are those of container_copy, `blamed` words later for each
 * range before it. Changes nothing.
 */
export function planCopy(store: Store, ends: CopyEnds, list: readonly CopyRange[], blamed: number): CopyPlan {
  const ranges: CopyRange[] = [];
  const { free } = store.controls.at(store.containers.at(ends.destination).control);
  let pages = 0;
  let price = 0;
  for (const [index, range] of list.entries()) {
    const extent = planRange(store, ends, range, free - price);
    const done = { ...range, pages: extent.pages };
    pages += extent.pages;
    if (extent.pages > 0 && !isOntoItself(ends, range)) {
      ranges.push(done);
      price += priceOf(store, ends, done);
    }
    if (extent.refused === null) continue;
    const { argument } = extent.refused;
    const refused =
      argument === 0 ? extent.refused : { ...extent.refused, argument: argument + blamed + 3 * index };
    return isAllOrNone(ends, refused)
      ? { ranges: [], pages: 0, price: 0, refused }
      : { ranges, pages, price, refused };
  }
  return { ranges, pages, price, refused: null };
}

/** A MOVE into another control is paid in full or not done. */
const isAllOrNone = (ends: CopyEnds, refused: Refusal): boolean =>
  hasFlag(ends, CopyFlag.ALL_OR_NONE) || (hasFlag(ends, CopyFlag.MOVE) && refused.errno === Errno.ENOMEM);

/** How many pages of a range can be copied with `credit` free frames, and why not more. */
function planRange(store: Store, ends: CopyEnds, range: CopyRange, credit: number): Extent {
  let { pages } = range;
  let refused: Refusal | null = null;
  const backed = backedPages(store, ends, range);
  if (backed < pages) {
    pages = backed;
    const isSoft = entryAt(store, ends.source, range.sourcePage + pages) !== 0;
    const reason = isSoft ? Reason.SOFT_PAGE : Reason.HOLE;
    refused = refusal(Errno.ENOENT, reason, 1, (range.sourcePage + pages) * 4096);
  }
  if (!hasFlag(ends, CopyFlag.SQUASH)) {
    const entry = entryFrom(store, ends.destination, range.destinationPage);
    const at = entry === 0 ? Number.POSITIVE_INFINITY : store.entries.start[entry]!;
    const room = Math.max(0, at - range.destinationPage);
    if (room < pages) {
      pages = room;
      refused = refusal(Errno.EEXIST, Reason.OCCUPIED, 2, (range.destinationPage + pages) * 4096);
    }
  }
  if (isOntoItself(ends, range)) return { pages, refused };
  const paid = affordable(store, ends, { ...range, pages }, credit);
  const extent = paid.refused === null ? { pages, refused } : paid;
  if (!hasFlag(ends, CopyFlag.SQUASH)) return extent;
  return beforePins(store, ends.destination, range.destinationPage, extent);
}

/** Pages of the source range before its first hole; what is soft is not there. */
function backedPages(store: Store, ends: CopyEnds, range: CopyRange): number {
  const end = range.sourcePage + range.pages;
  let page = range.sourcePage;
  for (let entry = entryFrom(store, ends.source, page); entry !== 0; entry = nextEntry(store)) {
    if (store.entries.start[entry]! > page || holdOf(store, entry) === Hold.SOFT) break;
    page = store.entries.start[entry]! + pagesOf(store, entry);
    if (page >= end) return range.pages;
  }
  return page - range.sourcePage;
}

function affordable(store: Store, ends: CopyEnds, range: CopyRange, credit: number): Extent {
  const { destination } = ends;
  const { pages } = range;
  const { free } = store.controls.at(store.containers.at(destination).control);
  if (hasFlag(ends, CopyFlag.MOVE)) {
    const isPaid = priceOf(store, ends, range) <= credit;
    return isPaid ? { pages, refused: null } : { pages: 0, refused: noCredit(free) };
  }
  if (hasFlag(ends, CopyFlag.SQUASH)) {
    return squashRoom(store, destination, range.destinationPage, pages, credit);
  }
  return credit < pages ? { pages: credit, refused: noCredit(free) } : { pages, refused: null };
}

/** Frames that a range costs the destination's control: a MOVE inside one control is free. */
function priceOf(store: Store, ends: CopyEnds, range: CopyRange): number {
  if (hasFlag(ends, CopyFlag.MOVE) && isSameControl(store, ends)) return 0;
  if (!hasFlag(ends, CopyFlag.SQUASH)) return range.pages;
  return range.pages - namedPages(store, ends.destination, range.destinationPage, range.pages);
}
