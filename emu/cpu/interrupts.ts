/**
 * Delivery of exceptions and interrupts through IVT or IDT, double and triple fault, IRET (SDM vol. 3 ch. 6).
 * Task gates and v8086 are refused with #GP: this machine has neither task switches nor virtual-8086 mode.
 */
import { CHAIN_MAX, CHAIN_WORDS, CoreF, Flag, R, Seg } from '../arch/core-layout.ts';
import { Ev } from '../arch/events.ts';
import { ERROR_CODES, VEC_DF, VEC_GP, VEC_NP, VEC_PF, VEC_UD } from '../arch/vectors.ts';
import { PEND, PEND_FAULT } from '../mem/memory-layout.ts';
import type { CpuCore } from './cpu-core.ts';
import { pushAll, restoreStack, returnTo, type SavedStack, saveStack, switchStack } from './far-transfer.ts';
import { materialise, POPF_BITS } from './flags.ts';
import { deliverFlat, returnFlat } from './flat-gate.ts';
import { opcodeBytes, wordOfBytes } from './opcode-bytes.ts';
import {
  DESC_CODE,
  DESC_CONFORMING,
  DESC_PRESENT,
  DESC_SEGMENT,
  type Descriptor,
  dplOf,
  limitOf,
  markAccessed,
  readDescriptor,
  setCode,
  setRealSegment,
  typeOf,
} from './segments.ts';

/** Where an event comes from: decides the EXT bit, the gate's DPL check and RF in the pushed flags. */
export type EventSource = 'fault' | 'trap' | 'software' | 'external';

/** INT n through the IDT. A fault on the way stays pending: it belongs to the instruction, which will restart. */
export function deliverSoftware(c: CpuCore, vector: number): void {
  report(c, vector, 0, 'software');
  deliverOnce(c, vector, 0, 'software');
}

const gate: Descriptor = { address: 0, lo: 0, hi: 0 };
const code: Descriptor = { address: 0, lo: 0, hi: 0 };

/** SDM vol. 3 table 6-4: exceptions that make a double fault of a second one. */
const isContributory = (vector: number): boolean => vector === 0 || (vector >= 10 && vector <= 13);

/**
 * Delivers an event at R.EIP, nested faults included. Returns false after a triple fault: the core is shut down.
 */
export function deliver(
  c: CpuCore,
  vector: number,
  error: number,
  source: 'fault' | 'trap' | 'external',
): boolean {
  let current = vector;
  let currentError = error;
  let from: 'fault' | 'trap' | 'external' = source;
  let length = 0;
  for (;;) {
    report(c, current, currentError, from);
    const cr2 = c.r[R.CR2];
    if (deliverOnce(c, current, currentError, from)) return true;
    c.r[PEND] &= ~PEND_FAULT;
    const second = c.r[R.FAULT_VECTOR];
    if (length === 0) length = noteNested(c, length, current, currentError, cr2);
    length = noteNested(c, length, second, c.r[R.FAULT_ERROR], c.r[R.CR2]);
    const wasException = from === 'fault' || from === 'trap';
    if (wasException && current === VEC_DF) {
      tripleFault(c, second);
      return false;
    }
    const serious = isContributory(second) || second === VEC_PF;
    if (
      wasException &&
      ((isContributory(current) && isContributory(second)) || (current === VEC_PF && serious))
    ) {
      current = VEC_DF;
      currentError = 0;
      length = noteNested(c, length, VEC_DF, 0, c.r[R.CR2]);
    } else {
      current = second;
      currentError = c.r[R.FAULT_ERROR];
    }
    from = 'fault';
  }
}

/** Adds one event to the chain in the core block (CHAIN_MAX in core-layout.ts); the length that it has then. */
function noteNested(c: CpuCore, length: number, vector: number, error: number, cr2: number): number {
  const number = Math.min(length, CHAIN_MAX - 1);
  const at = R.CHAIN + number * CHAIN_WORDS;
  c.r[at] = vector | (error << 8);
  c.r[at + 1] = cr2;
  c.r[R.CHAIN_LENGTH] = number + 1;
  return number + 1;
}

function tripleFault(c: CpuCore, vector: number): void {
  const sink = c.context.events.sink;
  if (sink !== null) {
    sink.emit(Ev.TripleFault, c.id, c.f[CoreF.CYCLES], vector, c.r[R.EIP] >>> 0, 0, 0);
  }
  c.shutdown();
}

