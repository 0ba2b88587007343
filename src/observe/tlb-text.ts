/**
 * What each core believes: its TLB, entry by entry, with a badge on every entry that the page tables in RAM no longer
 * support (stale), and what a walk would say instead. QEMU's `info tlb` walks the tables; this prints the TLB.
 */
import type { TlbEntryView, WalkExplanation } from '../../emu/mem/index.ts';
import { hex32, plural } from './number-format.ts';
import type { TextStyle } from './text-style.ts';
import { alignColumns } from './text-table.ts';

export interface CoreTlb {
  readonly core: number;
  /** Entries that the TLB has room for. */
  readonly capacity: number;
  readonly entries: readonly TlbEntryView[];
}

/** What a walk says now; asked for stale entries only. */
export type WalkNow = (core: number, va: number) => WalkExplanation;

/** One block per core. */
export function tlbText(cores: readonly CoreTlb[], style: TextStyle, walk: WalkNow): string {
  return cores.map((core) => coreText(core, style, walk)).join('');
}

function coreText({ core, capacity, entries }: CoreTlb, style: TextStyle, walk: WalkNow): string {
  const stale = entries.filter((e) => e.stale).length;
  const staleText = stale > 0 ? `, ${style.paint(`${stale} stale`, 'bad')}` : '';
  const title = `core ${core}: ${entries.length} of ${plural(capacity, 'entry', 'entries')}${staleText}\n`;
  const sorted = [...entries].sort((a, b) => a.va - b.va || a.index - b.index);
  const rows = sorted.map((e) => [
    `  ${e.side}`,
    hex32(e.va),
    '->',
    hex32(e.pa),
    e.sizeBytes === 4096 ? '4K' : '4M',
    flagLetters(e),
    e.stale ? staleNote(walk(core, e.va), e) : '',
  ]);
  const lines = alignColumns(rows, ['left', 'left', 'left', 'left', 'right']);
  return title + lines.map((line, i) => `${sorted[i]!.stale ? style.paint(line, 'bad') : line}\n`).join('');
}

/** `-`: clear. The order is user, writable, dirty, global. */
const flagLetters = (e: TlbEntryView): string =>
  `${e.user ? 'u' : '-'}${e.writable ? 'w' : '-'}${e.dirty ? 'd' : '-'}${e.global ? 'g' : '-'}`;

function staleNote(now: WalkExplanation, entry: TlbEntryView): string {
  if (now.pa === null) return `STALE: ${now.rule}`;
  const page = (now.pa & ~(entry.sizeBytes - 1)) >>> 0;
  return page === entry.pa ? 'STALE: other rights now' : `STALE: now ${hex32(page)}`;
}
