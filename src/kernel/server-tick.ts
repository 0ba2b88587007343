/**
 * Calls of the memory server that nobody asked for in a message: at a time that it named (the end of a pin, say), and
 * when a device has stopped aiming at memory that the server holds back because of it. Both come as an interrupt, so
 * they are an ordinary entry of the kernel and are charged to a core; the server never polls.
 */
import { coreOf, type KernelContext, serverOf } from './context.ts';
import { addDeadline, removeDeadline } from './deadlines.ts';
import { VEC_DEVICE_QUIET } from './layout.ts';
import { startOperation } from './operation.ts';
import { DeadlineKind } from './state.ts';

/** Label of tick operations in the trace. */
export const TICK_LABEL = -6;
/** The core that hears of devices. */
const DEVICE_CORE = 0;

/** Has the server's `tick` called at this time of the present core, or before: there is one alarm, the earliest counts. */
export function setAlarm(k: KernelContext, at: number): void {
  const { alarm } = k.state;
  if (alarm.at >= 0 && alarm.at <= at) return;
  if (alarm.at >= 0) removeDeadline(coreOf(k, alarm.core), alarm.at, DeadlineKind.ALARM, 0);
  alarm.at = at;
  alarm.core = k.core;
  addDeadline(coreOf(k, k.core), at, DeadlineKind.ALARM, 0);
}

/** The time of the alarm has come. */
export function alarmRings(k: KernelContext): void {
  k.state.alarm.at = -1;
  tickServer(k);
}

/** The server waits until a device lets memory go: the next one that does interrupts a core. */
export function awaitQuiet(k: KernelContext): void {
  k.state.quietWanted = 1;
}

/** A device has stopped aiming at memory. Comes at any moment, also while a core runs: only the interrupt is sent. */
export function deviceQuiet(k: KernelContext): void {
  if (k.state.quietWanted === 0 || k.state.exitStatus >= 0) return;
  k.state.quietWanted = 0;
  k.machine.sendIpi(DEVICE_CORE, DEVICE_CORE, VEC_DEVICE_QUIET);
}

export function tickServer(k: KernelContext): void {
  const generator = serverOf(k).tick?.() ?? null;
  if (generator === null) return;
  startOperation(k, { task: 0, thread: 0, label: TICK_LABEL, object: 0, generator, finish: () => {} });
}
