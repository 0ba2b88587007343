/**
 * Segment registers of the running thread. A ring-3 program can only load the null selector and the user
 * descriptors of the GDT, so a context keeps selectors and the hidden parts are made again at each dispatch.
 * The descriptor of the thread segment (GS) in RAM follows the running thread, so that a reload by the program
 * finds the same base as the hidden part.
 */
import { R, Seg } from '../../emu/arch/core-layout.ts';
import { MESSAGE_AREA_BYTES } from '../abi/message.ts';
import type { KernelContext } from './context.ts';
import {
  CORE_BLOCK_IN_PAGE,
  NULL_SEGMENT,
  SEL_THREAD,
  SEL_USER_CODE,
  SEL_USER_DATA,
  type SegmentDef,
  THREAD_ATTRIBUTES,
  USER_CODE,
  USER_DATA,
} from './layout.ts';
import { CONTEXT_SELECTORS, type Thread } from './state.ts';

/** Order of the selectors in a context. */
const SAVED = [Seg.ES, Seg.SS, Seg.DS, Seg.FS, Seg.GS] as const;

export function saveSelectors(r: Int32Array, context: Int32Array): void {
  context[CONTEXT_SELECTORS] = r[R.SEL + Seg.ES]!;
  context[CONTEXT_SELECTORS + 1] = r[R.SEL + Seg.SS]!;
  context[CONTEXT_SELECTORS + 2] = r[R.SEL + Seg.DS]!;
  context[CONTEXT_SELECTORS + 3] = r[R.SEL + Seg.FS]!;
  context[CONTEXT_SELECTORS + 4] = r[R.SEL + Seg.GS]!;
}

/** Selectors with which a thread begins: flat data everywhere, GS at its message area. */
export function initialSelectors(context: Int32Array): void {
  context.fill(SEL_USER_DATA, CONTEXT_SELECTORS, CONTEXT_SELECTORS + SAVED.length);
  context[CONTEXT_SELECTORS + 4] = SEL_THREAD;
}

/** Loads the thread's segment registers and points the core's thread descriptor at its message area. */
export function loadSegments(k: KernelContext, core: number, thread: Thread): void {
  const r = k.registers[core]!;
  setThreadDescriptor(k, core, thread.areaVa);
  for (let i = 0; i < SAVED.length; i++) {
    const segment = SAVED[i]!;
    const selector = thread.context[CONTEXT_SELECTORS + i]!;
    if ((selector & ~3) === (SEL_THREAD & ~3)) setThreadSegment(r, segment, selector, thread.areaVa);
    else if (r[R.SEL + segment] !== selector) setSegment(r, segment, selector, segmentOf(selector));
  }
}

/** Sets a segment register with its hidden parts. */
export function setSegment(r: Int32Array, segment: Seg, selector: number, def: SegmentDef): void {
  r[R.SEL + segment] = selector;
  r[R.BASE + segment] = def.base;
  r[R.LIMIT + segment] = def.limitBytes;
  r[R.ATTR + segment] = def.attributes;
}

function setThreadSegment(r: Int32Array, segment: Seg, selector: number, areaVa: number): void {
  r[R.SEL + segment] = selector;
  r[R.BASE + segment] = areaVa;
  r[R.LIMIT + segment] = MESSAGE_AREA_BYTES - 1;
  r[R.ATTR + segment] = THREAD_ATTRIBUTES;
}

/** Message areas differ in the low 16 bits of their address only, so one word of the descriptor changes. */
function setThreadDescriptor(k: KernelContext, core: number, areaVa: number): void {
  const pa = (k.state.kernelFrame << 12) + core * CORE_BLOCK_IN_PAGE + (SEL_THREAD & ~7);
  k.machine.write32(pa, (((areaVa & 0xffff) << 16) | (MESSAGE_AREA_BYTES - 1)) >>> 0);
}

function segmentOf(selector: number): SegmentDef {
  const index = selector & ~3;
  if (index === (SEL_USER_DATA & ~3)) return USER_DATA;
  if (index === (SEL_USER_CODE & ~3)) return USER_CODE;
  return NULL_SEGMENT;
}
