/**
 * physmem's own records turned into the views that renderers take: frames with their owners, zones, controls, containers
 * with their entries. Reads the server's store and changes nothing; costs are linear in what is shown.
 */
import { ContainerRight } from '../abi/rights.ts';
import { type BaseFrames, FrameState, TAIL } from '../physmem/base-frames.ts';
import type { Control } from '../physmem/control.ts';
import { UNBOUND } from '../physmem/frame.ts';
import { holdOf } from '../physmem/hold.ts';
import { Hold } from '../physmem/loan.ts';
import type { Physmem } from '../physmem/physmem.ts';
import type { Store } from '../physmem/store.ts';
import type { ZoneBlocks } from './buddyinfo.ts';
import type { ContainerView, EntryView } from './container-text.ts';
import type { ControlView } from './control-tree.ts';
import { type FrameMapInput, SHARED } from './frame-map.ts';
import type { FreeBlock } from './free-block-replay.ts';
import type { PinView, QuarantineView } from './pin-text.ts';

const PAGE_BYTES = 4096;
const NOBODY = -1;

/** Every base frame with its state, order and the control that is charged for it. The arrays are copies. */
export function framesOf({ store }: Physmem): FrameMapInput {
  const { base, zones } = store;
  const state = new Uint8Array(base.count);
  const owner = new Int16Array(base.count).fill(NOBODY);
  const order = new Int8Array(base.count).fill(NOBODY);
  const controls = liveControls(store);
  const letterOf = new Map(controls.map((control, i) => [control.index, i]));
  for (let head = 0; head < base.count; ) {
    const size = 2 ** blockOrder(base, head);
    const end = Math.min(base.count, head + size);
    state.fill(base.state[head]!, head, end);
    order[head] = blockOrder(base, head);
    if (base.state[head] === FrameState.BOUND)
      owner.fill(ownerOf(store, base.owner[head]!, letterOf), head, end);
    head = end;
  }
  return {
    zones: zones.zones
      .map(({ name, buddy }) => ({ name, first: buddy.base, end: buddy.end }))
      .filter(({ first, end }) => end > first),
    state,
    owner,
    order,
    owners: controls.map(controlName),
  };
}

/** Order of the block that begins here; a stray tail counts as a block of its own. */
const blockOrder = (base: BaseFrames, head: number): number =>
  base.order[head] === TAIL ? 0 : base.order[head]!;

/** Index of the control whose containers name this frame (or a copy-on-write copy of it); SHARED for several. */
function ownerOf(store: Store, frame: number, letterOf: ReadonlyMap<number, number>): number {
  const { frames, entries, containers } = store;
  let found = NOBODY;
  let copy = frame;
  do {
    for (let entry = frames.entries[copy]!; entry !== 0; entry = entries.next[entry]!) {
      const letter = letterOf.get(containers.at(entries.container[entry]!).control) ?? NOBODY;
      if (found !== NOBODY && letter !== found) return SHARED;
      found = letter;
    }
    copy = frames.ringNext[copy]!;
  } while (copy !== frame);
  return found;
}

/** The free blocks in a picture of physical memory. */
export function freeBlocksOf(frames: FrameMapInput): FreeBlock[] {
  const blocks: FreeBlock[] = [];
  for (let pfn = 0; pfn < frames.state.length; pfn++) {
    const order = frames.order[pfn]!;
    if (frames.state[pfn] === FrameState.FREE && order >= 0) blocks.push({ pfn, order });
  }
  return blocks;
}

/** Free blocks per zone and order, counted from a picture of physical memory. */
export function zoneBlocksOf(frames: FrameMapInput, maxOrder: number): ZoneBlocks[] {
  const blocks = freeBlocksOf(frames);
  return frames.zones.map(({ name, first, end }) => {
    const freeBlocks = new Array<number>(maxOrder + 1).fill(0);
    for (const { pfn, order } of blocks) if (pfn >= first && pfn < end) freeBlocks[order]!++;
    return { name, freeBlocks };
  });
}

const liveControls = (store: Store): Control[] =>
  store.controls.records.filter((control) => control.state !== 'free');

const controlName = ({ index, parent }: Control): string =>
  `control ${index}${parent === 0 ? ' (root)' : ''}`;

/** Every live control, in the order of its number. */
export function controlsOf({ store }: Physmem): ControlView[] {
  const { containers } = store;
  return liveControls(store).map((control) => {
    const own: { id: number; pages: number }[] = [];
    for (let index = control.firstContainer; index !== 0; index = containers.at(index).next) {
      own.push({ id: index, pages: containers.at(index).pages });
    }
    const { index, parent, total, free, charged, given, extra, soft, state, spaces } = control;
    // Whose address spaces the control pays for.
    const tasks = spaces.length === 0 ? '' : `${spaces.length === 1 ? 'task' : 'tasks'} ${spaces.join(', ')}`;
    return {
      id: index,
      parent,
      total,
      free,
      charged,
      given,
      extra,
      soft,
      dying: state === 'dying' ? 'yes' : 'no',
      note: parent === 0 ? ['(root)', tasks].filter((s) => s !== '').join(' ') : tasks,
      containers: own.sort((a, b) => a.id - b.id),
    };
  });
}

/** Every live container with its entries in the order of addresses. */
export function containersOf({ store }: Physmem): ContainerView[] {
  return store.containers.records
    .filter((container) => container.state !== 'free')
    .map(({ index, control, tree, state }) => ({
      id: index,
      control,
      note: state === 'dying' ? 'dying' : '',
      entries: Array.from(store.trees.pairs(tree), ([, entry]) => entryView(store, entry)),
    }));
}

const HOLD_NAMES = { [Hold.PAID]: '', [Hold.EXTRA]: 'extra', [Hold.SOFT]: 'soft' } as const;

function entryView(store: Store, entry: number): EntryView {
  const { entries, frames, base } = store;
  const frame = entries.frame[entry]!;
  const block = frames.block[frame]!;
  let references = 0;
  for (let other = frames.entries[frame]!; other !== 0; other = entries.next[other]!) references++;
  return {
    start: entries.start[entry]! * PAGE_BYTES,
    order: frames.order(frame),
    frame: block === UNBOUND ? null : block,
    cow: frames.isCow(frame) ? 'cow' : '',
    references,
    pinned: block === UNBOUND ? 0 : base.pins[block]!,
    hold: HOLD_NAMES[holdOf(store, entry)],
  };
}

/** Every pin that has not ended, and every block in quarantine; `nowCycles` is the time from which what is left counts. */
export function pinsOf(
  { store }: Physmem,
  nowCycles: number,
): { readonly pins: readonly PinView[]; readonly quarantine: readonly QuarantineView[] } {
  const { pins, base } = store;
  return {
    pins: Array.from(pins.live(), ({ index, task, control, state, until, access, blocks }) => ({
      id: index,
      task,
      control,
      state: state === 'draining' ? 'draining' : 'live',
      leftCycles: Math.round(until - nowCycles),
      access: [access & ContainerRight.READ ? 'r' : '', access & ContainerRight.WRITE ? 'w' : ''].join(''),
      frames: runsOf(blocks),
    })),
    quarantine: Array.from(pins.quarantine, ([frame, control]) => ({
      frame,
      count: 2 ** blockOrder(base, frame),
      control,
    })),
  };
}

/** Pairs of first and count with neighbours joined. */
function runsOf(pairs: readonly number[]): [first: number, count: number][] {
  const runs: [number, number][] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === pairs[i]) last[1] += pairs[i + 1]!;
    else runs.push([pairs[i]!, pairs[i + 1]!]);
  }
  return runs;
}
