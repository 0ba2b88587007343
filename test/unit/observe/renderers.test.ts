import { describe, expect, it } from 'vitest';
import type { TlbEntryView, WalkExplanation } from '../../../emu/mem/index.ts';
import { buddyinfo, buddyinfoChange } from '../../../src/observe/buddyinfo.ts';
import { containerText } from '../../../src/observe/container-text.ts';
import { type ControlView, controlTree } from '../../../src/observe/control-tree.ts';
import { counterTable } from '../../../src/observe/counter-table.ts';
import { binarySize, hex32, plural, thousands } from '../../../src/observe/number-format.ts';
import { headingLine, PLAIN_STYLE, type TextStyle } from '../../../src/observe/text-style.ts';
import { tlbText } from '../../../src/observe/tlb-text.ts';
import { pageFaultWords, walkText } from '../../../src/observe/walk-text.ts';

const UNICODE: TextStyle = { ...PLAIN_STYLE, glyphs: 'unicode' };

describe('numbers', () => {
  it('have thousands separators, hexadecimal digits and binary units', () => {
    expect([0, 999, 1000, 1234567, -4321].map(thousands)).toEqual([
      '0',
      '999',
      '1,000',
      '1,234,567',
      '-4,321',
    ]);
    expect(hex32(-1)).toBe('0xffffffff');
    expect([0, 100, 4096, 1.5 * 2 ** 20, 3 * 2 ** 30].map(binarySize)).toEqual([
      '0 B',
      '100 B',
      '4 KiB',
      '1.5 MiB',
      '3 GiB',
    ]);
    expect([plural(1, 'page'), plural(1200, 'entry', 'entries')]).toEqual(['1 page', '1,200 entries']);
  });
});

describe('buddyinfo', () => {
  const zones = [
    { name: 'DMA', freeBlocks: [1, 0, 2] },
    { name: 'Normal', freeBlocks: [10, 200, 3000] },
  ];

  it('has the bytes of /proc/buddyinfo', () => {
    expect(buddyinfo(zones)).toBe(
      'Node 0, zone      DMA      1      0      2 \nNode 0, zone   Normal     10    200   3000 \n',
    );
  });

  it('as a change shows before and after of the zones that changed, and free frames', () => {
    expect(buddyinfoChange(zones, [zones[0]!, { name: 'Normal', freeBlocks: [8, 200, 3000] }])).toBe(
      [
        'zone   order     0    1    2',
        'DMA    same      1    0    2  9 free',
        'Normal before   10  200 3000  12410 free',
        '       after     8  200 3000  12408 free',
        '',
      ].join('\n'),
    );
  });
});

