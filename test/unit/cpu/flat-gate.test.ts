/**
 * The short way of INT, faults and IRET (flat-gate.ts) against the general one: the same descriptors in a GDT at an odd address
 * are not eligible for the short way, so two machines that differ in nothing else must end in the same state.
 */
import { describe, expect, it } from 'vitest';
import { Flag, R, Seg } from '../../../emu/arch/core-layout.ts';
import { Random } from '../../../tools/vectors/random.ts';
import { TestMachine } from './test-machine.ts';

const CODE = 0x1000;
const HANDLER = 0x1800;
/** Behind it, for exceptions with an error code. */
const DROP_ERROR = HANDLER - 3;
const IDT = 0x2000;
const TSS = 0x2800;
const GDT = 0x3000;
const OUTER_STACK = 0x8000;
const INNER_STACK = 0x9000;
const VECTOR = 0x21;
const [VEC_NMI, VEC_UD, VEC_GP] = [2, 6, 13];
/** INT and IRET; instructions that are no instruction, that ring 3 may not execute, and that nobody may. */
const TRAPS = [[0xcd, VECTOR, 0x40], [0xcf]];
const FAULTS = [
  [0x0f, 0x0b, 0x40],
  [0xfa, 0x40, 0x40],
  [0x0f, 0x22, 0xc8, 0x40],
];
const FLAT = 0x00cf0000;

/** Descriptors by GDT index: usually flat and accessed, now and then another. */
function descriptors(random: Random): [number, number][] {
  const one = (type: number): [number, number] => {
    const odd = random.chance(6);
    const access = odd ? random.below(256) << 8 : type << 8;
    return [random.chance(3) ? 0xfff : 0xffff, (random.chance(3) ? 0x00400000 : FLAT) | access];
  };
  return [[0, 0], one(0x9b), one(0x93), one(0xfb), one(0xf3)];
}

interface Case {
  readonly table: readonly [number, number][];
  readonly gate: readonly [number, number];
  readonly program: readonly number[];
  readonly ring: 0 | 3;
  /** Of the second round. */
  readonly budget: number;
  readonly esp: number;
  readonly innerEsp: number;
  readonly flags: number;
  readonly frame: readonly number[];
  readonly attention: number;
}

const selector = (random: Random): number =>
  random.pick([0x08, 0x10, 0x1b, 0x1b, 0x23, 0x23, 0x08, 0x13, 0x20, 0]);

function draw(random: Random, programs: readonly (readonly number[])[]): Case {
  const type = random.pick([0xee, 0xee, 0xef, 0x8e, 0x8f, 0xee, 0x6e, 0xe6, 0xe5, 0xec]);
  const flags = (): number => (random.u32() & 0x3f7ed5) | Flag.ONE;
  const edge = random.chance(10) ? random.below(24) : 0x100;
  return {
    table: descriptors(random),
    gate: [(random.pick([0x08, 0x08, 0x08, 0x1b, 0x10]) << 16) | HANDLER, type << 8],
    program: random.pick(programs),
    budget: 1 + random.below(7),
    ring: random.chance(50) ? 0 : 3,
    esp: OUTER_STACK + edge,
    innerEsp: INNER_STACK + (random.chance(10) ? random.below(24) : 0x100),
    flags: flags() & ~(random.chance(90) ? Flag.TF | Flag.NT | Flag.VM : 0),
    frame: [CODE + 2, selector(random), flags(), OUTER_STACK + 0x80, selector(random)],
    attention: random.chance(10) ? 1 + random.below(2) : 0,
  };
}

/** Architectural words and stacks after a few instructions from the same start, the second time with warm flat tables. */
function outcome(m: TestMachine, t: Case, gdt: number): unknown {
  m.events.length = 0;
  m.load(CODE, t.program);
  m.load(DROP_ERROR, [0x83, 0xc4, 0x04, 0x43, 0xcf]);
  for (const vector of [VECTOR, VEC_NMI, VEC_UD, VEC_GP]) {
    m.write32(IDT + vector * 8, t.gate[0] - (vector === VEC_GP ? HANDLER - DROP_ERROR : 0));
    m.write32(IDT + vector * 8 + 4, t.gate[1]);
  }
  m.write32(TSS + 4, t.innerEsp);
  m.write32(TSS + 8, 0x10);
  t.table.forEach(([low, high], n) => {
    m.write32(gdt + n * 8, low);
    m.write32(gdt + n * 8 + 4, high);
  });
  for (let round = 0; round < 2; round++) {
    m.flatten();
    if (t.ring === 3) m.enterUser();
    const { r } = m;
    r[R.GDT_BASE] = gdt;
    r[R.GDT_LIMIT] = 39;
    r[R.IDT_BASE] = IDT;
    r[R.IDT_LIMIT] = 0x7ff;
    r[R.BASE + Seg.TR] = TSS;
    r[R.LIMIT + Seg.TR] = 103;
    r[R.ATTR + Seg.TR] = 0x8b00;
    r[R.EIP] = CODE;
    r[R.ESP] = t.esp;
    r[R.EFLAGS] = t.flags;
    r[R.ATTENTION] = t.attention;
    // An NMI that waits comes behind the IRET.
    r[R.NMI_BLOCKED] = t.attention >> 1;
    t.frame.forEach((word, n) => {
      m.write32(t.esp + n * 4, word);
    });
    m.run(round === 0 ? 1 : t.budget);
  }
  m.r[R.GDT_BASE] = 0;
  const stacks = [OUTER_STACK, OUTER_STACK - 64, INNER_STACK, INNER_STACK - 64, INNER_STACK + 0xc0].map(
    (at) => Array.from({ length: 24 }, (_, n) => m.read32(at + n * 4)),
  );
  return {
    block: Array.from(m.r.subarray(0, 96)),
    counters: Array.from(m.f.subarray(48, 56)),
    stacks,
    events: [...m.events],
  };
}

describe('INT and IRET by the short way', () => {
  it('leave registers, stacks, counters and events as the general way does', () => {
    const random = new Random(20);
    const short = new TestMachine({ ramBytes: 4 << 20 });
    const general = new TestMachine({ ramBytes: 4 << 20 });
    short.listen();
    general.listen();
    for (let n = 0; n < 1500; n++) {
      const t = draw(random, TRAPS);
      const expected = outcome(general, t, GDT + 0x401);
      expect(outcome(short, t, GDT), `case ${n}: ${JSON.stringify(t)}`).toEqual(expected);
    }
  });

  it('deliver faults from within the inner loop, where nobody listens, as the general way does', () => {
    const random = new Random(21);
    const short = new TestMachine({ ramBytes: 4 << 20 });
    const general = new TestMachine({ ramBytes: 4 << 20 });
    for (let n = 0; n < 1500; n++) {
      const t = draw(random, FAULTS);
      const expected = outcome(general, t, GDT + 0x401);
      expect(outcome(short, t, GDT), `case ${n}: ${JSON.stringify(t)}`).toEqual(expected);
    }
  });
});
