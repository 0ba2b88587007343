/** The bundled program as a process of its own: streams, signals and exit codes are real here. */
import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the bundle to its end; `onOutput` sees standard output as it comes. */
function physmem(
  argv: readonly string[],
  onOutput: (text: string, child: ReturnType<typeof spawn>) => void = () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, ['dist/physmem.js', ...argv], { cwd: root });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
    onOutput(out, child);
  });
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString();
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

beforeAll(() => {
  execFileSync(process.execPath, ['tools/build.mjs', '--quiet'], { cwd: root });
});

describe('the program as a process', () => {
  it('finds its guest programs beside the bundle, and passes the status on', async () => {
    const { code, out, err } = await physmem(['run', 'hello', '--quiet']);
    expect(out).toContain('Hello from hello');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect((await physmem(['bare', 'guest/bin/bare-hello.elf', '--quiet'])).code).toBe(1);
  });

  it('ends with exit code 2 and one sentence for bad input', async () => {
    const { code, out, err } = await physmem(['run', '/no/such/file']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^physmem: [^\n]+\n$/);
    const folder = await physmem(['run', 'guest']);
    expect(folder).toMatchObject({ code: 2, err: "physmem: 'guest' cannot be read: it is a directory.\n" });
  });

  it('stops at Ctrl-C with the report so far and exit code 130', async () => {
    let isSent = false;
    const { code, out } = await physmem(['run', 'spin', '1000000'], (text, child) => {
      if (!isSent && text.includes('start    kernel')) child.kill('SIGINT');
      isSent ||= text.includes('start    kernel');
    });
    expect(code).toBe(130);
    expect(out).toContain('stopped by Ctrl-C, after');
    expect(out).toContain('-- Counters');
  });

  it('ends quietly when nobody reads its output any more', async () => {
    const { code, err } = await physmem(['trace', 'story'], (_, child) => child.stdout?.destroy());
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});
