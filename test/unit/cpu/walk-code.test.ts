/**
 * The page walk in WebAssembly (walk-code.ts) against the MMU: two machines with the same tables; in one the translator's
 * fill is asked first, and the MMU only where that asks it. Both must end with the same TLB, flat tables and counters.
 */
import { describe, expect, it } from 'vitest';
import { CoreF, R } from '../../../emu/arch/core-layout.ts';
import {
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_PGE,
  CR4_PSE,
  PTE_A,
  PTE_D,
  PTE_P,
  PTE_U,
  PTE_W,
} from '../../../emu/arch/paging.ts';
import { dispatcherBytes } from '../../../emu/cpu/translator/dispatcher.ts';
import { WALK_CORE_WORD, WALK_TLB_WORD, WALKS_WORD } from '../../../emu/cpu/translator/region-frame.ts';
import { functionTable, instantiate } from '../../../emu/cpu/translator/wasm-api.ts';
import type { TlbGeometry } from '../../../emu/mem/index.ts';
import { USED_BYTES } from '../../../emu/mem/memory-layout.ts';
import { ACCESS_USER, ACCESS_WRITE } from '../../../emu/mem/walk.ts';
import { Random } from '../../../tools/vectors/random.ts';
import { TestMachine } from './test-machine.ts';

const CORE = 1;
const DIRECTORY = 0x1000;
const TABLES = 0x2000;
const TABLE_COUNT = 3;
const PAGES = 12;
const USUAL = PTE_P | PTE_W | PTE_U | PTE_A | PTE_D;
/** Bits of an entry that a case may change: P W U, A D, PS or PAT, G. */
const CHANGED = [PTE_P, PTE_W, PTE_W, PTE_U, PTE_A, PTE_D, 0x80, 0x100];

type Fill = (va: number, site: number, left: number) => number;

/** What a page may lead to: RAM, RAM with code, watched RAM, the VGA hole, past the end of RAM. */
const FRAMES = [0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x30, 0x31, 0xb8, 0xfffff];
const CODE_FRAME = 0x30;
const WATCHED_FRAME = 0x31;

const SHAPES: readonly TlbGeometry[] = [
  { data: { entries: 64, ways: 4 }, instr: { entries: 32, ways: 4 }, replacement: 'fifo', seed: 1 },
  { data: { entries: 4, ways: 1 }, instr: { entries: 2, ways: 2 }, replacement: 'fifo', seed: 1 },
  { data: { entries: 8, ways: 8 }, instr: { entries: 2, ways: 2 }, replacement: 'fifo', seed: 1 },
];

function machine(tlb: TlbGeometry): TestMachine {
  const m = new TestMachine({ ramBytes: 4 << 20, coreCount: 2, tlb });
  m.context.bus.markCode(CODE_FRAME);
  m.context.bus.observe(WATCHED_FRAME);
  for (let n = 0; n < TABLE_COUNT; n++) m.write32(DIRECTORY + n * 4, (TABLES + n * 4096) | USUAL);
  return m;
}

/** FillRead and FillWrite of a machine; `asked` is called where they leave it to the MMU. */
function fills(m: TestMachine, asked: () => void): readonly [Fill, Fill] {
  const { memory } = m.context;
  const ask = (): number => {
    asked();
    return 0;
  };
  const imports = {
    memory: memory.owner,
    table: functionTable(1),
    fillRead: ask,
    fillWrite: ask,
    arith: ask,
  };
  const made = instantiate(dispatcherBytes(memory), imports);
  memory.r[0]![WALK_CORE_WORD] = memory.r[CORE]!.byteOffset;
  memory.r[0]![WALK_TLB_WORD] = memory.layout.tlb + CORE * memory.layout.tlbBytesPerCore;
  return [made['fillRead'] as Fill, made['fillWrite'] as Fill];
}

const oneOf = (random: Random, bits: readonly number[]): number =>
  random.chance(70) ? 0 : random.pick(bits);