describe('the control tree', () => {
  const control = (id: number, parent: number, total: number, given: number, more = {}): ControlView => ({
    id,
    parent,
    total,
    free: total - given - 1,
    charged: 1,
    given,
    extra: 0,
    soft: 0,
    dying: 'no',
    note: '',
    containers: [],
    ...more,
  });

  it('puts children under their parents and numbers in columns', () => {
    const tree = controlTree(
      [
        control(1, 0, 7000, 110, { note: 'root', containers: [{ id: 1, pages: 3 }] }),
        control(2, 1, 100, 10),
        control(3, 2, 10, 0, { dying: 'yes' }),
        control(4, 1, 10, 0),
      ],
      UNICODE,
    );
    expect(tree).toBe(
      [
        'control          total   free  charged  children  containers',
        '1 root           7,000  6,889        1       110  1 (3 pages)',
        '├─ 2               100     89        1        10',
        '│  └─ 3 (dying)     10      9        1         0',
        '└─ 4                10      9        1         0',
        '',
      ].join('\n'),
    );
  });

  it('has columns for what is held beyond the guarantee when there is any', () => {
    const controls = [control(1, 0, 100, 10), control(2, 1, 10, 0, { extra: 2743, soft: 5 })];
    expect(controlTree(controls, UNICODE).split('\n').slice(0, 3)).toEqual([
      'control  total  free  charged  children  extra  soft  containers',
      '1          100    89        1        10      0     0',
      '└─ 2        10     9        1         0  2,743     5',
    ]);
  });

  it('tells containers by number only when the list does not fit the columns', () => {
    const containers = Array.from({ length: 40 }, (_, i) => ({ id: i + 100, pages: 1_000_000 }));
    const tree = controlTree([control(1, 0, 7000, 0, { note: 'root', containers })], PLAIN_STYLE);
    expect(tree).toContain('40 with 40,000,000 pages');
    expect(Math.max(...tree.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('draws its lines in ASCII when the terminal has no others', () => {
    const tree = controlTree([control(1, 0, 10, 5), control(2, 1, 5, 0)], PLAIN_STYLE);
    expect(tree).toContain('`- 2');
    expect(tree).toMatch(/^[\n -~]*$/);
  });

  it('shows a control whose parent is not in the list as a root instead of dropping it', () => {
    expect(controlTree([control(5, 4, 10, 0)], PLAIN_STYLE)).toContain('\n5 ');
  });
});

describe('the entries of a container', () => {
  const entry = {
    start: 0,
    order: 1,
    frame: 0x1000,
    cow: '',
    references: 1,
    pinned: 0,
    hold: '',
  } as const;

  it('show range, size, frame and what is special', () => {
    const text = containerText(
      [
        {
          id: 3,
          control: 2,
          note: '',
          entries: [
            entry,
            { ...entry, start: 0x2000, order: 0, frame: null },
            {
              ...entry,
              start: 0x4000,
              order: 0,
              frame: 0x42,
              cow: 'cow',
              references: 2,
              pinned: 1,
            },
          ],
        },
      ],
      PLAIN_STYLE,
    );
    expect(text).toBe(
      [
        'container 3 of control 2: 3 entries, 4 pages',
        '  range                   size  frame       state',
        '  0x00000000-0x00001fff  8 KiB  0x01000000',
        '  0x00002000-0x00002fff  4 KiB  unbound',
        '  0x00004000-0x00004fff  4 KiB  0x00042000  copy-on-write, shared by 2, 1 pin',
        '',
      ].join('\n'),
    );
  });

  it('are cut after the limit, with the number of what is left out', () => {
    const entries = Array.from({ length: 5 }, (_, i) => ({ ...entry, start: i * 8192 }));
    const text = containerText([{ id: 1, control: 1, note: 'locked', entries }], PLAIN_STYLE, 2);
    expect(text).toContain(', locked\n');
    expect(text).toContain('and 3 more entries');
    expect(containerText([{ id: 1, control: 1, note: '', entries: [] }], PLAIN_STYLE)).toBe(
      'container 1 of control 1: 0 entries, 0 pages\n',
    );
  });
});

describe('the view of a TLB', () => {
  const tlbEntry: TlbEntryView = {
    index: 0,
    side: 'data',
    va: 0x402000,
    pa: 0x1a03000,
    sizeBytes: 4096,
    writable: true,
    user: true,
    dirty: false,
    global: false,
    space: 0,
    stale: false,
  };
  const gone: WalkExplanation = {
    va: 0,
    steps: [],
    rule: 'page table entry not present',
    pa: null,
    errorCode: 4,
  };

  it('lists what each core believes, by address', () => {
    const text = tlbText(
      [{ core: 1, capacity: 96, entries: [tlbEntry, { ...tlbEntry, va: 0x400000, sizeBytes: 4 << 20 }] }],
      PLAIN_STYLE,
      () => gone,
    );
    expect(text).toBe(
      [
        'core 1: 2 of 96 entries',
        '  data  0x00400000  ->  0x01a03000  4M  uw--',
        '  data  0x00402000  ->  0x01a03000  4K  uw--',
        '',
      ].join('\n'),
    );
  });

  it('badges a stale entry with what a walk says now', () => {
    const say = (walk: Partial<WalkExplanation>): string =>
      tlbText([{ core: 0, capacity: 64, entries: [{ ...tlbEntry, stale: true }] }], PLAIN_STYLE, () => ({
        ...gone,
        ...walk,
      }));
    expect(say({})).toContain('1 stale');
    expect(say({})).toContain('STALE: page table entry not present');
    expect(say({ pa: 0x5000 })).toContain('STALE: now 0x00005000');
    expect(say({ pa: 0x1a03000 })).toContain('STALE: other rights now');
  });
});

describe('an explained walk', () => {
  const pde = {
    level: 'pde',
    entryPa: 0x101004,
    value: 0x102067,
    present: true,
    writable: true,
    user: true,
    largePage: false,
  } as const;

  it('names each entry by address and bits, and the rule that failed', () => {
    const pte = { ...pde, level: 'pte', entryPa: 0x102008, value: 0, present: false } as const;
    expect(
      walkText({
        va: 0x402123,
        steps: [pde, pte],
        rule: 'page table entry not present',
        pa: null,
        errorCode: 6,
      }),
    ).toBe(
      [
        'walk of 0x00402123',
        '  PDE 1    at 0x00101004 = 0x00102067 --DA--UWP  table at 0x00102000',
        '  PTE 2    at 0x00102008 = 0x00000000 ---------  not present',
        '  PAGE FAULT: page table entry not present; error code 6 (write, user, not present)',
        '',
      ].join('\n'),
    );
  });

  it('ends with the physical address when it is allowed', () => {
    const large = { ...pde, value: 0x8000e7, largePage: true };
    const text = walkText({ va: 0x400010, steps: [large], rule: 'allowed', pa: 0x800010, errorCode: null });
    expect(text).toContain('4 MiB page at 0x00800000');
    expect(text).toContain('OK: 0x00400010 => 0x00800010 (allowed)');
  });

  it('puts every bit of an error code into words', () => {
    expect(pageFaultWords(0)).toBe('read, supervisor, not present');
    expect(pageFaultWords(7)).toBe('write, user, present');
    expect(pageFaultWords(0x1d)).toBe('fetch, user, present, reserved bit');
  });
});

describe('the counters', () => {
  it('stand in one column with one core and in one per core otherwise', () => {
    expect(counterTable([{ label: 'cycles', perCore: [1234], total: 1234 }], PLAIN_STYLE)).toBe(
      'cycles  1,234\n',
    );
    expect(
      counterTable(
        [
          { label: 'instructions', perCore: [1000, 2000], total: 3000 },
          { label: 'shootdowns', perCore: [], total: 1 },
        ],
        PLAIN_STYLE,
      ),
    ).toBe(
      [
        '                all  core 0  core 1',
        'instructions  3,000   1,000   2,000',
        'shootdowns        1',
        '',
      ].join('\n'),
    );
  });

  it('of many cores go to several blocks that fit the columns', () => {
    const perCore = Array.from({ length: 16 }, () => 1_000_000_000);
    const text = counterTable([{ label: 'instructions', perCore, total: 16e9 }], PLAIN_STYLE);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text).toContain('core 15');
  });
});

describe('a heading', () => {
  it('fills the line with a rule of what the terminal can show', () => {
    expect(headingLine('Frames', UNICODE)).toBe(`── Frames ${'─'.repeat(70)}`);
    expect(headingLine('Frames', PLAIN_STYLE)).toHaveLength(80);
    expect(headingLine('Frames', { ...PLAIN_STYLE, columns: 40 })).toHaveLength(40);
  });
});
