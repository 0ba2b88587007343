/** The frame map as text: rows with their physical address, the zone boundary as a rule, a computed legend. */
import { type FrameMap, type FrameMapInput, frameMap, type LegendItem } from './frame-map.ts';
import { binarySize, plural, thousands } from './number-format.ts';
import { OWNER_ROLES, type Role, type TextStyle } from './text-style.ts';
import { alignColumns } from './text-table.ts';

const ADDRESS_COLUMNS = 10;
export const DEFAULT_MAP_ROWS = 24;

/** Map and legend. `maxRows` bounds the rows of the map; the scale follows from it. */
export function frameMapText(
  input: FrameMapInput,
  style: TextStyle,
  maxRows: number = DEFAULT_MAP_ROWS,
): string {
  const room = style.columns - ADDRESS_COLUMNS;
  const map = frameMap(input, { cellsPerRow: room >= 128 ? 128 : room >= 64 ? 64 : 32, maxRows });
  const cell =
    map.framesPerCell === 1
      ? 'one cell is one frame of 4 KiB; a capital letter begins a block'
      : `one cell is ${plural(map.framesPerCell, 'frame')} (${binarySize(map.framesPerCell * 4096)}); a capital letter fills it`;
  const lines = [
    style.paint(cell, 'faint'),
    ...mapLines(map, input, style),
    '',
    ...legendLines(map.legend, style),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function mapLines(map: FrameMap, input: FrameMapInput, style: TextStyle): string[] {
  const roles = new Map<string, Role>(map.legend.map((item) => [item.glyph, roleOf(item)]));
  const lines: string[] = [];
  for (const [i, row] of map.rows.entries()) {
    const before = map.rows[i - 1];
    if (before !== undefined && before.zone !== row.zone) lines.push(boundary(input, row.zone, style));
    const address = row.address.toString(16).padStart(8, '0');
    lines.push(`${style.paint(address, 'faint')}  ${paintCells(row.cells, roles, style)}`);
    if (row.repeats > 0)
      lines.push(style.paint(`       *  ${plural(row.repeats, 'more row')} like this`, 'faint'));
  }
  return lines;
}

/** The rule between two zones: what ends above it and what begins below. */
function boundary(input: FrameMapInput, zone: number, style: TextStyle): string {
  const line = style.glyphs === 'unicode' ? '─' : '-';
  const above = input.zones[zone - 1]!.name;
  const below = input.zones[zone]!;
  const text = ` ${binarySize(below.first * 4096)}: zone ${above} above, zone ${below.name} below `;
  const width = Math.min(style.columns, 74);
  const right = Math.max(2, width - ADDRESS_COLUMNS - text.length);
  return style.paint(`${line.repeat(ADDRESS_COLUMNS)}${text}${line.repeat(right)}`, 'faint');
}

/** Paints each run of cells with one role. */
function paintCells(cells: string, roles: ReadonlyMap<string, Role>, style: TextStyle): string {
  const roleAt = (i: number): Role | undefined => roles.get(cells[i]!) ?? roles.get(cells[i]!.toUpperCase());
  let painted = '';
  for (let first = 0; first < cells.length; ) {
    const role = roleAt(first);
    let end = first + 1;
    while (end < cells.length && roleAt(end) === role) end++;
    const run = cells.slice(first, end);
    painted += role === undefined ? run : style.paint(run, role);
    first = end;
  }
  return painted;
}

function roleOf(item: LegendItem): Role {
  if (item.owner >= 0) return OWNER_ROLES[item.owner % OWNER_ROLES.length]!;
  if (item.glyph === '.') return 'faint';
  return item.glyph === '!' || item.glyph === '~' ? 'bad' : 'system';
}

function legendLines(items: readonly LegendItem[], style: TextStyle): string[] {
  const rows = items.map((item) => [
    item.glyph,
    thousands(item.frames),
    binarySize(item.frames * 4096),
    item.meaning,
    blocksText(item.blocks),
  ]);
  return alignColumns(rows, ['left', 'right', 'right', 'left', 'left']).map((line, i) => {
    const glyph = style.paint(line[0]!, roleOf(items[i]!));
    return `  ${glyph}${line.slice(1)}`;
  });
}

/** `3 x 4K, 1 x 8K`: the blocks of an owner by size. */
function blocksText(blocks: readonly number[]): string {
  return blocks.flatMap((count, order) => (count > 0 ? [`${count} x ${blockSize(order)}`] : [])).join(', ');
}

const blockSize = (order: number): string => (order >= 8 ? `${2 ** (order - 8)}M` : `${4 * 2 ** order}K`);
