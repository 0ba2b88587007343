/**
 * Fault switches of the memory server (system.md §3, src/abi/fault-switches.ts): each breaks one rule on purpose, to see
 * what the rule is for and that the checkers notice. All are off unless a scenario says otherwise.
 */
import { KernelEv } from '../abi/events.ts';
import { Fault } from '../abi/fault-switches.ts';
import type { Store } from './store.ts';

/** Which condition of deferred unmap is broken (defer.ts). */
export type DeferUnsafe = 'off' | 'reused' | 'written' | 'writable' | 'unbounded' | 'revoked';

export interface PhysmemFaults {
  /** Memory is free before the translations to it are shot down (breaks I19, I20). */
  readonly freeBeforeFlush: 'off' | 'on';
  /** Memory that was somebody else's is handed out as it is (breaks I29). */
  readonly skipZeroing: 'off' | 'on';
  /** Pinned memory is freed when its name goes (breaks I24). */
  readonly ignorePins: 'off' | 'on';
  /** A copy-on-write copy leaves the source's translations writable (breaks I17). */
  readonly keepWriteAccess: 'off' | 'on';
  /** The n-th time that a block of memory is taken, there is none; 0 = never. A promise, not an invariant, breaks. */
  readonly failAllocation: number;
  /**
   * Deferred unmap without one of its conditions: the memory is reused or written before the flush, it could be written
   * when the translation was left, the list has no bound, or lock, revoke and destroy do not flush it.
   */
  readonly deferUnsafe: DeferUnsafe;
}

export const NO_PHYSMEM_FAULTS: PhysmemFaults = {
  freeBeforeFlush: 'off',
  skipZeroing: 'off',
  ignorePins: 'off',
  keepWriteAccess: 'off',
  failAllocation: 0,
  deferUnsafe: 'off',
};

/** Says in the trace that a rule was broken. */
export function tellFault(store: Store, fault: Fault, what: number): void {
  store.port.emit(KernelEv.FaultInjected, fault, what, 0, 0);
}

/** Counts an attempt to take a block; whether it is the one that must fail. */
export function failsNow(store: Store): boolean {
  const { failAllocation } = store.tuning.faults;
  if (failAllocation === 0) return false;
  store.counters.blockRequests += 1;
  if (store.counters.blockRequests !== failAllocation) return false;
  tellFault(store, Fault.FAIL_ALLOCATION, failAllocation);
  return true;
}
