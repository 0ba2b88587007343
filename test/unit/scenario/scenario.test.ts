import { describe, expect, it } from 'vitest';
import { builtInScenario, builtInScenarios } from '../../../src/scenario/built-in.ts';
import { HostError } from '../../../src/scenario/host-error.ts';
import { type Change, parseScenario } from '../../../src/scenario/scenario.ts';

const minimal = { name: 'tiny', title: 'Tiny', look: 'Nothing.', root: { image: 'hello' } };
const parse = (extra: object, changes: readonly Change[] = []) =>
  parseScenario(JSON.stringify({ ...minimal, ...extra }), 'tiny.json', changes);

function refusal(extra: object, changes: readonly Change[] = []): string {
  try {
    parse(extra, changes);
  } catch (error) {
    expect(error).toBeInstanceOf(HostError);
    return (error as Error).message;
  }
  throw new Error('the scenario was accepted');
}

describe('a scenario', () => {
  it('with the least keys gets the defaults', () => {
    const scenario = parse({});
    expect(scenario.machine).toEqual({
      cores: 2,
      engine: 'translator',
      ramBytes: 32 << 20,
      quantumInstructions: 1000,
      timeSliceCycles: 50_000,
      tlb: {
        data: { entries: 64, ways: 4 },
        instr: { entries: 32, ways: 4 },
        replacement: 'fifo',
        seed: 1,
      },
      speculation: 'off',
      costs: {},
      disk: null,
      busMaster: null,
      ioProtection: 'report',
    });
    expect(scenario.root).toEqual({ image: 'hello', args: [], kind: 'plain' });
    expect(scenario.limits).toEqual({ maxInstructions: null, maxCycles: null });
    expect(scenario.checks).toEqual({ exit: null, output: [] });
  });

  it('reads sizes with units, modules by name or with an alias, a unified TLB and cost changes', () => {
    const scenario = parse({
      machine: { ram: '0x800000', tlb: { instruction: 'unified' }, costs: { pageWalk: 60 } },
      modules: ['a', { name: 'b', image: 'c' }],
    });
    expect(scenario.machine.ramBytes).toBe(8 << 20);
    expect(scenario.machine.tlb.instr).toBeNull();
    expect(scenario.machine.costs).toEqual({ pageWalk: 60 });
    expect(scenario.modules).toEqual([
      { name: 'a', image: 'a' },
      { name: 'b', image: 'c' },
    ]);
  });

  it('can make the root task a driver, in the file and by change', () => {
    expect(parse({ root: { image: 'hello', driver: true } }).root.kind).toBe('driver');
    expect(parse({}, [{ path: 'root.driver', value: 'true' }]).root.kind).toBe('driver');
    expect(refusal({}, [{ path: 'root.driver', value: 'yes' }])).toBe(
      "tiny.json: root.driver must be true or false, not 'yes'.",
    );
  });

  it('sets fault switches by path: words, numbers and parts', () => {
    const changes = [
      { path: 'faults.skipShootdown', value: 'on' },
      { path: 'faults.delayIpi', value: '2K' },
      { path: 'faults.killTaskAt.task', value: '2' },
      { path: 'faults.killTaskAt.step', value: '500' },
    ];
    expect(parse({}, changes).faults).toEqual({
      skipShootdown: 'on',
      delayIpi: 2048,
      killTaskAt: { task: 2, step: 500 },
    });
  });

  it('can be changed by path, and a change obeys the same rules', () => {
    expect(parse({}, [{ path: 'machine.cores', value: '4' }]).machine.cores).toBe(4);
    expect(refusal({}, [{ path: 'machine.cores', value: '99' }])).toBe(
      "tiny.json: machine.cores must be a whole number from 1 to 16, not '99'.",
    );
    expect(refusal({}, [{ path: 'machin.cores', value: '4' }])).toContain("did you mean 'machine'?");
  });

  it.each<[string, object, string]>([
    ['an unknown key', { cors: 4 }, "unknown key 'cors'"],
    [
      'an unknown key, nested',
      { machine: { coers: 4 } },
      "unknown key 'coers' in machine; did you mean 'cores'?",
    ],
    ['an unknown key deep down', { machine: { tlb: { data: { way: 4, entries: 64, ways: 4 } } } }, "'ways'?"],
    ['an unknown cost', { machine: { costs: { pagewalk: 1 } } }, "did you mean 'pageWalk'?"],
    ['an unknown fault', { faults: { skipShotdown: 'on' } }, "did you mean 'skipShootdown'?"],
    [
      'a fault that is neither on nor off',
      { faults: { skipShootdown: true } },
      'must be on or off, not true',
    ],
    [
      'a fault that wants a number',
      { faults: { loseIpi: 'on' } },
      "faults.loseIpi must be a whole number of at least 1, not 'on'",
    ],
    ['half of a fault', { faults: { killTaskAt: { task: 2 } } }, 'faults.killTaskAt.step is missing'],
    [
      'a fault of a core that is not there',
      { faults: { stallCore: { core: 2, cycles: 5 } } },
      'faults.stallCore.core must be below the number of cores (2), not 2',
    ],
    [
      'an unknown key of a module',
      { modules: [{ name: 'x', image: 'y', imge: 'z' }] },
      "unknown key 'imge' in modules[0]",
    ],
    [
      'too many cores',
      { machine: { cores: 17 } },
      'machine.cores must be a whole number from 1 to 16, not 17',
    ],
    ['no RAM', { machine: { ram: 0 } }, 'machine.ram must be a size from 4M to 3G in steps of 4K, not 0'],
    ['RAM of nonsense', { machine: { ram: 'lots' } }, "not 'lots'"],
    [
      'a TLB that is no power of two',
      { machine: { tlb: { data: { entries: 48, ways: 4 } } } },
      'power of two, not 48',
    ],
    [
      'more ways than entries',
      { machine: { tlb: { data: { entries: 4, ways: 8 } } } },
      'at most its entries (4), not 8',
    ],
    [
      'an unknown replacement',
      { machine: { tlb: { replacement: 'mru' } } },
      'fifo or random or clock or lru',
    ],
    ['a root that is missing', { root: undefined }, 'root is missing'],
    ['a root of the wrong type', { root: 'hello' }, "root must be an object {...}, not 'hello'"],
    ['a root without image', { root: {} }, 'root.image is missing'],
    [
      'an argument that is no text',
      { root: { image: 'x', args: [1] } },
      'root.args[0] must be a text, not 1',
    ],
    ['too many modules', { modules: Array(32).fill('x') }, 'modules must have at most 31 entries'],
    ['a module of the wrong type', { modules: [3] }, 'modules[0]'],
    ['an empty name', { name: '' }, 'name must be a text of 1 to 39 characters'],
    ['a negative seed', { seed: -1 }, 'seed must be a whole number from 0 to 4294967295, not -1'],
    [
      'a limit of nothing',
      { limits: { maxInstructions: 0 } },
      'limits.maxInstructions must be a whole number of at least 1',
    ],
    [
      'an impossible exit',
      { checks: { exit: 256 } },
      'checks.exit must be a whole number from 0 to 255, not 256',
    ],
  ])('with %s is refused in one sentence that says what would be right', (_, extra, part) => {
    const sentence = refusal(extra);
    expect(sentence).toContain(part);
    expect(sentence.startsWith('tiny.json: ')).toBe(true);
    expect(sentence).not.toContain('\n');
    expect(sentence).toMatch(/[.?]$/);
  });

  it('that is not JSON is refused with line and column', () => {
    expect(() => parseScenario('{\n  "name": "x",,\n}', 'broken.json')).toThrow(
      'broken.json: this is not JSON: something is wrong at line 2, column 15.',
    );
    expect(() => parseScenario('', 'empty.json')).toThrow('line 1, column 1');
    expect(() => parseScenario('[]', 'list.json')).toThrow(
      'list.json: the scenario must be an object {...}, not a list.',
    );
  });
});

describe('the shipped scenarios', () => {
  it('are all accepted, and each has its own name', () => {
    const names = builtInScenarios().map((s) => s.name);
    expect(names).toContain('story');
    expect(new Set(names).size).toBe(names.length);
  });

  it('are found by name, and a misspelt name is answered with the nearest', () => {
    expect(builtInScenario('hello').root.image).toBe('hello');
    expect(() => builtInScenario('sotry')).toThrow("There is no scenario 'sotry'; did you mean 'story'?");
  });
});
