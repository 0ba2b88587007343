import { beforeEach, describe, expect, it } from 'vitest';
import { PIT_HZ } from '../../../emu/dev/pit-counter.ts';
import { Pit8254 } from '../../../emu/dev/pit8254.ts';
import { FakeClock, FakeLine } from './fixtures.ts';

/** Ten cycles per tick. */
const CYCLES_PER_TICK = 10;

let clock: FakeClock;
let line: FakeLine;
let pit: Pit8254;

beforeEach(() => {
  clock = new FakeClock();
  line = new FakeLine();
  pit = new Pit8254({ clock, irq: line, cyclesPerSecond: PIT_HZ * CYCLES_PER_TICK });
});

const range = (port: number) => pit.portRanges.find(({ first, last }) => port >= first && port <= last)!;
const out = (port: number, ...values: number[]) => {
  for (const value of values) range(port).write(port, 1, value, 0);
};
const inb = (port: number) => range(port).read(port, 1, 0);
const ticks = (n: number) => clock.advance(clock.time + n * CYCLES_PER_TICK);
const word = (port: number) => inb(port) | (inb(port) << 8);
const out2 = () => (inb(0x61) >> 5) & 1;

describe('the interval timer', () => {
  it('interrupts at its rate in modes 2 and 3', () => {
    for (const mode of [0x34, 0x36]) {
      out(0x43, mode);
      out(0x40, 100, 0);
      const before = line.edges;
      ticks(99);
      expect(line.edges).toBe(before);
      ticks(1);
      expect(line.edges).toBe(before + 1);
      ticks(1000);
      expect(line.edges).toBe(before + 11);
    }
  });

  it('interrupts once in mode 0, and again only after a new count', () => {
    out(0x43, 0x30);
    out(0x40, 50, 0);
    ticks(49);
    expect(line.level).toBe(0);
    ticks(1);
    expect(line.level).toBe(1);
    ticks(100_000);
    expect(line.edges).toBe(1);
    out(0x40, 50, 0);
    expect(line.level).toBe(0);
    ticks(50);
    expect(line.edges).toBe(2);
  });

  it('stands still until it is programmed', () => {
    ticks(1_000_000);
    expect(line.edges).toBe(0);
    expect(clock.deadline(pit)).toBeUndefined();
  });

  it('counts down and can be latched', () => {
    out(0x43, 0x34);
    out(0x40, 0xe8, 0x03);
    ticks(1);
    expect(word(0x40)).toBe(999);
    out(0x43, 0x00);
    ticks(500);
    expect(word(0x40)).toBe(999);
    expect(word(0x40)).toBe(499);
    ticks(499);
    expect(word(0x40)).toBe(1000);
  });

  it('reads and writes single bytes, and decimal counts', () => {
    out(0x43, 0x94);
    out(0x42, 0x80);
    expect(inb(0x42)).toBe(0x80);
    out(0x61, 1);
    out(0x43, 0xb5);
    out(0x42, 0x00, 0x10);
    ticks(1);
    expect(word(0x42)).toBe(0x0999);
  });

  it('tells count and status with a read-back', () => {
    out(0x43, 0x34);
    out(0x43, 0xe2);
    expect(inb(0x40)).toBe(0x80 | 0x40 | 0x34);
    out(0x40, 10, 0);
    ticks(3);
    out(0x43, 0xc2);
    expect([inb(0x40), inb(0x40), inb(0x40)]).toEqual([0x80 | 0x34, 7, 0]);
  });

  it('lets a loop wait for counter 2: gate, count, output in port 61', () => {
    out(0x61, 0);
    out(0x43, 0xb0);
    out(0x42, 0x10, 0x27);
    ticks(20_000);
    expect(out2()).toBe(0);
    out(0x61, 1);
    ticks(9_999);
    expect(out2()).toBe(0);
    ticks(1);
    expect(out2()).toBe(1);
    expect(inb(0x61) & 0x0f).toBe(1);
  });

  it('holds counter 2 while its gate is low, and starts mode 1 by the gate', () => {
    out(0x61, 1);
    out(0x43, 0xb0);
    out(0x42, 100, 0);
    ticks(60);
    out(0x61, 0);
    ticks(1000);
    out(0x61, 1);
    ticks(39);
    expect(out2()).toBe(0);
    ticks(1);
    expect(out2()).toBe(1);
    out(0x61, 0);
    out(0x43, 0xb2);
    out(0x42, 5, 0);
    ticks(10);
    expect(out2()).toBe(1);
    out(0x61, 1);
    expect(out2()).toBe(0);
    ticks(5);
    expect(out2()).toBe(1);
  });

  it('is high for half of the period in mode 3 and low for one tick in mode 2', () => {
    out(0x61, 1);
    const highTicks = (control: number) => {
      out(0x43, control);
      out(0x42, 10, 0);
      let high = 0;
      for (let i = 0; i < 20; i++) {
        high += out2();
        ticks(1);
      }
      return high;
    };
    expect([highTicks(0xb6), highTicks(0xb4)]).toEqual([10, 18]);
  });

  it('toggles the refresh bit of port 61', () => {
    const seen = new Set<number>();
    for (let i = 0; i < 40; i++) {
      seen.add(inb(0x61) & 0x10);
      ticks(1);
    }
    expect(seen.size).toBe(2);
  });

  it('comes back from a snapshot in the middle of a period', () => {
    out(0x43, 0x34);
    out(0x40, 100, 0);
    ticks(30);
    const saved = pit.save();
    const other = new Pit8254({ clock, irq: line, cyclesPerSecond: PIT_HZ * CYCLES_PER_TICK });
    other.load(saved);
    pit = other;
    ticks(5);
    expect(word(0x40)).toBe(65);
  });
});
