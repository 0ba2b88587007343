import { beforeEach, describe, expect, it } from 'vitest';
import { Kbc8042 } from '../../../emu/dev/kbc8042.ts';
import { FakeLine } from './fixtures.ts';

let line: FakeLine;
let log: string[];
let kbc: Kbc8042;

const make = () => new Kbc8042(line, { reset: () => log.push('reset'), a20: (gate) => log.push(gate) });
const range = (port: number) => kbc.portRanges.find((r) => r.first === port)!;
const out = (port: number, value: number) => range(port).write(port, 1, value, 0);
const inb = (port: number) => range(port).read(port, 1, 0);

beforeEach(() => {
  line = new FakeLine();
  log = [];
  kbc = make();
});

describe('the keyboard controller', () => {
  it('gives the keys of the host in order, with one edge for each byte', () => {
    kbc.key([0x1e, 0x9e]);
    expect(inb(0x64) & 1).toBe(1);
    expect([inb(0x60), inb(0x60)]).toEqual([0x1e, 0x9e]);
    expect(inb(0x64) & 1).toBe(0);
    expect(line.edges).toBe(2);
    expect(line.level).toBe(0);
  });

  it('passes its self tests and keeps its command byte', () => {
    out(0x64, 0xaa);
    out(0x64, 0xab);
    expect([inb(0x60), inb(0x60)]).toEqual([0x55, 0x00]);
    out(0x64, 0x60);
    out(0x60, 0x44);
    out(0x64, 0x20);
    expect(inb(0x60)).toBe(0x44);
  });

  it('raises no interrupt when the command byte forbids it', () => {
    out(0x64, 0x60);
    out(0x60, 0x00);
    kbc.key([1]);
    expect(line.edges).toBe(0);
    expect(inb(0x60)).toBe(1);
  });

  it('drops keys while the keyboard is disabled', () => {
    out(0x64, 0xad);
    kbc.key([1]);
    out(0x64, 0xae);
    kbc.key([2]);
    expect(inb(0x60)).toBe(2);
  });

  it('answers keyboard commands and takes their arguments', () => {
    const answers: number[] = [];
    for (const byte of [0xff, 0xf2, 0xee, 0xed, 0x07, 0xf4]) {
      out(0x60, byte);
      while ((inb(0x64) & 1) !== 0) answers.push(inb(0x60));
    }
    expect(answers).toEqual([0xfa, 0xaa, 0xfa, 0xab, 0x83, 0xee, 0xfa, 0xfa, 0xfa]);
  });

  it('drives A20 and the reset line by the output port and by port 0x92', () => {
    expect(kbc.a20).toBe(true);
    out(0x64, 0xd1);
    out(0x60, 0xdd);
    expect(kbc.a20).toBe(false);
    out(0x92, 0x02);
    expect(inb(0x92)).toBe(2);
    out(0x64, 0xfe);
    out(0x92, 0x03);
    expect(log).toEqual(['masked', 'open', 'reset', 'open', 'reset']);
  });

  it('keeps 64 bytes for a guest that does not read', () => {
    kbc.key(Array.from({ length: 100 }, (_, i) => i));
    const got: number[] = [];
    while ((inb(0x64) & 1) !== 0) got.push(inb(0x60));
    expect(got).toHaveLength(64);
  });

  it('comes back from a snapshot', () => {
    kbc.key([5, 6]);
    out(0x64, 0x60);
    const saved = kbc.save();
    kbc = make();
    kbc.load(saved);
    out(0x60, 0x00);
    expect([inb(0x60), inb(0x60)]).toEqual([5, 6]);
    out(0x64, 0x20);
    expect(inb(0x60)).toBe(0);
  });
});
