import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import {
  DISK_IMAGE,
  ECHO_IMAGE,
  ENDLESS_FAULT_IMAGE,
  HALT_IMAGE,
  HELLO_IMAGE,
  LOOP_IMAGE,
  TRIPLE_FAULT_IMAGE,
} from './bare-images.ts';
import { fakeIo } from './fake-io.ts';

const files = {
  'hello.bin': HELLO_IMAGE,
  'loop.bin': LOOP_IMAGE,
  'halt.bin': HALT_IMAGE,
  'triple.bin': TRIPLE_FAULT_IMAGE,
  'endless.bin': ENDLESS_FAULT_IMAGE,
  'echo.bin': ECHO_IMAGE,
  'disk.bin': DISK_IMAGE,
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

describe('a bare image whose every instruction faults', () => {
  it('ends at the limit of instructions, and the sentence says why', async () => {
    const { code, err } = await bare(['endless.bin', '--max-instructions', '100000']);
    expect(code).toBe(3);
    expect(err).toMatch(
      /^stopped: the limit of 100,000 instructions was reached before the guest ended; [\d,]+ of them raised an exception, the last one #UD at 0x0010002c, after /,
    );
  });
});

describe('a triple fault', () => {
  it('is explained: instruction, chain of exceptions, registers, segments, tables', async () => {
    const { err } = await bare(['triple.bin']);
    const lines = err.split('\n').map((line) => line.trim());
    expect(lines.slice(1, 6)).toEqual([
      'at 0x00100027  0f 0b  ud2',
      '1  #UD  invalid opcode',
      '2  #GP(0x0033)  general protection: vector 6 lies beyond the IDT, whose limit is 0x0000, while #UD was delivered',
      '3  #GP(0x006b)  general protection: vector 13 lies beyond the IDT, whose limit is 0x0000, while #GP was delivered',
      '4  #DF(0x0000)  double fault, made of #GP and #GP',
    ]);
    expect(err).toMatch(/5 {2}#GP\(0x0043\) .* vector 8 lies beyond the IDT.*, while #DF was delivered/);
    expect(err).toMatch(/eip {4}00100027/);
    expect(err).toMatch(/cs {3}0x0008 {2}base 00000000 {2}limit ffffffff {2}code 32, ring 0, readable/);
    expect(err).toMatch(/idt {8}base 00000000 {2}limit 00000000/);
  });

  it('is in the JSON report, as data', async () => {
    const { out } = await bare(['triple.bin', '--json']);
    const { shutdown } = JSON.parse(out) as { shutdown: Record<string, unknown> };
    expect(shutdown).toMatchObject({ core: 0, instruction: { eip: 0x100027, bytes: '0f 0b', text: 'ud2' } });
    expect((shutdown['chain'] as { name: string }[]).map(({ name }) => name)).toEqual([
      '#UD',
      '#GP',
      '#GP',
      '#DF',
      '#GP',
    ]);
  });
});

describe('standard input of a bare image', () => {
  it('feeds the serial line when it is a pipe, the same each time', async () => {
    const run = () => bare(['echo.bin', '--trace', 't.jsonl'], fakeIo({ files, piped: 'abc.' }));
    const [first, second] = [await run(), await run()];
    expect(first.code).toBe(1);
    expect(first.out).toMatch(/\nabc\.\n$/);
    expect(second).toEqual(first);
  });

  it('is recorded byte by byte with the cycle at which the guest could see it', async () => {
    const io = fakeIo({ files, piped: 'x.' });
    await bare(['echo.bin', '--trace', 't.jsonl'], io);
    const events = String(io.written.get('t.jsonl'))
      .split('\n')
      .filter((line) => line.includes('console:input'));
    expect(events.map((line) => (JSON.parse(line) as { args: object }).args)).toEqual([
      { byte: 0x78, port: 0x3f8 },
      { byte: 0x2e, port: 0x3f8 },
    ]);
  });

  it('comes key by key from a terminal, also after the machine went idle', async () => {
    expect(await bare(['echo.bin'], fakeIo({ files, typed: ['h', 'i.'] }))).toMatchObject({
      code: 1,
      out: expect.stringMatching(/\nhi\.\n$/) as string,
    });
  });

  it('is replaced by a file, or asked for by name', async () => {
    const io = fakeIo({ files: { ...files, keys: 'from a file.' }, piped: 'pipe.' });
    expect((await bare(['echo.bin', '--input', 'keys'], io)).out).toMatch(/\nfrom a file\.\n$/);
    const other = fakeIo({ files, piped: 'pipe.' });
    expect((await bare(['echo.bin', '--input', '-'], other)).out).toMatch(/\npipe\.\n$/);
  });

  it('is left alone with --no-input', async () => {
    const io = fakeIo({ files, piped: '.' });
    const { code } = await bare(['echo.bin', '--no-input', '--max-instructions', '100000'], io);
    expect(code).toBe(3);
  });
});

describe('disks of a bare image', () => {
  const disk = new Uint8Array(1024).fill(7, 512);

  it('are read and written by the guest; the file stays as it is, and can be saved elsewhere', async () => {
    const io = fakeIo({ files: { ...files, 'a.img': disk } });
    expect(await bare(['disk.bin', '--disk0', 'a.img', '--save-disk0', 'b.img'], io)).toMatchObject({
      code: 1,
    });
    const saved = io.written.get('b.img') as Uint8Array;
    expect([...saved.slice(0, 2), saved[512]]).toEqual([8, 7, 7]);
    expect(disk[0]).toBe(0);
    expect([...io.written.keys()]).toEqual(['b.img']);
  });

  it.each([
    [
      ['--disk0', 'odd.img'],
      /^physmem: --disk0 'odd\.img' has 513 bytes; a disk is one or more whole sectors of 512 bytes\.\n$/,
    ],
    [['--disk1', 'no.img'], /^physmem: 'no\.img' cannot be read: there is no such file\.\n$/],
    [
      ['--save-disk1', 'b.img'],
      /^physmem: 'b\.img' cannot get the contents of a disk that is not there: --disk1 is missing\.\n$/,
    ],
  ])('are refused in one sentence: %j', async (args, sentence) => {
    const io = fakeIo({ files: { ...files, 'odd.img': new Uint8Array(513) } });
    expect(await bare(['disk.bin', ...args], io)).toMatchObject({
      code: 2,
      err: expect.stringMatching(sentence) as string,
    });
  });
});
