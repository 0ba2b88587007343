import { describe, expect, it } from 'vitest';
import { RamPageStore } from '../../../emu/ram-pages.ts';

const PAGES = 16;
const make = () => {
  const ram = new Uint8Array(PAGES * 4096);
  return { ram, store: new RamPageStore(ram) };
};
const plain = (pages: { frames: Int32Array; pages: readonly Uint8Array[] }) => ({ ...pages });

describe('the page store', () => {
  it('holds only pages that are not zero', () => {
    const { ram, store } = make();
    ram[4096 * 3 + 4095] = 1;
    ram[4096 * 9] = 2;
    expect([...store.save().frames]).toEqual([3, 9]);
  });

  it('shares a page with the snapshot before as long as it is not written', () => {
    const { ram, store } = make();
    ram.fill(1, 0, 2 * 4096);
    const first = store.save();
    ram[4096] = 9;
    const second = store.save();
    expect(second.pages[0]).toBe(first.pages[0]);
    expect(second.pages[1]).not.toBe(first.pages[1]);
    expect(first.pages[1]![0]).toBe(1);
  });

  it('restores contents, zeroes what was zero, and shares with what it restored', () => {
    const { ram, store } = make();
    ram[4096 * 2] = 7;
    const saved = store.save();
    const other = make();
    other.ram.fill(0xee);
    other.store.load(plain(saved));
    expect(other.ram).toEqual(ram);
    expect(other.store.save().pages[0]).toBe(saved.pages[0]);
  });
});
