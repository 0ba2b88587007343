/**
 * Pins, quarantine and devices as text (physmem.md §4): which frames are held in place, for whom, until when; which have
 * lost their names and wait; what devices aim at now, and which of their accesses no pin allowed.
 */
import { hex32, plural, thousands } from './number-format.ts';
import type { TextStyle } from './text-style.ts';
import { alignColumns } from './text-table.ts';

export interface PinView {
  readonly id: number;
  readonly task: number;
  readonly control: number;
  readonly state: 'live' | 'draining';
  /** Cycles that are left, below 0 when it is over. */
  readonly leftCycles: number;
  /** What devices may do with it: of `r` and `w`. */
  readonly access: string;
  /** Pairs: first base frame, count. */
  readonly frames: readonly (readonly [first: number, count: number])[];
}

/** Blocks without names that wait for the end of a pin or for a device. */
export interface QuarantineView {
  readonly frame: number;
  readonly count: number;
  /** The control that is charged until they are free. */
  readonly control: number;
}

export interface DeviceView {
  readonly device: string;
  readonly address: number;
  readonly sizeBytes: number;
  readonly direction: 'to-memory' | 'from-memory';
  readonly state: 'programmed' | 'running';
}

export interface UnallowedView {
  /** `blocked` by the protection unit, or `passed` because there is none. */
  readonly outcome: 'blocked' | 'passed';
  readonly count: number;
  readonly lastChannel: number;
  readonly lastAddress: number;
  readonly lastDirection: 'read' | 'write';
}

export interface PinsView {
  readonly pins: readonly PinView[];
  readonly quarantine: readonly QuarantineView[];
  readonly devices: readonly DeviceView[];
  readonly unallowed: readonly UnallowedView[];
  /** Transfers that went round inside their 64 KiB: the driver had not looked at the boundary. */
  readonly wraps: number;
}

const RANGES_SHOWN = 5;
const RANGES_PER_LINE = 3;

/** Empty when no frame is held and no device did anything that it may not. */
export function pinText(view: PinsView, style: TextStyle): string {
  const { pins, quarantine, devices, unallowed, wraps } = view;
  const lines = [
    ...pinLines(pins, style),
    ...quarantine.map(({ frame, count, control }) => {
      const where = rangeText(frame * 4096, count * 4096);
      return `quarantine ${where}, ${plural(count, 'frame')}, charged to control ${control}`;
    }),
    ...devices.map(({ device, address, sizeBytes, direction, state }) => {
      const what = direction === 'to-memory' ? 'writes to memory' : 'reads memory';
      return `${device} ${what} ${rangeText(address, sizeBytes)}, ${state}`;
    }),
    ...unallowed.map(unallowedLine),
    ...(wraps === 0 ? [] : [`${plural(wraps, 'time')} a channel went round at the end of its 64 KiB`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function pinLines(pins: readonly PinView[], style: TextStyle): string[] {
  if (pins.length === 0) return [];
  const rows = pins.map(({ id, task, control, access, frames, ...end }) => {
    const count = frames.reduce((sum, [, size]) => sum + size, 0);
    return [`${id}`, `${task}`, `${control}`, `${count}`, access || '-', endText(end)];
  });
  const head = ['pin', 'task', 'control', 'frames', 'devices', 'ends'];
  const [header, ...lines] = alignColumns(
    [head, ...rows],
    ['right', 'right', 'right', 'right', 'left', 'left'],
  );
  return [style.paint(header!, 'faint'), ...pins.flatMap((pin, i) => [lines[i]!, ...placeLines(pin)])];
}

/** Where a pin's frames are, below its line. */
function placeLines({ frames }: PinView): string[] {
  const shown = frames.slice(0, RANGES_SHOWN).map(([first, size]) => rangeText(first * 4096, size * 4096));
  if (frames.length > RANGES_SHOWN) shown.push(`and ${frames.length - RANGES_SHOWN} more`);
  const lines: string[] = [];
  for (let i = 0; i < shown.length; i += RANGES_PER_LINE)
    lines.push(`     ${shown.slice(i, i + RANGES_PER_LINE).join(' ')}`);
  return lines;
}

const endText = ({ state, leftCycles }: Pick<PinView, 'state' | 'leftCycles'>): string =>
  state === 'draining' ? 'when the device is quiet' : `in ${thousands(Math.max(0, leftCycles))} cycles`;

const rangeText = (address: number, sizeBytes: number): string =>
  `${hex32(address)}-${hex32(address + sizeBytes - 1)}`;

function unallowedLine({ outcome, count, lastChannel, lastAddress, lastDirection }: UnallowedView): string {
  const what = `${plural(count, 'access', 'accesses')} of devices without a live pin: ${outcome}`;
  return `${what}; the last a ${lastDirection} at ${hex32(lastAddress)}, channel ${lastChannel}`;
}
