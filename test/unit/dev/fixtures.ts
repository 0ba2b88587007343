/** Stand-ins for the ports that devices are given. */
import type { Clock, DeviceTimer, IrqLine } from '../../../emu/arch/ports.ts';
import type { CoreSignals } from '../../../emu/dev/interrupt-ports.ts';

/** A clock that the test turns. */
export class FakeClock implements Clock {
  time = 0;
  private readonly armed = new Map<DeviceTimer, number>();

  now(): number {
    return this.time;
  }
  arm(timer: DeviceTimer, atCycles: number): void {
    this.armed.set(timer, atCycles);
  }
  cancel(timer: DeviceTimer): void {
    this.armed.delete(timer);
  }
  deadline(timer: DeviceTimer): number | undefined {
    return this.armed.get(timer);
  }

  /** Moves the time to `atCycles` and fires what comes due on the way, in order. */
  advance(atCycles: number): void {
    for (;;) {
      const due = [...this.armed].filter(([, at]) => at <= atCycles).sort((a, b) => a[1] - b[1])[0];
      if (due === undefined) break;
      this.armed.delete(due[0]);
      this.time = due[1];
      due[0].fire(due[1]);
    }
    this.time = atCycles;
  }
}

/** Remembers the pins and the pulses of the cores. */
export class FakeSignals implements CoreSignals {
  readonly intr: number[] = [];
  readonly log: string[] = [];

  setIntr(core: number, level: 0 | 1): void {
    this.intr[core] = level;
  }
  nmi(core: number): void {
    this.log.push(`nmi ${core}`);
  }
  init(core: number): void {
    this.log.push(`init ${core}`);
  }
  startup(core: number, page: number): void {
    this.log.push(`startup ${core} ${page}`);
  }
}

/** A line that counts its rising edges. */
export class FakeLine implements IrqLine {
  level = 0;
  edges = 0;

  set(level: 0 | 1): void {
    if (level === 1 && this.level === 0) this.edges++;
    this.level = level;
  }
  pulse(): void {
    this.edges++;
  }
}