function report(c: CpuCore, vector: number, error: number, source: EventSource): void {
  c.f[CoreF.CYCLES] += c.context.costs.trapEntry;
  if (source === 'external') c.f[CoreF.INTERRUPTS]++;
  else c.f[CoreF.TRAPS]++;
  const sink = c.context.events.sink;
  if (sink === null) return;
  const time = c.f[CoreF.CYCLES];
  if (source === 'external') sink.emit(Ev.Interrupt, c.id, time, vector, 0, 0, 0);
  else reportException(c, vector, error);
}

/** The event of an exception; of #UD also the bytes that are no instruction. Somebody listens. */
export function reportException(c: CpuCore, vector: number, error: number): void {
  const { r, context } = c;
  const time = c.f[CoreF.CYCLES];
  const eip = r[R.EIP] >>> 0;
  context.events.sink?.emit(Ev.Exception, c.id, time, vector, error, eip, r[R.CR2] >>> 0);
  if (vector !== VEC_UD) return;
  const bytes = opcodeBytes(context.mmu, c.id, eip, 12);
  const [first, second, third] = [wordOfBytes(bytes, 0), wordOfBytes(bytes, 4), wordOfBytes(bytes, 8)];
  context.events.sink?.emit(Ev.InvalidOpcode, c.id, time, eip, first, second, third);
}

/** One attempt; false leaves the nested fault in FAULT_VECTOR/ERROR and the core as it was. */
function deliverOnce(c: CpuCore, vector: number, error: number, source: EventSource): boolean {
  if (!c.protectedMode) return deliverReal(c, vector);
  const hasError = source === 'fault' && ((ERROR_CODES >>> vector) & 1) !== 0;
  return deliverProtected(c, vector, hasError ? error : -1, source);
}

function deliverReal(c: CpuCore, vector: number): boolean {
  const r = c.r;
  if (vector * 4 + 3 > r[R.IDT_LIMIT]) {
    c.raise(VEC_GP, vector * 8 + 2);
    return false;
  }
  const entry = c.systemLoad((r[R.IDT_BASE] + vector * 4) | 0, 4);
  const esp = r[R.ESP];
  const flags = materialise(r);
  for (const word of [flags, r[R.SEL + Seg.CS], r[R.EIP]]) if (!c.faulted()) c.push(word, 2);
  if (c.faulted()) {
    r[R.ESP] = esp;
    return false;
  }
  r[R.EFLAGS] = flags & ~(Flag.IF | Flag.TF | Flag.AC | Flag.RF);
  c.stepHeld = true;
  setRealSegment(c, Seg.CS, entry >>> 16);
  c.jump(entry & 0xffff);
  return true;
}

/** Reads and checks gate and target; error codes are vector × 8 + 2 (IDT bit) or the selector, plus EXT. */
function readGate(c: CpuCore, vector: number, source: EventSource, ext: number): boolean {
  const r = c.r;
  const error = vector * 8 + 2 + ext;
  if (vector * 8 + 7 > r[R.IDT_LIMIT]) {
    c.raise(VEC_GP, error);
    return false;
  }
  gate.lo = c.systemLoad((r[R.IDT_BASE] + vector * 8) | 0, 4);
  gate.hi = c.systemLoad((r[R.IDT_BASE] + vector * 8 + 4) | 0, 4);
  if (c.faulted()) return false;
  const type = typeOf(gate.hi);
  const known = (gate.hi & DESC_SEGMENT) === 0 && (type & 7) >= 6;
  if (!known || (source === 'software' && dplOf(gate.hi) < r[R.CPL])) {
    c.raise(VEC_GP, error);
    return false;
  }
  if ((gate.hi & DESC_PRESENT) === 0) {
    c.raise(VEC_NP, error);
    return false;
  }
  return readHandler(c, gate.lo >>> 16, ext);
}

function readHandler(c: CpuCore, selector: number, ext: number): boolean {
  if ((selector & 0xfffc) === 0) {
    c.raise(VEC_GP, ext);
    return false;
  }
  if (!readDescriptor(c, selector, code)) {
    if (c.r[R.FAULT_VECTOR] === VEC_GP) c.r[R.FAULT_ERROR] |= ext;
    return false;
  }
  const isCode = (code.hi & (DESC_SEGMENT | DESC_CODE)) === (DESC_SEGMENT | DESC_CODE);
  if (!isCode || dplOf(code.hi) > c.r[R.CPL]) {
    c.raise(VEC_GP, (selector & 0xfffc) | ext);
    return false;
  }
  if ((code.hi & DESC_PRESENT) === 0) {
    c.raise(VEC_NP, (selector & 0xfffc) | ext);
    return false;
  }
  return true;
}

