/**
 * The whole-state checker of a system: the kernel's rules (K1 …), physmem's invariants (I1 …, compared with the page tables
 * in RAM), the TLBs of all cores (I18 to I20: no TLB allows what no page table allows, but for deferred unmaps that keep
 * their conditions) and what devices aim at. For tests, exploration and debug runs, between two steps of the machine.
 * physmem and the TLBs are checked only while no operation is in flight.
 */
import type { Machine } from '../emu/machine.ts';
import { ACCESS_USER, ACCESS_WRITE, type TlbEntryView } from '../emu/mem/index.ts';
import { USER_TOP } from './abi/message.ts';
import { ContainerRight } from './abi/rights.ts';
import type { Kernel } from './kernel/kernel.ts';
import { FrameState } from './physmem/base-frames.ts';
import { check } from './physmem/check/check.ts';
import { allowsStale } from './physmem/check/deferred.ts';
import type { PageTableView } from './physmem/check/maps.ts';
import type { Physmem } from './physmem/physmem.ts';
import type { System } from './system.ts';

const PAGE_BYTES = 4096;
const USER_PAGES = USER_TOP / PAGE_BYTES;

/** Every broken rule, one sentence each, which begins with the rule's number; empty when all is well. */
export function checkSystem(system: System): string[] {
  const { kernel, physmem } = system;
  const broken = kernel.check();
  if (physmem !== null) checkDevices(system, physmem, broken);
  if (physmem === null || kernel.operationsInFlight > 0) return broken;
  for (const { invariant, what } of check(physmem.store, pageTables(kernel))) {
    broken.push(`${invariant}: ${what}`);
  }
  checkTlbs(system, broken);
  return broken;
}

/** Whether a base frame may be a device's target: it is pinned where it lies, or in quarantine. */
export function isHeldForDevices({ store }: Physmem, frame: number): boolean {
  const { base } = store;
  if (frame >= base.count) return false;
  const head = base.headOf(frame);
  const state = base.state[head];
  return state === FrameState.QUARANTINE || (state === FrameState.BOUND && base.pins[head]! > 0);
}

/** I20, I24: every frame that a device can reach now is pinned or in quarantine. */
function checkDevices({ machine }: System, physmem: Physmem, broken: string[]): void {
  for (const { device, address, sizeBytes } of machine.dmaActivity()) {
    const first = Math.floor(address / PAGE_BYTES);
    for (let frame = first; frame * PAGE_BYTES < address + sizeBytes; frame++) {
      if (isHeldForDevices(physmem, frame) || !machine.isDmaReachable(frame, 1)) continue;
      broken.push(`I20: the ${device} aims at base frame ${frame}, which is not pinned`);
    }
  }
}

/** The page tables of all tasks as they are in RAM; the kernel's window is not physmem's. */
export const pageTables = (kernel: Kernel): PageTableView => ({
  *translations(task) {
    for (const run of kernel.describeSpace(task)) {
      const access = ContainerRight.READ | (run.writable ? ContainerRight.WRITE : 0);
      const step = run.large ? 1024 : 1;
      for (let i = 0; i < run.count && run.page + i < USER_PAGES; i += step) {
        yield { page: run.page + i, frame: run.frame + i, access, large: run.large };
      }
    }
  },
});

/** A core that will flush before it runs user code is excused, and a dead one, of which the operation was told. */
function checkTlbs({ machine, kernel, physmem }: System, broken: string[]): void {
  let late = 0;
  for (const shootdown of kernel.describeShootdowns()) if (shootdown.gaveUp) late |= shootdown.missingMask;
  for (const { core, flushPending, space } of kernel.describeCores()) {
    if (flushPending || (late & (1 << core)) !== 0) continue;
    for (const entry of machine.tlb.entries(core)) {
      if (!entry.user || !entry.stale) continue;
      if (!entry.writable && allowsStale(physmem!.store, space, entry.va >>> 12, entry.pa >>> 12)) continue;
      const more = allowsMore(machine, core, entry);
      if (more !== '') broken.push(`I18: the TLB of core ${core} ${more} 0x${entry.va.toString(16)}`);
    }
  }
}

/** What an entry allows and the tables do not; empty when they were only widened. */
function allowsMore(machine: Machine, core: number, entry: TlbEntryView): string {
  const read = machine.mmu.explainWalk(core, entry.va, ACCESS_USER);
  if (read.pa === null) return 'still translates';
  if (read.pa !== entry.pa) return 'has another frame for';
  const write = machine.mmu.explainWalk(core, entry.va, ACCESS_USER | ACCESS_WRITE);
  return entry.writable && write.pa === null ? 'can still write' : '';
}
