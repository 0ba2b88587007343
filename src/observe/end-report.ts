/**
 * What a run leaves to look at, composed of the views: frames, free blocks before and after, controls, containers, counters.
 * Text for people, and the same facts as plain data for programs (`--json`).
 */
import { buddyinfoChange, type ZoneBlocks } from './buddyinfo.ts';
import { type ContainerView, containerText } from './container-text.ts';
import { type ControlView, controlTree } from './control-tree.ts';
import { type CounterRow, counterTable } from './counter-table.ts';
import { type FrameMapInput, frameMap } from './frame-map.ts';
import { frameMapText } from './frame-map-text.ts';
import { headingLine, type TextStyle } from './text-style.ts';

/** The state of a system at one moment, as its inspectors tell it, and the free blocks at an earlier one. */
export interface SystemView {
  readonly frames: FrameMapInput;
  readonly zonesBefore: readonly ZoneBlocks[];
  readonly zones: readonly ZoneBlocks[];
  readonly controls: readonly ControlView[];
  readonly containers: readonly ContainerView[];
  readonly counters: readonly CounterRow[];
}

/** Containers whose entries are printed; what is more is counted in the control tree. */
const CONTAINERS_SHOWN = 8;

/** Sections with headings; ends with a line feed. */
export function endReport(view: SystemView, style: TextStyle): string {
  const section = (title: string, body: string): string => `${headingLine(title, style)}\n${body}\n`;
  const containers = view.containers.slice(0, CONTAINERS_SHOWN);
  return [
    section('Frames', frameMapText(view.frames, style)),
    section('Free blocks, after boot and now', buddyinfoChange(view.zonesBefore, view.zones)),
    section('Controls (credit in frames)', controlTree(view.controls, style)),
    containers.length === 0 ? '' : section('Containers', containerText(containers, style)),
    section('Counters', counterTable(view.counters, style)),
  ]
    .join('')
    .replace(/\n\n$/, '\n');
}

const JSON_CELLS_PER_ROW = 64;
const JSON_ROWS = 64;

/** The same as plain data; keys and order are fixed, so equal states give equal JSON. */
export function endReportData(view: SystemView): Readonly<Record<string, unknown>> {
  const counters = view.counters.map(({ label, perCore, total }) => [
    label,
    perCore.length === 0 ? { total } : { total, perCore },
  ]);
  return {
    frames: {
      zones: view.frames.zones,
      owners: view.frames.owners,
      ...frameMap(view.frames, { cellsPerRow: JSON_CELLS_PER_ROW, maxRows: JSON_ROWS }),
    },
    freeBlocks: { before: view.zonesBefore, after: view.zones },
    controls: view.controls,
    containers: view.containers,
    counters: Object.fromEntries(counters) as Record<string, unknown>,
  };
}
