import { describe, expect, it } from 'vitest';
import { VgaText } from '../../../emu/dev/vga-text.ts';

const make = () => {
  const vga = new VgaText();
  const crtc = (index: number, value: number) => {
    vga.crtcPorts.write(0x3d4, 1, index, 0);
    vga.crtcPorts.write(0x3d5, 1, value, 0);
  };
  return { vga, crtc };
};

describe('the VGA text screen', () => {
  it('shows what is written to its memory, in any width', () => {
    const { vga } = make();
    vga.write(0xb8000, 4, 0x07420741);
    vga.write(0xb8004, 2, 0x1f43);
    vga.write(0xb8007, 1, 0x70);
    expect([...vga.cells().subarray(0, 4)]).toEqual([0x0741, 0x0742, 0x1f43, 0x7000]);
    expect(vga.read(0xb8001, 4)).toBe(0x43074207);
  });

  it('counts its changes, so that a view knows when to draw', () => {
    const { vga } = make();
    const before = vga.version;
    vga.read(0xb8000, 4);
    expect(vga.version).toBe(before);
    vga.write(0xb8000, 1, 1);
    expect(vga.version).toBeGreaterThan(before);
  });

  it('scrolls by the start address and places the cursor', () => {
    const { vga, crtc } = make();
    vga.write(0xb8000 + 160, 2, 0x0741);
    crtc(0x0d, 80);
    crtc(0x0f, 82);
    expect(vga.cells()[0]).toBe(0x0741);
    expect(vga.cursor()).toBe(2);
  });

  it('hides the cursor when it is off or beyond the page', () => {
    const { vga, crtc } = make();
    crtc(0x0a, 0x20);
    expect(vga.cursor()).toBe(-1);
    crtc(0x0a, 0x0d);
    crtc(0x0e, 0x40);
    expect(vga.cursor()).toBe(-1);
  });

  it('takes index and data in one 16-bit write', () => {
    const { vga } = make();
    vga.crtcPorts.write(0x3d4, 2, 0x050f, 0);
    expect(vga.crtcPorts.read(0x3d5, 1, 0)).toBe(5);
    expect(vga.cursor()).toBe(5);
  });

  it('comes back from a snapshot', () => {
    const { vga, crtc } = make();
    vga.write(0xb8000, 2, 0x0741);
    crtc(0x0f, 9);
    const other = make().vga;
    other.load(vga.save());
    expect(other.cells()[0]).toBe(0x0741);
    expect(other.cursor()).toBe(9);
  });
});
