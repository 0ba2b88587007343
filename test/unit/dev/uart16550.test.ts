import { beforeEach, describe, expect, it } from 'vitest';
import { PORT_COM1 } from '../../../emu/arch/address-map.ts';
import { Uart16550 } from '../../../emu/dev/uart16550.ts';
import { FakeClock, FakeLine } from './fixtures.ts';

let line: FakeLine;
let sent: number[];
let uart: Uart16550;
let clock: FakeClock;

/** Long enough for the far end to trust the line's settings. */
const settle = () => clock.advance(clock.time + 20_000);

const out = (offset: number, value: number) => uart.write(PORT_COM1 + offset, 1, value);
const inb = (offset: number) => uart.read(PORT_COM1 + offset, 1);

beforeEach(() => {
  line = new FakeLine();
  sent = [];
  clock = new FakeClock();
  uart = new Uart16550({ clock, events: { sink: null }, irq: line, transmit: (byte) => sent.push(byte) });
  out(4, 0x0b);
  settle();
});

describe('the UART', () => {
  it('sends what is written and is always ready for more', () => {
    for (const byte of [0x68, 0x69]) {
      expect(inb(5) & 0x60).toBe(0x60);
      out(0, byte);
    }
    expect(sent).toEqual([0x68, 0x69]);
  });

  it('keeps divisor, line control and scratch', () => {
    out(3, 0x83);
    out(0, 0x34);
    out(1, 0x12);
    expect([inb(0), inb(1)]).toEqual([0x34, 0x12]);
    out(3, 0x03);
    out(7, 0xa5);
    expect([inb(3), inb(7), inb(1)]).toEqual([0x03, 0xa5, 0]);
    expect(sent).toEqual([]);
  });

  it('gives received bytes in order and says when there are none', () => {
    uart.receive([1, 2, 3]);
    const got: number[] = [];
    while ((inb(5) & 1) !== 0) got.push(inb(0));
    expect(got).toEqual([1, 2, 3]);
    expect(inb(0)).toBe(0);
  });

  it('loses nothing of a long input: the stream waits for the FIFO', () => {
    out(2, 0x01);
    settle();
    const bytes = Array.from({ length: 100 }, (_, i) => i);
    uart.receive(bytes);
    const got: number[] = [];
    while ((inb(5) & 1) !== 0) got.push(inb(0));
    expect(got).toEqual(bytes);
  });

  it('interrupts for received data until it is read', () => {
    out(1, 1);
    expect(line.level).toBe(0);
    uart.receive([0x41]);
    expect(line.level).toBe(1);
    expect(inb(2)).toBe(0x04);
    inb(0);
    expect(line.level).toBe(0);
    expect(inb(2)).toBe(1);
  });

  it('tells the trigger level from the time-out', () => {
    out(2, 0x41);
    out(1, 1);
    settle();
    uart.receive([1, 2, 3]);
    expect(inb(2)).toBe(0xcc);
    uart.receive([4]);
    expect(inb(2)).toBe(0xc4);
  });

  it('interrupts when the transmitter is empty, once per enabling or byte', () => {
    out(1, 2);
    expect(line.level).toBe(1);
    expect(inb(2)).toBe(2);
    expect(line.level).toBe(0);
    out(0, 0x41);
    expect(line.level).toBe(1);
    expect(inb(2)).toBe(2);
    expect(inb(2)).toBe(1);
  });

  it('interrupts whatever OUT2 says, as xv6 needs it, but not in loop-back', () => {
    out(4, 0x00);
    out(1, 1);
    settle();
    uart.receive([1]);
    expect(line.level).toBe(1);
    out(4, 0x10);
    expect(line.level).toBe(0);
  });

  it('keeps back what comes while a driver sets the line up, and sends again what that driver threw away', () => {
    uart.receive([1, 2, 3]);
    expect(inb(5) & 1).toBe(1);
    // FIFO off, divisor, 8N1, modem lines off, receive interrupt on, then the reads that clear what was pending.
    for (const [register, value] of [
      [2, 0],
      [3, 0x80],
      [0, 12],
      [1, 0],
      [3, 3],
      [4, 0],
      [1, 1],
    ] as const)
      out(register, value);
    expect([inb(5) & 1, inb(2), inb(0)]).toEqual([0, 1, 0]);
    clock.advance(clock.time + 19_999);
    expect(inb(5) & 1).toBe(0);
    settle();
    expect(line.level).toBe(1);
    expect([inb(0), inb(0), inb(0)]).toEqual([1, 2, 3]);
  });

  it('loops bytes and modem lines back', () => {
    out(4, 0x1f);
    expect(inb(6)).toBe(0xf0);
    out(0, 0x5a);
    expect(sent).toEqual([]);
    expect(inb(5) & 1).toBe(1);
    expect(inb(0)).toBe(0x5a);
  });

  it('reports an overrun in loop-back, once', () => {
    out(4, 0x10);
    out(0, 1);
    out(0, 2);
    expect(inb(5) & 2).toBe(2);
    expect(inb(5) & 2).toBe(0);
  });

  it('splits wide accesses into bytes', () => {
    uart.write(PORT_COM1 + 3, 2, 0x0b03);
    expect([inb(3), inb(4)]).toEqual([0x03, 0x0b]);
  });

  it('comes back from a snapshot with its unread bytes', () => {
    out(1, 1);
    uart.receive([7, 8]);
    const saved = uart.save();
    uart = new Uart16550({ clock, events: { sink: null }, irq: line, transmit: () => {} });
    uart.load(saved);
    expect([inb(0), inb(0)]).toEqual([7, 8]);
    expect(inb(1)).toBe(1);
  });
});
