/**
 * The emulated clock: now, and the queue of device timers (machine.md §4). Timers fire between slices, in the
 * order of their deadlines; equal deadlines in the order of arming. While a timer fires, `now` is its deadline,
 * even when the slice that held it up ended later: what it starts is then timed as the hardware would have.
 */
import type { Clock, DeviceTimer, PlainData, Snapshotable } from './arch/ports.ts';

interface Deadline {
  readonly timer: DeviceTimer;
  readonly atCycles: number;
}

export class EmulatedClock implements Clock, Snapshotable {
  private readonly timers = new Map<string, DeviceTimer>();
  /** Sorted; few timers, so insertion is a walk. */
  private queue: Deadline[] = [];
  private readonly runningTime: () => number;
  private readonly earlier: () => void;
  /** Time between slices; -1 while the core that runs tells the time. */
  private pausedAt = 0;

  /**
   * `runningTime` tells the time while a core is current, `earlier` is called when a new deadline comes before all
   * others: the slice in progress was sized without it.
   */
  constructor(runningTime: () => number, earlier: () => void) {
    this.runningTime = runningTime;
    this.earlier = earlier;
  }

  /** Makes a timer known by its name, so that a snapshot's deadlines find it. Names are unique. */
  register(timer: DeviceTimer): void {
    this.timers.set(timer.name, timer);
  }

  now(): number {
    return this.pausedAt >= 0 ? this.pausedAt : this.runningTime();
  }

  /** From now on the current core tells the time. */
  resume(): void {
    this.pausedAt = -1;
  }

  /** Stops the time at `atCycles` until `resume`. */
  pause(atCycles: number): void {
    this.pausedAt = atCycles;
  }

  arm(timer: DeviceTimer, atCycles: number): void {
    this.cancel(timer);
    let i = this.queue.length;
    while (i > 0 && this.queue[i - 1]!.atCycles > atCycles) i--;
    this.queue.splice(i, 0, { timer, atCycles });
    if (i === 0) this.earlier();
  }

  cancel(timer: DeviceTimer): void {
    const i = this.queue.findIndex((deadline) => deadline.timer === timer);
    if (i >= 0) this.queue.splice(i, 1);
  }

  /** Deadline of the next timer, Infinity when none is armed. */
  nextDeadline(): number {
    return this.queue[0]?.atCycles ?? Number.POSITIVE_INFINITY;
  }

  /** Fires the next timer if its deadline is not after `limitCycles`; false when there is none. */
  fireNext(limitCycles: number): boolean {
    const next = this.queue[0];
    if (next === undefined || next.atCycles > limitCycles) return false;
    this.queue.shift();
    this.pausedAt = next.atCycles;
    next.timer.fire(next.atCycles);
    return true;
  }

  save(): PlainData {
    return { now: this.now(), queue: this.queue.map(({ timer, atCycles }) => [timer.name, atCycles]) };
  }

  load(data: PlainData): void {
    const state = data as { now: number; queue: [string, number][] };
    this.pausedAt = state.now;
    this.queue = state.queue.map(([name, atCycles]) => {
      const timer = this.timers.get(name);
      if (timer === undefined)
        throw new RangeError(`the snapshot has a timer ${name}, this machine has none`);
      return { timer, atCycles };
    });
  }
}
