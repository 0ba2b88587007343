import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { R, RunState } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { CR0_WP, CR4_PSE, PDE_PS, PTE_P, PTE_U, PTE_W } from '../../../emu/arch/paging.ts';
import { ACCESS_USER, ACCESS_WRITE } from '../../../emu/mem/index.ts';
import { DIRECTORY, PagedWorld } from './paged-world.ts';

const VA = 0x400000;

/** Runs one access in ring `ring`; null or the page fault's error code. */
function access(w: PagedWorld, kind: 'read' | 'write', ring: 0 | 3): number | null {
  if (ring === 3) w.enterUser();
  w.r[R.RUN_STATE] = RunState.Running;
  w.r[R.IDT_LIMIT] = 0;
  w.context.trapMode = 'hosted';
  const code = kind === 'read' ? w.readInstruction(VA) : w.writeInstruction(VA);
  const exit = w.execute(code, 1);
  return exit === Exit.Budget ? null : w.r[R.FAULT_ERROR]!;
}

describe('page faults', () => {
  it.each([
    ['read of a page that is not present', 0, 'read', 4],
    ['write to a page that is not present', 0, 'write', 6],
    ['user read of a supervisor page', PTE_P | PTE_W, 'read', 5],
    ['user write to a supervisor page', PTE_P | PTE_W, 'write', 7],
    ['user write to a read-only page', PTE_P | PTE_U, 'write', 7],
    ['user read of a read-only page', PTE_P | PTE_U, 'read', null],
  ] as const)('have the right error code and CR2: %s', (_name, bits, kind, code) => {
    const w = new PagedWorld();
    w.setPte(VA, VA | bits);
    expect(access(w, kind, 3)).toBe(code);
    if (code !== null) expect([w.r[R.CR2], w.r[R.FAULT_VECTOR], w.r[R.EIP]]).toEqual([VA, 14, 0x1000]);
  });

  it('protect read-only pages from ring 0 only with CR0.WP', () => {
    for (const wp of [CR0_WP, 0]) {
      const w = new PagedWorld();
      w.setPte(VA, VA | PTE_P);
      w.r[R.CR0] = (w.r[R.CR0]! & ~CR0_WP) | wp;
      w.r[R.EAX] = 0x1234;
      w.load(0x1000, w.writeInstruction(VA));
      w.r[R.EIP] = 0x1000;
      w.run(1);
      expect(w.read32(VA)).toBe(wp === 0 ? 0x1234 : 0);
    }
  });

  it('report reserved bits of a 4 MiB entry', () => {
    const w = new PagedWorld();
    w.r[R.CR4] = CR4_PSE;
    w.write32(DIRECTORY + 4, 0x2000 | PDE_PS | PTE_P | PTE_W | PTE_U);
    expect(access(w, 'read', 3)).toBe(0xd);
  });

  it('report the PAT bits, which this machine does not have, while CR4.PSE is on (SDM vol. 3 §4.3)', () => {
    for (const [pse, code] of [
      [CR4_PSE, 0xd],
      [0, null],
    ] as const) {
      const w = new PagedWorld();
      w.r[R.CR4] = pse;
      w.setPte(VA, VA | 0x80 | PTE_P | PTE_W | PTE_U);
      expect(access(w, 'read', 3)).toBe(code);
    }
    const w = new PagedWorld();
    w.r[R.CR4] = CR4_PSE;
    w.write32(DIRECTORY + 4, 0x1000 | PDE_PS | PTE_P | PTE_W | PTE_U);
    expect(access(w, 'write', 3)).toBe(0xf);
  });

  it('commit nothing when the second page of an access is missing', () => {
    const w = new PagedWorld();
    const at = 0x400ffe;
    w.setPte(0x401000, 0);
    w.r[R.EAX] = -1;
    w.enterUser();
    w.context.trapMode = 'hosted';
    expect(w.execute(w.writeInstruction(at), 1)).toBe(Exit.Trap);
    expect([w.r[R.CR2], w.read32(at & ~3)]).toEqual([0x401000, 0]);
  });

  it('leave PUSHA restartable: no register and no ESP change', () => {
    const w = new PagedWorld();
    w.setPte(0x400000, 0);
    w.enterUser();
    w.context.trapMode = 'hosted';
    w.r[R.ESP] = 0x401008;
    expect(w.execute([0x60], 1)).toBe(Exit.Trap);
    expect([w.r[R.ESP], w.r[R.CR2]]).toEqual([0x401008, 0x400ffc]);
    w.setPte(0x400000, 0x400000 | PTE_P | PTE_W | PTE_U);
    expect(w.run(1)).toBe(Exit.Budget);
    expect(w.r[R.ESP]).toBe(0x401008 - 32);
  });

  it('stop REP MOVS at the fault with the finished iterations committed', () => {
    const w = new PagedWorld();
    w.setPte(0x401000, 0);
    w.enterUser();
    w.context.trapMode = 'hosted';
    w.execute([0xf3, 0xa5], 0);
    w.r[R.ESI] = 0x500000;
    w.r[R.EDI] = 0x400fe0;
    w.r[R.ECX] = 100;
    expect(w.run(1000)).toBe(Exit.Trap);
    expect([w.r[R.ECX], w.r[R.EDI], w.r[R.ESI], w.r[R.EIP]]).toEqual([92, 0x401000, 0x500020, 0x1000]);
  });
});

