/** Exploration finds the planted races in a real scenario, shortens and replays them, and finds nothing without them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import {
  type ExploreOptions,
  type ExploreResult,
  exploreSchedules,
} from '../../../src/explore/explore-schedules.ts';
import { PlannedSchedule } from '../../../src/explore/planned-schedule.ts';
import { TrialBench } from '../../../src/explore/trial.ts';
import { builtInScenario } from '../../../src/scenario/built-in.ts';
import { scenarioConfig } from '../../../src/scenario-system.ts';
import { fakeIo } from '../../unit/cli/fake-io.ts';
import { physmem } from '../cli/shipped.ts';

const image = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../guest/bin/${name}.elf`, import.meta.url)));

function explore(changes: Readonly<Record<string, string>>, options: Partial<ExploreOptions>): ExploreResult {
  const scenario = builtInScenario(
    'stale',
    Object.entries(changes).map(([path, value]) => ({ path, value })),
  );
  const schedule = new PlannedSchedule(scenario.machine.quantumInstructions);
  const config = { ...scenarioConfig(scenario, { image }), schedule };
  const bench = new TrialBench(config, (bytes) => new TextDecoder().decode(bytes));
  const runs = exploreSchedules(bench, schedule, {
    maxRuns: 60,
    depth: 2,
    search: 'both',
    seed: 1,
    judge: 'both',
    checks: scenario.checks,
    ...options,
  });
  for (;;) {
    const step = runs.next();
    if (step.done === true) return step.value;
  }
}

/** The race that is only there for the cores that drift: with an IPI that takes no time the usual order is safe. */
const NARROW = { 'faults.dontWaitForAcks': 'on', 'machine.costs.ipiDeliver': '0' };

describe('exploring stale', () => {
  it('finds nothing when no rule is broken, and says how much it tried', () => {
    const result = explore({}, {});
    expect(result.failure).toBeNull();
    expect(result.runs).toBe(60);
    expect(result.random).toBe(30);
    expect(result.exhaustive).toEqual([{ depth: 1, tried: 29, size: result.space.points.length * 2 * 3 }]);
  });

  it.each(['skipShootdown', 'dontWaitForAcks'])(
    'finds that %s leaves a translation behind, in any order',
    (fault) => {
      const result = explore({ [`faults.${fault}`]: 'on' }, {});
      expect(result).toMatchObject({ runs: 1, failure: { holds: [], failure: { kind: 'state' } } });
      expect(result.failure!.failure.sentences[0]).toMatch(/^I18: the TLB of core 1/);
    },
  );

  it('finds skipShootdown by what the guest sees, too', () => {
    const result = explore({ 'faults.skipShootdown': 'on' }, { judge: 'outcome' });
    expect(result.failure).toMatchObject({ holds: [], failure: { kind: 'check' } });
  });

  it('finds the order in which a narrow race of dontWaitForAcks shows, and the usual order hides it', () => {
    const options = { judge: 'outcome', search: 'random', maxRuns: 300 } as const;
    const result = explore(NARROW, options);
    expect(result.failure?.failure.kind).toBe('check');
    expect(result.failure!.holds.length).toBe(1);
    expect(result.random).toBeGreaterThan(0);
    expect(explore(NARROW, options)).toEqual(result);
  });

  it('finds nothing in the same orders when the operation waits', () => {
    const unbroken = { 'machine.costs.ipiDeliver': '0' };
    expect(explore(unbroken, { judge: 'outcome', search: 'random', maxRuns: 100 }).failure).toBeNull();
  });
});

describe('physmem explore', () => {
  const set = Object.entries(NARROW).flatMap(([key, value]) => ['--set', `${key}=${value}`]);

  it('writes a schedule that run replays, with the changes under which it was found', async () => {
    const find = ['explore', 'stale', ...set, '--judge', 'outcome', '--search', 'random', '--runs', '300'];
    const found = await physmem([...find, '--out', 'race.txt']);
    expect(found.code).toBe(1);
    expect(found.out).toContain("FAILED, check: output contains 'left my TLB in time'");
    expect(found.out).toContain('replay: physmem run stale --schedule race.txt');
    const files = { 'race.txt': found.io.written.get('race.txt')! };
    const replayed = await physmem(['run', 'stale', '--schedule', 'race.txt', '--quiet'], { files });
    expect([replayed.code, replayed.out]).toEqual([1, expect.stringContaining('STALE TRANSLATION')]);
    const usual = await physmem(['run', 'stale', ...set, '--quiet']);
    expect([usual.code, usual.out]).toEqual([0, expect.not.stringContaining('STALE TRANSLATION')]);
    const foreign = await physmem(['run', 'story', '--schedule', 'race.txt'], { files });
    expect([foreign.code, foreign.err]).toEqual([2, expect.stringContaining("of 'stale', not of 'story'")]);
  });

  it('ends with 0 and says so when nothing broke; --json is one object', async () => {
    const text = await physmem(['explore', 'stale', '--runs', '3']);
    expect([text.code, text.out]).toEqual([0, expect.stringContaining('nothing broke in 3 runs')]);
    const json = await physmem(['explore', 'stale', '--runs', '3', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ scenario: 'stale', runs: 3, failure: null });
  });

  it('kills tasks with --deaths, and knows which there are', async () => {
    const deaths = await physmem(['explore', 'stale', '--deaths', '--task', '2', '--stride', '20']);
    expect([deaths.code, deaths.out]).toEqual([
      0,
      expect.stringMatching(/task 2 lives.*\n3 deaths in 4 runs/),
    ]);
    const none = await physmem(['explore', 'stale', '--deaths', '--task', '9']);
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('has no task 9')]);
  });

  it('stops at Ctrl-C and concludes nothing', async () => {
    const shipped = { stale: image('stale'), 'stale-reader': image('stale-reader') };
    const io = fakeIo({ shipped, onBreath: (count) => count === 1 && io.interrupt() });
    expect(await runProgram(['explore', 'stale', '--runs', '100'], io, '0')).toBe(130);
    expect([io.stdout(), io.stderr()]).toEqual([
      '',
      'physmem: stopped by Ctrl-C after 2 runs; nothing is concluded\n',
    ]);
  });

  it.each([
    [['--runs', '0'], '--runs must be a whole number from 1 to 1000000'],
    [['--depth', '9'], '--depth must be a whole number from 1 to 8'],
    [['--search', 'rndom'], "--search cannot be 'rndom'; did you mean 'random'?"],
    [['--judge', 'me'], "--judge cannot be 'me'"],
    [['--deaths', '--out', 'x'], '--out needs a schedule'],
  ])('refuses %j in one sentence', async (args, sentence) => {
    const { code, err } = await physmem(['explore', 'stale', ...args]);
    expect([code, err]).toEqual([2, expect.stringContaining(sentence)]);
  });
});
