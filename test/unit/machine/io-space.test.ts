import { describe, expect, it } from 'vitest';
import type { PortRange } from '../../../emu/arch/ports.ts';
import { PortSpace } from '../../../emu/io-space.ts';

const range = (name: string, first: number, last: number, log: string[] = []): PortRange => ({
  name,
  first,
  last,
  read: (port, size) => {
    log.push(`read ${port} ${size}`);
    return 0x12345678;
  },
  write: (port, size, value) => void log.push(`write ${port} ${size} ${value}`),
});

describe('the I/O port space', () => {
  it('reads ones from ports that nobody owns and drops writes to them', () => {
    const space = new PortSpace();
    space.write(0x300, 1, 5, 0);
    expect(([1, 2, 4] as const).map((size) => space.read(0x300, size, 0))).toEqual([
      0xff, 0xffff, 0xffffffff,
    ]);
  });

  it('hands an access to the owner of its first port, cut to its width', () => {
    const log: string[] = [];
    const space = new PortSpace();
    space.add(range('chip', 0x300, 0x301, log));
    expect(space.read(0x301, 2, 0)).toBe(0x5678);
    space.write(0x300, 1, 0x1ff, 0);
    expect(log).toEqual(['read 769 2', 'write 768 1 255']);
  });

  it('refuses two owners of one port', () => {
    const space = new PortSpace();
    space.add(range('first', 0x300, 0x307));
    expect(() => space.add(range('second', 0x307, 0x308))).toThrow('port 0x307 of second belongs to first');
  });
});
