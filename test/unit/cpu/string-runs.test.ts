/**
 * REP string instructions in whole runs against single steps: with an LRU TLB every access takes the slow path, so one of
 * two machines that differ in nothing else does every iteration by itself.
 */
import { expect, it } from 'vitest';
import { CoreF, Flag, R } from '../../../emu/arch/core-layout.ts';
import { DEFAULT_TLB } from '../../../emu/mem/index.ts';
import { Random } from '../../../tools/vectors/random.ts';
import { TestMachine } from './test-machine.ts';

const CODE = 0x1000;
const DATA = 0x4000;
const DATA_BYTES = 0x3000;
const OPCODES = [0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xae, 0xaf, 0xac, 0xad];

interface Case {
  readonly code: readonly number[];
  readonly registers: readonly (readonly [R, number])[];
  readonly data: Uint8Array;
  readonly budgets: readonly number[];
}

function draw(random: Random): Case {
  const place = (): number => DATA + random.below(DATA_BYTES - 1200) + (random.chance(50) ? 0 : 0x400);
  // Few values, so that compares go on for a while; SCAS and CMPS find long runs of equal bytes.
  const data = Uint8Array.from({ length: DATA_BYTES }, () => (random.chance(3) ? random.below(3) : 7));
  const prefix = random.chance(15) ? [0x66] : [];
  return {
    code: [...prefix, random.pick([0xf2, 0xf3]), random.pick(OPCODES), 0x40],
    registers: [
      [R.EAX, random.pick([0x07070707, 0, 1, 0x0107])],
      [R.ECX, random.pick([0, 1, 3, 4, 17, 100, 250])],
      [R.ESI, place()],
      [R.EDI, place()],
      [R.EFLAGS, Flag.ONE | (random.u32() & 0x8d5 & ~Flag.TF) | (random.chance(15) ? Flag.DF : 0)],
    ],
    data,
    budgets: [1 + random.below(120), 1 + random.below(40), 300],
  };
}

/** State after each slice, on a machine whose flat table is warm if it has one. */
function outcome(m: TestMachine, t: Case): unknown[] {
  const states: unknown[] = [];
  m.flatten();
  m.load(CODE, t.code);
  m.load(DATA, t.data);
  for (const [register, value] of t.registers) m.r[register] = value;
  m.r[R.EIP] = CODE;
  for (const budget of t.budgets) {
    if (m.r[R.EIP]! >= CODE + t.code.length) break;
    m.run(budget);
    states.push([...m.r.subarray(0, 10), m.f[CoreF.INSTRUCTIONS], m.f[CoreF.CYCLES]]);
  }
  const data = m.context.memory.ram.subarray(DATA, DATA + DATA_BYTES);
  return [...states, Buffer.from(data).toString('latin1')];
}

it('runs leave registers, flags, counts and memory as single steps do', () => {
  const random = new Random(31);
  const runs = new TestMachine({ ramBytes: 4 << 20 });
  const steps = new TestMachine({ ramBytes: 4 << 20, tlb: { ...DEFAULT_TLB, replacement: 'lru' } });
  for (let n = 0; n < 300; n++) {
    const t = draw(random);
    const expected = outcome(steps, t);
    expect(outcome(runs, t), `case ${n}: ${t.code} ${JSON.stringify(t.registers)}`).toEqual(expected);
  }
});
