import { describe, expect, it } from 'vitest';
import { BUILT_IN_NAMES, builtInScenario } from '../../../src/scenario/built-in.ts';
import { physmem, shippedImage } from './shipped.ts';

interface Report {
  exit: { kind: string; status: number | null; code: number };
  checks: { result: string }[];
  console: string;
  instructions: number;
  pictures: { title: string; controls?: Control[] }[];
  frames: { legend: { frames: number; glyph: string }[]; zones: { end: number }[] };
  freeBlocks: { before: Zone[]; after: Zone[] };
  controls: Control[];
  containers: { control: number; entries: { start: number; order: number }[] }[];
  counters: Record<string, { total: number; perCore?: number[] }>;
}
interface Zone {
  name: string;
  freeBlocks: number[];
}
interface Control {
  id: number;
  parent: number;
  total: number;
  free: number;
  charged: number;
  given: number;
}

const reportOf = async (...argv: string[]): Promise<Report> =>
  JSON.parse((await physmem(['run', ...argv, '--json'])).out) as Report;
const freeFrames = (zones: readonly Zone[]): number =>
  zones.flatMap((zone) => zone.freeBlocks.map((n, order) => n * 2 ** order)).reduce((a, b) => a + b, 0);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('the shipped scenarios', () => {
  it.each(BUILT_IN_NAMES.filter((name) => name !== 'spin'))(
    '%s passes its checks, and its pictures come',
    async (name) => {
      const report = await reportOf(name);
      expect(report.checks.filter((check) => check.result !== 'passed')).toEqual([]);
      expect(report.checks.length).toBeGreaterThan(0);
      expect(report.pictures.length).toBe(builtInScenario(name).pictures.length);
    },
  );
});

describe('the report of a run', () => {
  it('agrees with itself: frames, free blocks, credit and counters', async () => {
    const report = await reportOf('story');
    const end = Math.max(...report.frames.zones.map((zone) => zone.end));
    expect(sum(report.frames.legend.map((item) => item.frames))).toBe(end);
    const free = report.frames.legend.find((item) => item.glyph === '.')?.frames;
    expect(freeFrames(report.freeBlocks.after)).toBe(free);
    for (const { total, free: unused, charged, given } of report.controls) {
      expect(total).toBe(unused + charged + given);
    }
    expect(report.counters['instructions']?.total).toBe(report.instructions);
    expect(sum(report.counters['instructions']?.perCore ?? [])).toBe(report.instructions);
  });

  it('shows in its picture of the story the controls of the child, which the end has no more', async () => {
    const report = await reportOf('story');
    const picture = report.pictures[0]?.controls ?? [];
    expect(picture.map((control) => control.total)).toContain(100);
    expect(picture.filter((control) => control.parent !== 0).length).toBeGreaterThanOrEqual(2);
    expect(report.controls).toHaveLength(1);
  });

  it('says which picture did not come', async () => {
    const scenario = JSON.stringify({
      ...{ name: 'x', title: 't', look: 'l', root: { image: 'hello' } },
      pictures: [{ after: 'physmem:revoke', nth: 2, title: 'Never' }],
    });
    const { out } = await physmem(['run', 'x.json'], { files: { 'x.json': scenario } });
    expect(out).toContain("no picture 'Never': physmem:revoke did not come 2 times");
  });

  it('is plain text of 80 columns in a pipe, the same bytes each time, whatever the host does', async () => {
    const first = await physmem(['run', 'story']);
    const second = await physmem(['run', 'story'], { clockStep: 0.7 });
    expect(second.out).toBe(first.out);
    const guests = /^(root|child):/;
    const own = first.out.split('\n').filter((line) => !guests.test(line));
    expect(Math.max(...own.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(own.join('\n')).toMatch(/^[\n\r -~]*$/);
    for (const title of ['Result', 'Frames', 'Free blocks', 'Controls', 'Containers', 'Counters']) {
      expect(first.out).toContain(`-- ${title}`);
    }
  });

  it('has with every seed the same end', async () => {
    for (const seed of ['2', '3', '4']) {
      const { exit, checks } = await reportOf('story', '--seed', seed, '--cores', '3');
      expect([exit.status, ...checks.map((check) => check.result)]).toEqual([0, 'passed']);
    }
  });

  it('is left out by --quiet, which shows only what guests write', async () => {
    const { out, err, code } = await physmem(['run', 'hello', '--quiet']);
    expect(out).toMatch(/^Hello from hello: task 1[^\n]*\n[^\n]*\n$/);
    expect({ err, code }).toEqual({ err: '', code: 0 });
  });

  it('badges the stale translation when the shootdown is left out, and none otherwise', async () => {
    expect((await physmem(['run', 'stale-broken'])).out).toMatch(/STALE: page table entry not present/);
    expect((await physmem(['run', 'stale'])).out).not.toContain('STALE');
  });
});

describe('a program of your own', () => {
  const files = { 'my.elf': shippedImage('hello') };

  it('runs as the root task, and its status is the exit code', async () => {
    const { code, out } = await physmem(['run', 'my.elf', '--cores', '1'], { files });
    expect(out).toContain('Hello from my.elf: task 1');
    expect(code).toBe(0);
  });

  it('gets arguments, also such that begin with a dash', async () => {
    const spin = { 'spin.elf': shippedImage('spin') };
    const { out } = await physmem(['run', 'spin.elf', '--', '2'], { files: spin });
    expect(out).toContain('2000 rounds');
  });

  it('gets boot modules', async () => {
    const own = { 'story.elf': shippedImage('story'), 'c.elf': shippedImage('story-child') };
    const { code, out } = await physmem(['run', 'story.elf', '--module', 'story-child=c.elf', '--quiet'], {
      files: own,
    });
    expect(out).toContain('90 -> 100');
    expect(code).toBe(0);
  });

  it('is stopped at a limit with exit code 3, and the report so far', async () => {
    const { code, out } = await physmem(['run', 'my.elf', '--max-instructions', '18000'], { files });
    expect(code).toBe(3);
    expect(out).toContain(
      'the limit of 18,000 instructions was reached before the guest ended, after 18,000',
    );
    expect(out).toContain('-- Frames');
  });

  it('that is stopped before physmem begins has a report without frames', async () => {
    const { code, out } = await physmem(['run', 'my.elf', '--max-instructions', '100'], { files });
    expect(code).toBe(3);
    expect(out).not.toContain('-- Frames');
  });
});