describe('large pages', () => {
  it('translate 4 MiB with one entry and need CR4.PSE', () => {
    const w = new PagedWorld();
    w.r[R.CR4] = CR4_PSE;
    w.write32(0xc00000 + 0x123000, 0x5a5a);
    w.write32(DIRECTORY + 4, 0xc00000 | PDE_PS | PTE_P | PTE_W | PTE_U);
    w.execute(w.readInstruction(0x523000), 2);
    expect(w.r[R.EAX]).toBe(0x5a5a);
    w.r[R.RUN_STATE] = RunState.Running;
    w.execute(w.readInstruction(0x700000), 2);
    const large = w.context.tlb.entries(0).filter((e) => e.sizeBytes === 4 << 20);
    expect(large.map((e) => [e.va, e.pa])).toEqual([[0x400000, 0xc00000]]);
    w.context.tlb.invalidatePage(0, 0x7ff000);
    expect(w.context.tlb.entries(0).some((e) => e.sizeBytes > 4096)).toBe(false);
    expect(w.context.memory.flatData[0]![0x523]).toBe(0);
  });
});

describe('the explained walk', () => {
  it('gives each step and the rule that failed', () => {
    const w = new PagedWorld();
    w.setPte(VA, VA | PTE_P | PTE_U);
    const walk = w.context.mmu.explainWalk(0, VA, ACCESS_USER | ACCESS_WRITE);
    expect(walk).toMatchObject({ rule: 'user write to read-only page', errorCode: 7, pa: null });
    expect(walk.steps.map((s) => [s.level, s.entryPa, s.writable])).toEqual([
      ['pde', DIRECTORY + 4, true],
      ['pte', w.pteAddress(VA), false],
    ]);
  });

  it('agrees with the walker for every combination of bits', () => {
    const w = new PagedWorld();
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0x1ff }),
        fc.integer({ min: 0, max: 0x1ff }),
        fc.constantFrom(0, CR4_PSE),
        fc.constantFrom(0, CR0_WP),
        fc.constantFrom(0, ACCESS_USER),
        fc.constantFrom(0, ACCESS_WRITE),
        (pde, pte, cr4, wp, user, write) => {
          w.context.tlb.flushAll(0);
          w.write32(DIRECTORY + 4, ((pde & PDE_PS) !== 0 && cr4 !== 0 ? 0x800000 : 0x21000) | pde);
          w.setPte(VA, 0x700000 | pte);
          w.r[R.CR4] = cr4;
          w.r[R.CR0] = (w.r[R.CR0]! & ~CR0_WP) | wp;
          w.r[R.FAULT_ERROR] = 0;
          const explained = w.context.mmu.explainWalk(0, VA + 0x123, user | write);
          const pa = w.context.mmu.translate(0, VA + 0x123, user | write);
          expect(pa).toBe(explained.pa ?? -1);
          if (pa < 0) expect(w.r[R.FAULT_ERROR]).toBe(explained.errorCode);
        },
      ),
      { numRuns: 600 },
    );
  });
});
