/**
 * A slice is sized for instructions of the usual cost; a device access costs a hundred times that. So after each
 * access the machine looks whether a timer has come due, and ends the slice if so: a core that polls a device sees
 * its interrupts in time. These wrappers make the look; devices and bus need not know.
 */
import type { AccessSize, IoSpace, MmioRegion } from './arch/ports.ts';

/** Called after a core (or, with -1, another master) has accessed a device. */
export type AfterAccess = (core: number) => void;

export function timedIo(io: IoSpace, after: AfterAccess): IoSpace {
  return {
    read: (port, size, core) => {
      const value = io.read(port, size, core);
      after(core);
      return value;
    },
    write: (port, size, value, core) => {
      io.write(port, size, value, core);
      after(core);
    },
  };
}

export class TimedRegion implements MmioRegion {
  readonly name: string;
  readonly base: number;
  readonly sizeBytes: number;
  private readonly region: MmioRegion;
  private readonly after: AfterAccess;

  constructor(region: MmioRegion, after: AfterAccess) {
    this.name = region.name;
    this.base = region.base;
    this.sizeBytes = region.sizeBytes;
    this.region = region;
    this.after = after;
  }

  read(pa: number, size: AccessSize, core: number): number {
    const value = this.region.read(pa, size, core);
    this.after(core);
    return value;
  }

  write(pa: number, size: AccessSize, value: number, core: number): void {
    this.region.write(pa, size, value, core);
    this.after(core);
  }
}
