/** docs/machine.md says what the code does: the cost table, and the flags that the manual leaves open. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Flag, R } from '../../../emu/arch/core-layout.ts';
import { DEFAULT_COSTS } from '../../../emu/arch/cost.ts';
import { TestMachine } from '../cpu/test-machine.ts';

const page = readFileSync(new URL('../../../docs/machine.md', import.meta.url), 'utf8');

const { CF, PF, AF, ZF, SF, OF } = Flag;
const ALL = CF | PF | AF | ZF | SF | OF;

interface Case {
  readonly text: string;
  readonly bytes: readonly number[];
  /** EAX, EBX, EDX before. */
  readonly registers?: readonly [number, number, number];
  /** Arithmetic flags before; all of them when left out. */
  readonly before?: number;
  readonly open: number;
  readonly expected: number;
}

const CASES: readonly Case[] = [
  { text: 'and eax, ebx', bytes: [0x21, 0xd8], open: AF, expected: 0 },
  { text: 'test eax, ebx', bytes: [0x85, 0xd8], open: AF, expected: 0 },
  {
    text: 'shl eax, 3',
    bytes: [0xc1, 0xe0, 3],
    before: 0,
    registers: [0x10000000, 0, 0],
    open: AF | OF,
    expected: AF | OF,
  },
  { text: 'shr eax, 3', bytes: [0xc1, 0xe8, 3], registers: [1, 0, 0], open: AF | OF, expected: AF },
  {
    text: 'rol eax, 3',
    bytes: [0xc1, 0xc0, 3],
    before: 0,
    registers: [0x10000000, 0, 0],
    open: OF,
    expected: OF,
  },
  {
    text: 'shld eax, ebx, 3',
    bytes: [0x0f, 0xa4, 0xd8, 3],
    before: 0,
    registers: [1, 0, 0],
    open: AF | OF,
    expected: AF,
  },
  {
    text: 'mul ebx',
    bytes: [0xf7, 0xe3],
    registers: [0x10000, 0x10000, 0],
    open: SF | ZF | AF | PF,
    expected: ZF | PF,
  },
  { text: 'imul ebx', bytes: [0xf7, 0xeb], registers: [-1, 3, 0], open: SF | ZF | AF | PF, expected: SF },
  { text: 'div ebx', bytes: [0xf7, 0xf3], registers: [6, 2, 0], open: ALL, expected: ALL },
  { text: 'div ebx', bytes: [0xf7, 0xf3], registers: [6, 2, 0], before: 0, open: ALL, expected: 0 },
  {
    text: 'bsf eax, ebx',
    bytes: [0x0f, 0xbc, 0xc3],
    open: CF | OF | SF | AF | PF,
    expected: CF | OF | SF | AF | PF,
  },
  { text: 'bt eax, ebx', bytes: [0x0f, 0xa3, 0xd8], open: OF | SF | AF | PF, expected: OF | SF | AF | PF },
  { text: 'bts eax, ebx', bytes: [0x0f, 0xab, 0xd8], before: 0, open: OF | SF | AF | PF, expected: 0 },
  {
    text: 'aaa',
    bytes: [0x37],
    before: 0,
    registers: [0x80, 0, 0],
    open: OF | SF | ZF | PF,
    expected: ZF | PF,
  },
  { text: 'aam', bytes: [0xd4, 10], open: OF | AF | CF, expected: 0 },
  { text: 'aad', bytes: [0xd5, 10], open: OF | AF | CF, expected: 0 },
  { text: 'daa', bytes: [0x27], open: OF, expected: 0 },
  { text: 'das', bytes: [0x2f], open: OF, expected: 0 },
];

describe('docs/machine.md', () => {
  it('has the cost model, each cost with its value', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, name, value]) => [
      name!,
      Number(value),
    ]);
    expect(Object.fromEntries(rows)).toEqual(DEFAULT_COSTS);
  });

  it('names each instruction whose open flags are tried here', () => {
    const table = page.slice(page.indexOf('### Undefined flags'), page.indexOf('## Exceptions'));
    const mnemonics = [...new Set(CASES.map(({ text }) => text.split(' ')[0]!.toUpperCase()))];
    expect(mnemonics.filter((name) => !new RegExp(`\\b${name}\\b`).test(table))).toEqual([]);
  });

  it.each(CASES)('says what $text does to the flags that the manual leaves open', (one) => {
    const machine = new TestMachine();
    const [eax, ebx, edx] = one.registers ?? [0, 0, 0];
    machine.r[R.EAX] = eax;
    machine.r[R.EBX] = ebx;
    machine.r[R.EDX] = edx;
    machine.r[R.EFLAGS] = Flag.ONE | (one.before ?? ALL);
    machine.execute(one.bytes, 1);
    expect(machine.r[R.EFLAGS]! & one.open).toBe(one.expected);
  });

  it('says that BSF of zero leaves the destination', () => {
    const machine = new TestMachine();
    machine.r[R.EAX] = 77;
    machine.execute([0x0f, 0xbc, 0xc3], 1);
    expect(machine.r[R.EAX]).toBe(77);
  });
});
