/**
 * The story byte for byte (I36; machine.md §4). The golden files change only by `npm run golden`, which is read in
 * the diff.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { System } from '../../src/system.ts';
import { record, runStory, storyConfig } from './story.ts';

const golden = (name: string): URL => new URL(`./data/${name}`, import.meta.url);
const ACCEPT = process.env['PHYSMEM_ACCEPT_GOLDEN'] === '1';

function expectGolden(name: string, text: string): void {
  if (ACCEPT) writeFileSync(golden(name), text);
  // Compared as lines: a difference then shows the first event that differs, not 100 KB of text.
  expect(text.split('\n')).toEqual(readFileSync(golden(name), 'utf8').split('\n'));
}

describe('the story', () => {
  it('prints what the golden console says and leaves the golden trace', () => {
    const run = runStory();
    expectGolden('story.console.txt', run.console());
    expectGolden('story.trace.jsonl', run.trace());
  });

  it('gives the same bytes twice', () => {
    const first = runStory();
    const second = runStory();
    expect(second.trace()).toBe(first.trace());
    expect(second.console()).toBe(first.console());
    expect(Buffer.compare(second.system.save(), first.system.save())).toBe(0);
  });

  it('interleaves otherwise with other seeds, and tells the same story', () => {
    // Two seeds may happen to give the same trace: the cores of the story have little to do with each other.
    const runs = [1, 2, 3, 4711].map((seed) => runStory({ ...storyConfig(), seed }));
    expect(new Set(runs.map((run) => run.trace())).size).toBeGreaterThan(1);
    for (const { system } of runs) expect(system.machine.stopReason).toMatchObject({ status: 0 });
  });

  it('does the same however often the caller pauses', () => {
    const whole = runStory();
    const paused = record(new System(storyConfig()));
    while (paused.system.run({ maxInstructions: 997 }).kind === 'budget');
    expect(paused.trace()).toBe(whole.trace());
  });

  it('goes on from a snapshot, taken anywhere, to the same end in the same process', () => {
    const whole = runStory();
    for (const at of [5_000, 20_000, 60_000, 150_000, 300_000, 500_000, 700_000]) {
      const before = record(new System(storyConfig()));
      before.system.run({ maxInstructions: at });
      expect(before.system.runUntilQuiescent()).toBe(true);
      const after = record(System.restore(storyConfig(), before.system.save()));
      after.system.run();
      expect(before.trace() + after.trace()).toBe(whole.trace());
      expect(before.console() + after.console()).toBe(whole.console());
      expect(Buffer.compare(after.system.save(), whole.system.save())).toBe(0);
    }
  });

  it('goes back: a system that ran on can return to its snapshot and run again', () => {
    const run = record(new System(storyConfig()));
    run.system.run({ maxInstructions: 200_000 });
    run.system.runUntilQuiescent();
    const moment = run.system.snapshot();
    const bytesThen = run.system.save();
    run.system.run({ maxInstructions: 300_000 });
    const consoleLater = run.console();
    run.system.restore(moment);
    expect(Buffer.compare(run.system.save(), bytesThen)).toBe(0);
    run.system.run({ maxInstructions: 300_000 });
    expect(run.console().startsWith(consoleLater)).toBe(true);
  });

  it('goes on from a saved file in a fresh process', () => {
    const whole = runStory();
    const folder = mkdtempSync(join(tmpdir(), 'physmem-golden-'));
    const file = (name: string): string => join(folder, name);
    const physmem = (...args: string[]): void => {
      execFileSync(process.execPath, ['dist/physmem.js', 'run', 'story', '--quiet', ...args], {
        cwd: new URL('../..', import.meta.url),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    };
    try {
      const stop = (): void =>
        physmem('--max-instructions', '400000', '--save', file('middle'), '--trace', file('first.jsonl'));
      expect(stop).toThrow(/limit/);
      physmem('--restore', file('middle'), '--trace', file('second.jsonl'));
      const joined = readFileSync(file('first.jsonl'), 'utf8') + readFileSync(file('second.jsonl'), 'utf8');
      expect(joined).toBe(whole.trace());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
