import { describe, expect, it } from 'vitest';
import { ConsoleWriter } from '../../../src/cli/console-writer.ts';
import { terminalOf } from '../../../src/cli/io.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { fakeIo } from './fake-io.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the look of the output', () => {
  const terminal = { out: 'terminal', err: 'terminal', columns: 120 } as const;

  it('has colours and lines on a UTF-8 terminal', () => {
    expect(terminalOf({ LANG: 'de_DE.UTF-8', TERM: 'xterm' }, terminal)).toEqual({
      out: 'terminal',
      err: 'terminal',
      columns: 120,
      glyphs: 'unicode',
      colours: 'on',
    });
  });

  it('is plain in a pipe, whatever the locale', () => {
    const pipe = { out: 'pipe', err: 'terminal', columns: undefined } as const;
    expect(terminalOf({ LANG: 'C.UTF-8' }, pipe)).toMatchObject({
      glyphs: 'ascii',
      colours: 'off',
      columns: 80,
    });
  });

  it('obeys NO_COLOR, TERM, COLUMNS and the order of the locale variables', () => {
    expect(terminalOf({ NO_COLOR: '1' }, terminal).colours).toBe('off');
    expect(terminalOf({ NO_COLOR: '' }, terminal).colours).toBe('on');
    expect(terminalOf({ TERM: 'dumb' }, terminal).colours).toBe('off');
    expect(terminalOf({ LC_ALL: 'C', LANG: 'C.UTF-8' }, terminal).glyphs).toBe('ascii');
    expect(terminalOf({ COLUMNS: '100' }, { ...terminal, columns: undefined }).columns).toBe(100);
    expect(terminalOf({ COLUMNS: '5' }, { ...terminal, columns: undefined }).columns).toBe(40);
    expect(terminalOf({ COLUMNS: 'wide' }, { ...terminal, columns: undefined }).columns).toBe(80);
  });
});

describe('the console writer', () => {
  it('shows the wanted sources as they come, and keeps all of them', () => {
    const io = fakeIo();
    const writer = new ConsoleWriter(io, { show: 'live', sources: ['guest'] });
    writer.write(bytes('post\n'), 'serial');
    writer.write(bytes('hel'), 'guest');
    writer.flush();
    expect(io.stdout()).toBe('hel');
    expect(writer.atLineStart).toBe(false);
    writer.endLine();
    writer.endLine();
    expect(io.stdout()).toBe('hel\n');
    expect(writer.text()).toBe('post\nhel');
  });

  it('shows nothing when it only keeps', () => {
    const io = fakeIo();
    const writer = new ConsoleWriter(io, { show: 'kept', sources: ['guest'] });
    writer.write(bytes('x'), 'guest');
    writer.endLine();
    expect(io.stdout()).toBe('');
  });

  it('joins characters whose bytes came apart', () => {
    const writer = new ConsoleWriter(fakeIo(), { show: 'kept', sources: [] });
    const euro = bytes('€');
    writer.write(euro.subarray(0, 1), 'guest');
    writer.write(euro.subarray(1), 'guest');
    expect(writer.text()).toBe('€');
  });
});

describe('the list', () => {
  it('names every scenario, as text and as JSON', async () => {
    const text = fakeIo();
    await runProgram(['list'], text, '0');
    const json = fakeIo();
    await runProgram(['list', '--json'], json, '0');
    const rows = JSON.parse(json.stdout()) as { name: string; title: string; look: string }[];
    expect(rows.map((row) => row.name)).toContain('story');
    for (const { name, title, look } of rows) {
      expect(text.stdout()).toContain(`${name} `);
      expect(text.stdout()).toContain(title);
      expect(look.length).toBeGreaterThan(10);
    }
    expect(
      Math.max(
        ...text
          .stdout()
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(100);
  });
});
