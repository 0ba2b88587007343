/**
 * One line on the terminal that tells that the machine runs and how fast; on standard error, never in a pipe, never in the
 * middle of a guest's line. Host time is for people only and enters nothing else.
 */
import { thousands } from '../observe/number-format.ts';
import type { Io } from './io.ts';

const ERASE_LINE = '\r\u001b[K';
const INTERVAL_SECONDS = 0.1;
/** Short runs end before the line is of use. */
const FIRST_AFTER_SECONDS = 0.5;

export class StatusLine {
  private readonly io: Io;
  private readonly state: 'on' | 'off';
  private readonly started: number;
  private nextAt: number;
  private shown: 'yes' | 'no' = 'no';

  /** `beside output`: shown whenever standard error is a terminal, as nothing is printed meanwhile. */
  constructor(io: Io, wanted: 'on' | 'off' | 'beside output') {
    this.io = io;
    const isFree = wanted === 'beside output' || (wanted === 'on' && io.terminal.out === 'terminal');
    this.state = isFree && io.terminal.err === 'terminal' ? 'on' : 'off';
    this.started = io.hostSeconds();
    this.nextAt = this.started + FIRST_AFTER_SECONDS;
  }

  /** Redraws when it is time, with how far a run has come. */
  update(instructions: number, cycles: number): void {
    this.show((seconds) => {
      const rate = instructions / 1e6 / seconds;
      return `${thousands(instructions)} instructions, ${thousands(cycles)} cycles, ${rate.toFixed(1)} MIPS`;
    });
  }

  /** Redraws when it is time, with the text for that many seconds since the beginning. */
  show(describe: (seconds: number) => string): void {
    const now = this.io.hostSeconds();
    if (this.state === 'off' || now < this.nextAt) return;
    this.nextAt = now + INTERVAL_SECONDS;
    const text = `${describe(now - this.started)}  (Ctrl-C ends)`;
    this.io.err(`${ERASE_LINE}${text.slice(0, this.io.terminal.columns - 1)}`);
    this.shown = 'yes';
  }

  /** Takes the line away. */
  clear(): void {
    if (this.shown === 'no') return;
    this.io.err(ERASE_LINE);
    this.shown = 'no';
  }
}
