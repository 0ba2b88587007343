/**
 * What a run leaves to look at, composed of the views: frames, free blocks before and after, controls, containers, counters;
 * and pictures, which show some of it at a moment in between. Text for people, the same facts as plain data for programs.
 */
import { buddyinfoChange, type ZoneBlocks } from './buddyinfo.ts';
import { type ContainerView, containerText } from './container-text.ts';
import { type ControlView, controlTree } from './control-tree.ts';
import { type CounterRow, counterTable } from './counter-table.ts';
import { type FrameMapInput, frameMap } from './frame-map.ts';
import { frameMapText } from './frame-map-text.ts';
import { type MovingView, movingText } from './moving.ts';
import { type PinsView, pinText } from './pin-text.ts';
import { headingLine, type TextStyle } from './text-style.ts';
import { type CoreTlb, tlbText, type WalkNow } from './tlb-text.ts';

/** The state of a system at one moment, as its inspectors tell it. */
export interface SystemView {
  readonly frames: FrameMapInput;
  readonly zones: readonly ZoneBlocks[];
  readonly controls: readonly ControlView[];
  readonly containers: readonly ContainerView[];
  readonly pins: PinsView;
  readonly moving: MovingView;
  readonly tlbs: readonly CoreTlb[];
  /** What the page tables say now; valid as long as the system stands still. */
  readonly walk: WalkNow;
  readonly counters: readonly CounterRow[];
}

/** Parts of a view that can be shown by themselves. */
export type Section =
  | 'frames'
  | 'free blocks'
  | 'controls'
  | 'containers'
  | 'pins'
  | 'moving'
  | 'tlb'
  | 'counters';

/** Containers whose entries are printed; what is more is counted in the control tree. */
const CONTAINERS_SHOWN = 8;

/** One part with its heading, an empty line behind it; nothing when there is nothing to show. */
export function sectionText(
  view: SystemView,
  section: Section,
  style: TextStyle,
  before: readonly ZoneBlocks[] = [],
): string {
  const titled = (title: string, body: string): string =>
    body === '' ? '' : `${headingLine(title, style)}\n${body}\n`;
  switch (section) {
    case 'frames':
      return titled('Frames', frameMapText(view.frames, style));
    case 'free blocks':
      return titled(
        before.length === 0 ? 'Free blocks' : 'Free blocks, after boot and now',
        buddyinfoChange(before, view.zones),
      );
    case 'controls':
      return titled('Controls (credit in frames)', controlTree(view.controls, style));
    case 'containers':
      return titled('Containers', containerText(view.containers.slice(0, CONTAINERS_SHOWN), style));
    case 'pins':
      return titled('Pins, quarantine, devices', pinText(view.pins, style));
    case 'moving':
      return titled('Fragmentation and moves', movingText(view.moving, style));
    case 'tlb':
      return titled('What each core believes (TLB)', tlbText(view.tlbs, style, view.walk));
    case 'counters':
      return titled('Counters', counterTable(view.counters, style));
  }
}

/** The report at the end of a run; `before`: free blocks after boot. */
export function endReport(view: SystemView, before: readonly ZoneBlocks[], style: TextStyle): string {
  const sections: readonly Section[] = [
    'frames',
    'free blocks',
    'controls',
    'containers',
    'pins',
    'moving',
    'counters',
  ];
  return sections
    .map((section) => sectionText(view, section, style, before))
    .join('')
    .replace(/\n\n$/, '\n');
}

const JSON_CELLS_PER_ROW = 64;
const JSON_ROWS = 64;

/** One part as plain data; keys and order are fixed, so equal states give equal JSON. */
export function sectionData(view: SystemView, section: Section, before: readonly ZoneBlocks[] = []): unknown {
  switch (section) {
    case 'frames': {
      const map = frameMap(view.frames, { cellsPerRow: JSON_CELLS_PER_ROW, maxRows: JSON_ROWS });
      return { zones: view.frames.zones, owners: view.frames.owners, ...map };
    }
    case 'free blocks':
      return before.length === 0 ? view.zones : { before, after: view.zones };
    case 'controls':
      return view.controls;
    case 'containers':
      return view.containers;
    case 'pins':
      return view.pins;
    case 'moving':
      return view.moving;
    case 'tlb':
      return view.tlbs;
    case 'counters':
      return Object.fromEntries(
        view.counters.map(({ label, perCore, total }) => [
          label,
          perCore.length === 0 ? { total } : { total, perCore },
        ]),
      );
  }
}

/** The end report as plain data. */
export const endReportData = (
  view: SystemView,
  before: readonly ZoneBlocks[],
): Readonly<Record<string, unknown>> => ({
  frames: sectionData(view, 'frames'),
  freeBlocks: sectionData(view, 'free blocks', before),
  controls: sectionData(view, 'controls'),
  containers: sectionData(view, 'containers'),
  pins: sectionData(view, 'pins'),
  moving: sectionData(view, 'moving'),
  counters: sectionData(view, 'counters'),
});
