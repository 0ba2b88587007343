import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { HALT_IMAGE, HELLO_IMAGE, LOOP_IMAGE, TRIPLE_FAULT_IMAGE } from './bare-images.ts';
import { fakeIo } from './fake-io.ts';

const files = {
  'hello.bin': HELLO_IMAGE,
  'loop.bin': LOOP_IMAGE,
  'halt.bin': HALT_IMAGE,
  'triple.bin': TRIPLE_FAULT_IMAGE,
};
const bare = async (args: readonly string[], io = fakeIo({ files })) => ({
  code: await runProgram(['bare', ...args], io, '0'),
  out: io.stdout(),
  err: io.stderr(),
});

describe('a bare image', () => {
  it('writes to standard output and ends with the status of the exit port', async () => {
    const { code, out, err } = await bare(['hello.bin']);
    expect(code).toBe(7);
    expect(out.split('\n').at(-2)).toBe('H');
    expect(err).toMatch(/^exit status 7, after [\d,]+ instructions and [\d,]+ cycles\n$/);
  });

  it('is reported as one JSON object when that is asked for', async () => {
    const { code, out, err } = await bare(['hello.bin', '--json']);
    expect(code).toBe(7);
    expect(err).toBe('');
    const report = JSON.parse(out) as Record<string, unknown>;
    expect(report).toMatchObject({ image: 'hello.bin', exit: { kind: 'exit', status: 7, code: 7 } });
    expect(report['console']).toMatch(/H$/);
    for (const key of ['instructions', 'cycles', 'hostSeconds']) expect(typeof report[key]).toBe('number');
  });

  it('is stopped exactly at the limit of instructions, and a sentence says so', async () => {
    const { code, err } = await bare(['loop.bin', '--max-instructions', '1500000']);
    expect(code).toBe(3);
    expect(err).toContain('the limit of 1,500,000 instructions was reached before the guest ended');
    expect(err).toContain('after 1,500,000 instructions');
  });

  it('is stopped at the limit of cycles', async () => {
    const { code, err } = await bare(['loop.bin', '--max-cycles', '300000']);
    expect(code).toBe(3);
    expect(err).toContain('the limit of 300,000 cycles was reached');
  });

  it('that halts for ever ends the run', async () => {
    expect(await bare(['halt.bin'])).toMatchObject({
      code: 4,
      err: expect.stringContaining('every core is halted and nothing can wake it') as string,
    });
  });

  it('that faults three times over is told with its last exception', async () => {
    const { code, err } = await bare(['triple.bin']);
    expect(code).toBe(4);
    expect(err).toMatch(/^triple fault of core 0; the last exception was #\w\w at 0x0010002\w/);
  });

  it('ends cleanly at Ctrl-C with what has happened so far', async () => {
    const io = fakeIo({ files, onBreath: (count) => count === 1 && io.interrupt() });
    const { code, err } = await bare(['loop.bin'], io);
    expect(code).toBe(130);
    expect(err).toContain('stopped by Ctrl-C, after 2,000,000 instructions');
  });

  it('has a status line on a terminal and none in a pipe', async () => {
    const args = ['loop.bin', '--max-instructions', '3000000'];
    const onTerminal = await bare(
      args,
      fakeIo({ files, clockStep: 1, terminal: { out: 'terminal', err: 'terminal' } }),
    );
    expect(onTerminal.err).toContain('MIPS  (Ctrl-C ends)');
    expect(onTerminal.err).toContain('\r\u001b[Kstopped');
    const piped = await bare(args, fakeIo({ files, clockStep: 1 }));
    expect(piped.err).not.toContain('\u001b');
  });

  it('gives the same bytes whatever the host does in between', async () => {
    const first = await bare(['hello.bin']);
    const second = await bare(['hello.bin'], fakeIo({ files, clockStep: 0.3 }));
    expect(second).toEqual(first);
  });
});
