/**
 * Every fault switch, on the real machine with real guests: with it, the rule that docs/fault-switches.md names is found to
 * be broken; without it nothing is. The table is the list of cases, so the two cannot differ.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KernelEv } from '../../../src/abi/events.ts';
import { FAULT_SWITCHES } from '../../../src/abi/fault-switches.ts';
import { CopyFlag } from '../../../src/abi/rights.ts';
import { TrialBench, type TrialEnd } from '../../../src/explore/trial.ts';
import type { Deferral } from '../../../src/physmem/store.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import type { Change } from '../../../src/scenario/scenario.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { BenchTop } from '../../unit/physmem/bench-top.ts';

interface Row {
  readonly name: string;
  readonly changes: readonly Change[];
  readonly scenario: string;
  /** Number of the rule, `late` or `nothing`. */
  readonly noticed: string;
}

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, import.meta.url)));
const image = (name: string): Uint8Array => read(`../../../guest/bin/${name}.elf`);
const DOC = new TextDecoder().decode(read('../../../docs/fault-switches.md'));
/** Stands for no scenario, but for the server on a kernel made for tests. */
const SERVER = 'server';
const ROW = /^\| `(\w+)` \| (.+?) \| `([\w-]+)` \| (\w+) \| .+ \|$/gm;
const rows: readonly Row[] = [...DOC.matchAll(ROW)].map(([, name, setting, scenario, noticed]) => ({
  name: name!,
  changes: settings(name!, setting!),
  scenario: scenario!,
  noticed: noticed!,
}));

/** `on`, or `.core=1`, `.cycles=3M` for a switch of several parts. */
function settings(name: string, text: string): Change[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, part]) => {
    const [key, value] = part!.startsWith('.') ? part!.split('=') : ['', part];
    return { path: `faults.${name}${key}`, value };
  });
}

/** One run under the eyes of all checkers; the free memory is not looked at each time (poison), which takes 0.1 s. */
function judge(name: string, changes: readonly Change[]): { end: TrialEnd; injected: number } {
  const scenario = builtInScenario(name, [...changes, { path: 'poison', value: 'off' }]);
  const bench = new TrialBench(scenarioConfig(scenario, { image }), (bytes) =>
    new TextDecoder().decode(bytes),
  );
  const checks = { exit: null, output: [] };
  const options = {
    judge: 'state',
    checks,
    maxInstructions: 20_000_000,
    atLimit: 'fail',
    late: 'fail',
  } as const;
  const end = bench.run(options, () => {});
  return { end, injected: bench.system.trace.count(KernelEv.FaultInjected) };
}

/** The server alone: a library of one page that two tasks map, dropped by one of them and then by its owner. */
function judgeServer(changes: readonly Change[]): { sentence: string; injected: number } {
  const faults = Object.fromEntries(changes.map(({ path, value }) => [path.split('.')[1], value]));
  const deferral = { mode: 'on' } as Deferral;
  const top = new BenchTop({ frames: 256, dmaEnd: 64, options: { deferral, faults } });
  top.kernel.recordEvents = true;
  const [library, own] = [top.container(), top.container()];
  for (const task of [1, 2]) top.task(task);
  top.must(top.allocate(library, 0, 1));
  top.poke(1, library, 0, 7);
  top.must(top.copy(library, 0, own, 0, 1, CopyFlag.SHARED));
  top.must(top.map(2, own, 0, 1, 0x100, 1));
  for (const core of [0, 1]) top.kernel.read(core, 2, 0x100);
  top.kernel.remote = 'always';
  let sentence = '';
  try {
    for (const container of [own, library]) top.must(top.deallocate(container, 0, 1));
  } catch (error) {
    sentence = (error as Error).message;
  }
  return { sentence, injected: top.kernel.events.filter(([kind]) => kind === KernelEv.FaultInjected).length };
}

describe('docs/fault-switches.md', () => {
  it('has a row for every switch, and for nothing else', () => {
    const names = [...new Set(rows.map(({ name }) => name))];
    expect(names.sort()).toEqual(FAULT_SWITCHES.map(({ name }) => name).sort());
  });
});

describe('a fault switch', () => {
  const isOnMachine = ({ scenario }: Row): boolean => scenario !== SERVER;

  it.each(rows.filter((row) => !isOnMachine(row)).map((row) => [row.name, row.noticed, row] as const))(
    '%s, with the server alone, is noticed as %s, and not without it',
    (_name, noticed, { changes }) => {
      const { sentence, injected } = judgeServer(changes);
      expect(injected).toBeGreaterThan(0);
      expect(sentence).toMatch(new RegExp(`^${noticed}:`));
      expect(judgeServer([])).toEqual({ sentence: '', injected: 0 });
    },
  );

  it.each(rows.filter(isOnMachine).map((row) => [row.name, row.scenario, row.noticed, row] as const))(
    '%s, in the scenario %s, is noticed as %s',
    (_name, scenario, noticed, { changes }) => {
      const { end, injected } = judge(scenario, changes);
      expect(injected).toBeGreaterThan(0);
      if (noticed === 'nothing') expect(end.failure).toBeNull();
      else if (noticed === 'late') expect(end.failure).toMatchObject({ kind: 'late' });
      else {
        expect(end.failure).toMatchObject({ kind: 'state' });
        expect(end.failure!.sentences[0]).toMatch(new RegExp(`^${noticed}:`));
      }
    },
  );

  it.each([...new Set(rows.filter(isOnMachine).map(({ scenario }) => scenario))])(
    'that is off is not missed: in the scenario %s nothing is noticed, and none has acted',
    (scenario) => {
      const { end, injected } = judge(scenario, []);
      expect(end.failure).toBeNull();
      expect(end.stop).toEqual({ kind: 'exit', status: 0 });
      expect(injected).toBe(0);
    },
  );
});
