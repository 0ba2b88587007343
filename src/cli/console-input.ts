/**
 * The person's or the pipe's end of a guest's serial line. A pipe is read to its end before the run begins, so that the run
 * is the same each time; keys from a terminal come when they are typed, between two slices, and the trace records the
 * cycle at which each byte reached the guest.
 */
import type { Io } from './io.ts';

export class ConsoleInput {
  private readonly io: Io;
  private readonly deliver: (bytes: Uint8Array) => void;
  private typed: Uint8Array[] = [];
  private stopListening: (() => void) | null = null;
  /** Ends a wait for keys. */
  private wake: (() => void) | null = null;

  /** `deliver` gets the bytes, only from within the calls below. */
  constructor(io: Io, deliver: (bytes: Uint8Array) => void) {
    this.io = io;
    this.deliver = deliver;
  }

  /**
   * Delivers all of the file `source`, or of standard input for `-`; without `source` a pipe is delivered and a terminal
   * listened to; `false` wants nothing.
   */
  async start(source: string | false | undefined): Promise<void> {
    const { input } = this.io;
    if (source === false) return;
    if (source !== undefined && source !== '-') this.deliver(this.io.readFile(source));
    else if (source === '-' || input.kind === 'pipe') {
      const tell = (): void =>
        this.io.err('reading standard input to its end for the serial line; --no-input runs without it\n');
      this.deliver(await input.readAll(tell));
    } else if (input.kind === 'terminal') {
      this.stopListening = input.onKeys((bytes) => {
        this.typed.push(bytes);
        this.wake?.();
      });
    }
  }

  /** Delivers what was typed since the last call. */
  flush(): void {
    for (const bytes of this.typed) this.deliver(bytes);
    this.typed = [];
  }

  /** Waits until something is typed and delivers it; false when nothing can come, or at Ctrl-C. */
  async waitForKeys(): Promise<boolean> {
    if (this.stopListening === null) return false;
    if (this.typed.length === 0) await this.nextKey();
    if (this.typed.length === 0) return false;
    this.flush();
    return true;
  }

  stop(): void {
    this.stopListening?.();
    this.stopListening = null;
  }

  private async nextKey(): Promise<void> {
    let release = (): void => {};
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      release = this.io.onInterrupt(resolve);
    });
    this.wake = null;
    release();
  }
}
