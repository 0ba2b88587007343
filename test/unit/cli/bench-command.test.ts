/** `physmem bench` as a person meets it: what is wrong with the input, Ctrl-C, and what comes where. */
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { type FakeIo, type FakeIoOptions, fakeIo } from './fake-io.ts';

interface Ended {
  readonly code: number;
  readonly io: FakeIo;
}

async function bench(words: string, options: FakeIoOptions = {}): Promise<Ended> {
  const io = fakeIo(options);
  return { code: await runProgram(['bench', ...words.split(' ')], io, '0'), io };
}

describe('bad input', () => {
  it.each([
    ['memroy', "There is no bench 'memroy'; did you mean 'memory'?"],
    ['memory --only pin-scater', "There is no experiment 'pin-scater'; did you mean 'pin-scatter'?"],
    ['memory --seeds 0', '--seeds must be'],
    ['memory --seeds many', '--seeds must be'],
    ['memory --workers 0', '--workers must be'],
  ])('%s: is explained, and nothing is run', async (words, sentence) => {
    const { code, io } = await bench(words);
    expect(code).toBe(2);
    expect(io.stderr()).toContain(sentence);
    expect(io.stdout()).toBe('');
    expect(io.written.size).toBe(0);
  });
});

describe('Ctrl-C', () => {
  it('ends with the summary of what was complete, and says how much that was', async () => {
    let io: FakeIo | null = null;
    const options = { onBreath: (count: number) => (count === 5 ? io!.interrupt() : undefined) };
    io = fakeIo(options);
    const words = 'bench memory --quick --only half-free-gate --workers 1 --json out.json'.split(' ');
    const code = await runProgram(words, io, '0');
    expect(code).toBe(130);
    expect(io.stderr()).toMatch(/stopped by Ctrl-C after 5 runs of \d+ runs/);
    expect(io.stdout()).toContain('half-free-gate');
    expect(io.stdout()).toContain('Here: 1 seed.');
    const { experiments } = JSON.parse(io.written.get('out.json') as string) as { experiments: unknown[] };
    expect(experiments).toHaveLength(1);
  });
});
