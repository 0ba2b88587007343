/** An Io for tests: everything in memory, a host clock that stands still unless told otherwise. */
import type { Input, Io, Terminal } from '../../../src/cli/io.ts';
import { HostError } from '../../../src/scenario/host-error.ts';

export interface FakeIo extends Io {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly written: Map<string, string | Uint8Array>;
  /** Presses Ctrl-C. */
  readonly interrupt: () => void;
}

export interface FakeIoOptions {
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
  readonly shipped?: Readonly<Record<string, Uint8Array>>;
  readonly terminal?: Partial<Terminal>;
  /** Called at each breath, with the number of breaths before it. */
  readonly onBreath?: (count: number) => void;
  /** Host seconds that pass between two looks at the clock. */
  readonly clockStep?: number;
  /** What a pipe on standard input holds. */
  readonly piped?: string;
  /** What is typed at a terminal: one text each time that the program listens anew or waits. */
  readonly typed?: readonly string[];
}

const PIPE: Terminal = { out: 'pipe', err: 'pipe', columns: 80, glyphs: 'ascii', colours: 'off' };

export function fakeIo(options: FakeIoOptions = {}): FakeIo {
  const bytesOf = (data: Uint8Array | string): Uint8Array =>
    typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const files = new Map(Object.entries(options.files ?? {}).map(([path, data]) => [path, bytesOf(data)]));
  for (const [name, bytes] of Object.entries(options.shipped ?? {})) files.set(`shipped/${name}`, bytes);
  const out: Uint8Array[] = [];
  let err = '';
  let seconds = 0;
  let breaths = 0;
  const stops = new Set<() => void>();
  const written = new Map<string, string | Uint8Array>();
  return {
    out: (text) => out.push(bytesOf(text)),
    err: (text) => {
      err += text;
    },
    terminal: { ...PIPE, ...options.terminal },
    input: fakeInput(options),
    readFile: (path) => {
      const bytes = files.get(path);
      if (bytes === undefined) throw new HostError(`'${path}' cannot be read: there is no such file`);
      return bytes;
    },
    writeFile: (path, data) => written.set(path, data),
    exists: (path) => files.has(path),
    makeFolder: () => {},
    shippedImages: new Map(Object.keys(options.shipped ?? {}).map((name) => [name, `shipped/${name}`])),
    onInterrupt: (stop) => {
      stops.add(stop);
      return () => stops.delete(stop);
    },
    breathe: async () => {
      if (options.typed !== undefined) await new Promise((resolve) => setTimeout(resolve, 1));
      options.onBreath?.(breaths++);
    },
    hostSeconds: () => (seconds += options.clockStep ?? 0),
    stdout: () => out.map((bytes) => new TextDecoder().decode(bytes)).join(''),
    stderr: () => err,
    written,
    interrupt: () => {
      for (const stop of stops) stop();
    },
  };
}

/** Keys come one text after the other, each in a later turn of the host's loop. */
function fakeInput({ piped, typed }: FakeIoOptions): Input {
  return {
    kind: typed !== undefined ? 'terminal' : piped !== undefined ? 'pipe' : 'none',
    readAll: async () => new TextEncoder().encode(piped),
    onKeys: (listener) => {
      let isListening = true;
      const type = (i: number): void => {
        const text = typed?.[i];
        if (text === undefined || !isListening) return;
        listener(new TextEncoder().encode(text));
        setTimeout(() => type(i + 1), 5);
      };
      setTimeout(() => type(0), 5);
      return () => {
        isListening = false;
      };
    },
  };
}
