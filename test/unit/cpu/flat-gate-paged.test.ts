/**
 * The short way of delivery and IRET (flat-gate.ts) against the general one with paging on: tables and stacks in pages
 * that are absent, read-only, clean or the supervisor's, frames that cross from one page into another elsewhere, limits
 * that end in the middle of an entry, faults and external interrupts. As in flat-gate.test.ts, a GDT at an odd address
 * is not eligible for the short way; TLBs and page tables must be the same, too.
 */
import { describe, expect, it } from 'vitest';
import { Attention, Flag, R, RunState, Seg } from '../../../emu/arch/core-layout.ts';
import { CR0_AM, CR0_ET, CR0_PE, CR0_PG, CR0_WP } from '../../../emu/arch/paging.ts';
import { Random } from '../../../tools/vectors/random.ts';
import { TestMachine } from './test-machine.ts';

/** Linear pages; the stacks begin where two pages meet, so that some frames cross. */
const CODE = 0x1000;
const IDT = 0x2000;
const TSS = 0x3000;
const GDT = 0x4000;
const OUTER = 0x7000;
const INNER = 0xa000;
const ABSENT = 0xd000;
const PAGES = 14;
const DIRECTORY = 0x20000;
const TABLE = 0x21000;
const ODD = 0x401;
const HANDLER = CODE + 0x800;
/** Neighbours in the linear space are not neighbours in RAM. */
const frameOf = (page: number): number => 0x40 + ((page * 5) & 15);
const physical = (va: number): number => frameOf(va >>> 12) * 4096 + (va & 4095);

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
const DIRTY = 0x40;
const USUAL = PRESENT | WRITABLE | USER | DIRTY;

/** INT, #UD, #GP with an error code, #DE, #PF, INT3, IRET; each goes on with INC EAX. */
const PROGRAMS = {
  int: [0xcd, 0x21],
  ud: [0x0f, 0x0b],
  gp: [0xcd, 0x30],
  de: [0xf6, 0xf3],
  pf: [0xa1, 0, ABSENT >> 8, 0, 0],
  breakpoint: [0xcc],
  iret: [0xcf],
  nop: [0x90],
};
const VECTORS = [0, 1, 3, 6, 13, 14, 17, 0x21, 0x22];
/** mov ecx, [OUTER + 0x81], which EFLAGS.AC forbids; inc edx */
const MISALIGNED = [0x8b, 0x0d, 0x81, OUTER >> 8, 0, 0, 0x42];

interface Case {
  readonly program: keyof typeof PROGRAMS;
  readonly ring: 0 | 3;
  readonly pages: readonly number[];
  readonly gate: number;
  readonly esp: number;
  readonly innerEsp: number;
  readonly limits: { readonly idt: number; readonly gdt: number; readonly tss: number };
  readonly flags: number;
  readonly frame: readonly number[];
  readonly attention: number;
  readonly cr0: number;
  readonly nmiBlocked: number;
  /** All pages have been read, so that only writes need a walk. */
  readonly isRead: boolean;
}

function drawPages(random: Random): number[] {
  return Array.from({ length: PAGES }, (_, page) => {
    if (page === ABSENT >>> 12) return 0;
    if (page === GDT >>> 12) return random.chance(80) ? USUAL : random.pick([USUAL & ~DIRTY, USUAL & ~USER]);
    if (!random.chance(8)) return USUAL;
    return random.pick([0, USUAL & ~WRITABLE, USUAL & ~USER, USUAL & ~DIRTY, USUAL & ~(DIRTY | USER)]);
  });
}

function draw(random: Random): Case {
  const flags = (): number => (random.u32() & 0x64cd5) | Flag.ONE | (random.chance(12) ? Flag.TF : 0);
  const clean = (value: number): number => (random.chance(90) ? value & ~(Flag.NT | Flag.VM) : value);
  const near = (top: number): number => top + (random.chance(25) ? random.below(6) * 4 : 0x100);
  const code = random.pick([0x08, 0x1b, 0x1b]);
  const limit = (usual: number, low: number): number => (random.chance(8) ? low : usual);
  return {
    program: random.pick(Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]),
    ring: random.chance(35) ? 0 : 3,
    pages: drawPages(random),
    gate: random.pick([0xee, 0xee, 0xef, 0x8e, 0x8f]),
    esp: near(OUTER),
    innerEsp: near(INNER),
    limits: {
      idt: limit(0x7ff, random.pick([0x21 * 8 + 6, 0x21 * 8 + 7, 6 * 8 + 5, 13 * 8 + 7])),
      gdt: limit(39, random.pick([0x0e, 0x0f, 0x16, 0x17, 0x1e, 0x1f, 0x26])),
      tss: limit(103, random.pick([8, 8, 9])),
    },
    flags: clean(flags()),
    frame: [
      CODE + 0x400,
      code,
      clean(flags()),
      OUTER + 0x80,
      random.chance(90) ? (code === 8 ? 0x10 : 0x23) : 0x10,
    ],
    attention: random.chance(15) ? random.pick([Attention.Interrupt, Attention.Nmi]) : 0,
    cr0: random.chance(30) ? CR0_AM : 0,
    isRead: random.chance(50),
    nmiBlocked: random.below(2),
  };
}

