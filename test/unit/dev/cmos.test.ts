import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { civilFromSeconds, secondsFromCivil } from '../../../emu/dev/civil-time.ts';
import { Cmos } from '../../../emu/dev/cmos.ts';
import { FakeClock } from './fixtures.ts';

const HZ = 1_000_000;
/** 2004-02-28 23:59:50, a Saturday. */
const EPOCH = Date.UTC(2004, 1, 28, 23, 59, 50) / 1000;

function make(ramBytes = 32 << 20) {
  const clock = new FakeClock();
  const cmos = new Cmos({ ramBytes, coreCount: 4, epochSeconds: EPOCH, cyclesPerSecond: HZ }, clock);
  const read = (register: number) => {
    cmos.write(0x70, 1, register);
    return cmos.read(0x71);
  };
  const write = (register: number, value: number) => {
    cmos.write(0x70, 1, register);
    cmos.write(0x71, 1, value);
  };
  const time = () => [0x32, 9, 8, 7, 4, 2, 0].map(read);
  return { clock, cmos, read, write, time };
}

describe('the real-time clock', () => {
  it('shows the epoch in BCD at cycle 0 and goes on with the emulated clock, over a leap day', () => {
    const { clock, time, read } = make();
    expect(time()).toEqual([0x20, 0x04, 0x02, 0x28, 0x23, 0x59, 0x50]);
    expect(read(6)).toBe(7);
    clock.advance(10 * HZ);
    expect(time()).toEqual([0x20, 0x04, 0x02, 0x29, 0x00, 0x00, 0x00]);
    expect(read(6)).toBe(1);
  });

  it('shows binary and 12-hour forms when status B asks', () => {
    const { read, write } = make();
    write(0x0b, 0x06);
    expect([read(4), read(2), read(0)]).toEqual([23, 59, 50]);
    write(0x0b, 0x04);
    expect(read(4)).toBe(11 | 0x80);
  });

  it('takes a new time while SET is up, and runs from there', () => {
    const { clock, read, write } = make();
    write(0x0b, 0x82);
    for (const [register, value] of [
      [0x32, 0x19],
      [9, 0x99],
      [8, 0x12],
      [7, 0x31],
      [4, 0x23],
      [2, 0x59],
      [0, 0x58],
    ] as const) {
      write(register, value);
    }
    clock.advance(5 * HZ);
    expect(read(0)).toBe(0x58);
    write(0x0b, 0x02);
    clock.advance(7 * HZ);
    expect([0x32, 9, 8, 7, 4, 2, 0].map(read)).toEqual([0x20, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00]);
  });

  it('announces an update shortly before the second changes', () => {
    const { clock, read } = make();
    expect(read(0x0a) & 0x80).toBe(0);
    clock.advance(HZ - 100);
    expect(read(0x0a) & 0x80).toBe(0x80);
    clock.advance(HZ);
    expect(read(0x0a) & 0x80).toBe(0);
  });

  it('agrees with the calendar of the host library for any second', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2e9, max: 2 ** 35 }), (seconds) => {
        const date = new Date(seconds * 1000);
        const civil = civilFromSeconds(seconds);
        expect([
          civil.year,
          civil.month,
          civil.day,
          civil.hour,
          civil.minute,
          civil.second,
          civil.weekday,
        ]).toEqual([
          date.getUTCFullYear(),
          date.getUTCMonth() + 1,
          date.getUTCDate(),
          date.getUTCHours(),
          date.getUTCMinutes(),
          date.getUTCSeconds(),
          date.getUTCDay(),
        ]);
        expect(secondsFromCivil(civil)).toBe(seconds);
      }),
    );
  });
});

describe('the CMOS memory', () => {
  const word = (read: (register: number) => number, register: number) =>
    read(register) | (read(register + 1) << 8);

  it.each([
    [4 << 20, 3072, 0],
    [32 << 20, 31 * 1024, 256],
    [3 * 2 ** 30, 0xffff, (3 * 1024 - 16) * 16],
  ])('tells the size of %d bytes of RAM', (ramBytes, kib, units) => {
    const { read } = make(ramBytes);
    expect(word(read, 0x15)).toBe(640);
    expect(word(read, 0x17)).toBe(kib);
    expect(word(read, 0x30)).toBe(kib);
    expect(word(read, 0x34)).toBe(units);
    expect(read(0x5f)).toBe(3);
  });

  it('keeps what is written elsewhere, not in the read-only status registers', () => {
    const { read, write } = make();
    write(0x0f, 0x0a);
    write(0x0d, 0);
    expect([read(0x0f), read(0x0d)]).toEqual([0x0a, 0x80]);
  });

  it('comes back from a snapshot', () => {
    const { cmos, write } = make();
    write(0x0f, 0x0a);
    write(0x00, 0x10);
    const other = make();
    other.cmos.load(cmos.save());
    expect(other.read(0x0f)).toBe(0x0a);
    expect(other.read(0)).toBe(0x10);
  });
});
