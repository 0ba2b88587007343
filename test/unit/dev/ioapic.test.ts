import { beforeEach, describe, expect, it } from 'vitest';
import { IOAPIC_BASE } from '../../../emu/arch/address-map.ts';
import { type ApicDestination, type ApicMessage, Delivery } from '../../../emu/dev/interrupt-ports.ts';
import { IoApic } from '../../../emu/dev/ioapic.ts';

let posts: (ApicDestination & ApicMessage)[];
let chip: IoApic;

const make = () => new IoApic({ post: (to, message) => posts.push({ ...to, ...message }) }, 2);
function readReg(index: number): number {
  chip.write(IOAPIC_BASE, 4, index);
  return chip.read(IOAPIC_BASE + 0x10, 4);
}
function writeReg(index: number, value: number): void {
  chip.write(IOAPIC_BASE, 4, index);
  chip.write(IOAPIC_BASE + 0x10, 4, value >>> 0);
}

beforeEach(() => {
  posts = [];
  chip = make();
});

describe('the I/O APIC', () => {
  it('has 24 inputs, all masked at reset, and its ID', () => {
    expect(readReg(1)).toBe(0x00170011);
    expect(readReg(0)).toBe(2 << 24);
    for (let input = 0; input < 24; input++) expect(readReg(0x10 + 2 * input)).toBe(0x10000);
  });

  it('posts an edge to the destination of its entry', () => {
    writeReg(0x19, 3 << 24);
    writeReg(0x18, 0x24);
    chip.line(4).pulse();
    expect(posts).toEqual([
      { mode: 'physical', id: 3, delivery: Delivery.Fixed, vector: 0x24, trigger: 'edge' },
    ]);
  });

  it('posts one message per rising edge and none while masked', () => {
    writeReg(0x18, 0x24);
    const line = chip.line(4);
    line.set(1);
    line.set(1);
    expect(posts).toHaveLength(1);
    line.set(0);
    writeReg(0x18, 0x10024);
    line.set(1);
    expect(posts).toHaveLength(1);
  });

  it('repeats a level after EOI while the line is still up', () => {
    writeReg(0x18, 0x8924);
    const line = chip.line(4);
    line.set(1);
    expect(posts).toEqual([
      { mode: 'logical', id: 0, delivery: Delivery.Lowest, vector: 0x24, trigger: 'level' },
    ]);
    expect(readReg(0x18) & 0x4000).toBe(0x4000);
    line.set(0);
    line.set(1);
    expect(posts).toHaveLength(1);
    chip.endOfInterrupt(0x24);
    expect(posts).toHaveLength(2);
    line.set(0);
    chip.endOfInterrupt(0x24);
    expect(posts).toHaveLength(2);
    expect(readReg(0x18) & 0x4000).toBe(0);
  });

  it('delivers a level that came while the entry was masked', () => {
    chip.line(9).set(1);
    writeReg(0x22, 0x8029);
    expect(posts).toHaveLength(1);
  });

  it('keeps remote IRR and delivery status read-only', () => {
    writeReg(0x18, 0x1f024);
    expect(readReg(0x18)).toBe(0x1a024);
  });

  it('reads zero beyond the table', () => {
    writeReg(0x40, 0xffffffff);
    expect(readReg(0x40)).toBe(0);
    expect(readReg(0xff)).toBe(0);
  });

  it('comes back from a snapshot', () => {
    writeReg(0x19, 3 << 24);
    writeReg(0x18, 0x8024);
    chip.line(4).set(1);
    const saved = chip.save();
    chip = make();
    chip.load(saved);
    chip.endOfInterrupt(0x24);
    expect(posts).toHaveLength(2);
  });
});
