/** The entries of containers as text: which names exist, by what they are backed, what is shared or copy-on-write. */
import { binarySize, hex32, plural } from './number-format.ts';
import type { TextStyle } from './text-style.ts';
import { alignColumns } from './text-table.ts';

export interface EntryView {
  /** Container address of the first byte. */
  readonly start: number;
  readonly order: number;
  /** Base frame of the first page, or null while nothing is bound. */
  readonly frame: number | null;
  readonly cow: 'cow' | '';
  /** Entries that name the same frame, this one included. */
  readonly references: number;
  readonly pinned: number;
  /** Beyond the guarantee, or given back softly. */
  readonly hold: '' | 'extra' | 'soft';
}

export interface ContainerView {
  readonly id: number;
  readonly control: number;
  /** `locked until 1,234` and the like; empty when there is nothing to say. */
  readonly note: string;
  readonly entries: readonly EntryView[];
}

/** A line per container, then a table of its entries (at most `limit`, then how many more there are). */
export function containerText(
  containers: readonly ContainerView[],
  style: TextStyle,
  limit: number = 16,
): string {
  return containers.map((container) => oneContainer(container, style, limit)).join('');
}

function oneContainer(container: ContainerView, style: TextStyle, limit: number): string {
  const { id, control, note, entries } = container;
  const pages = entries.reduce((sum, e) => sum + 2 ** e.order, 0);
  const counts = `${plural(entries.length, 'entry', 'entries')}, ${plural(pages, 'page')}`;
  const title = `container ${id} of control ${control}: ${counts}${note && `, ${note}`}`;
  const rows = [['  range', 'size', 'frame', 'state'], ...entries.slice(0, limit).map(entryRow)];
  const [header, ...lines] = alignColumns(rows, ['left', 'right', 'left', 'left']);
  if (entries.length === 0) return `${title}\n`;
  const more =
    entries.length > limit ? [`  and ${plural(entries.length - limit, 'more entry', 'more entries')}`] : [];
  return [title, style.paint(header!, 'faint'), ...lines, ...more].map((line) => `${line}\n`).join('');
}

function entryRow(entry: EntryView): string[] {
  const bytes = 2 ** entry.order * 4096;
  const states = [
    entry.cow === 'cow' ? 'copy-on-write' : '',
    entry.references > 1 ? `shared by ${entry.references}` : '',
    entry.pinned > 0 ? plural(entry.pinned, 'pin') : '',
    entry.hold,
  ];
  return [
    `  ${hex32(entry.start)}-${hex32(entry.start + bytes - 1)}`,
    binarySize(bytes),
    entry.frame === null ? 'unbound' : hex32(entry.frame * 4096),
    states.filter((s) => s !== '').join(', '),
  ];
}
