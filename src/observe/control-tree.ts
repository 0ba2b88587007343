/**
 * The tree of memory controls as text: who holds how much credit, what of it is free, charged, given to children. In
 * every line `total = free + charged + children` (I1).
 */
import { plural, thousands } from './number-format.ts';
import { type TextStyle, treeGlyphs } from './text-style.ts';
import { alignColumns } from './text-table.ts';

export interface ControlView {
  readonly id: number;
  /** 0 for a root. */
  readonly parent: number;
  readonly total: number;
  readonly free: number;
  readonly charged: number;
  /** Σ total of the children. */
  readonly given: number;
  readonly dying: 'yes' | 'no';
  /** Tasks whose page tables it pays for, or that hold a capability to it: what the inspector knows. */
  readonly note: string;
  readonly containers: readonly { readonly id: number; readonly pages: number }[];
}

/** A header, then one line per control, children under their parent in order of creation. */
export function controlTree(controls: readonly ControlView[], style: TextStyle): string {
  const rows = [['control', 'total', 'free', 'charged', 'children', 'containers']];
  const known = new Set(controls.map((c) => c.id));
  const roots = controls.filter((c) => !known.has(c.parent));
  for (const root of roots) addRows(rows, controls, root, '', '', style);
  return alignColumns(rows, ['left', 'right', 'right', 'right', 'right', 'left'])
    .map((line, i) => `${i === 0 ? style.paint(line, 'faint') : line}\n`)
    .join('');
}

function addRows(
  rows: string[][],
  controls: readonly ControlView[],
  control: ControlView,
  ownPrefix: string,
  childPrefix: string,
  style: TextStyle,
): void {
  const { id, total, free, charged, given, note, dying } = control;
  const name = `${ownPrefix}${id}${note && ` ${note}`}${dying === 'yes' ? ' (dying)' : ''}`;
  const numbers = [total, free, charged, given].map(thousands);
  rows.push([name, ...numbers, containersText(control)]);
  const children = controls.filter((c) => c.parent === id && c.id !== id);
  const glyphs = treeGlyphs(style);
  children.forEach((child, i) => {
    const isLast = i === children.length - 1;
    const own = childPrefix + (isLast ? glyphs.last : glyphs.branch);
    addRows(rows, controls, child, own, childPrefix + (isLast ? glyphs.gap : glyphs.bar), style);
  });
}

const SHOWN = 3;

function containersText({ containers }: ControlView): string {
  const shown = containers.slice(0, SHOWN).map((c) => `${c.id} (${plural(c.pages, 'page')})`);
  const more = containers.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
