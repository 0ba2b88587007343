/**
 * What guest/bare/loops prints on the debug console, with the time at which it came: `name<` when a loop begins,
 * `>checksum` and a line feed when it has ended.
 */
export interface Timed {
  readonly seconds: number;
  /** Eight hexadecimal digits: equal on all engines for the same number of units. */
  readonly checksum: string;
}

export class Marks {
  readonly results = new Map<string, Timed>();
  private line = '';
  private begun = 0;
  private ended = 0;

  /** @param seconds the time at which the byte came */
  take(byte: number, seconds: number): void {
    const letter = String.fromCharCode(byte);
    if (letter === '<') this.begun = seconds;
    if (letter === '>') this.ended = seconds;
    if (letter !== '\n') {
      this.line += letter;
      return;
    }
    const match = /^([\w-]+)<>([0-9a-f]{8})$/.exec(this.line);
    if (match === null) throw new Error(`the image printed "${this.line}"`);
    this.results.set(match[1]!, { seconds: this.ended - this.begun, checksum: match[2]! });
    this.line = '';
  }
}

/** One engine. `run` does so many units of each loop, in one go from power-on; loops that it cannot do are left out. */
export interface Runner {
  readonly name: string;
  readonly cannot: readonly string[];
  run(units: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Timed>>;
}

/** A runner, or in words why there is none. */
export type RunnerOrReason = Runner | string;

export const commandLine = (units: ReadonlyMap<string, number>): string =>
  ['loops', ...[...units].map(([name, count]) => `${name}=${count}`)].join(' ');

export const wallSeconds = (): number => performance.now() / 1000;

export const RAM_BYTES = 64 << 20;

/** Loops that need privilege: an engine without paging or traps of its own cannot do them. */
export const PRIVILEGED = ['chase-cr3', 'int80', 'fault', 'fill'] as const;
