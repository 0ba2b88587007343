/**
 * Cores that speculate as much as the manual lets them (SDM vol. 3 §4.10.2.3): whatever a core had in its TLB lately and
 * lost, it caches again as soon as the page tables allow it, even in the middle of the kernel's work on them, between the
 * change of an entry and the INVLPG. Right software sees no difference. Costs a lot of host time; for tests.
 */
import type { Machine } from '../emu/machine.ts';
import type { MachinePort } from './kernel/machine-port.ts';

/** Pages that a core remembers. */
const REMEMBERED_MAX = 64;

/** The same port with such cores behind it. */
export function speculative(port: MachinePort, { mmu, tlb }: Machine): MachinePort {
  const remembered = Array.from({ length: port.coreCount }, () => new Set<number>());
  const remember = (core: number, va: number): void => {
    const pages = remembered[core]!;
    pages.add(va);
    if (pages.size > REMEMBERED_MAX) pages.delete(pages.values().next().value!);
  };
  const rememberAll = (core: number): void => {
    for (const { va } of tlb.entries(core)) remember(core, va);
  };
  const speculate = (): void => {
    remembered.forEach((pages, core) => {
      for (const va of pages) mmu.speculate(core, va);
    });
  };
  return {
    ...port,
    write32: (pa, value) => {
      port.write32(pa, value);
      speculate();
    },
    invalidatePage: (core, va) => {
      remember(core, va);
      port.invalidatePage(core, va);
      speculate();
    },
    flushTlb: (core, globals) => {
      rememberAll(core);
      port.flushTlb(core, globals);
      speculate();
    },
    loadCr3: (core, pa) => {
      rememberAll(core);
      port.loadCr3(core, pa);
      speculate();
    },
  };
}
