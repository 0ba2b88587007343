/**
 * One counter of an 8254 (Intel 8254 data sheet, "Mode Definitions"): count and output as functions of the ticks since
 * the counter was loaded or triggered. Nothing is stepped. Not modelled: the one tick between the load and its effect,
 * and a new count that waits for the end of the running period (it takes effect at once).
 *
 *   mode  starts   OUT low                         gate low      repeats
 *   0     load     until the count is over         holds count
 *   1     gate up  until the count is over
 *   2     load     in the last tick                holds count   yes
 *   3     load     second half                     holds count   yes
 *   4     load     in the tick after the count     holds count
 *   5     gate up  in the tick after the count
 */
export const PIT_HZ = 1_193_182;

export interface CounterClock {
  /** Emulated time in cycles. */
  now(): number;
  readonly cyclesPerSecond: number;
}

export class PitCounter {
  mode = 0;
  /** 1 = the count is in binary coded decimal. */
  isBcd = 0;
  /** Ticks of a period, 1 .. 65536. */
  period = 0x10000;
  gate: 0 | 1;
  /** 1 from the load (modes 1 and 5: the trigger) on, until the next control word. */
  isStarted = 0;
  /** 1 when a count was loaded since the control word. */
  isLoaded = 0;
  /** Time at which tick 0 was; while the gate holds the counter, `heldTicks` have passed instead. */
  startCycles = 0;
  heldTicks = 0;
  private readonly clock: CounterClock;

  constructor(clock: CounterClock, gate: 0 | 1) {
    this.clock = clock;
    this.gate = gate;
  }

  get isPeriodic(): boolean {
    return this.mode === 2 || this.mode === 3;
  }

  private get startsByGate(): boolean {
    return this.mode === 1 || this.mode === 5;
  }

  private get isHeld(): boolean {
    return this.gate === 0 && !this.startsByGate;
  }

  /** A control word: the counter stands until it is loaded. Modes 6 and 7 are 2 and 3. */
  setMode(mode: number, isBcd: 0 | 1): void {
    this.mode = mode > 5 ? mode - 4 : mode;
    this.isBcd = isBcd;
    this.isStarted = this.isLoaded = 0;
  }

  /** A complete count; 0 stands for the largest one. */
  load(count: number): void {
    const value = this.isBcd !== 0 ? fromBcd(count) : count;
    this.period = value === 0 ? (this.isBcd !== 0 ? 10_000 : 0x10000) : value;
    this.isLoaded = 1;
    if (!this.startsByGate) this.start();
  }

  setGate(level: 0 | 1): void {
    const before = this.gate;
    if (before === level) return;
    const ticks = this.ticks();
    this.gate = level;
    if (this.startsByGate) {
      if (level === 1 && this.isLoaded !== 0) this.start();
      return;
    }
    if (this.isStarted === 0) return;
    if (level === 0) this.heldTicks = ticks;
    // Modes 2 and 3 begin anew at the rising gate, the others go on.
    else this.startCycles = this.clock.now() - this.cyclesOf(this.isPeriodic ? 0 : this.heldTicks);
  }

  /** Level of the OUT pin. */
  out(): 0 | 1 {
    if (this.isStarted === 0) return this.mode === 0 ? 0 : 1;
    const ticks = this.ticks();
    switch (this.mode) {
      case 0:
      case 1:
        return ticks >= this.period ? 1 : 0;
      case 2:
        return this.isHeld || ticks % this.period !== this.period - 1 ? 1 : 0;
      case 3:
        return this.isHeld || ticks % this.period < (this.period + 1) >> 1 ? 1 : 0;
      default:
        return ticks === this.period ? 0 : 1;
    }
  }

  /** What the counting element shows, as it is read (BCD when the counter counts so). */
  count(): number {
    const ticks = this.isStarted === 0 ? 0 : this.ticks();
    let left = this.period - ticks;
    if (this.mode === 2) left = this.period - (ticks % this.period);
    else if (this.mode === 3) {
      // Counts down by two, twice per period.
      const half = Math.max(1, (this.period + 1) >> 1);
      left = (this.period & ~1) - 2 * (ticks % half);
    }
    return this.isBcd !== 0 ? toBcd(((left % 10_000) + 10_000) % 10_000) : left & 0xffff;
  }

  /** Time of the next rising edge of OUT after `afterCycles`; Infinity when none comes by itself. */
  nextRise(afterCycles: number): number {
    if (this.isStarted === 0 || this.isHeld) return Number.POSITIVE_INFINITY;
    const ticks = this.ticksAt(afterCycles);
    const [first, step] = this.isPeriodic
      ? [this.period, this.period]
      : [this.mode >= 4 ? this.period + 1 : this.period, Number.POSITIVE_INFINITY];
    if (ticks < first) return this.startCycles + this.cyclesOf(first);
    if (step === Number.POSITIVE_INFINITY) return step;
    return this.startCycles + this.cyclesOf((Math.floor(ticks / step) + 1) * step);
  }

  private start(): void {
    this.isStarted = 1;
    this.heldTicks = 0;
    this.startCycles = this.clock.now();
  }

  private ticks(): number {
    return this.isHeld ? this.heldTicks : this.ticksAt(this.clock.now());
  }

  /** Ticks at a time, chosen so that `cyclesOf(n)` later it is exactly n. */
  private ticksAt(atCycles: number): number {
    const elapsed = atCycles - this.startCycles;
    const ticks = Math.floor((elapsed * PIT_HZ) / this.clock.cyclesPerSecond);
    return this.cyclesOf(ticks + 1) <= elapsed ? ticks + 1 : ticks;
  }

  private cyclesOf(ticks: number): number {
    return Math.ceil((ticks * this.clock.cyclesPerSecond) / PIT_HZ);
  }
}

const fromBcd = (bcd: number): number =>
  (bcd >> 12) * 1000 + ((bcd >> 8) & 0xf) * 100 + ((bcd >> 4) & 0xf) * 10 + (bcd & 0xf);

const toBcd = (n: number): number =>
  (Math.floor(n / 1000) << 12) |
  ((Math.floor(n / 100) % 10) << 8) |
  ((Math.floor(n / 10) % 10) << 4) |
  (n % 10);
