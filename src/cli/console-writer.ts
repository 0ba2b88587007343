/**
 * The guests' output on its way to the terminal or pipe: gathered during a slice, written between slices, kept whole for checks
 * and JSON. It knows whether the cursor stands at the beginning of a line, which the status line and headings need.
 */
import type { Io } from './io.ts';

/** Who wrote: the emulated serial line, the debug port, or a task through the kernel. */
export type ConsoleSource = 'serial' | 'debug' | 'guest';

export interface ConsoleWriterOptions {
  /** `live`: shown as it comes. `kept`: only collected. */
  readonly show: 'live' | 'kept';
  /** Sources that are shown; all are collected. */
  readonly sources: readonly ConsoleSource[];
  /** Called before something is written (the status line gets out of the way). */
  readonly beforeWrite?: () => void;
}

const LINE_FEED = 10;

export class ConsoleWriter {
  private readonly chunks: Uint8Array[] = [];
  private pending: Uint8Array[] = [];
  private lastShown = LINE_FEED;
  private readonly io: Io;
  private readonly options: ConsoleWriterOptions;

  constructor(io: Io, options: ConsoleWriterOptions) {
    this.io = io;
    this.options = options;
  }

  /** Takes output of the machine; the bytes are copied. */
  write(bytes: Uint8Array, source: ConsoleSource): void {
    const copy = bytes.slice();
    this.chunks.push(copy);
    if (this.options.show === 'live' && this.options.sources.includes(source)) this.pending.push(copy);
  }

  get atLineStart(): boolean {
    return this.lastShown === LINE_FEED;
  }

  /** Writes what has come since the last call. */
  flush(): void {
    const bytes = concat(this.pending);
    this.pending = [];
    if (bytes.length === 0) return;
    this.options.beforeWrite?.();
    this.io.out(bytes);
    this.lastShown = bytes.at(-1)!;
  }

  /** Flushes and ends an unfinished line, so that what follows begins on its own. */
  endLine(): void {
    this.flush();
    if (this.atLineStart) return;
    this.io.out('\n');
    this.lastShown = LINE_FEED;
  }

  /** Everything that was written, of all sources; bytes that are no UTF-8 become U+FFFD. */
  text(): string {
    return new TextDecoder().decode(concat(this.chunks));
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
