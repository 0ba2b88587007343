import { describe, expect, it } from 'vitest';
import { REPLY_SLOT, SLOT_COUNT, slotIndex } from '../../../src/abi/message.ts';
import { hasRoom, insert, lookUp, makeSlot, newCapTable, remove } from '../../../src/kernel/capability.ts';

const slot = makeSlot(4, 1, 15, 0);

describe('a capability table', () => {
  it('retires a slot when its generations are used up, and never makes the word of REPLY_SLOT', () => {
    const table = newCapTable();
    table.slots.push(null);
    table.generations.push(0xffffd);
    const words = [insert(table, slot)];
    remove(table, 1);
    words.push(insert(table, slot));
    remove(table, 1);
    words.push(insert(table, slot));
    expect(words.map(slotIndex)).toEqual([1, 1, 2]);
    expect(table.free).toBe(SLOT_COUNT - 3);
    for (const word of words.slice(0, 2)) expect(lookUp(table, word)).toBeNull();
    expect(words).not.toContain(REPLY_SLOT);
  });

  it('holds 4095 slots, and index 0 is never valid', () => {
    const table = newCapTable();
    for (let i = 1; i < SLOT_COUNT; i++) expect(insert(table, slot)).toBe(i);
    expect(hasRoom(table, 1)).toBe(false);
    expect(lookUp(table, 0)).toBeNull();
    expect(lookUp(table, SLOT_COUNT - 1)).toBe(slot);
    remove(table, 77);
    expect(insert(table, slot)).toBe((1 << 12) | 77);
  });
});
