/**
 * The tree of memory controls as text: who holds how much credit, what of it is free, charged, given to children. In
 * every line `total = free + charged + children` (I1). What is held beyond that has columns of its own when there is any.
 */
import { plural, thousands } from './number-format.ts';
import { type TextStyle, type TreeGlyphs, treeGlyphs } from './text-style.ts';
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
  /** Beyond the guarantee, and given back softly; no part of `total`. */
  readonly extra: number;
  readonly soft: number;
  readonly dying: 'yes' | 'no';
  /** What the inspector knows besides: root, tasks whose address spaces it pays for. */
  readonly note: string;
  readonly containers: readonly { readonly id: number; readonly pages: number }[];
}

/**
 * A header, then one line per control, children under their parent in order of creation. Containers are listed when that fits
 * the columns, else counted.
 */
export function controlTree(controls: readonly ControlView[], style: TextStyle): string {
  const listed = treeLines(controls, style, containerList);
  const fits = listed.every((line) => line.length <= style.columns);
  return (fits ? listed : treeLines(controls, style, containerCount))
    .map((line, i) => `${i === 0 ? style.paint(line, 'faint') : line}\n`)
    .join('');
}

type ContainersText = (control: ControlView) => string;

function treeLines(controls: readonly ControlView[], style: TextStyle, containers: ContainersText): string[] {
  const beyond: Beyond = controls.some(({ extra, soft }) => extra + soft > 0) ? 'shown' : 'none';
  const more = beyond === 'shown' ? ['extra', 'soft'] : [];
  const rows = [['control', 'total', 'free', 'charged', 'children', ...more, 'containers']];
  const known = new Set(controls.map((c) => c.id));
  const tree: Tree = { rows, controls, glyphs: treeGlyphs(style), containers, beyond };
  for (const root of controls.filter((c) => !known.has(c.parent))) addRows(tree, root, '', '');
  const numbers = rows[0]!.slice(1, -1).map(() => 'right' as const);
  return alignColumns(rows, ['left', ...numbers, 'left']);
}

/** Whether some control holds memory beyond its guarantee. */
type Beyond = 'shown' | 'none';

interface Tree {
  readonly rows: string[][];
  readonly controls: readonly ControlView[];
  readonly glyphs: TreeGlyphs;
  readonly containers: ContainersText;
  readonly beyond: Beyond;
}

function addRows(tree: Tree, control: ControlView, ownPrefix: string, childPrefix: string): void {
  const { id, total, free, charged, given, note, dying } = control;
  const name = `${ownPrefix}${id}${note && ` ${note}`}${dying === 'yes' ? ' (dying)' : ''}`;
  const beyond = tree.beyond === 'shown' ? [control.extra, control.soft] : [];
  const numbers = [total, free, charged, given, ...beyond].map(thousands);
  tree.rows.push([name, ...numbers, tree.containers(control)]);
  const children = tree.controls.filter((c) => c.parent === id && c.id !== id);
  const { branch, last, bar, gap } = tree.glyphs;
  children.forEach((child, i) => {
    const isLast = i === children.length - 1;
    addRows(tree, child, childPrefix + (isLast ? last : branch), childPrefix + (isLast ? gap : bar));
  });
}

const SHOWN = 3;

function containerList({ containers }: ControlView): string {
  const shown = containers.slice(0, SHOWN).map((c) => `${c.id} (${plural(c.pages, 'page')})`);
  const more = containers.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function containerCount({ containers }: ControlView): string {
  if (containers.length === 0) return '';
  const pages = containers.reduce((sum, c) => sum + c.pages, 0);
  return `${containers.length} with ${plural(pages, 'page')}`;
}