function prepare(m: TestMachine, t: Case, gdt: number): void {
  m.load(physical(CODE), [...PROGRAMS[t.program], 0x40, 0x40]);
  m.load(physical(CODE) + 0x400, MISALIGNED);
  m.load(physical(HANDLER), [0x43, 0xcf]);
  for (const vector of VECTORS) {
    m.write32(physical(IDT) + vector * 8, (8 << 16) | HANDLER);
    m.write32(physical(IDT) + vector * 8 + 4, t.gate << 8);
  }
  m.write32(physical(TSS) + 4, t.innerEsp);
  m.write32(physical(TSS) + 8, 0x10);
  [0, 0x9b, 0x93, 0xfb, 0xf3].forEach((type, n) => {
    m.write32(physical(gdt) + n * 8, n === 0 ? 0 : 0xffff);
    m.write32(physical(gdt) + n * 8 + 4, n === 0 ? 0 : 0xcf0000 | (type << 8));
  });
  m.write32(DIRECTORY, TABLE | PRESENT | WRITABLE | USER);
  // Everything usual while it gets warm.
  for (let page = 0; page < PAGES; page++) m.write32(TABLE + page * 4, (frameOf(page) * 4096) | USUAL);
  m.context.tlb.flushNonGlobal(0);
}

function start(m: TestMachine, t: Case, gdt: number): void {
  m.flatten();
  if (t.ring === 3) m.enterUser();
  const { r } = m;
  r[R.CR0] = CR0_PE | CR0_PG | CR0_WP | CR0_ET | t.cr0;
  r[R.CR3] = DIRECTORY;
  r[R.GDT_BASE] = gdt;
  r[R.GDT_LIMIT] = t.limits.gdt;
  r[R.IDT_BASE] = IDT;
  r[R.IDT_LIMIT] = t.limits.idt;
  r[R.BASE + Seg.TR] = TSS;
  r[R.LIMIT + Seg.TR] = t.limits.tss;
  r[R.ATTR + Seg.TR] = 0x8b00;
  r[R.EIP] = CODE;
  r[R.ESP] = t.esp;
  r[R.EFLAGS] = t.flags;
  r[R.NMI_BLOCKED] = t.nmiBlocked;
  m.pendingVectors.splice(0, 9, 0x22);
  t.frame.forEach((word, n) => {
    m.write32(physical(t.esp + n * 4), word);
  });
}

const inGdt = (value: number): number => (value >>> 12 === GDT >>> 12 ? GDT : value);

/** What can be seen after some instructions: the first time with warm tables, then with the pages as the case has them. */
function outcome(m: TestMachine, t: Case, gdt: number): unknown {
  m.events.length = 0;
  prepare(m, t, gdt);
  const counts: number[] = [];
  for (let round = 0; round < 3; round++) {
    start(m, t, gdt);
    if (round === 1) {
      t.pages.forEach((bits, page) => {
        m.write32(TABLE + page * 4, bits === 0 ? 0 : (frameOf(page) * 4096) | bits);
        if (bits !== USUAL) m.context.tlb.invalidatePage(0, page * 4096);
        if (bits !== 0 && t.isRead) m.context.mmu.translate(0, page * 4096, 0);
      });
    }
    m.r[R.ATTENTION] = round === 0 ? 0 : t.attention;
    m.run(1 + round * 2);
    counts.push(m.r[R.RUN_STATE] === RunState.Shutdown ? -1 : m.r[R.EIP]!);
  }
  const words = (at: number): number[] =>
    Array.from({ length: 64 }, (_, n) => m.read32(physical(at + n * 4)));
  m.r[R.GDT_BASE] = 0;
  return {
    counts,
    block: Array.from(m.r.subarray(0, 96)),
    counters: Array.from(m.f.subarray(48, 56)),
    stacks: [OUTER, OUTER - 64, INNER, INNER - 64, OUTER + 0x80, INNER + 0x80].map(words),
    entries: Array.from({ length: PAGES }, (_, page) => m.read32(TABLE + page * 4)),
    tlb: Array.from(m.context.memory.tlb[0]!),
    // Addresses in the GDT differ, as the GDT does.
    events: m.events.map(({ args, ...rest }) => ({ ...rest, args: args.map(inGdt) })),
  };
}

describe('delivery and IRET by the short way, with paging', () => {
  it('leave registers, stacks, page tables, TLB, counters and events as the general way does', () => {
    const random = new Random(21);
    const short = new TestMachine({ ramBytes: 4 << 20 });
    const general = new TestMachine({ ramBytes: 4 << 20 });
    short.listen();
    general.listen();
    for (let n = 0; n < 1000; n++) {
      const t = draw(random);
      const expected = outcome(general, t, GDT + ODD);
      const found = outcome(short, t, GDT);
      // The text is compared first: `toEqual` takes five times as long.
      if (JSON.stringify(found) !== JSON.stringify(expected)) {
        expect(found, `case ${n}: ${JSON.stringify(t)}`).toEqual(expected);
      }
    }
    expect(general.events.length).toBeGreaterThan(0);
  });
});
