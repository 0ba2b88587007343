/** F12: a core caches a translation between the change of a page-table entry and the INVLPG. */
import { describe, expect, it } from 'vitest';
import { PTE_A, PTE_P, PTE_U, PTE_W } from '../../../emu/arch/paging.ts';
import { PagedWorld } from './paged-world.ts';

const VA = 0x5000;

function world() {
  const w = new PagedWorld();
  const { mmu, tlb } = w.context;
  const cached = (): boolean => tlb.entries(0).some((entry) => entry.va === VA);
  return { w, mmu, tlb, cached };
}

describe('a speculating core', () => {
  it('caches what the tables allow a user, for reads and fetches, and marks it as accessed', () => {
    const { w, mmu, tlb } = world();
    mmu.speculate(0, VA);
    expect(tlb.entries(0).map(({ side, va, dirty }) => [side, va, dirty])).toEqual([
      ['data', VA, false],
      ['instr', VA, false],
    ]);
    expect(w.pte(VA) & PTE_A).toBe(PTE_A);
    mmu.speculate(0, VA);
    expect(tlb.entries(0)).toHaveLength(2);
  });

  it('takes no fault and no cycles', () => {
    const { w, mmu, tlb } = world();
    const f = w.context.memory.f[0]!.slice();
    w.setPte(VA, 0);
    mmu.speculate(0, VA);
    mmu.speculate(0, VA + 4096);
    expect(w.context.memory.f[0]!).toEqual(f);
    expect(tlb.entries(0).map(({ va }) => va)).toEqual([VA + 4096, VA + 4096]);
    w.setPte(VA + 8192, 0x7000 | PTE_P | PTE_W);
    mmu.speculate(0, VA + 8192);
    expect(tlb.entries(0)).toHaveLength(2);
  });

  it('does no harm when the entry is changed first and invalidated then', () => {
    const { w, mmu, tlb, cached } = world();
    mmu.speculate(0, VA);
    w.setPte(VA, 0);
    mmu.speculate(0, VA);
    tlb.invalidatePage(0, VA);
    mmu.speculate(0, VA);
    expect(cached()).toBe(false);
  });

  it('keeps the translation of who invalidates first and changes the entry then', () => {
    const { w, mmu, tlb, cached } = world();
    mmu.speculate(0, VA);
    tlb.invalidatePage(0, VA);
    mmu.speculate(0, VA);
    w.setPte(VA, 0);
    expect(cached()).toBe(true);
    expect(tlb.entries(0).every((entry) => entry.va !== VA || entry.stale)).toBe(true);
  });

  it('keeps write access that is taken away in the wrong order', () => {
    const { w, mmu, tlb } = world();
    tlb.invalidatePage(0, VA);
    mmu.speculate(0, VA);
    w.setPte(VA, (w.pte(VA) & ~PTE_W) >>> 0);
    expect(tlb.entries(0).find((entry) => entry.va === VA)).toMatchObject({ writable: true, stale: true });
    expect(w.pte(VA) & PTE_U).toBe(PTE_U);
  });
});
