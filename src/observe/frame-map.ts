/**
 * The frame map: every base frame of RAM as a cell with the letter of its owner or the sign of its state, zone by zone,
 * rows that repeat left out, scaled so that any RAM fits a screen. This file computes it as data; frame-map-text.ts
 * prints it. When a cell is one frame, a capital letter begins a block and small letters continue it, so that
 * orders can be read; when a cell is many frames, a capital letter fills the cell.
 */
import { FRAME_STATE_NAMES, FrameState } from '../physmem/base-frames.ts';

export interface FrameMapInput {
  readonly zones: readonly { readonly name: string; readonly first: number; readonly end: number }[];
  /** FrameState of each base frame. */
  readonly state: Uint8Array;
  /** For bound frames: index in `owners`; SHARED when several controls are charged for it. */
  readonly owner: Int16Array;
  /** Order of the block that begins here, -1 inside a block. */
  readonly order: Int8Array;
  /** What the owners are called, in the order of their letters. */
  readonly owners: readonly string[];
}

/** In FrameMapInput.owner: more than one owner. */
export const SHARED = -2;

export interface FrameMapOptions {
  readonly cellsPerRow: number;
  /** Rows that may be printed; the scale is the finest that keeps to it. */
  readonly maxRows: number;
}

export interface FrameMapRow {
  readonly zone: number;
  /** Physical address of the first cell. */
  readonly address: number;
  readonly cells: string;
  /** How many rows after this one look the same and are left out. */
  readonly repeats: number;
}

export interface LegendItem {
  readonly glyph: string;
  readonly meaning: string;
  readonly frames: number;
  /** Blocks of each order, only for owners. */
  readonly blocks: readonly number[];
  /** Index of the owner, or -1. */
  readonly owner: number;
}

export interface FrameMap {
  readonly framesPerCell: number;
  readonly rows: readonly FrameMapRow[];
  readonly legend: readonly LegendItem[];
}

/** Sign and meaning of each state. */
const STATES: Readonly<Record<FrameState, readonly [glyph: string, meaning: string]>> = {
  [FrameState.FREE]: ['.', 'free'],
  [FrameState.SOFT]: [',', 'softly returned'],
  [FrameState.BOUND]: ['@', 'bound, owners beyond Z'],
  [FrameState.SERVER]: ['=', 'message frames'],
  [FrameState.PAGE_TABLE]: ['+', 'page tables'],
  [FrameState.QUARANTINE]: ['!', 'quarantine (a pin or a device)'],
  [FrameState.LIMBO]: ['~', 'limbo (a TLB may still hold it)'],
  [FrameState.RESERVED]: ['#', 'firmware, kernel, reserved'],
  [FrameState.HOLE]: ['_', 'hole'],
};
const ALL_STATES = FRAME_STATE_NAMES.map((_, state) => state as FrameState);
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const SHARED_GLYPH = '*';
const COARSEST = 1 << 20;

/** Computes the map. Linear in the number of frames for each scale that is tried. */
export function frameMap(input: FrameMapInput, options: FrameMapOptions): FrameMap {
  for (let framesPerCell = 1; ; framesPerCell *= 2) {
    const limit = framesPerCell < COARSEST ? options.maxRows : Number.POSITIVE_INFINITY;
    const rows = mapRows(input, framesPerCell, options.cellsPerRow, limit);
    if (rows !== null) return { framesPerCell, rows, legend: legend(input) };
  }
}

/** The sign of one frame, before capital and small letters are told apart. */
function glyphOf(input: FrameMapInput, frame: number): string {
  const state = input.state[frame]! as FrameState;
  if (state !== FrameState.BOUND) return STATES[state][0];
  const owner = input.owner[frame]!;
  return owner === SHARED ? SHARED_GLYPH : (LETTERS[owner] ?? STATES[state][0]);
}

/** The rows at one scale, or null as soon as they are more than `limit`. */
function mapRows(
  input: FrameMapInput,
  framesPerCell: number,
  cellsPerRow: number,
  limit: number,
): FrameMapRow[] | null {
  const rows: { zone: number; address: number; cells: string; repeats: number }[] = [];
  for (const [zone, { first, end }] of input.zones.entries()) {
    for (let frame = first; frame < end; frame += framesPerCell * cellsPerRow) {
      const rowEnd = Math.min(end, frame + framesPerCell * cellsPerRow);
      let cells = '';
      for (let cell = frame; cell < rowEnd; cell += framesPerCell) {
        cells +=
          framesPerCell === 1
            ? frameGlyph(input, cell)
            : cellGlyph(input, cell, Math.min(rowEnd, cell + framesPerCell));
      }
      const last = rows.at(-1);
      if (last !== undefined && last.zone === zone && last.cells === cells && isUniform(cells))
        last.repeats++;
      else rows.push({ zone, address: frame * 4096, cells, repeats: 0 });
      if (rows.length > limit) return null;
    }
  }
  return rows;
}

const isUniform = (cells: string): boolean => cells === cells[0]!.repeat(cells.length);

function frameGlyph(input: FrameMapInput, frame: number): string {
  const glyph = glyphOf(input, frame);
  return input.order[frame]! < 0 ? glyph.toLowerCase() : glyph;
}

/** The most frequent sign that is not free; small when it does not fill the cell. */
function cellGlyph(input: FrameMapInput, first: number, end: number): string {
  const counts = new Map<string, number>();
  for (let frame = first; frame < end; frame++) {
    if (input.state[frame] === FrameState.FREE) continue;
    const glyph = glyphOf(input, frame);
    counts.set(glyph, (counts.get(glyph) ?? 0) + 1);
  }
  let [best] = STATES[FrameState.FREE];
  let most = 0;
  for (const [glyph, count] of counts) {
    if (count > most) [best, most] = [glyph, count];
  }
  return most === end - first ? best : best.toLowerCase();
}

/** Every sign that occurs: owners first, then states in the order of FrameState. */
function legend(input: FrameMapInput): LegendItem[] {
  const frames = new Map<string, number>();
  const blocks = new Map<string, number[]>();
  for (let frame = 0; frame < input.state.length; frame++) {
    const glyph = glyphOf(input, frame);
    frames.set(glyph, (frames.get(glyph) ?? 0) + 1);
    const order = input.order[frame]!;
    if (input.state[frame] !== FrameState.BOUND || order < 0) continue;
    const counts = blocks.get(glyph) ?? [];
    blocks.set(glyph, counts);
    while (counts.length <= order) counts.push(0);
    counts[order]!++;
  }
  const item = (glyph: string, meaning: string, owner: number): LegendItem[] =>
    frames.has(glyph)
      ? [{ glyph, meaning, frames: frames.get(glyph)!, blocks: blocks.get(glyph) ?? [], owner }]
      : [];
  const lettered = input.owners.slice(0, LETTERS.length);
  return [
    ...lettered.flatMap((name, i) => item(LETTERS[i]!, name, i)),
    ...item(SHARED_GLYPH, 'shared by several owners', -1),
    ...ALL_STATES.flatMap((state) => item(...STATES[state], -1)),
  ];
}
