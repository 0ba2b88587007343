/**
 * Capability tables (physmem.md §2). A slot word carries an index and a generation (src/abi/message.ts); the
 * generation of an entry grows each time it is emptied, so that a kept word of an emptied slot is stale for ever:
 * an entry whose generations are used up is retired, not reused. New slots are always the lowest free ones.
 */
import { SLOT_COUNT, SLOT_INDEX_MASK, slotGeneration, slotWord } from '../abi/message.ts';
import type { CapRef } from '../abi/server.ts';
import { assert } from './bug.ts';

/** What a slot holds; a CapRef with the badge that receivers of messages see. Never changed in place. */
export type Slot = {
  readonly type: number;
  readonly object: number;
  readonly rights: number;
  readonly badge: number;
};

export type CapTable = {
  readonly slots: (Slot | null)[];
  readonly generations: number[];
  /** One bit per index: occupied or retired. Bit 0 of word 0 is always set. */
  readonly occupied: Uint32Array;
  free: number;
  /** Free slots that are promised to operations in flight. */
  reserved: number;
  /** objectKey → number of slots that name the object. */
  readonly holds: Map<number, number>;
};

const GENERATION_LAST = 0xfffff;

export const newCapTable = (): CapTable => {
  const occupied = new Uint32Array(SLOT_COUNT / 32);
  occupied[0] = 1;
  return { slots: [null], generations: [0], occupied, free: SLOT_COUNT - 1, reserved: 0, holds: new Map() };
};

export const objectKey = (type: number, object: number): number => type * 2 ** 40 + object;

export const makeSlot = (type: number, object: number, rights: number, badge: number): Slot => ({
  type,
  object,
  rights,
  badge,
});

export const slotFromRef = (ref: CapRef): Slot => makeSlot(ref.type, ref.object, ref.rights, 0);

/** A copy of a capability with at most the rights of `mask`. */
export const weaken = (slot: Slot, mask: number): Slot =>
  (slot.rights & mask) === slot.rights
    ? slot
    : makeSlot(slot.type, slot.object, slot.rights & mask, slot.badge);

/** What the word names, or null when it is forged, stale or empty. */
export function lookUp(table: CapTable, word: number): Slot | null {
  const index = word & SLOT_INDEX_MASK;
  const slot = table.slots[index];
  if (slot === undefined || slot === null) return null;
  return table.generations[index] === slotGeneration(word) ? slot : null;
}

/** Whether `count` more slots can be filled without touching what is promised to operations. */
export const hasRoom = (table: CapTable, count: number): boolean => table.free - table.reserved >= count;

/** Fills the lowest free slot and returns its word. The caller has checked that there is room. */
export function insert(table: CapTable, slot: Slot): number {
  const index = lowestFree(table);
  assert(index > 0, 'capability table without room');
  return place(table, index, slot);
}

/** Fills a given empty slot; used when a task is born. */
export function insertAt(table: CapTable, index: number, slot: Slot): number {
  assert(index > 0 && index < SLOT_COUNT && (table.slots[index] ?? null) === null, 'slot is not empty');
  return place(table, index, slot);
}

/** Empties the slot at an index and returns what was in it. */
export function remove(table: CapTable, index: number): Slot {
  const slot = table.slots[index] ?? null;
  assert(slot !== null, 'slot is empty');
  table.slots[index] = null;
  const generation = table.generations[index]! + 1;
  table.generations[index] = generation;
  if (generation < GENERATION_LAST) {
    table.occupied[index >>> 5]! &= ~(1 << (index & 31));
    table.free++;
  }
  const key = objectKey(slot.type, slot.object);
  const count = table.holds.get(key)! - 1;
  if (count === 0) table.holds.delete(key);
  else table.holds.set(key, count);
  return slot;
}

/** Empties every slot that names the object; returns how many there were. */
export function removeObject(table: CapTable, type: number, object: number): number {
  const count = table.holds.get(objectKey(type, object)) ?? 0;
  let left = count;
  for (let index = 1; left > 0; index++) {
    const slot = table.slots[index];
    if (slot?.type !== type || slot.object !== object) continue;
    remove(table, index);
    left--;
  }
  return count;
}

/**
 * Which rights of a slot that was just removed no other slot of the table gives; -1 when other slots give them
 * all. 0 is a possible loss: the last slot of an object, without rights.
 */
export function lostRights(table: CapTable, removed: Slot): number {
  if (!table.holds.has(objectKey(removed.type, removed.object))) return removed.rights;
  let left = removed.rights;
  for (const slot of table.slots) {
    if (slot?.type === removed.type && slot.object === removed.object) left &= ~slot.rights;
  }
  return left === 0 ? -1 : left;
}

function place(table: CapTable, index: number, slot: Slot): number {
  while (table.slots.length <= index) {
    table.slots.push(null);
    table.generations.push(0);
  }
  table.slots[index] = slot;
  table.occupied[index >>> 5]! |= 1 << (index & 31);
  table.free--;
  const key = objectKey(slot.type, slot.object);
  table.holds.set(key, (table.holds.get(key) ?? 0) + 1);
  return slotWord(index, table.generations[index]!);
}

function lowestFree(table: CapTable): number {
  for (let word = 0; word < table.occupied.length; word++) {
    const free = ~table.occupied[word]!;
    if (free !== 0) return word * 32 + (31 - Math.clz32(free & -free));
  }
  return -1;
}
