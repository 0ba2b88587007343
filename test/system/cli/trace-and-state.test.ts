import { describe, expect, it } from 'vitest';
import { physmem } from './shipped.ts';

const textOf = (data: string | Uint8Array | undefined): string =>
  typeof data === 'string' ? data : new TextDecoder().decode(data);

describe('a trace', () => {
  it('has the same bytes for the same run, and other bytes for other interleavings', async () => {
    const trace = async (...argv: string[]): Promise<string> =>
      (await physmem(['trace', 'story', ...argv])).out;
    const first = await trace('--seed', '1');
    expect(await trace('--seed', '1')).toBe(first);
    expect(first.split('\n').length).toBeGreaterThan(100);
    const others = await Promise.all(
      ['2', '3', '4', '5', '6'].map((seed) => trace('--seed', seed, '--set', 'machine.quantum=50')),
    );
    expect(new Set([first, ...others]).size).toBeGreaterThan(1);
  });

  it('is the same whether it is recorded by trace or by run, with pictures or without', async () => {
    const { io } = await physmem(['run', 'story', '--quiet', '--trace', 'all.jsonl']);
    expect(textOf(io.written.get('all.jsonl'))).toBe((await physmem(['trace', 'story'])).out);
  });

  it('is one JSON object a line, in the order of sequence numbers, filtered by group', async () => {
    const { out } = await physmem(['trace', 'story', '--filter', 'physmem,tlb:shootdown_start']);
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; event: string });
    expect(events.every((e) => e.event.startsWith('physmem:') || e.event === 'tlb:shootdown_start')).toBe(
      true,
    );
    expect(events.map((e) => e.event)).toContain('physmem:control_split');
    expect(events.map((e) => e.seq)).toEqual(events.map((e) => e.seq).sort((a, b) => a - b));
  });

  it('as Perfetto document has a track per core, slices of both tasks and counters of free blocks', async () => {
    const { io, err } = await physmem(['trace', 'story', '--format', 'perfetto', '--out', 'story.json']);
    expect(err).toMatch(/^story\.json: [\d,]+ events; exit status 0\n$/);
    const { traceEvents } = JSON.parse(textOf(io.written.get('story.json'))) as {
      traceEvents: { ph: string; name: string; args?: { name?: string } }[];
    };
    const names = new Set(traceEvents.filter((e) => e.ph === 'X').map((e) => e.name));
    expect(names).toContain('story');
    expect(names).toContain('task 2');
    expect(traceEvents.some((e) => e.ph === 'C' && e.name === 'free blocks')).toBe(true);
    expect(traceEvents.filter((e) => e.ph === 'M').map((e) => e.args?.name)).toContain('core 1');
  });

  it('ends in the counters of free blocks where the report ends', async () => {
    const { io } = await physmem(['trace', 'cow', '--format', 'perfetto', '--out', 't.json']);
    const document = JSON.parse(textOf(io.written.get('t.json'))) as {
      traceEvents: { ph: string; args: Record<string, number> }[];
    };
    const last = document.traceEvents.filter((e) => e.ph === 'C').at(-1)?.args ?? {};
    const report = JSON.parse((await physmem(['run', 'cow', '--json'])).out) as {
      freeBlocks: { after: { freeBlocks: number[] }[] };
    };
    const perOrder = report.freeBlocks.after[0]!.freeBlocks.map((_, order) =>
      report.freeBlocks.after.reduce((sum, zone) => sum + zone.freeBlocks[order]!, 0),
    );
    expect(Object.values(last)).toEqual(perOrder);
  });

  it('as text is for people', async () => {
    const { out } = await physmem(['trace', 'hello', '--format', 'text', '--filter', 'raw_syscalls']);
    expect(out).toMatch(/task 1 \[000\] +\d+: raw_syscalls:sys_enter: .*number=console_write/);
  });
});

describe('a saved state', () => {
  it('goes on exactly as the uninterrupted run would have', async () => {
    const whole = JSON.parse((await physmem(['run', 'story', '--json'])).out) as Record<string, unknown>;
    const cut = await physmem([
      'run',
      'story',
      '--json',
      '--max-instructions',
      '200000',
      '--save',
      'half.state',
    ]);
    expect(cut.code).toBe(3);
    const files = { 'half.state': cut.io.written.get('half.state') as Uint8Array };
    const rest = await physmem(['run', 'story', '--json', '--restore', 'half.state'], { files });
    const end = JSON.parse(rest.out) as Record<string, unknown>;
    for (const key of ['exit', 'instructions', 'cycles', 'frames', 'controls', 'containers', 'counters']) {
      expect({ [key]: end[key] }).toEqual({ [key]: whole[key] });
    }
    const before = (JSON.parse(cut.out) as { console: string }).console;
    expect((whole['console'] as string).startsWith(before)).toBe(true);
    expect((whole['console'] as string).endsWith(end['console'] as string)).toBe(true);
  });

  it('of another machine, damaged, or of nothing is refused with its name', async () => {
    const cut = await physmem(['run', 'hello', '--max-instructions', '20000', '--save', 's']);
    const state = cut.io.written.get('s') as Uint8Array;
    const files = { s: state, cut: state.slice(0, 1000), text: 'hello', empty: '' };
    for (const argv of [
      ['run', 'hello', '--cores', '2', '--restore', 's'],
      ['run', 'hello', '--restore', 'cut'],
      ['run', 'hello', '--restore', 'text'],
      ['run', 'hello', '--restore', 'empty'],
      ['run', 'hello', '--restore', 'nothing'],
    ]) {
      const { code, out, err } = await physmem(argv, { files });
      expect({ argv, code, out }).toEqual({ argv, code: 2, out: '' });
      expect(err).toMatch(/^physmem: [^\n]+\n$/);
      expect(err).toContain(argv.at(-1));
    }
  });
});
