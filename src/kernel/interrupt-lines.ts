/**
 * Interrupts of devices as messages to driver threads (system.md §1). A line of the I/O APIC belongs to one thread. An
 * interrupt on it becomes a message (LABEL_INTERRUPT), and the next message comes after irq_ack only:
 *
 *   level   the line is masked before the EOI and unmasked by irq_ack: a device that still wants something asks again
 *   edge    the line stays open, for an edge that comes while it is masked is lost; edges are counted until irq_ack
 *
 * The line interrupts the core on which its thread was when it took the line. With the thread the line goes, masked.
 */
import { KernelEv } from '../abi/events.ts';
import { INTERRUPT_WORDS, LABEL_INTERRUPT, makeTag } from '../abi/message.ts';
import { IrqTrigger } from '../abi/syscalls.ts';
import { emit, type KernelContext, threadOf } from './context.ts';
import { VEC_LINE } from './layout.ts';
import { finishReceive, hideCaps } from './message.ts';
import { makeReady } from './scheduler.ts';
import { type InterruptLine, type Thread, ThreadState } from './state.ts';

/** Gives a free line, or one that the thread's own task has, to a thread. Nothing that came before is told. */
export function bindLine(
  k: KernelContext,
  number: number,
  thread: Thread,
  badge: number,
  trigger: IrqTrigger,
): void {
  if (lineOf(k, number).thread !== 0) freeLine(k, number);
  const line = lineOf(k, number);
  line.task = thread.task;
  line.thread = thread.number;
  line.badge = badge;
  line.trigger = trigger;
  emit(k, KernelEv.IrqBind, thread.task, number, thread.number, thread.core);
  const wiring = trigger === IrqTrigger.LEVEL ? 'level' : 'edge';
  k.machine.routeLine(number, thread.core, VEC_LINE + number, wiring);
}

/** Takes a line from its thread: masked, and what was not told yet is forgotten. */
export function freeLine(k: KernelContext, number: number): void {
  k.machine.maskLine(number);
  const line = lineOf(k, number);
  emit(k, KernelEv.IrqBind, line.task, number, 0, 0);
  const thread = k.state.threads.get(line.thread);
  if (thread !== undefined) thread.linesToTell &= ~(1 << number);
  line.task = 0;
  line.thread = 0;
  line.arrived = 0;
  line.told = 0;
}

/** A thread is gone: so are its lines. */
export function freeLinesOf(k: KernelContext, thread: Thread): void {
  for (const [number, line] of k.state.lines.entries())
    if (line.thread === thread.number) freeLine(k, number);
}

/** First half of an interrupt, before its EOI: a line that would ask again at once is masked. */
export function quietLine(k: KernelContext, number: number): void {
  const line = lineOf(k, number);
  if (line.thread === 0 || line.trigger === IrqTrigger.LEVEL) k.machine.maskLine(number);
}

/** Second half: the interrupt is told, or noted for later. On a line of nobody it was on its way when the line was freed. */
export function lineInterrupt(k: KernelContext, number: number): void {
  const line = lineOf(k, number);
  if (line.thread === 0) {
    k.state.counters.spuriousInterrupts++;
    return;
  }
  k.state.counters.deviceInterrupts++;
  line.arrived++;
  if (line.told === 0) offer(k, number, line);
}

/** The driver has served the device. Nothing happens when no message was out. */
export function acknowledgeLine(k: KernelContext, number: number): void {
  const line = lineOf(k, number);
  emit(k, KernelEv.IrqAck, line.task, number, 0, 0);
  if (line.told === 0) return;
  line.told = 0;
  if (line.trigger === IrqTrigger.LEVEL) k.machine.unmaskLine(number);
  if (line.arrived > 0) offer(k, number, line);
}

/** Gives a thread that receives from anyone the message of its lowest line that waits; there is one. */
export function tellInterrupt(k: KernelContext, thread: Thread): void {
  const number = 31 - Math.clz32(thread.linesToTell & -thread.linesToTell);
  const line = lineOf(k, number);
  thread.linesToTell &= ~(1 << number);
  const interrupts = line.arrived;
  line.arrived = 0;
  line.told = 1;
  hideCaps(k, thread);
  finishReceive(k, thread, line.badge, makeTag(LABEL_INTERRUPT, INTERRUPT_WORDS, 0), number, interrupts);
  emit(k, KernelEv.IrqMessage, thread.task, number, thread.number, interrupts);
}

export const lineOf = (k: KernelContext, number: number): InterruptLine => k.state.lines[number]!;

function offer(k: KernelContext, number: number, line: InterruptLine): void {
  const thread = threadOf(k, line.thread);
  thread.linesToTell |= 1 << number;
  if (thread.state !== ThreadState.RECEIVE) return;
  tellInterrupt(k, thread);
  makeReady(k, thread, 'back');
}
