/**
 * The timer of a local APIC: a down-counter at the core's clock divided by 1 .. 128, one-shot or periodic
 * (SDM vol. 3 §11.5.4). The count is never stepped: it is computed from the clock when it is read, and one
 * deadline is armed. One tick is `divisor` emulated cycles. TSC-deadline mode is not modelled.
 */
import type { Clock, DeviceTimer, PlainData } from '../arch/ports.ts';

export interface LapicTimerPort {
  readonly clock: Clock;
}

export type TimerMode = 'one-shot' | 'periodic';

export class LapicTimer implements DeviceTimer {
  readonly name: string;
  private readonly clock: Clock;
  private readonly expired: () => void;
  private initial = 0;
  private divide = 0;
  private mode: TimerMode = 'one-shot';
  /** Time at which the count in progress reaches zero; -1 when the timer stands still. */
  private deadline = -1;

  constructor(core: number, port: LapicTimerPort, expired: () => void) {
    this.name = `lapic-timer-${core}`;
    this.clock = port.clock;
    this.expired = expired;
  }

  get initialCount(): number {
    return this.initial;
  }

  get divideCode(): number {
    return this.divide;
  }

  /** Cycles per tick: the code's bits 3, 1, 0 give 2, 4 .. 128, 1. */
  get divisor(): number {
    const code = ((this.divide >> 1) & 4) | (this.divide & 3);
    return code === 7 ? 1 : 2 << code;
  }

  reset(): void {
    this.initial = this.divide = 0;
    this.mode = 'one-shot';
    this.stop();
  }

  /** Ticks left, 0 when the timer stands still. */
  currentCount(): number {
    if (this.deadline < 0) return 0;
    const left = Math.ceil((this.deadline - this.clock.now()) / this.divisor);
    return Math.max(0, Math.min(left, this.initial));
  }

  /** A write of the initial count: starts counting anew, or stops when the count is 0. */
  start(count: number): void {
    this.initial = count;
    if (count === 0) this.stop();
    else this.armAt(this.clock.now() + count * this.divisor);
  }

  /** Starts a one-shot count that ends at an absolute time; the count registers show the same. */
  startUntil(atCycles: number): void {
    const ticks = Math.ceil((atCycles - this.clock.now()) / this.divisor);
    this.initial = Math.min(0xffffffff, Math.max(1, ticks));
    this.armAt(atCycles);
  }

  /** A write of the divide register: the ticks left are kept, they only take another time from now on. */
  setDivide(code: number): void {
    const left = this.currentCount();
    this.divide = code & 0xb;
    if (this.deadline >= 0) this.armAt(this.clock.now() + left * this.divisor);
  }

  setMode(mode: TimerMode): void {
    this.mode = mode;
  }

  fire(now: number): void {
    if (this.mode === 'periodic' && this.initial > 0) this.armAt(now + this.initial * this.divisor);
    else this.deadline = -1;
    this.expired();
  }

  save(): PlainData {
    return [this.initial, this.divide, this.mode, this.deadline];
  }

  /** The armed deadline itself comes back with the clock's own state. */
  load(data: PlainData): void {
    [this.initial, this.divide, this.mode, this.deadline] = data as [number, number, TimerMode, number];
  }

  stop(): void {
    this.deadline = -1;
    this.clock.cancel(this);
  }

  private armAt(atCycles: number): void {
    this.deadline = atCycles;
    this.clock.arm(this, atCycles);
  }
}
