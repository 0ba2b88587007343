/**
 * Fault switches of the shootdown's interrupts (system.md §3): an IPI is lost or late, a core does not answer. What
 * they show is physmem.md §6.5: the missing answer is reported, the frames stay in limbo until it comes. Each says in the
 * trace when it acts. Switches that leave a step out are at that step (shootdown.ts, trap.ts).
 */
import { KernelEv } from '../abi/events.ts';
import { Fault } from '../abi/fault-switches.ts';
import { coreOf, emit, type KernelContext, timeOf } from './context.ts';
import { addDeadline } from './deadlines.ts';
import { VEC_SHOOTDOWN } from './layout.ts';
import { type Core, DeadlineKind } from './state.ts';

/** Says that a switch acted: on transaction or step `id`, on core, core mask or task `target`. */
export const traceFault = (
  k: KernelContext,
  fault: Fault,
  id: number,
  target: number,
  cycles: number,
): void => emit(k, KernelEv.FaultInjected, fault, id, target, cycles);

/** Interrupts a core for a request that is in its mailbox; the IPI has been counted. */
export function sendShootdownIpi(k: KernelContext, transaction: number, target: number): void {
  const { loseIpi, delayIpi } = k.config.faults;
  if (k.state.counters.shootdownIpis === loseIpi) {
    traceFault(k, Fault.LOSE_IPI, transaction, target, 0);
  } else if (delayIpi > 0) {
    traceFault(k, Fault.DELAY_IPI, transaction, target, delayIpi);
    addDeadline(coreOf(k, k.core), timeOf(k, k.core) + delayIpi, DeadlineKind.DELAYED_IPI, target);
  } else {
    k.machine.sendIpi(k.core, target, VEC_SHOOTDOWN);
  }
}

/** Whether a core leaves the requests in its mailbox for later; the first one begins that time. */
export function isStalled(k: KernelContext, core: Core): boolean {
  const { stallCore } = k.config.faults;
  if (stallCore?.core !== core.number || core.mailbox.length === 0) return false;
  const now = timeOf(k, core.number);
  if (core.stalledUntil < 0) {
    core.stalledUntil = now + stallCore.cycles;
    addDeadline(core, core.stalledUntil, DeadlineKind.STALL, core.number);
    traceFault(k, Fault.STALL_CORE, core.mailbox[0]!.transaction, core.number, stallCore.cycles);
  }
  return now < core.stalledUntil;
}
