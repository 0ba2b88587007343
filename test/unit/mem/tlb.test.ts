import { describe, expect, it } from 'vitest';
import { CoreF, R, RunState } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { Ev } from '../../../emu/arch/events.ts';
import { CR4_PGE, PTE_A, PTE_D, PTE_G, PTE_P, PTE_U, PTE_W } from '../../../emu/arch/paging.ts';
import { DEFAULT_TLB, type TlbReplacement } from '../../../emu/mem/index.ts';
import { PagedWorld } from './paged-world.ts';

const VA = 0x400000;
const OTHER = 0x500000;

/** Reads VA through the core and gives what it saw. */
function read(w: PagedWorld, va = VA): number {
  w.r[R.RUN_STATE] = RunState.Running;
  expect(w.execute(w.readInstruction(va), 10)).toBe(Exit.Halt);
  return w.r[R.EAX]!;
}

function world(): PagedWorld {
  const w = new PagedWorld();
  w.write32(VA, 0xaaaa);
  w.write32(OTHER, 0xbbbb);
  return w;
}

describe('a TLB entry', () => {
  it('is used although the page table has changed, until INVLPG', () => {
    const w = world();
    expect(read(w)).toBe(0xaaaa);
    w.setPte(VA, OTHER | PTE_P | PTE_W | PTE_U);
    expect(read(w)).toBe(0xaaaa);
    expect(w.context.tlb.entries(0).find((e) => e.va === VA)).toMatchObject({
      pa: VA,
      stale: true,
      side: 'data',
    });
    w.context.tlb.invalidatePage(0, VA);
    expect(read(w)).toBe(0xbbbb);
    expect(w.context.tlb.entries(0).find((e) => e.va === VA)).toMatchObject({ pa: OTHER, stale: false });
  });

  it('is dropped by INVLPG executed by the guest', () => {
    const w = world();
    read(w);
    w.setPte(VA, OTHER | PTE_P);
    w.r[R.RUN_STATE] = RunState.Running;
    // invlpg [400000]; mov eax,[400000]; hlt
    w.execute([0x0f, 0x01, 0x3d, 0, 0, 0x40, 0, ...w.readInstruction(VA)], 10);
    expect(w.r[R.EAX]).toBe(0xbbbb);
  });

  it('stays when the page is made not present, and is per core', () => {
    const w = new PagedWorld({ coreCount: 2 });
    w.write32(VA, 0xaaaa);
    expect(read(w)).toBe(0xaaaa);
    w.setPte(VA, 0);
    expect(read(w)).toBe(0xaaaa);
    const r1 = w.context.memory.r[1]!;
    w.load(0x1000, w.readInstruction(VA));
    r1[R.EIP] = 0x1000;
    w.context.trapMode = 'hosted';
    r1[R.CPL] = 3;
    expect(w.run(10, 1)).toBe(Exit.Trap);
    expect([r1[R.EXIT_VECTOR], r1[R.CR2]]).toEqual([14, VA]);
  });

  it('survives a CR3 load only when it is global and PGE is on', () => {
    for (const [pge, expected] of [
      [CR4_PGE, 0xaaaa],
      [0, 0xbbbb],
    ] as const) {
      const w = world();
      w.r[R.CR4] = pge;
      w.setPte(VA, VA | PTE_P | PTE_W | PTE_U | PTE_G);
      read(w);
      w.setPte(VA, OTHER | PTE_P | PTE_U);
      w.r[R.RUN_STATE] = RunState.Running;
      // mov eax,cr3; mov cr3,eax; mov eax,[400000]; hlt
      w.execute([0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, ...w.readInstruction(VA)], 10);
      expect(w.r[R.EAX]).toBe(expected);
    }
  });

  it('goes, global or not, when CR4.PGE changes', () => {
    const w = world();
    w.r[R.CR4] = CR4_PGE;
    w.setPte(VA, VA | PTE_P | PTE_G);
    read(w);
    w.setPte(VA, OTHER | PTE_P);
    w.r[R.RUN_STATE] = RunState.Running;
    w.execute([0x31, 0xc0, 0x0f, 0x22, 0xe0, ...w.readInstruction(VA)], 10);
    expect(w.r[R.EAX]).toBe(0xbbbb);
  });

  it('with a stale read-only right faults once, and the fault drops it', () => {
    const w = world();
    w.setPte(VA, VA | PTE_P | PTE_U);
    read(w);
    w.setPte(VA, VA | PTE_P | PTE_U | PTE_W);
    w.enterUser();
    w.context.trapMode = 'hosted';
    w.r[R.RUN_STATE] = RunState.Running;
    expect(w.execute(w.writeInstruction(VA), 1)).toBe(Exit.Trap);
    expect([w.r[R.FAULT_ERROR], w.r[R.CR2]]).toEqual([7, VA]);
    expect(w.run(1)).toBe(Exit.Budget);
  });

  it('shows A at the first read and D at the first write, also with a stale clean entry', () => {
    const w = world();
    expect(w.pte(VA) & (PTE_A | PTE_D)).toBe(0);
    read(w);
    expect(w.pte(VA) & (PTE_A | PTE_D)).toBe(PTE_A);
    w.setPte(VA, w.pte(VA) & ~PTE_A);
    read(w);
    expect(w.pte(VA) & PTE_A).toBe(0);
    w.r[R.RUN_STATE] = RunState.Running;
    w.execute(w.writeInstruction(VA), 10);
    expect(w.pte(VA) & (PTE_A | PTE_D)).toBe(PTE_A | PTE_D);
  });
});

