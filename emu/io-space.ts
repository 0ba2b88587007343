/**
 * The I/O port space: 65536 ports, each owned by at most one device's range. Unclaimed ports read as all ones and
 * drop writes. A wide access belongs to the device of its first port, as on an ISA bus with a device that decodes
 * 16 or 32 bits.
 */
import type { AccessSize, IoSpace, PortRange } from './arch/ports.ts';

const ALL_ONES = { 1: 0xff, 2: 0xffff, 4: 0xffffffff } as const;

export class PortSpace implements IoSpace {
  /** Index into `ranges` plus 1, 0 = unclaimed. */
  private readonly owner = new Uint8Array(65536);
  private readonly ranges: PortRange[] = [];

  /** Throws RangeError when another device owns one of the ports: a mistake of the board, never of a guest. */
  add(range: PortRange): void {
    this.ranges.push(range);
    for (let port = range.first; port <= range.last; port++) {
      const other = this.owner[port]!;
      if (other !== 0) {
        throw new RangeError(
          `port 0x${port.toString(16)} of ${range.name} belongs to ${this.ranges[other - 1]!.name}`,
        );
      }
      this.owner[port] = this.ranges.length;
    }
  }

  read(port: number, size: AccessSize, core: number): number {
    const owner = this.owner[port]!;
    if (owner === 0) return ALL_ONES[size];
    return (this.ranges[owner - 1]!.read(port, size, core) & ALL_ONES[size]) >>> 0;
  }

  write(port: number, size: AccessSize, value: number, core: number): void {
    const owner = this.owner[port]!;
    if (owner !== 0) this.ranges[owner - 1]!.write(port, size, (value & ALL_ONES[size]) >>> 0, core);
  }
}
