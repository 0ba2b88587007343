import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { LOOP_IMAGE } from './bare-images.ts';
import { fakeIo } from './fake-io.ts';

const files = {
  'text.txt': 'hello there',
  'empty.bin': '',
  'broken.json': '{"name": "x",}',
  'typo.json': '{"name":"x","title":"t","look":"l","root":{"image":"hello"},"machine":{"coers":2}}',
  'image.json': '{"name":"x","title":"t","look":"l","root":{"image":"hullo"}}',
  'loop.bin': LOOP_IMAGE,
  'truncated.bin': LOOP_IMAGE.slice(0, 20),
};

describe('bad input', () => {
  it.each<[string, string[], string]>([
    ['an unknown command', ['rnu'], "unknown command 'rnu'; did you mean 'run'?"],
    ['an unknown option', ['--wat'], "unknown option '--wat'."],
    [
      'a misspelt option',
      ['run', 'story', '--coers', '2'],
      "unknown option '--coers'; did you mean '--cores'?",
    ],
    ['a missing argument', ['run'], "missing required argument 'scenario|elf'."],
    ['a missing value', ['run', 'story', '--seed'], "option '--seed <n>' argument missing."],
    ['too many arguments', ['list', 'x'], "too many arguments for 'list': expected 0 arguments but got 1."],
    [
      'too many cores',
      ['run', 'story', '--cores', '17'],
      "--cores must be a whole number from 1 to 16, not '17'.",
    ],
    [
      'no cores',
      ['bare', 'loop.bin', '--cores', '0'],
      "--cores must be a whole number from 1 to 16, not '0'.",
    ],
    ['no RAM', ['run', 'story', '--ram', '0'], "--ram must be a size from 4M to 3G in steps of 4K, not '0'."],
    ['too much RAM', ['run', 'story', '--ram', '4G'], "not '4G'."],
    ['RAM of nonsense', ['run', 'story', '--ram', 'lots'], "not 'lots'."],
    ['an odd RAM size', ['run', 'story', '--ram', '33000000'], 'in steps of 4K'],
    [
      'a negative seed',
      ['run', 'story', '--seed', '-1'],
      "--seed must be a whole number from 0 to 4294967295, not '-1'.",
    ],
    ['an unknown engine', ['run', 'story', '--engine', 'warp'], "--engine cannot be 'warp'"],
    ['a limit of nothing', ['run', 'story', '--max-instructions', '0'], '--max-instructions must be'],
    ['a change without value', ['run', 'story', '--set', 'seed'], '--set must be KEY=VALUE'],
    ['a change of an unknown key', ['run', 'story', '--set', 'machine.core=1'], "did you mean 'cores'?"],
    ['a change to nonsense', ['run', 'story', '--set', 'faults.skipShootdown=yes'], 'must be on or off'],
    [
      'an unknown scenario',
      ['run', 'sotry'],
      "There is no file and no scenario 'sotry'; did you mean 'story'?",
    ],
    ['a file of another kind', ['run', 'text.txt'], "'text.txt' is neither an ELF program"],
    ['an empty file', ['run', 'empty.bin'], "'empty.bin' is neither an ELF program"],
    [
      'a scenario that is no JSON',
      ['run', 'broken.json'],
      'broken.json: this is not JSON: something is wrong at line 1',
    ],
    [
      'a scenario with a misspelt key',
      ['run', 'typo.json'],
      "typo.json: unknown key 'coers' in machine; did you mean 'cores'?",
    ],
    ['a scenario with an unknown program', ['run', 'image.json'], "There is no program 'hullo'"],
    ['a missing image', ['bare', 'nope.bin'], "'nope.bin' cannot be read: there is no such file."],
    ['an image that is none', ['bare', 'text.txt'], 'text.txt: no multiboot header'],
    ['a truncated image', ['bare', 'truncated.bin'], 'truncated.bin: '],
    ['an unknown trace format', ['trace', 'story', '--format', 'xml'], "--format cannot be 'xml'"],
    [
      'an unknown event group',
      ['trace', 'story', '--filter', 'tbl'],
      "--filter cannot be 'tbl'; did you mean 'tlb'?",
    ],
  ])('%s is one sentence on standard error, exit code 2, and nothing was started', async (_, argv, part) => {
    const io = fakeIo({ files, shipped: { hello: new Uint8Array(4) } });
    expect(await runProgram(argv, io, '0')).toBe(2);
    expect(io.stdout()).toBe('');
    expect(io.stderr()).toContain(part);
    expect(io.stderr()).toMatch(/^physmem: [^\n]+[.?]\n$/);
  });
});

describe('help', () => {
  it('is shown with examples for the program and each command, inside 80 columns, with exit code 0', async () => {
    for (const argv of [
      [],
      ['--help'],
      ['run', '--help'],
      ['bare', '--help'],
      ['trace', '--help'],
      ['explore', '--help'],
      ['bench', '--help'],
      ['list', '--help'],
    ]) {
      const io = fakeIo();
      expect(await runProgram(argv, io, '0')).toBe(0);
      expect(io.stdout()).toMatch(/^Usage: physmem/);
      expect(
        Math.max(
          ...io
            .stdout()
            .split('\n')
            .map((line) => line.length),
        ),
      ).toBeLessThanOrEqual(80);
      expect(io.stderr()).toBe('');
    }
  });

  it('tells the version', async () => {
    const io = fakeIo();
    expect(await runProgram(['--version'], io, '1.2.3')).toBe(0);
    expect(io.stdout()).toBe('1.2.3\n');
  });
});