describe('the geometry', () => {
  const policies: TlbReplacement[] = ['fifo', 'random', 'clock', 'lru'];

  it.each(policies)('with %s replacement holds no more than its entries, each in its set', (replacement) => {
    const tlb = { ...DEFAULT_TLB, data: { entries: 8, ways: 2 }, replacement };
    const w = new PagedWorld({ tlb });
    for (let n = 0; n < 32; n++) read(w, 0x400000 + n * 4096);
    const data = w.context.tlb.entries(0).filter((e) => e.side === 'data');
    expect(data.length).toBe(8);
    for (const e of data) expect(Math.floor(e.index / 2)).toBe((e.va >>> 12) & 3);
    expect(w.f[CoreF.TLB_MISSES]).toBeGreaterThanOrEqual(32);
  });

  it('makes FIFO forget the oldest and LRU the least recently used', () => {
    for (const [replacement, gone] of [
      ['fifo', 0],
      ['lru', 1],
    ] as const) {
      const w = new PagedWorld({ tlb: { ...DEFAULT_TLB, data: { entries: 2, ways: 2 }, replacement } });
      read(w, 0x400000);
      read(w, 0x401000);
      read(w, 0x400000);
      read(w, 0x402000);
      const held = w.context.tlb.entries(0).filter((e) => e.side === 'data');
      expect(held.map((e) => e.va)).not.toContain(0x400000 + gone * 4096);
    }
  });

  it('unified: data can push out the code page, and the run goes on the same', () => {
    const tlb = { ...DEFAULT_TLB, data: { entries: 1, ways: 1 }, instr: null };
    const w = new PagedWorld({ tlb });
    w.write32(VA, 77);
    expect(read(w)).toBe(77);
    expect(w.context.tlb.entries(0).length).toBe(1);
    expect(w.f[CoreF.TLB_MISSES]).toBe(3);
  });

  it('never lets the flat tables know a page that the TLB does not hold', () => {
    const w = new PagedWorld({ tlb: { ...DEFAULT_TLB, data: { entries: 4, ways: 2 } } });
    for (let n = 0; n < 40; n++) read(w, 0x400000 + ((n * 7) % 16) * 4096);
    const held = new Set(
      w.context.tlb
        .entries(0)
        .filter((e) => e.side === 'data')
        .map((e) => e.va >>> 12),
    );
    w.context.memory.flatData[0]!.forEach((word, page) => {
      if (word !== 0) expect(held.has(page)).toBe(true);
    });
  });

  it('refuses a size that is no power of two', () => {
    expect(() => new PagedWorld({ tlb: { ...DEFAULT_TLB, data: { entries: 48, ways: 4 } } })).toThrow(
      /power of two/,
    );
  });
});

describe('the debug shadow', () => {
  it('reports each use of a stale entry with address and instruction', () => {
    const w = world();
    w.context.tlb.setShadow('on');
    w.listen();
    read(w);
    expect(w.events.filter((e) => e.kind === Ev.StaleUse)).toEqual([]);
    w.setPte(VA, OTHER | PTE_P);
    read(w);
    const uses = w.events.filter((e) => e.kind === Ev.StaleUse);
    expect(uses.map((e) => e.args)).toEqual([[VA, VA, 0x1000, 0]]);
  });
});