/** The same change of tables, registers or TLB on both machines. */
function disturb(random: Random, both: readonly TestMachine[]): void {
  const table = random.below(TABLE_COUNT);
  const page = random.below(PAGES);
  const entry = ((random.pick(FRAMES) << 12) | USUAL) ^ oneOf(random, CHANGED);
  const directoryEntry = ((TABLES + table * 4096) | USUAL) ^ (random.chance(5) ? random.pick(CHANGED) : 0);
  const [cr0, cr4] = [random.chance(80) ? CR0_WP : 0, random.pick([0, CR4_PSE, CR4_PGE, CR4_PGE])];
  const what = random.below(16);
  const [cpl, a20] = [random.chance(50) ? 3 : 0, random.chance(90) ? -1 : ~(1 << 20)];
  for (const { context } of both) {
    const r = context.memory.r[CORE]!;
    context.bus.write32(TABLES + table * 4096 + page * 4, entry);
    context.bus.write32(DIRECTORY + table * 4, directoryEntry);
    r[R.CR0] = CR0_PE | CR0_PG | cr0;
    r[R.CR3] = DIRECTORY;
    r[R.CPL] = cpl;
    if (what === 0) context.tlb.flushNonGlobal(CORE);
    if (what === 1) context.tlb.invalidatePage(CORE, (table << 22) | (page << 12));
    if (what === 2) context.tlb.dropFlat(CORE);
    if (what === 3 && r[R.CR4] !== cr4) {
      r[R.CR4] = cr4;
      context.tlb.flushAll(CORE);
    }
    if (what === 4) {
      r[R.A20_MASK] = a20;
      context.tlb.dropFlat(CORE);
    }
    if (what === 5) context.bus.observe((TABLES >>> 12) + table);
    if (what === 6) context.bus.unobserve((TABLES >>> 12) + table);
  }
}

/** Registers, counters, TLB, flat tables, marks of used entries and page tables, one behind the other. */
function state({ context: { memory } }: TestMachine): Buffer {
  const parts = [memory.r[CORE]!.subarray(0, 128), memory.tlb[CORE]!];
  for (let table = 0; table < TABLE_COUNT; table++) {
    for (const flat of [memory.flatData[CORE]!, memory.flatInstr[CORE]!]) {
      parts.push(flat.subarray(table * 1024, table * 1024 + PAGES));
    }
  }
  const { used, ram } = memory.layout;
  parts.push(new Int32Array(memory.buffer, used, (2 * USED_BYTES) / 4));
  parts.push(new Int32Array(memory.buffer, ram + DIRECTORY, (1 + TABLE_COUNT) * 1024));
  return Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)));
}

/** Byte at which two states differ, -1 when they do not. */
const difference = (a: Buffer, b: Buffer): number =>
  a.equals(b) ? -1 : a.findIndex((byte, n) => byte !== b[n]);

describe('the page walk of translated code', () => {
  it.each([0, 1, 2])('leaves TLB, flat tables and counters as the MMU does (TLB shape %i)', (shape) => {
    const random = new Random(31 + shape);
    const [walked, reference] = [machine(SHAPES[shape]!), machine(SHAPES[shape]!)];
    let isAsked = false;
    let done = 0;
    let asks = 0;
    const fill = fills(walked, () => {
      isAsked = true;
    });
    for (let n = 0; n < 3000; n++) {
      disturb(random, [walked, reference]);
      const va = (random.below(TABLE_COUNT) << 22) | (random.below(PAGES) << 12) | random.below(4092);
      const access = random.chance(40) ? ACCESS_WRITE : 0;
      const [r, f] = [walked.context.memory.r[CORE]!, walked.context.memory.f[CORE]!];
      const user = r[R.CPL] === 3 ? ACCESS_USER : 0;
      isAsked = false;
      const before = state(walked);
      const word = fill[access === 0 ? 0 : 1](va, 0, 0);
      if (isAsked) {
        asks++;
        expect(r[WALKS_WORD]).toBe(0);
        expect(difference(state(walked), before), `case ${n}: nothing was done`).toBe(-1);
        walked.context.mmu.translate(CORE, va, user | access);
      } else {
        done++;
        expect(r[WALKS_WORD]).toBe(1);
        r[WALKS_WORD] = 0;
        f[CoreF.TLB_MISSES]! += 1;
        f[CoreF.PAGE_WALKS]! += 1;
        f[CoreF.CYCLES]! += walked.context.costs.pageWalk;
      }
      reference.context.mmu.translate(CORE, va, user | access);
      expect(difference(state(walked), state(reference)), `case ${n}`).toBe(-1);
      if (!isAsked) expect(word).toBe(reference.context.memory.flatData[CORE]![va >>> 12]);
    }
    expect(done).toBeGreaterThan(300);
    expect(asks).toBeGreaterThan(300);
  });
});
