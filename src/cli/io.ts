/**
 * What the commands need of the world around them: output, files, the terminal's shape, Ctrl-C, the host's clock.
 * node-io.ts is the real one; tests give their own.
 */
export interface Io {
  /** Writes to standard output; bytes pass through unchanged. */
  out(text: string | Uint8Array): void;
  /** Writes to standard error. */
  err(text: string): void;
  readonly terminal: Terminal;
  readonly input: Input;
  /** @throws HostError with one sentence when the file cannot be read or written. */
  readFile(path: string): Uint8Array;
  writeFile(path: string, data: string | Uint8Array): void;
  exists(path: string): boolean;
  /** Makes a folder and those above it, unless they are there. @throws HostError */
  makeFolder(path: string): void;
  /** Paths of the shipped guest programs by name; empty when there are none. */
  readonly shippedImages: ReadonlyMap<string, string>;
  /** Calls `stop` at each Ctrl-C until the returned function is called. */
  onInterrupt(stop: () => void): () => void;
  /** Lets the host's events (Ctrl-C, a closed pipe) in. */
  breathe(): Promise<void>;
  /** Seconds of the host, for rates and the status line only. */
  hostSeconds(): number;
}

/** Standard input. */
export interface Input {
  /** `terminal`: somebody may type; `pipe`: a pipe or file with an end; `none`: closed, or a device such as /dev/null. */
  readonly kind: 'terminal' | 'pipe' | 'none';
  /** Everything up to the end of the stream; `onWaiting` is called once when the end takes long to come. */
  readAll(onWaiting: () => void): Promise<Uint8Array>;
  /** Calls `listener` with what is typed, key by key, until the returned function is called. Ctrl-C stays Ctrl-C. */
  onKeys(listener: (bytes: Uint8Array) => void): () => void;
}

export interface Terminal {
  /** Whether standard output and standard error are terminals. */
  readonly out: 'terminal' | 'pipe';
  readonly err: 'terminal' | 'pipe';
  readonly columns: number;
  readonly glyphs: 'unicode' | 'ascii';
  /** Whether colours are wanted and can be shown. */
  readonly colours: 'on' | 'off';
}

/** The environment; NO_COLOR (no-color.org), TERM, COLUMNS and the locale of POSIX shape the output. */
export type OutputEnvironment = Readonly<Record<string, string | undefined>>;

export interface StreamShapes {
  readonly out: 'terminal' | 'pipe';
  readonly err: 'terminal' | 'pipe';
  /** What the terminal itself says. */
  readonly columns: number | undefined;
}

const MIN_COLUMNS = 40;

/** Decides from streams and environment how output looks. A pipe is plain: 80 columns or COLUMNS, ASCII, no colours. */
export function terminalOf(env: OutputEnvironment, streams: StreamShapes): Terminal {
  const fromEnv = Number.parseInt(env.COLUMNS ?? '', 10);
  // A terminal that does not know its width says 0.
  const asked = streams.columns || (Number.isNaN(fromEnv) ? 80 : fromEnv);
  const isTerminal = streams.out === 'terminal';
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  const isDumb = env.TERM === 'dumb';
  return {
    out: streams.out,
    err: streams.err,
    columns: Math.max(MIN_COLUMNS, asked),
    glyphs: isTerminal && /utf-?8/i.test(locale) ? 'unicode' : 'ascii',
    colours: isTerminal && !isDumb && !env.NO_COLOR ? 'on' : 'off',
  };
}
