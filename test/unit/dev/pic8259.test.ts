import { beforeEach, describe, expect, it } from 'vitest';
import { PicPair } from '../../../emu/dev/pic8259.ts';

let intr: number;
let pic: PicPair;

const make = () => new PicPair((level) => (intr = level));
const range = (port: number) => pic.portRanges.find((r) => port >= r.first && port <= r.last)!;
const out = (port: number, value: number) => range(port).write(port, 1, value, 0);
const inb = (port: number) => range(port).read(port, 1, 0);

/** The usual PC initialisation: vectors 0x20 and 0x28, cascade on 2. */
function initialise(icw4 = 1): void {
  for (const [port, base, icw3] of [
    [0x20, 0x20, 4],
    [0xa0, 0x28, 2],
  ] as const) {
    out(port, 0x11);
    out(port + 1, base);
    out(port + 1, icw3);
    out(port + 1, icw4);
    out(port + 1, 0);
  }
}

beforeEach(() => {
  intr = 0;
  pic = make();
});

describe('the 8259 pair', () => {
  it('is masked at reset', () => {
    expect(inb(0x21)).toBe(0xff);
    pic.line(1).pulse();
    expect(intr).toBe(0);
  });

  it('raises INTR for an unmasked edge and gives its vector', () => {
    initialise();
    pic.line(1).pulse();
    expect(intr).toBe(1);
    expect(pic.acknowledge()).toBe(0x21);
    expect(intr).toBe(0);
  });

  it('serves the second chip through the cascade', () => {
    initialise();
    pic.line(14).pulse();
    expect(pic.acknowledge()).toBe(0x2e);
    out(0x20, 0x0b);
    expect(inb(0x20)).toBe(4);
    out(0xa0, 0x0b);
    expect(inb(0xa0)).toBe(0x40);
  });

  it('holds lower priorities until EOI and lets higher ones interrupt', () => {
    initialise();
    pic.line(4).pulse();
    expect(pic.acknowledge()).toBe(0x24);
    pic.line(5).pulse();
    expect(intr).toBe(0);
    pic.line(1).pulse();
    expect(pic.acknowledge()).toBe(0x21);
    out(0x20, 0x20);
    expect(intr).toBe(0);
    out(0x20, 0x20);
    expect(pic.acknowledge()).toBe(0x25);
  });

  it('ends a chosen service by specific EOI', () => {
    initialise();
    pic.line(4).pulse();
    pic.acknowledge();
    out(0x20, 0x64);
    pic.line(4).pulse();
    expect(intr).toBe(1);
  });

  it('needs no EOI in automatic mode, and serves two requests of the second chip in turn', () => {
    initialise(3);
    pic.line(8).pulse();
    pic.line(9).pulse();
    expect([pic.acknowledge(), pic.acknowledge()]).toEqual([0x28, 0x29]);
    expect(intr).toBe(0);
  });

  it('rotates the priority on a rotating EOI', () => {
    initialise();
    pic.line(0).pulse();
    pic.acknowledge();
    pic.line(0).pulse();
    pic.line(3).pulse();
    out(0x20, 0xa0);
    expect(pic.acknowledge()).toBe(0x23);
  });

  it('gives the spurious vector when the request went away', () => {
    initialise();
    const line = pic.line(3);
    line.set(1);
    line.set(0);
    expect(pic.acknowledge()).toBe(0x27);
    out(0x20, 0x0b);
    expect(inb(0x20)).toBe(0);
  });

  it('delivers after unmasking what came while masked', () => {
    initialise();
    out(0x21, 0xff);
    pic.line(1).pulse();
    expect(intr).toBe(0);
    out(0x21, 0xfd);
    expect(intr).toBe(1);
  });

  it('comes back from a snapshot with a service in progress', () => {
    initialise();
    pic.line(4).pulse();
    pic.acknowledge();
    const saved = pic.save();
    pic = make();
    pic.load(saved);
    pic.line(5).pulse();
    expect(intr).toBe(0);
    out(0x20, 0x20);
    expect(pic.acknowledge()).toBe(0x25);
  });
});
