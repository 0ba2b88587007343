/**
 * Fragmentation and what was done about it (physmem.md §7.5): the indexes of Linux's extfrag (unusable_index and
 * extfrag_index, per zone and order), 4 MiB blocks by what is in them as in pagetypeinfo, and the account of moves.
 */
import { fragmentationIndex, unusableIndex } from '../physmem/compact/indexes.ts';
import { freeBlocksOf } from '../physmem/compact/view.ts';
import type { Physmem } from '../physmem/physmem.ts';
import { binarySize, plural, thousands } from './number-format.ts';
import type { TextStyle } from './text-style.ts';
import { alignColumns } from './text-table.ts';

export interface ZoneFragmentation {
  readonly name: string;
  /** Per order. */
  readonly freeBlocks: readonly number[];
  readonly unusableIndex: readonly number[];
  readonly fragmentationIndex: readonly number[];
  /** 4 MiB blocks by what is in them. */
  readonly blocks: {
    readonly free: number;
    readonly movable: number;
    readonly fixed: number;
    readonly apart: number;
  };
}

export interface MovingView {
  readonly policy: string;
  /** The rule that the policy broke, in a sentence; null while it is in office. */
  readonly stopped: string | null;
  readonly zones: readonly ZoneFragmentation[];
  readonly moves: number;
  readonly copiedBytes: number;
  readonly shootdowns: number;
  readonly ipis: number;
  readonly abandoned: number;
  readonly regionsEmptied: number;
  readonly regionsGivenUp: number;
  readonly waits: number;
  readonly waitCycles: number;
  /** Orders for which a bind waited until a block was made: how often, and with success. */
  readonly wanted: readonly { readonly order: number; readonly tried: number; readonly got: number }[];
}

export function movingOf({ store }: Physmem): MovingView {
  const { compaction, counters, tuning } = store;
  const { stopped } = compaction;
  const orders = Array.from({ length: tuning.maxOrder + 1 }, (_, order) => order);
  return {
    policy: compaction.policy.name,
    stopped: stopped === null ? null : `rule ${stopped.rule}: ${stopped.sentence}`,
    zones: store.zones.zones
      .filter(({ buddy }) => buddy.end > buddy.base)
      .map((zone) => {
        const freeBlocks = freeBlocksOf(zone);
        return {
          name: zone.name,
          freeBlocks,
          unusableIndex: orders.map((order) => unusableIndex(freeBlocks, order)),
          fragmentationIndex: orders.map((order) => fragmentationIndex(freeBlocks, order)),
          blocks: blocksOf(store.base.counts, zone.buddy.base, zone.buddy.end),
        };
      }),
    moves: counters.moves,
    copiedBytes: counters.movedFrames * 4096,
    shootdowns: counters.moveShootdowns,
    ipis: counters.moveIpis,
    abandoned: counters.movesAbandoned,
    regionsEmptied: counters.evacuations,
    regionsGivenUp: counters.evacuationsFailed,
    waits: counters.moveWaits,
    waitCycles: counters.moveWaitCycles,
    wanted: orders
      .map((order) => ({ order, tried: compaction.tried[order]!, got: compaction.cured[order]! }))
      .filter(({ tried }) => tried > 0),
  };
}

/** A block with anything that cannot move counts as fixed; one that is set apart for such memory also as apart. */
function blocksOf(
  counts: Physmem['store']['base']['counts'],
  first: number,
  end: number,
): ZoneFragmentation['blocks'] {
  const found = { free: 0, movable: 0, fixed: 0, apart: 0 };
  for (let block = first >>> counts.shift; block << counts.shift < end; block += 1) {
    if (counts.free[block] === counts.size(block)) found.free += 1;
    else if (counts.fixed(block) + counts.pinned[block]! > 0) found.fixed += 1;
    else found.movable += 1;
    found.apart += counts.apart[block]!;
  }
  return found;
}

/** Nothing when nothing moved and nothing was to move. */
export function movingText(view: MovingView, style: TextStyle): string {
  if (view.policy === 'none' && view.moves === 0 && view.stopped === null) return '';
  const lines = [`policy ${view.policy}`];
  if (view.stopped !== null) lines.push(style.paint(`stopped for breaking ${view.stopped}`, 'bad'));
  const orders = view.zones[0]?.freeBlocks.map((_, order) => String(order)) ?? [];
  const digits = (index: number): string => (index < 0 ? '-1' : index.toFixed(2));
  const rows = [['zone', 'index', ...orders]];
  for (const zone of view.zones) {
    rows.push([zone.name, 'unusable', ...zone.unusableIndex.map(digits)]);
    rows.push(['', 'fragmentation', ...zone.fragmentationIndex.map(digits)]);
  }
  lines.push(...alignColumns(rows, ['left', 'left', ...orders.map(() => 'right' as const)]));
  for (const { name, blocks } of view.zones) {
    const apart = blocks.apart === 0 ? '' : `, ${blocks.apart} set apart for what cannot move`;
    lines.push(
      `${name}: blocks of 4 MiB: ${blocks.free} free, ${blocks.movable} movable, ${blocks.fixed} fixed${apart}`,
    );
  }
  lines.push(
    `${plural(view.moves, 'move')}, ${binarySize(view.copiedBytes)} copied, ${plural(view.shootdowns, 'shootdown')}, ${plural(view.ipis, 'IPI')}`,
    `${plural(view.regionsEmptied, 'region')} emptied, ${view.regionsGivenUp} given up, ${view.abandoned} moves abandoned for a late core`,
    `${plural(view.waits, 'operation')} waited for moves, ${thousands(view.waitCycles)} cycles in all`,
  );
  for (const { order, tried, got } of view.wanted) {
    lines.push(`order ${order}: ${got} of ${plural(tried, 'bind')} that waited got a block`);
  }
  return `${lines.join('\n')}\n`;
}