function deliverProtected(c: CpuCore, vector: number, error: number, source: EventSource): boolean {
  const r = c.r;
  const lowestDpl = source === 'software' ? r[R.CPL] : 0;
  if (deliverFlat(c, vector, error, lowestDpl, source === 'fault' && vector !== 1 ? Flag.RF : 0)) return true;
  const ext = source === 'software' ? 0 : 1;
  if (!readGate(c, vector, source, ext)) return false;
  const type = typeOf(gate.hi);
  const width = (type & 8) !== 0 ? 4 : 2;
  const offset = width === 4 ? (gate.hi & 0xffff0000) | (gate.lo & 0xffff) : gate.lo & 0xffff;
  const flags = materialise(r);
  const image = source === 'fault' && vector !== 1 ? flags | Flag.RF : flags;
  const saved = saveStack(c);
  const dpl = dplOf(code.hi);
  const inner = (code.hi & DESC_CONFORMING) === 0 && dpl < saved.cpl;
  if (inner && !switchStack(c, dpl, ext)) return false;
  const words = [...(inner ? [saved.selector, saved.esp] : []), image, r[R.SEL + Seg.CS], r[R.EIP]];
  if (error >= 0) words.push(error);
  pushAll(c, words, width, (inner ? r[R.SEL + Seg.SS] & 0xfffc : 0) | ext);
  if (!c.faulted() && offset >>> 0 > limitOf(code) >>> 0) c.raise(VEC_GP, ext);
  return enterHandler(c, saved, offset, inner ? dpl : saved.cpl, (type & 1) === 0 ? Flag.IF : 0);
}

function enterHandler(c: CpuCore, saved: SavedStack, offset: number, cpl: number, clear: number): boolean {
  if (!c.faulted()) markAccessed(c, code);
  if (c.faulted()) {
    restoreStack(c, saved);
    return false;
  }
  c.stepHeld = true;
  setCode(c, gate.lo >>> 16, code, cpl);
  c.r[R.EFLAGS] &= ~(clear | Flag.TF | Flag.NT | Flag.RF | Flag.VM);
  c.jump(offset);
  return true;
}

/** IRET and IRETD; opens NMIs again, even if it faults. Returns from nested tasks (NT) and to v8086 (VM) are refused with #GP(0). */
export function interruptReturn(c: CpuCore, width: number): void {
  if (width === 4 && returnFlat(c)) return;
  const r = c.r;
  r[R.NMI_BLOCKED] = 0;
  // The flags are read first: where several words fault, the reference processor reports their address.
  const image = c.peekStack(width * 2, width);
  const selector = c.peekStack(width, width) & 0xffff;
  const eip = c.peekStack(0, width);
  if (c.faulted()) return;
  c.f[CoreF.CYCLES] += c.context.costs.trapReturn;
  if (!c.protectedMode) {
    if (eip >>> 0 > r[R.LIMIT + Seg.CS] >>> 0) {
      c.gp(0);
      return;
    }
    c.dropStack(width * 3);
    setRealSegment(c, Seg.CS, selector);
    writeFlags(c, image, width, 0, 0);
    c.jump(eip);
    return;
  }
  if ((r[R.EFLAGS] & Flag.NT) !== 0 || (width === 4 && (image & Flag.VM) !== 0 && r[R.CPL] === 0)) {
    c.gp(0);
    return;
  }
  const cpl = r[R.CPL];
  const iopl = (r[R.EFLAGS] >> 12) & 3;
  if (returnTo(c, selector, eip, width, width * 3, 0)) writeFlags(c, image, width, cpl, iopl);
}

/** Flags from a stack image as POPF and IRET may write them at privilege `cpl`; RF only by IRETD. */
export function writeFlags(c: CpuCore, image: number, width: number, cpl: number, iopl: number): void {
  const r = c.r;
  let mask = POPF_BITS;
  if (cpl !== 0) mask &= ~Flag.IOPL;
  if (cpl > iopl) mask &= ~Flag.IF;
  if (width === 2) mask &= 0xffff;
  else mask |= Flag.RF;
  r[R.EFLAGS] = (materialise(r) & ~mask) | (image & mask) | Flag.ONE;
  c.changedMode();
}
