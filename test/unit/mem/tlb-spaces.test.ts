import { describe, expect, it } from 'vitest';
import { CoreF, R, RunState } from '../../../emu/arch/core-layout.ts';
import { Exit } from '../../../emu/arch/engine.ts';
import { CR4_PGE, PTE_G, PTE_P, PTE_U, PTE_W } from '../../../emu/arch/paging.ts';
import { VEC_GP } from '../../../emu/arch/vectors.ts';
import { DEFAULT_TLB } from '../../../emu/mem/index.ts';
import { DIRECTORY, PagedWorld } from './paged-world.ts';

const VA = 0x400000;
const FRAME_A = 0x500000;
const FRAME_B = 0x600000;
const PRESENT = PTE_P | PTE_W | PTE_U;
/** Directories 1, 2 and 3 differ from DIRECTORY (0) in the table for VA. */
const directory = (n: number): number => (n === 0 ? DIRECTORY : 0x30000 + n * 0x2000);

/** Four page directories; VA leads to FRAME_A in number 0 and to FRAME_B in the others. */
function world(tags: number, global = 0): PagedWorld {
  const w = new PagedWorld({ tlb: { ...DEFAULT_TLB, tags } });
  w.r[R.CR4] = CR4_PGE;
  w.write32(FRAME_A, 0xa);
  w.write32(FRAME_B, 0xb);
  w.setPte(VA, FRAME_A | PRESENT | global);
  for (let n = 1; n < 4; n++) {
    const bytes = new Uint8Array(8192);
    w.context.bus.readBytes(DIRECTORY, bytes.subarray(0, 4096));
    w.context.bus.writeBytes(directory(n), bytes);
    w.write32(directory(n) + (VA >>> 22) * 4, (directory(n) + 4096) | PRESENT);
    setPte(w, n, FRAME_B | PRESENT | global);
  }
  load(w, 0);
  return w;
}

/** The entry for VA in directory n > 0. */
const setPte = (w: PagedWorld, n: number, pte: number): void => w.write32(directory(n) + 4096, pte);

function run(w: PagedWorld, bytes: readonly number[]): void {
  w.r[R.RUN_STATE] = RunState.Running;
  expect(w.execute([...bytes, 0xf4], 20)).toBe(Exit.Halt);
}

function load(w: PagedWorld, n: number): void {
  w.r[R.EAX] = directory(n);
  run(w, [0x0f, 0x22, 0xd8]);
}

/** What the guest reads at VA, and whether that missed. */
function read(w: PagedWorld): readonly [number, 'hit' | 'miss'] {
  const walks = w.f[CoreF.PAGE_WALKS]!;
  run(w, w.readInstruction(VA).slice(0, -1));
  return [w.r[R.EAX]!, w.f[CoreF.PAGE_WALKS] === walks ? 'hit' : 'miss'];
}

function wrmsr(w: PagedWorld, value: number): void {
  w.r[R.ECX] = 0x40000080;
  w.r[R.EAX] = value;
  w.r[R.EDX] = 0;
  run(w, [0x0f, 0x30]);
}

describe('address-space tags', () => {
  it('keep the entries of both spaces over CR3 loads, and each space sees its own', () => {
    const w = world(4);
    expect(read(w)[0]).toBe(0xa);
    load(w, 1);
    expect(read(w)[0]).toBe(0xb);
    load(w, 0);
    expect(read(w)).toEqual([0xa, 'hit']);
    load(w, 1);
    expect(read(w)).toEqual([0xb, 'hit']);
    expect(
      w.context.tlb
        .entries(0)
        .filter((e) => e.va === VA)
        .map((e) => e.pa)
        .sort(),
    ).toEqual([FRAME_A, FRAME_B]);
  });

  it('leave stale entries in a space that was left, until it is flushed', () => {
    const w = world(4);
    read(w);
    load(w, 1);
    w.setPte(VA, FRAME_B | PRESENT);
    load(w, 0);
    expect(read(w)).toEqual([0xa, 'hit']);
    load(w, 0);
    expect(read(w)[0]).toBe(0xb);
  });

  it('let INVLPG drop the page in the present space only', () => {
    const w = world(4);
    read(w);
    load(w, 1);
    read(w);
    w.context.tlb.invalidatePage(0, VA);
    load(w, 0);
    expect(read(w)).toEqual([0xa, 'hit']);
    load(w, 1);
    expect(read(w)).toEqual([0xb, 'miss']);
  });

  it('match global entries in every space, and INVLPG drops them from any', () => {
    const w = world(4, PTE_G);
    expect(read(w)[0]).toBe(0xa);
    load(w, 1);
    expect(read(w)[0]).toBe(0xa);
    w.context.tlb.invalidatePage(0, VA);
    expect(read(w)[0]).toBe(0xb);
  });

  it('are given away in turn: the entries of the space that loses its number go', () => {
    const w = world(2);
    read(w);
    load(w, 1);
    read(w);
    load(w, 2);
    expect(read(w)).toEqual([0xb, 'miss']);
    expect(w.context.tlb.entries(0).filter((e) => e.va === VA)).toHaveLength(2);
    load(w, 1);
    expect(read(w)).toEqual([0xb, 'hit']);
    load(w, 0);
    expect(read(w)).toEqual([0xa, 'miss']);
  });

  it('can be flushed by software: one space, all, all with global entries', () => {
    const w = world(4);
    read(w);
    load(w, 1);
    read(w);
    wrmsr(w, directory(0));
    expect(
      w.context.tlb
        .entries(0)
        .filter((e) => e.va === VA)
        .map((e) => e.pa),
    ).toEqual([FRAME_B]);
    wrmsr(w, 0);
    expect(w.context.tlb.entries(0).filter((e) => e.va === VA)).toEqual([]);
    read(w);
    wrmsr(w, 1);
    expect(w.context.tlb.entries(0).filter((e) => e.side === 'data')).toEqual([]);
    load(w, 2);
    w.r[R.ECX] = 0x40000080;
    run(w, [0x0f, 0x32]);
    expect([w.r[R.EAX], w.r[R.EDX]]).toEqual([1, 4]);
  });

  it('never let the flat table of one space serve another', () => {
    const w = world(3);
    for (const n of [0, 1, 2, 3, 0, 3, 1, 1, 2, 0]) {
      load(w, n);
      expect(read(w)[0]).toBe(n === 0 ? 0xa : 0xb);
      const held = new Set(
        w.context.tlb
          .entries(0)
          .filter((e) => e.side === 'data' && (e.global || e.space === w.context.tlb.presentSpace(0)))
          .map((e) => e.va >>> 12),
      );
      w.context.memory.flatData[0]!.forEach((word, page) => {
        if (word !== 0) expect(held.has(page)).toBe(true);
      });
    }
  });

  it('are off by default: the MSR does not exist and CR3 loads flush', () => {
    const w = world(0);
    read(w);
    load(w, 1);
    load(w, 0);
    expect(read(w)).toEqual([0xa, 'miss']);
    w.r[R.ECX] = 0x40000080;
    w.r[R.RUN_STATE] = RunState.Running;
    expect(w.execute([0x0f, 0x32], 1)).toBe(Exit.Shutdown);
    expect(w.r[R.CHAIN]).toBe(VEC_GP);
  });

  it('refuse an impossible number', () => {
    expect(() => world(1)).toThrow(/2 to 256/);
    expect(() => world(257)).toThrow(/2 to 256/);
  });
});
